"""Pages of one participant's visits: who interviews, one visit with its forms, and what becomes of it."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from assessments.entry.models import Form
from assessments.entry.queries import OWN, Readiness, forms_of, interview_instruments, readiness, unsigned
from assessments.visits import actions, queries, rules
from assessments.visits import presenters as show
from assessments.visits.forms import AssignForm, MissedForm
from assessments.visits.queries import VisitLine
from assessments.visits.schedule import State
from assessments.visits.views.places import crumbs_to, find_participant, find_visit, participant_step
from assessments.visits.wording import history_words
from trial.core import clock
from trial.core.access import Request, page
from trial.core.access.roles import ClinicianRater, Coordinator, DataManager, Interviewer, Monitor
from trial.core.errors import Refused
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui.forms import posted, status_of
from trial.core.ui.parts import Change
from trial.core.ui.tables import Column, Link, Table, grouped
from trial.core.ui.tables import State as Shown
from trial.participants.contact.presenters import attempt_table
from trial.participants.course.presenters import links_to
from trial.participants.models import Participant
from trial.participants.queries import attempts_of, lock
from trial.participants.rules import coordinates_blind, may_follow
from trial.protocol.definition import Instrument, Protocol
from trial.protocol.queries import current

AT_VISITS = (Interviewer, Coordinator, ClinicianRater, DataManager)
READERS = (*AT_VISITS, Monitor)
WATCHERS = (Coordinator, DataManager, Monitor)
"""Who sees what became of a visit before; an assessor is to see nothing earlier."""


@page(roles=READERS)
def participant_visits(request: Request, number: str) -> HttpResponseBase:
    """Every visit of one participant."""
    participant = find_participant(request, number)
    protocol = current()
    lines = queries.visit_lines([participant], protocol, clock.today())
    order = {visit.code: place for place, visit in enumerate(protocol.visits)}
    context = {
        "title": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "lead": _("Visits after the baseline appear when the participant has been randomized.")
        if participant.randomized_at is None
        else "",
        "crumbs": crumbs_to(request, participant),
        "participant": participant,
        "table": show.visit_table(sorted(lines, key=lambda line: order[line.visit.code])),
        "may_assign": coordinates_blind(request.person, protocol.site(participant.site_id))
        and not any(line.state is State.DIED for line in lines)
        and lock() is None,
        "links": [
            *links_to(request.person, participant, at="participant_visits"),
            *_attempts(request, participant, lines),
        ],
        "may_report": request.person.holds(Interviewer, Coordinator, site=participant.site_id),
    }
    return render(request, "assessments/participant.html", context)


def _attempts(request: Request, participant: Participant, lines: list[VisitLine]) -> list[tuple[str, str]]:
    """The visits for which this person tries to reach the participant now."""
    if lock() is not None or not may_follow(request.person, participant):
        return []
    return [
        (
            _("Record an attempt to reach the participant: %(visit)s") % {"visit": line.visit.name},
            reverse("visit_attempt", args=[participant.number, line.visit.code]),
        )
        for line in lines
        if show.is_near(line)
    ]


@page(roles=(Coordinator, DataManager), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def assign(request: Request, number: str) -> HttpResponseBase:
    """Choose who assesses this participant."""
    participant = find_participant(request, number)
    if not coordinates_blind(request.person, current().site(participant.site_id)):
        raise Http404
    people = queries.interviewers_at(participant.site_id)
    before = queries.interviewer_of(participant.pk)
    form = AssignForm(
        posted(request),
        interviewers=people,
        initial={"interviewer": str(before.interviewer_id) if before else None},
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.assign_interviewer(participant=participant, interviewer=form.interviewer, by=request.person)
            return redirect("participant_visits", participant.number)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    title = _("Assign an interviewer to participant %(number)s") % {"number": grouped(participant.number)}
    context = {
        "title": title,
        "crumbs": [*crumbs_to(request, participant)[:-1], participant_step(participant), (_("Interviewer"), "")],
        "form": form,
        "submit": _("Assign interviewer"),
        "cancel_url": reverse("participant_visits", args=[participant.number]),
        "lead": ""
        if people
        else _("This site has no interviewer yet. Ask an administrator to give somebody the role."),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


@page(roles=READERS)
def visit(request: Request, number: str, code: str) -> HttpResponseBase:
    """One visit: its window, its forms, and what comes next: a form, the signature, the end of the interview."""
    participant = find_participant(request, number)
    protocol, line = find_visit(participant, code)
    forms = forms_of(participant.pk, code)
    left = readiness(forms.values())
    is_open = lock() is None
    mine = [
        one for one in protocol.instruments_at(code) if is_open and rules.may_enter(request.person, participant, one)
    ]
    # a draft is still signed; nothing new is asked of who died or has withdrawn
    mine = [one for one in mine if one.code in forms or (line.asks(one) and line.state is not State.DIED)]
    if line.state is State.MISSED:
        mine = [one for one in mine if one.rater not in OWN]  # what clinicians rate does not need the interview
    ready = [one for one in mine if one.code in left and left[one.code].is_complete]
    unfinished = [one for one in unsigned(mine, forms) if one not in ready]
    interview_over = not unsigned(interview_instruments(protocol, code), forms)
    may_close = is_open and rules.may_close(request.person, participant)
    asks_arm = interview_over and line.is_open and not line.visit.is_baseline and may_close
    context = {
        "title": _("%(visit)s of participant %(number)s")
        % {"visit": line.visit.name, "number": grouped(participant.number)},
        "crumbs": crumbs_to(request, participant, line),
        "participant": participant,
        "line": line,
        "state": show.shown_state(line),
        "facts": show.calendar_facts(line, protocol),
        "table": _form_table(participant, protocol, line, forms, left, mine),
        "next": unfinished[0] if unfinished else None,
        "next_open": bool(unfinished) and unfinished[0].code in forms,
        "sign": ngettext("Sign %(n)d form", "Sign %(n)d forms", len(ready)) % {"n": len(ready)} if ready else "",
        "asks_arm": asks_arm and not unfinished and not ready,
        "may_miss": may_close and line.is_open and not asks_arm,
        "may_reopen": may_close and line.state is State.MISSED,
        "may_report": request.person.holds(Interviewer, Coordinator, site=participant.site_id),
        "may_ask": is_open and request.person.holds(DataManager, Monitor),
        "history": history_lines(participant, code, protocol) if request.person.holds(*WATCHERS) else None,
        "attempts": attempt_table(attempts_of(participant.pk, code)),
        "may_try": is_open and line.is_open and may_follow(request.person, participant),
        "may_contact": line.state is not State.DIED and may_follow(request.person, participant),
    }
    return render(request, "assessments/visit.html", context)


def history_lines(participant: Participant, code: str, protocol: Protocol) -> list[Change]:
    """Who was to assess this participant, and what became of the visit."""
    rows = [("visits_assessorassignment", key) for key in queries.assignments_of(participant.pk)]
    rows += [("visits_visitoutcome", key) for key in queries.outcomes_of(participant.pk, code)]
    return lines(history_of(*rows), history_words(protocol, queries.interviewers_ever(participant.pk)))


def _form_table(
    participant: Participant,
    protocol: Protocol,
    line: VisitLine,
    forms: Mapping[str, Form],
    left: Mapping[str, Readiness],
    mine: list[Instrument],
) -> Table:
    """The forms of a visit and how far each is; nothing of what they hold."""
    raters = {
        "participant": _("participant"),
        "interviewer": _("interviewer"),
        "clinician": _("clinician"),
        "record": _("records"),
    }
    rows: list[list[Any]] = []
    for one in protocol.instruments_at(line.visit.code):
        form = forms.get(one.code)
        url = reverse("assessment", args=[participant.number, line.visit.code, one.code])
        amend = Link(_("Amend"), reverse("choose_amendment", args=[form.pk])) if form and form.is_signed else None
        rows.append(
            [
                Link(one.name, url) if one in mine and not amend else one.name,
                raters[one.rater],
                len(one.items),
                _state(form, left.get(one.code)),
                form.signed_at if form else None,
                *([amend if one in mine else None] if mine else []),
            ]
        )
    columns = [
        Column(_("Form")),
        Column(_("Rated by")),
        Column(_("Items"), number=True, decimals=0),
        Column(_("State")),
        Column(_("Signed")),
        *([Column(_("Wrong?"))] if mine else []),
    ]
    return Table(columns, rows, caption=_("Forms of this visit"))


def _state(form: Form | None, left: Readiness | None) -> Shown:
    if form is None:
        return Shown("open", _("Not begun"))
    if form.is_signed:
        return Shown("done", _("Signed"))
    if left is None or left.is_complete:
        return Shown("due", _("Complete, to be signed"))
    if not left.open:
        return Shown("waiting", _("To be looked at again"))
    return Shown("waiting", ngettext("%(n)d item open", "%(n)d items open", len(left.open)) % {"n": len(left.open)})


@page(roles=AT_VISITS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def missed(request: Request, number: str, code: str) -> HttpResponseBase:
    """Record that the visit did not take place."""
    participant = find_participant(request, number)
    protocol, line = find_visit(participant, code)
    form = MissedForm(posted(request), reasons=protocol.reasons.missed_visit, window=_window_aside(line))
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_missed(
                participant=participant,
                visit=code,
                reason_code=form.cleaned_data["reason"],
                day=form.cleaned_data["day"],
                by=request.person,
            )
            return redirect("visit", participant.number, code)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("%(visit)s did not take place") % {"visit": line.visit.name},
        "over": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "lead": _("This is no withdrawal: when the person comes back you reopen the visit."),
        "crumbs": crumbs_to(request, participant, line, _("Missed")),
        "form": form,
        "submit": _("Record the visit as missed"),
        "cancel_url": show.visit_url(line),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


def _window_aside(line: VisitLine) -> str:
    words = show.window_words(line.window)
    return _("Window: %(window)s") % {"window": words} if words else ""


@page(roles=AT_VISITS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def reopen(request: Request, number: str, code: str) -> HttpResponseBase:
    """A missed visit comes back."""
    participant = find_participant(request, number)
    protocol, line = find_visit(participant, code)
    if request.method == "POST":
        try:
            actions.reopen_visit(participant=participant, visit=code, by=request.person)
        except Refused as refusal:
            messages.error(request, str(refusal.message))
        return redirect("visit", participant.number, code)
    context = {
        "title": _("Reopen %(visit)s") % {"visit": line.visit.name},
        "over": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "crumbs": crumbs_to(request, participant, line, _("Reopen")),
        "facts": show.calendar_facts(line, protocol),
        "consequence": _("The visit is open again. That it was missed before stays in the history."),
        "submit": _("Reopen the visit"),
        "cancel_url": show.visit_url(line),
    }
    return render(request, "confirm.html", context)
