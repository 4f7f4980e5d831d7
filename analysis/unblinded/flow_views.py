"""The flow of participants by arm, behind the wall."""

from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from analysis.unblinded.assembly import courses
from analysis.unblinded.flow import flow_of
from analysis.unblinded.flow_presenters import flow_chart, flow_sentence, flow_table
from trial.core.access import Request, page
from trial.core.access.roles import IndependentStatistician, UnblindedDataManager
from trial.core.ui.tables import csv_response
from trial.participants.queries import recruitment
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note
from trial.unblinded.disclosure.queries import planned_unblinding


@page(roles=(IndependentStatistician, UnblindedDataManager))
def flow_page(request: Request) -> HttpResponseBase:
    """Allocated, seen, missed by reason, analyzed, by arm. The independent statistician after planned unblinding only. It goes into the ledger."""
    title = _("Flow by arm")
    if not request.person.holds(UnblindedDataManager) and planned_unblinding() is None:
        return render(request, "unblinded/analysis/flow.html", {"title": title, "is_closed": True})
    protocol = current()
    arms = flow_of(courses(protocol), protocol)
    note(what="flow by arm opened", subject="", by=request.person)
    table = flow_table(arms)
    if request.GET.get("format") == "csv":
        return csv_response(table, "flow-by-arm")
    context = {
        "title": title,
        "lead": _("Do not pass this on to anybody who assesses outcomes."),
        "sentence": flow_sentence(arms),
        "chart": flow_chart(arms, recruitment()),
        "table": table,
    }
    return render(request, "unblinded/analysis/flow.html", context)
