"""Before the first participant: the shares of the seed, and what has been committed."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, page
from trial.core.errors import Refused
from trial.core.ui.forms import posted, status_of
from trial.participants.forms import SignatureForm
from trial.participants.randomization.presenters import commitment_lines
from trial.participants.randomization.queries import commitments
from trial.unblinded.randomization import actions, presenters
from trial.unblinded.randomization.actions.sealing import CONTRIBUTORS
from trial.unblinded.randomization.queries import contributions


@page(roles=CONTRIBUTORS)
def sealing(request: Request) -> HttpResponseBase:
    """Who has contributed to the seed, with the receipts, and the commitments that are public."""
    given, committed = contributions(), list(commitments())
    mine = any(one.contributor == request.person.actor_id for one in given)
    context = {
        "title": _("Sealing"),
        "crumbs": [(_("Allocations"), reverse("allocations")), (_("Sealing"), "")],
        "lead": _("The seed of the sequence comes from two people who do not recruit, so that neither can compute it."),
        "shares": presenters.contribution_table(given),
        "commitments": commitment_lines(committed),
        "may_contribute": not mine and not committed,
    }
    return render(request, "unblinded/randomization/sealing.html", context)


@page(roles=CONTRIBUTORS)
@require_http_methods(["GET", "POST"])
def contribute(request: Request) -> HttpResponseBase:
    """Contribute the own share, after the password. The share is drawn here and shown to nobody; the receipt is."""
    form = SignatureForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            receipt = actions.contribute_share(password=form.cleaned_data["password"], by=request.person)
            messages.info(request, _("Your share is kept. Receipt: %(receipt)s") % {"receipt": receipt})
            return redirect("sealing")
        except Refused as refusal:
            form.add_error("password" if refusal.code == "password_wrong" else None, str(refusal.message))
    context = {
        "title": _("Contribute to the seed"),
        "crumbs": [(_("Allocations"), reverse("allocations")), (_("Sealing"), reverse("sealing")), (_("Contribute"), "")],
        "facts": [(_("Contributor"), request.person.name), (_("Your share"), _("32 bytes, drawn when you press the button"))],
        "consequence": _("This cannot be undone or repeated. Nobody sees your share; you get a receipt, the SHA-256 of it. Keep the receipt."),
        "submit": _("Contribute to the seed"),
        "cancel_url": reverse("sealing"),
        "form": form,
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))
