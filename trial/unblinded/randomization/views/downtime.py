"""Downtime: a contingency slot for a participant whose request the allocator has left waiting, let go by two people."""

import uuid

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, page
from trial.core.access.roles import IndependentStatistician, TreatmentCoordinator
from trial.core.errors import Refused
from trial.core.history.queries import names_of
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import grouped
from trial.participants.forms import SignatureForm
from trial.participants.models import Participant
from trial.participants.queries import participant_numbered
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note
from trial.unblinded.randomization import actions, presenters
from trial.unblinded.randomization.forms import DOWNTIME_REASONS, DowntimeForm
from trial.unblinded.randomization.models import ContingencyRequest
from trial.unblinded.randomization.queries import contingency_requests, long_waiting

ROLES = (TreatmentCoordinator, IndependentStatistician)


def _crumbs(name: str = "") -> list[tuple[str, str]]:
    steps = [(_("Allocations"), reverse("allocations")), (_("Downtime"), reverse("downtime") if name else "")]
    return [*steps, (name, "")] if name else steps


@page(roles=ROLES)
def downtime(request: Request) -> HttpResponseBase:
    """Requests that wait for more than 15 minutes, and the contingency slots that were asked for or let go."""
    asked = list(contingency_requests())
    if any(one.release_or_none for one in asked):
        note(what="contingency slots opened", subject=",".join(sorted(request.person.sites)), by=request.person)
    context = {
        "title": _("Downtime"),
        "crumbs": _crumbs(),
        "lead": _("When the allocator cannot be reached, two people let go of the next slot of the site's own sealed list for one participant."),
        "waiting": presenters.waiting_table(long_waiting(), may_ask=request.person.holds(TreatmentCoordinator)),
        "asked": presenters.contingency_table(asked, current(), may_release=request.person.holds(IndependentStatistician)),
    }  # fmt: skip
    return render(request, "unblinded/randomization/downtime.html", context)


@page(roles=(TreatmentCoordinator,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def ask(request: Request, number: str) -> HttpResponseBase:
    """Ask for the next contingency slot for this participant."""
    participant = participant_numbered(number)
    if participant is None or participant.randomized_at is not None:
        raise Http404
    form = DowntimeForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.ask_contingency(participant=participant, reason_code=form.cleaned_data["reason"], by=request.person)
            return redirect("downtime")
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("Ask for a contingency slot"),
        "crumbs": _crumbs(_("Ask")),
        "facts": [
            (_("Participant"), grouped(participant.number)), (_("Site"), participant.site.name), (_("Team"), participant.team.name)
        ],
        "consequence": _("The independent statistician lets the slot go. From then on the arm is fixed, also when the allocator comes back."),
        "form": form,
        "submit": _("Ask for a contingency slot"),
        "cancel_url": reverse("downtime"),
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))


@page(roles=(IndependentStatistician,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def release(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Let the slot go, after the password. The arm is shown on the page of the requests."""
    found = ContingencyRequest.objects.filter(pk=key, release=None).first()
    if found is None:
        raise Http404
    form = SignatureForm(posted(request))
    if request.method == "POST" and form.carries_out(actions.release_contingency, request=found, by=request.person):
        return redirect("downtime")
    participant = Participant.objects.select_related("site").get(pk=found.participant_id)
    context = {
        "title": _("Let a contingency slot go"),
        "crumbs": _crumbs(_("Let go")),
        "facts": [
            (_("Participant"), grouped(participant.number)), (_("Site"), participant.site.name),
            (_("Asked for by"), names_of([found.asked_by]).get(found.asked_by, found.asked_by)), (_("Asked"), found.asked_at),
            (_("Because"), str(DOWNTIME_REASONS[ContingencyRequest.Reason(found.reason)])),
        ],
        "consequence": _("This cannot be undone: the slot belongs to this participant from now on, and its arm is shown to you and to the site."),
        "form": form,
        "submit": _("Let the slot go"),
        "cancel_url": reverse("downtime"),
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))
