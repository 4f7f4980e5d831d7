"""Serious events behind the wall: the list, one event, its narrative, and the table by arm. Each goes into the ledger."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, page
from trial.core.access.roles import (
    CommitteeChair,
    CommitteeMember,
    IndependentStatistician,
    TreatmentCoordinator,
    UnblindedCoordinator,
    UnblindedDataManager,
    UnblindedMonitor,
)
from trial.core.errors import Refused
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import csv_response, grouped, page_of
from trial.participants.events.presenters import kind_words
from trial.participants.queries import died
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note
from trial.unblinded.events import actions, queries
from trial.unblinded.events import presenters as show
from trial.unblinded.events.actions import WRITERS
from trial.unblinded.events.forms import EventFilter, NarrativeForm
from trial.unblinded.events.queries import EventLine

READERS = (TreatmentCoordinator, UnblindedCoordinator, UnblindedDataManager, UnblindedMonitor)
BY_ARM = (CommitteeMember, CommitteeChair, IndependentStatistician)
PAGE_SIZE = 50


def _line_or_404(key: uuid.UUID) -> EventLine:
    found = queries.line_or_none(key)
    if found is None:
        raise Http404
    return found


def _crumbs(line: EventLine, *more: str) -> list[tuple[str, str]]:
    one = (grouped(line.event.participant.number), reverse("event", args=[line.event.key]) if more else "")
    return [(_("Serious events"), reverse("events")), one, *((name, "") for name in more)]


@page(roles=READERS)
def events(request: Request) -> HttpResponseBase:
    """The serious events of randomized people; ``?state=`` leaves those without a narrative. Who died stands here only when asked for."""
    state = request.GET.get("state", "").strip()
    everything = queries.event_lines()
    gone = died(one.event.participant_id for one in everything)
    found = [
        one
        for one in everything
        if (one.event.participant_id in gone) == (state == "died") and (state != "missing" or one.narrative is None)
    ]
    note(what="serious events opened", subject=",".join(sorted(request.person.sites)), by=request.person)
    if request.GET.get("format") == "csv":
        return csv_response(show.event_table(found), "serious-events-unblinded")
    query = f"state={state}" if state in ("died", "missing") else ""
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE, query)
    context = {
        "title": _("Serious events"),
        "lead": _("Nobody blind sees what is told here, nor how it is judged."),
        "filter": EventFilter(request.GET),
        "clear_url": reverse("events") if query else "",
        "table": show.event_table(
            rows,
            csv_url=f"?{query}&format=csv" if query else "?format=csv",
            position=position,
            filtered_url=reverse("events") if query else "",
        ),
    }
    return render(request, "unblinded/events/list.html", context)


@page(roles=READERS)
def event(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One serious event: what is known on the open side, the arm, and what was told."""
    line = _line_or_404(key)
    note(what="serious event opened", subject=line.event.participant.number, by=request.person)
    told = queries.narratives(key)
    context = {
        "title": _("Serious event of participant %(number)s") % {"number": grouped(line.event.participant.number)},
        "crumbs": _crumbs(line),
        "key": key,
        "facts": show.event_facts(line, current()),
        "table": show.narrative_table(told),
        "may_write": not line.event.void and request.person.holds(*WRITERS, site=line.allocation.site),
        "history": show.event_history(line, told),
    }
    return render(request, "unblinded/events/event.html", context)


@page(roles=WRITERS)
@require_http_methods(["GET", "POST"])
def event_narrative(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Tell what happened, and judge it. What was told before stays."""
    line = _line_or_404(key)
    if not request.person.holds(*WRITERS, site=line.allocation.site):
        raise Http404
    form = NarrativeForm(posted(request), before=line.narrative)
    if request.method == "GET" and line.narrative is not None:
        note(what="serious event opened", subject=line.event.participant.number, by=request.person)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.write_narrative(
                line=line, words=given["words"], relatedness=given["relatedness"], expectedness=given["expectedness"],
                by=request.person,
            )  # fmt: skip
            messages.success(request, _("Thank you. It is recorded."))
            return redirect("event", key)
        except Refused as refusal:
            form.add_error("words" if refusal.code == "words_missing" else None, str(refusal.message))
    context = {
        "title": _("Narrative of a serious event"),
        "over": f"{grouped(line.event.participant.number)}: {kind_words(line.event)}",
        "lead": _("Read the care record first. The narrative that was there before stays beside the new one."),
        "crumbs": _crumbs(line, _("Narrative")),
        "form": form,
        "submit": _("Save the narrative"),
        "cancel_url": reverse("event", args=[key]),
    }
    return render(request, "trial/form.html", context, status=status_of(form))


@page(roles=BY_ARM)
def events_by_arm(request: Request) -> HttpResponseBase:
    """For the committee: events since randomization, and people with one, by arm. It goes into the ledger."""
    lines, protocol = queries.event_lines(), current()
    found, randomized = queries.happened(lines), queries.randomized_by_arm()
    note(what="serious events by arm opened", subject="", by=request.person)
    if request.GET.get("format") == "csv":
        return csv_response(show.arm_table(found, randomized, protocol), "serious-events-by-arm")
    context = {
        "title": _("Serious events by arm"),
        "lead": _("Do not pass this on to anybody who assesses outcomes."),
        "sentence": show.arm_sentence(found, before=len(lines) - len(found)),
        "table": show.arm_table(found, randomized, protocol, csv_url="?format=csv"),
    }
    return render(request, "unblinded/events/by_arm.html", context)
