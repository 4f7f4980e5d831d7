"""Lists of visits: the interviewer's and the clinician-rater's worklists, and the calendar of everybody."""

from collections.abc import Sequence

from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from assessments.visits import presenters as show
from assessments.visits import queries
from assessments.visits.forms import VisitFilter
from assessments.visits.queries import VisitLine
from assessments.visits.schedule import State
from trial.core import clock
from trial.core.access import Request, page
from trial.core.access.roles import ClinicianRater, Coordinator, DataManager, Interviewer, Investigator, Monitor
from trial.core.ui.tables import Table, csv_response, page_of
from trial.participants.queries import participants
from trial.protocol.queries import current

OVERSEERS = (Coordinator, ClinicianRater, DataManager, Monitor, Investigator)
PAGE_SIZE = 50


@page(roles=(Interviewer,))
def worklist(request: Request) -> HttpResponseBase:
    """What this interviewer has to do: what is late or due now, then what comes; ``?visit=`` and ``?state=`` filter."""
    protocol = current()
    return _to_do(
        request,
        show.my_lines(request.person, protocol),
        name="interviews",
        title=_("Interviews"),
        empty=_("Nothing is due. Interviews appear here when their window opens."),
    )


@page(roles=(ClinicianRater,))
def ratings(request: Request) -> HttpResponseBase:
    """The visits with forms that a clinician rates, of this rater's site: what is to be rated now, then what comes."""
    protocol = current()
    return _to_do(
        request,
        show.rating_lines(request.person, protocol),
        name="ratings",
        title=_("Ratings"),
        empty=_("Nothing is to be rated. Participants appear here when they are registered and when a window opens."),
        rating=True,
    )


def _to_do(
    request: Request, lines: Sequence[VisitLine], *, name: str, title: str, empty: str, rating: bool = False
) -> HttpResponseBase:
    given = {key: request.GET.get(key, "") for key in ("visit", "state")}
    lines = [one for one in lines if given["visit"] in ("", one.visit.code) and given["state"] in ("", one.state.value)]
    if request.GET.get("format") == "csv":
        return csv_response(show.work_table(lines, rating=rating), name)
    coming = [one for one in lines if one.state is State.UPCOMING]
    now = [one for one in lines if one.state is not State.UPCOMING]
    chosen = {key: value for key, value in given.items() if value}
    states = [(one.value, show.STATES[one][1]) for one in show.URGENCY if one not in (State.DONE, State.MISSED)]
    tables = [
        show.work_table(now, rating=rating, caption=_("To do now"), empty=empty),
        show.work_table(
            coming, rating=rating, caption=_("Coming"), empty=_("No window opens within the next sixty days.")
        ),
    ]
    if chosen:  # of what was filtered only the part that has something in it
        tables = [one for one in tables if one.rows] or [
            Table([], empty=_("Nothing of your work matches this filter."))
        ]
    context = {
        "title": title,
        "lead": _("%(now)d to do now, %(coming)d coming") % {"now": len(now), "coming": len(coming)},
        "filter": VisitFilter(request.GET, protocol=current(), states=states),
        "clear_url": reverse(name) if chosen else "",
        "tables": tables,
        "csv_url": f"?{urlencode({**chosen, 'format': 'csv'})}" if lines else "",
    }
    return render(request, "assessments/worklist.html", context)


@page(roles=OVERSEERS)
def visits(request: Request) -> HttpResponseBase:
    """The visits of everybody one may see; ``?visit=`` and ``?state=`` filter."""
    protocol = current()
    wanted_visit, wanted_state = request.GET.get("visit", ""), request.GET.get("state", "")
    lines = show.in_order(
        line
        for line in queries.visit_lines(participants(), protocol, clock.today())
        if wanted_visit in ("", line.visit.code) and wanted_state in ("", line.state.value)
    )
    if request.GET.get("format") == "csv":
        return csv_response(show.visit_table(lines), "visits")
    query = f"visit={wanted_visit}&state={wanted_state}"
    rows, position = page_of(lines, request.GET.get("page"), PAGE_SIZE, query)
    table = show.visit_table(
        rows,
        csv_url=f"?{query}&format=csv",
        position=position,
        empty=_("Visits appear here when somebody has been registered."),
        link=request.person.holds(Coordinator, ClinicianRater, DataManager, Monitor),
    )
    context = {
        "title": _("Visits"),
        "lead": _("%(count)d visits") % {"count": len(lines)},
        "table": table,
        "filter": VisitFilter(
            request.GET, protocol=protocol, states=[(one.value, show.STATES[one][1]) for one in show.URGENCY[:-1]]
        ),
        "clear_url": reverse("visits") if wanted_visit or wanted_state else "",
    }
    return render(request, "assessments/visits.html", context)
