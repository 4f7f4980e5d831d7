"""The public page of the commitments, and errors of randomization on the open side."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from trial.core.access import public
from trial.participants.randomization.presenters import commitment_lines
from trial.participants.randomization.queries import commitments


@public()
@require_GET
def commitment(request: HttpRequest) -> HttpResponseBase:
    """The SHA-256 of each sealed sequence, for everybody. It tells nothing of the sequence."""
    context = {
        "title": _("Commitment to the allocation sequence"),
        "lead": _("Print or copy this page before the first participant. After unblinding, the sequence is revealed and compared with it."),
        "commitments": commitment_lines(list(commitments())),
    }  # fmt: skip
    return render(request, "trial/commitment.html", context)
