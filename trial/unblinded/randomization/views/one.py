"""One allocation: where it came from, what went wrong, and recording that the wrong treatment was given."""

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, page
from trial.core.access.roles import (
    IndependentStatistician,
    TreatmentCoordinator,
    UnblindedCoordinator,
    UnblindedDataManager,
    UnblindedMonitor,
)
from trial.core.errors import Refused
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import grouped
from trial.participants.queries import lock
from trial.participants.randomization.presenters import error_table, stratum_names
from trial.participants.randomization.queries import errors_of
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note
from trial.unblinded.disclosure.models import UnblindedHistory
from trial.unblinded.randomization import actions, presenters
from trial.unblinded.randomization.actions.errors import RECORDERS
from trial.unblinded.randomization.forms import WrongTreatmentForm
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.randomization.queries import allocations, wrong_treatments

READERS = (UnblindedCoordinator, TreatmentCoordinator, UnblindedDataManager, UnblindedMonitor, IndependentStatistician)


def _found(number: str) -> Allocation:
    """The allocation of this participant, or 404: another site's number answers like one that does not exist."""
    found = allocations().filter(participant__number=number).first()
    if found is None:
        raise Http404
    return found


def _crumbs(number: str, *more: str) -> list[tuple[str, str]]:
    steps = [(_("Allocations"), reverse("allocations")), (grouped(number), reverse("allocation", args=[number]))]
    steps += [(name, "") for name in more]
    return [*steps[:-1], (steps[-1][0], "")]


@page(roles=READERS)
def allocation(request: Request, number: str) -> HttpResponseBase:
    """One allocation with its errors. That it was opened goes into the ledger."""
    found, protocol = _found(number), current()
    note(what="allocation opened", subject=found.participant.number, by=request.person)
    events = wrong_treatments(found)
    may_record = request.person.holds(*RECORDERS, site=found.site) and lock() is None
    stands = bool(events) and not events[-1].void
    strata = stratum_names(protocol)
    context = {
        "title": _("Allocation of participant %(number)s") % {"number": grouped(number)},
        "crumbs": _crumbs(number),
        "number": found.participant.number,
        "facts": presenters.allocation_facts(found, protocol, strata),
        "events": presenters.wrong_treatment_table(events, protocol),
        "errors": error_table(found.participant, errors_of(found.participant_id), protocol),
        "may_record": may_record,
        "may_void": may_record and stands,
        "history": lines(
            history_of(
                ("unblinded_allocation", found.pk),
                *(("unblinded_wrong_treatment", one.pk) for one in events),
                source=UnblindedHistory,
            ),
            {"allocate": _("Allocated"), **{f"arm:{arm.code}": arm.name for arm in protocol.arms}},
            ("site",),
        ),
    }
    return render(request, "unblinded/randomization/allocation.html", context)


@page(roles=RECORDERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def wrong_treatment(request: Request, number: str) -> HttpResponseBase:
    """Record that the wrong treatment was given."""
    found = _found(number)
    arms = [(arm.code, arm.name) for arm in current().arms]
    form = WrongTreatmentForm(posted(request), arms=[one for one in arms if one[0] != found.arm])
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.record_wrong_treatment(
                allocation=found, given_arm=given["given_arm"], day=given["day"], reason_code=given["reason"],
                by=request.person,
            )  # fmt: skip
            return redirect("allocation", number)
        except Refused as refusal:
            form.add_error("day" if refusal.code == "day" else None, str(refusal.message))
    context = {
        "title": _("Record the wrong treatment"),
        "crumbs": _crumbs(number, _("Wrong treatment")),
        "facts": [
            (_("Participant"), grouped(number)), (_("Allocated"), dict(arms).get(found.arm, found.arm)),
            (_("Since"), found.allocated_at),
        ],
        "consequence": _("The allocation stays, and the slot is not used again. Analyses are repeated without this participant."),
        "form": form,
        "submit": _("Record the wrong treatment"),
        "cancel_url": reverse("allocation", args=[number]),
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))


@page(roles=RECORDERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def void_treatment(request: Request, number: str) -> HttpResponseBase:
    """Take the last event back: it was recorded by mistake."""
    found = _found(number)
    events = wrong_treatments(found)
    if not events or events[-1].void:
        raise Http404
    refused = ""
    if request.method == "POST":
        try:
            actions.void_wrong_treatment(allocation=found, by=request.person)
            return redirect("allocation", number)
        except Refused as refusal:
            refused = str(refusal.message)
    context = {
        "title": _("Take back the wrong treatment"),
        "crumbs": _crumbs(number, _("Wrong treatment")),
        "facts": [(_("Participant"), grouped(number)), (_("Recorded"), events[-1].recorded_at)],
        "consequence": refused or _("It was recorded by mistake. Both rows stay in the history."),
        "submit": _("Take it back"),
        "cancel_url": reverse("allocation", args=[number]),
    }
    return render(request, "confirm.html", context, status=422 if refused else 200)
