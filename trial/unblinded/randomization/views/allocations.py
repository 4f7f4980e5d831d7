"""Allocations, for the treatment coordinator of the site, and the coordinator where that person sees them."""

from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from trial.core.access import Request, page
from trial.core.access.roles import (
    IndependentStatistician,
    TreatmentCoordinator,
    UnblindedCoordinator,
    UnblindedDataManager,
    UnblindedMonitor,
)
from trial.core.ui.tables import Column, Link, Table, grouped, page_of, shown
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.randomization.presenters import links_of
from trial.unblinded.randomization.queries import allocations

READERS = (UnblindedCoordinator, TreatmentCoordinator, UnblindedDataManager, UnblindedMonitor, IndependentStatistician)
PAGE_SIZE = 50


@page(roles=READERS)
def allocation_list(request: Request) -> HttpResponseBase:
    """Who was allocated to what, at the sites one may see. That it was opened goes into the ledger."""
    protocol = current()
    names = {arm.code: arm.name for arm in protocol.arms}
    found = list(allocations())
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE)
    columns = [Column(_("Participant"), code=True), Column(_("Team")), Column(_("Arm")), Column(_("Allocated"))]
    leads_on = protocol.sessions is not None and request.person.holds(TreatmentCoordinator, UnblindedDataManager)
    cells = [
        [
            _number(a, leads_on=leads_on),
            a.participant.team.name,
            names.get(a.arm, a.arm),
            Link(shown(a.allocated_at), reverse("allocation", args=[a.participant.number])),
        ]
        for a in rows
    ]
    table = Table(
        columns,
        cells,
        empty=_("Allocations appear here when somebody at your site has been randomized."),
        page=position,
    )
    note(what="allocation list opened", subject=",".join(sorted(request.person.sites)), by=request.person)
    context = {
        "title": _("Allocations"),
        "table": table,
        "lead": _("Do not pass this on to anybody who assesses outcomes."),
        "links": links_of(request.person),
    }
    return render(request, "unblinded/randomization/allocation_list.html", context)


def _number(allocation: Allocation, *, leads_on: bool) -> str | Link:
    """The study number; for who follows treatment it leads to the person."""
    number = allocation.participant.number
    return Link(grouped(number), reverse("treatment_person", args=[number])) if leads_on else grouped(number)
