"""Pages of visits: the interviewer's worklist, the calendar, one visit, and what becomes of it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from assessments.entry.forms import ReportForm, VisitDoneForm
from assessments.entry.queries import OWN, forms_of, interview_instruments, unsigned
from assessments.visits import actions, queries, rules
from assessments.visits import presenters as show
from assessments.visits.forms import AssignForm, MissedForm, VisitFilter
from assessments.visits.queries import VisitLine
from assessments.visits.schedule import State
from trial.core import clock
from trial.core.access import Request, page
from trial.core.access.roles import ClinicianRater, Coordinator, DataManager, Interviewer, Investigator, Monitor
from trial.core.errors import Refused
from trial.core.ui.tables import Column, Link, Table, csv_response, grouped, page_of
from trial.core.ui.tables import State as Shown
from trial.participants.actions import report_unblinding
from trial.participants.contact.presenters import attempt_table
from trial.participants.course.presenters import links_to
from trial.participants.models import Participant
from trial.participants.queries import attempts_of, participant_numbered, participants
from trial.participants.rules import may_follow
from trial.protocol.definition import Protocol
from trial.protocol.queries import current

AT_VISITS = (Interviewer, Coordinator, ClinicianRater, DataManager)
OVERSEERS = (Coordinator, ClinicianRater, DataManager, Monitor, Investigator)
PAGE_SIZE = 50


@page(roles=(Interviewer,))
def worklist(request: Request) -> HttpResponseBase:
    """What this interviewer has to do: what is late or due now, then what comes."""
    lines = show.my_lines(request.person, current())
    coming = [line for line in lines if line.state is State.UPCOMING]
    now = [line for line in lines if line.state is not State.UPCOMING]
    context = {
        "title": _("Interviews"),
        "lead": _("%(now)d to do now, %(coming)d coming") % {"now": len(now), "coming": len(coming)},
        "now": show.visit_table(
            now,
            mine=True,
            caption=_("To do now"),
            empty=_("Nothing is due. Interviews appear here when their window opens."),
        ),
        "coming": show.visit_table(
            coming, mine=True, caption=_("Coming"), empty=_("No window opens within the next sixty days.")
        ),
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


def find_participant(request: Request, number: str) -> Participant:
    """The participant with this number, or 404: somebody one may not assess answers like somebody who does not exist."""
    participant = participant_numbered(number)
    if participant is None or not rules.may_see_visits(request.person, participant):
        raise Http404
    return participant


def find_visit(participant: Participant, code: str) -> tuple[Protocol, VisitLine]:
    """The visit of this participant as it stands today, or 404."""
    protocol = current()
    for line in queries.visit_lines([participant], protocol, clock.today()):
        if line.visit.code == code:
            return protocol, line
    raise Http404


def crumbs_to(
    request: Request, participant: Participant, line: VisitLine | None = None, *more: str
) -> list[tuple[str, str]]:
    """The way to a page: station, participant, visit, and the names that follow."""
    mine = request.person.holds(Interviewer)
    station = (_("Interviews"), reverse("interviews")) if mine else (_("Visits"), reverse("visits"))
    steps = [station, (grouped(participant.number), reverse("participant_visits", args=[participant.number]))]
    if line is not None:
        steps.append((line.visit.name, show.visit_url(line)))
    steps += [(name, "") for name in more]
    return [*steps[:-1], (steps[-1][0], "")]


@page(roles=AT_VISITS)
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
        "may_assign": request.person.holds(Coordinator, site=participant.site_id)
        and not any(line.state is State.DIED for line in lines),
        "links": links_to(request.person, participant),
        "may_report": request.person.holds(Interviewer, Coordinator, site=participant.site_id),
    }
    return render(request, "assessments/participant.html", context)


@page(roles=(Coordinator,))
@require_http_methods(["GET", "POST"])
def assign(request: Request, number: str) -> HttpResponseBase:
    """Choose who assesses this participant."""
    participant = find_participant(request, number)
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
        "crumbs": [*crumbs_to(request, participant)[:-1], _step(participant), (_("Interviewer"), "")],
        "form": form,
        "submit": _("Assign interviewer"),
        "cancel_url": reverse("participant_visits", args=[participant.number]),
        "lead": ""
        if people
        else _("This site has no interviewer yet. Ask an administrator to give somebody the role."),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


def _step(participant: Participant) -> tuple[str, str]:
    return grouped(participant.number), reverse("participant_visits", args=[participant.number])


def posted(request: Request) -> QueryDict | None:
    """What was sent; None when the page is only read. Nothing chosen is sent too."""
    return request.POST if request.method == "POST" else None


def status_of(form: Any) -> int:
    """422 for a form that was sent and is not valid."""
    return 422 if form.is_bound and form.errors else 200


@page(roles=AT_VISITS)
def visit(request: Request, number: str, code: str) -> HttpResponseBase:
    """One visit: its window, its forms, and what comes next."""
    participant = find_participant(request, number)
    protocol, line = find_visit(participant, code)
    forms = forms_of(participant.pk, code)
    mine = [one for one in protocol.instruments_at(code) if rules.may_enter(request.person, participant, one)]
    # a draft is still signed; nothing new is asked of who died or has withdrawn
    mine = [one for one in mine if one.code in forms or (line.asks(one) and line.state is not State.DIED)]
    if line.state is State.MISSED:
        mine = [one for one in mine if one.rater not in OWN]  # what clinicians rate does not need the interview
    left = unsigned(mine, forms)
    interview_over = not unsigned(interview_instruments(protocol, code), forms)
    may_close = rules.may_close(request.person, participant)
    asks_arm = interview_over and line.is_open and not line.visit.is_baseline and may_close
    context = {
        "title": _("%(visit)s of participant %(number)s")
        % {"visit": line.visit.name, "number": grouped(participant.number)},
        "crumbs": crumbs_to(request, participant, line),
        "participant": participant,
        "line": line,
        "state": show.shown_state(line),
        "facts": show.calendar_facts(line, protocol),
        "table": _form_table(participant, protocol, line, {one.code for one in mine}),
        "next": left[0] if left else None,
        "next_open": bool(left) and left[0].code in forms,
        "asks_arm": asks_arm and not left,
        "may_miss": may_close and line.is_open and not asks_arm,
        "may_reopen": may_close and line.state is State.MISSED,
        "attempts": attempt_table(attempts_of(participant.pk, code)),
        "may_try": line.is_open and may_follow(request.person, participant),
        "may_contact": line.state is not State.DIED and may_follow(request.person, participant),
    }
    return render(request, "assessments/visit.html", context)


def _form_table(participant: Participant, protocol: Protocol, line: VisitLine, mine: set[str]) -> Table:
    forms = forms_of(participant.pk, line.visit.code)
    raters = {
        "participant": _("participant"),
        "interviewer": _("interviewer"),
        "clinician": _("clinician"),
        "record": _("records"),
    }
    rows: list[list[Any]] = []
    for one in protocol.instruments_at(line.visit.code):
        form = forms.get(one.code)
        if form is None:
            state = Shown("open", _("Not begun"))
        elif form.is_signed:
            state = Shown("done", _("Signed"))
        else:
            state = Shown("waiting", _("Draft"))
        open_it = one.code in mine and not (form and form.is_signed)
        url = reverse("assessment", args=[participant.number, line.visit.code, one.code])
        rows.append(
            [
                Link(one.name, url) if open_it else one.name,
                raters[one.rater],
                len(one.items),
                state,
                form.signed_at if form else None,
            ]
        )
    columns = [
        Column(_("Form")),
        Column(_("Rated by")),
        Column(_("Items"), number=True, decimals=0),
        Column(_("State")),
        Column(_("Signed")),
    ]
    return Table(columns, rows, caption=_("Forms of this visit"))


@page(roles=AT_VISITS)
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


@page(roles=AT_VISITS)
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


@page(roles=(Interviewer, Coordinator))
@require_http_methods(["GET", "POST"])
def done(request: Request, number: str, code: str) -> HttpResponseBase:
    """The visit took place. Was the arm told? The answer leaves through the drop box; the reply is the same for yes and no."""
    participant = find_participant(request, number)
    protocol, line = find_visit(participant, code)
    form = VisitDoneForm(posted(request), arms=[(arm.code, arm.name) for arm in protocol.arms])
    if request.method == "POST" and form.is_valid():
        try:
            actions.close_visit(participant=participant, visit=code, by=request.person)
            if form.cleaned_data["known"]:
                report_unblinding(participant_id=participant.pk, visit=code, by=request.person, **form.report())
            messages.success(request, _("%(visit)s is done.") % {"visit": line.visit.name})
            return redirect("visit", participant.number, code)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("After the interview"),
        "over": _("Participant %(number)s, %(visit)s")
        % {"number": grouped(participant.number), "visit": line.visit.name},
        "crumbs": crumbs_to(request, participant, line, _("After the interview")),
        "form": form,
        "submit": _("Close the visit"),
        "cancel_url": show.visit_url(line),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


@page(roles=(Interviewer, Coordinator))
@require_http_methods(["GET", "POST"])
def report(request: Request, number: str) -> HttpResponseBase:
    """ "I was told the arm": write-only. The page that follows tells nothing, and nothing can be read again."""
    participant = find_participant(request, number)
    protocol = current()
    form = ReportForm(posted(request), arms=[(arm.code, arm.name) for arm in protocol.arms])
    if request.method == "POST" and form.is_valid():
        try:
            report_unblinding(participant_id=participant.pk, visit="", by=request.person, **form.report())
            messages.success(request, _("Thank you. The report has gone to the unblinded side."))
            return redirect("participant_visits", participant.number)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("I was told the arm"),
        "over": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "lead": _("Tell nobody on this side of the trial. What you write here goes to unblinded staff only."),
        "crumbs": [*crumbs_to(request, participant)[:-1], _step(participant), (_("Report"), "")],
        "form": form,
        "submit": _("Send the report"),
        "cancel_url": reverse("participant_visits", args=[participant.number]),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))
