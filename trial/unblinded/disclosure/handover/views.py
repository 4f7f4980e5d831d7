"""Hand-overs: ordered from a report, and what the nights made of them."""

from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, page
from trial.core.access.roles import IndependentStatistician, UnblindedDataManager
from trial.core.errors import Refused
from trial.core.history.queries import names_of
from trial.core.ui.tables import csv_response, grouped, page_of
from trial.participants.models import Participant, UnblindingReport
from trial.protocol.queries import current
from trial.unblinded.disclosure.handover import actions, queries
from trial.unblinded.disclosure.handover import presenters as show
from trial.unblinded.disclosure.queries import protocol_or_none

PAGE_SIZE = 50


@page(roles=(UnblindedDataManager, IndependentStatistician))
def handovers(request: Request) -> HttpResponseBase:
    """Orders that wait, and what each night wrote: ordered or by lot."""
    found, protocol = list(queries.handovers()), protocol_or_none()
    if request.GET.get("format") == "csv":
        return csv_response(show.handover_table(found, protocol), "hand-overs")
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE)
    context = {
        "title": _("Hand-overs"),
        "lead": _(
            "The open side sees that a participant was handed over, at night, by site staff. Why stands here alone."
        ),
        "waiting": show.order_table(queries.pending_orders()),
        "table": show.handover_table(rows, protocol, "?format=csv", position),
    }
    return render(request, "unblinded/disclosure/handovers.html", context)


@page(roles=(UnblindedDataManager,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def order(request: Request, key: str) -> HttpResponseBase:
    """Order that another interviewer goes on with the participant of a report."""
    report = UnblindingReport.objects.filter(pk=key).first()
    participant = Participant.objects.filter(pk=report.participant_id).first() if report else None
    if report is None or participant is None:
        raise Http404
    refused: dict[str, Any] = {}
    if request.method == "POST":
        try:
            actions.order_handover(report=report, by=request.person)
            return redirect("handovers")
        except Refused as refusal:
            refused = {"has_errors": True, "consequence": str(refusal.message)}
    number, assessor = grouped(participant.number), queries.assessor_of(participant.pk)
    people = names_of([report.reported_by, *([str(assessor)] if assessor else [])])
    visits = {visit.code: visit.name for visit in current().visits}
    context = {
        "title": _("Hand participant %(number)s over to another interviewer") % {"number": number},
        "crumbs": [(_("Unblinding reports"), reverse("unblinding_reports")), (_("Hand-over"), "")],
        "facts": [
            (_("Participant"), number),
            (_("Reported by"), people.get(report.reported_by, report.reported_by)),
            (_("Reported"), report.reported_at),
            (_("Visit"), visits.get(report.visit, report.visit) or _("outside a visit")),
            (_("Assessed by"), people.get(str(assessor), "")),
        ],
        "consequence": _(
            "It is written at night, among random ones, when the next visit comes near. Blinded people see no reason. "
            "If nobody else is left, the same interviewer goes on, and the list of hand-overs says so."
        ),
        "submit": _("Order the hand-over"),
        "cancel_url": reverse("unblinding_reports"),
        **refused,
    }
    return render(request, "confirm.html", context, status=422 if refused else 200)
