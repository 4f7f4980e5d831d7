"""The flow of participants, pooled, with the visits that wait."""

from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from assessments.overview import presenters as show
from trial.core.access import Request, page
from trial.core.ui.tables import csv_response
from trial.participants.recruitment.presenters import OVERSEERS, sees_every_site
from trial.protocol.queries import current


@page(roles=OVERSEERS)
def flow(request: Request) -> HttpResponseBase:
    """Assessed, excluded, registered, randomized, seen; ``?format=csv`` and ``?format=waiting`` give the tables."""
    protocol = current()
    pooled = show.PooledFlow(protocol)
    if request.GET.get("format") == "csv":
        return csv_response(pooled.table(), "flow")
    if request.GET.get("format") == "waiting":
        return csv_response(show.waiting_table(protocol), "visits-that-wait")
    context = {
        "title": _("Flow of participants"),
        "lead": _("All arms together, as it stands now.")
        if sees_every_site(request.person)
        else _("Your site, all arms together, as it stands now."),
        "figure": pooled.figure(),
        "table": pooled.table("?format=csv"),
        "waiting": show.waiting_table(protocol, "?format=waiting"),
    }
    return render(request, "assessments/flow.html", context)
