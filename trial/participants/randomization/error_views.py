"""Errors of randomization of one participant, on the open side. The allocation and the stratum as randomized stay."""

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, page
from trial.core.access.roles import Coordinator, DataManager
from trial.core.errors import Refused
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import grouped
from trial.participants import queries
from trial.participants.models import Participant
from trial.participants.presenters import READERS, crumbs_to
from trial.participants.randomization import actions
from trial.participants.randomization.forms import ErrorForm
from trial.participants.randomization.presenters import HISTORY_WORDS, KIND_WORDS, error_table, stratum_names
from trial.participants.randomization.queries import errors_of, open_errors
from trial.protocol.queries import current

RECORDERS = (Coordinator, DataManager)


def _found(number: str) -> Participant:
    """The participant with this number who was randomized, or 404: another site's number answers like one that does not exist."""
    participant = queries.participant_numbered(number)
    if participant is None or participant.randomized_at is None:
        raise Http404
    return participant


@page(roles=READERS)
def errors(request: Request, number: str) -> HttpResponseBase:
    """What went wrong when this participant was randomized."""
    participant = _found(number)
    rows = list(errors_of(participant.pk))
    may_record = request.person.holds(*RECORDERS, site=participant.site_id) and queries.lock() is None
    context = {
        "title": _("Errors of randomization"),
        "over": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "crumbs": crumbs_to(request.person, participant, _("Errors of randomization")),
        "participant": participant,
        "table": error_table(participant, rows, current(), may_void=may_record),
        "may_record": may_record,
        "history": lines(history_of(*(("participants_randomizationerror", row.pk) for row in rows)), HISTORY_WORDS),
    }
    return render(request, "trial/randomization_errors.html", context)


@page(roles=RECORDERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def record(request: Request, number: str) -> HttpResponseBase:
    """Record one error, coded."""
    participant, names = _found(number), stratum_names(current())
    strata = [(code, name) for code, name in names.items() if code != participant.stratum]
    form = ErrorForm(posted(request), strata=strata)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.record_error(
                participant=participant, kind=given["kind"], day=given["day"], reason_code=given["reason"],
                corrected_stratum=given["corrected_stratum"], other_number=given["other_number"], by=request.person,
            )  # fmt: skip
            return redirect("randomization_errors", participant.number)
        except Refused as refusal:
            form.add_error("other_number" if refusal.code == "other_number" else None, str(refusal.message))
    context = {
        "title": _("Record an error of randomization"),
        "over": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "crumbs": crumbs_to(request.person, participant, _("Errors of randomization")),
        "facts": [
            (_("Participant"), grouped(participant.number)),
            (_("Randomized"), participant.randomized_at),
            (_("Stratum as randomized"), names.get(participant.stratum, participant.stratum)),
        ],
        "consequence": _("The allocation stays, and so does the stratum as randomized. Analyses are repeated without this participant."),
        "form": form,
        "submit": _("Record the error"),
        "cancel_url": reverse("randomization_errors", args=[participant.number]),
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))


@page(roles=RECORDERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def void(request: Request, number: str, part: str) -> HttpResponseBase:
    """Take an error back that was recorded by mistake. Nothing is removed."""
    participant = _found(number)
    standing = open_errors(errors_of(participant.pk)).get(part)
    if standing is None:
        raise Http404
    if request.method == "POST":
        try:
            actions.void_error(participant=participant, kind=part, by=request.person)
        except Refused as refusal:
            return _void_page(request, participant, part, str(refusal.message))
        return redirect("randomization_errors", participant.number)
    return _void_page(request, participant, part, "")


def _void_page(request: Request, participant: Participant, kind: str, refusal: str) -> HttpResponseBase:
    context = {
        "title": _("Take back an error of randomization"),
        "over": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "crumbs": crumbs_to(request.person, participant, _("Errors of randomization")),
        "facts": [(_("Participant"), grouped(participant.number)), (_("Error"), KIND_WORDS[kind])],
        "consequence": refusal or _("It was recorded by mistake. Both rows stay in the history."),
        "submit": _("Take it back"),
        "cancel_url": reverse("randomization_errors", args=[participant.number]),
    }
    return render(request, "confirm.html", context, status=422 if refusal else 200)
