"""Allocations, for the treatment coordinator of the site."""

from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from trial.core.access import Request, page
from trial.core.access.roles import (
    IndependentStatistician,
    TreatmentCoordinator,
    UnblindedDataManager,
    UnblindedMonitor,
)
from trial.core.ui.tables import Column, Link, Table, grouped, page_of
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note
from trial.unblinded.randomization.presenters import links_of
from trial.unblinded.randomization.queries import allocations

PAGE_SIZE = 50


@page(roles=(TreatmentCoordinator, UnblindedDataManager, UnblindedMonitor, IndependentStatistician))
def allocation_list(request: Request) -> HttpResponseBase:
    """Who was allocated to what, at the sites one may see. That it was opened goes into the ledger."""
    protocol = current()
    names = {arm.code: arm.name for arm in protocol.arms}
    found = list(allocations())
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE)
    columns = [Column(_("Participant"), code=True), Column(_("Team")), Column(_("Arm")), Column(_("Allocated"))]
    shown = [
        [
            Link(grouped(a.participant.number), reverse("allocation", args=[a.participant.number])),
            a.participant.team.name,
            names.get(a.arm, a.arm),
            a.allocated_at,
        ]
        for a in rows
    ]
    table = Table(
        columns,
        shown,
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
