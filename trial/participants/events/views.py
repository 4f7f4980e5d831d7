"""Pages of serious events. The page that reports one is mounted on both sides; all others are of the open side."""

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, page
from trial.core.access.roles import Coordinator, DataManager, Interviewer, Investigator, Monitor
from trial.core.errors import Refused
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import csv_response, grouped, page_of
from trial.participants import queries as people
from trial.participants.events import actions, queries, rules
from trial.participants.events import presenters as show
from trial.participants.events.forms import CorrectForm, EventFilter, ReportForm
from trial.participants.events.rules import CORRECTORS, READERS, REPORTERS
from trial.participants.models import Participant
from trial.participants.presenters import crumbs_to

PAGE_SIZE = 50


def _over(participant: Participant) -> str:
    return _("Participant %(number)s") % {"number": grouped(participant.number)}


@page(roles=READERS)
def serious_events(request: Request) -> HttpResponseBase:
    """The serious events of the sites one may see, of all arms together; ``?kind=`` and ``?outcome=`` filter. The list names nobody who died."""
    given = {name: request.GET.get(name, "").strip() for name in ("kind", "outcome")}
    wanted = {name: value for name, value in given.items() if value}
    everything = list(queries.in_force())
    gone = people.died(one.participant_id for one in everything)
    found = [
        one
        for one in everything
        if one.participant_id not in gone and all(getattr(one, name) == value for name, value in wanted.items())
    ]
    if request.GET.get("format") == "csv":
        return csv_response(show.list_table(found), "serious-events")
    if request.GET.get("format") == "kinds":
        return csv_response(show.pooled_table(everything), "serious-events-by-kind")
    query = urlencode(wanted)
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE, query)
    context = {
        "title": _("Serious events"),
        "lead": _("Reported by people of the site, from the care record, of everybody in the same way."),
        "filter": EventFilter(request.GET),
        "clear_url": reverse("serious_events") if query else "",
        "table": show.list_table(
            rows,
            csv_url=f"?{query}&format=csv" if query else "?format=csv",
            position=position,
            filtered_url=reverse("serious_events") if query else "",
        ),
        "pooled": show.pooled_table(everything, csv_url="?format=kinds"),
    }
    return render(request, "trial/serious_events.html", context)


@page(roles=(Coordinator, Interviewer, DataManager, Monitor, Investigator))
def participant_events(request: Request, number: str) -> HttpResponseBase:
    """The serious events of one participant."""
    participant = people.participant_numbered(number)
    if participant is None or not rules.may_read(request.person, participant):
        raise Http404
    is_open = people.lock() is None
    found = queries.in_force().filter(participant=participant)
    rows = queries.rows_of(participant.pk)
    context = {
        "title": _("Serious events"),
        "over": _over(participant),
        "crumbs": crumbs_to(request.person, participant, _("Serious events")),
        "participant": participant,
        "table": show.event_table(found, may_correct=is_open and rules.may_correct(request.person, participant)),
        "may_report": is_open and rules.may_report(request.person, participant),
        "history": lines(
            history_of(*(("participants_seriousevent", row.pk) for row in rows), without=("event", "number")),
            show.HISTORY_WORDS,
        ),
    }
    return render(request, "trial/participant_events.html", context)


@page(roles=REPORTERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def serious_event_new(request: Request, number: str) -> HttpResponseBase:
    """Report a serious event: kind and day. The same page on both sides, of everybody."""
    participant = people.participant_numbered(number)
    if participant is None or not rules.may_report(request.person, participant):
        raise Http404
    form = ReportForm(posted(request))
    back = show.after_report(participant)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.report_event(
                participant=participant, kind=given["kind"], began_on=given["began_on"], by=request.person
            )
            messages.success(request, _("Thank you. It is recorded."))
            return redirect(back)
        except Refused as refusal:
            form.add_error("began_on" if refusal.code.startswith("day_") else None, str(refusal.message))
    context = {
        "title": _("Report a serious event"),
        "over": _over(participant),
        "lead": _("Report what the care record says, in the same way of every participant, as soon as you know of it."),
        "crumbs": crumbs_to(request.person, participant, _("Serious event")),
        "form": form,
        "submit": _("Report the event"),
        "cancel_url": back,
    }
    return render(request, "trial/form.html", context, status=status_of(form))


@page(roles=CORRECTORS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def serious_event_correct(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """What became of an event, or a correction: a new row, and the old ones stay."""
    event = queries.event_or_none(key)
    if event is None or not rules.may_correct(request.person, event.participant):
        raise Http404
    participant = event.participant
    form = CorrectForm(posted(request), event=event)
    back = reverse("participant_events", args=[participant.number])
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.correct_event(
                event=event, kind=given["kind"], began_on=given["began_on"], outcome=given["outcome"], void=given["void"],
                by=request.person,
            )  # fmt: skip
            return redirect(back)
        except Refused as refusal:
            form.add_error("began_on" if refusal.code.startswith("day_") else None, str(refusal.message))
    context = {
        "title": _("Put a serious event right"),
        "over": _over(participant),
        "lead": _("What stands now is filled in. The rows before stay in the history."),
        "crumbs": crumbs_to(request.person, participant, _("Serious event")),
        "form": form,
        "submit": _("Record what became of it"),
        "cancel_url": back,
    }
    return render(request, "trial/form.html", context, status=status_of(form))
