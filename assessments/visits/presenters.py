"""What pages show of visits: worklists, calendars, completeness; and the work and panels of the first page."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from assessments.entry.queries import OWN
from assessments.visits.models import VisitOutcome
from assessments.visits.queries import VisitLine, assigned_participants, visit_lines
from assessments.visits.schedule import State, Timing, Window
from trial.core import clock
from trial.core.access import Person
from trial.core.access.roles import (
    ClinicianRater,
    Coordinator,
    DataManager,
    Interviewer,
    Investigator,
    TrialStatistician,
)
from trial.core.ui.tables import Column, Link, Page, Table, grouped
from trial.core.ui.tables import State as Shown
from trial.core.ui.text import Text
from trial.core.ui.work import Panel, WorkItem, WorkList, WorkState
from trial.participants.models import ContactAttempt, Participant
from trial.participants.queries import everybody, next_attempts, participants
from trial.participants.rules import coordinates_blind
from trial.protocol.definition import Protocol
from trial.protocol.queries import NoProtocol, current

SOON_DAYS = 60
"""How long before its window opens a visit appears in the worklist."""

STATES: dict[State, tuple[str, Text]] = {
    State.UPCOMING: ("upcoming", gettext_lazy("Upcoming")),
    State.DUE: ("due", gettext_lazy("Due")),
    State.OVERDUE: ("overdue", gettext_lazy("Overdue")),
    State.WINDOW_CLOSED: ("overdue", gettext_lazy("Window closed")),
    State.DONE: ("done", gettext_lazy("Done")),
    State.MISSED: ("missed", gettext_lazy("Missed")),
    State.WITHDRAWN: ("cancelled", gettext_lazy("Withdrawn from interviews")),
    State.DIED: ("info", gettext_lazy("Died")),
}
URGENCY = (
    State.WINDOW_CLOSED,
    State.OVERDUE,
    State.DUE,
    State.UPCOMING,
    State.MISSED,
    State.DONE,
    State.WITHDRAWN,
    State.DIED,
)
WORK: dict[State, WorkState] = {
    State.UPCOMING: "upcoming",
    State.DUE: "due",
    State.OVERDUE: "overdue",
    State.WINDOW_CLOSED: "overdue",
}


def shown_state(line: VisitLine) -> Shown:
    """The state of a visit in words; a visit that was missed before and came back says so."""
    kind, words = STATES[line.state]
    came_back = line.outcome is not None and line.outcome.outcome == VisitOutcome.Outcome.REOPENED
    if came_back and line.is_open:
        return Shown(kind, _("%(state)s, came back") % {"state": words})
    return Shown(kind, words)


def window_words(window: Window | None) -> str:
    """The window as "8 Feb 2026 to 9 May 2026"; empty for a baseline visit."""
    if window is None:
        return ""
    opens, closes = (formats.date_format(day, "j M Y") for day in (window.opens, window.closes))
    return _("%(opens)s to %(closes)s") % {"opens": opens, "closes": closes}


def in_order(lines: Iterable[VisitLine]) -> list[VisitLine]:
    """What needs attention first: late, overdue, due, upcoming, then what is over; within each by target day."""
    return sorted(
        lines, key=lambda line: (URGENCY.index(line.state), line.due_on or clock.today(), line.participant.number)
    )


def visit_url(line: VisitLine) -> str:
    """The page of a visit."""
    return reverse("visit", args=[line.participant.number, line.visit.code])


def visit_table(
    lines: Iterable[VisitLine],
    *,
    csv_url: str = "",
    position: Page | None = None,
    empty: str = "",
    caption: str = "",
    link: bool = True,
) -> Table:
    """Visits with state, target, window, interviewer and forms. ``link``: to the visits, for who may open them."""
    columns = [
        Column(_("Participant"), code=True),
        Column(_("Visit")),
        Column(_("State")),
        Column(_("Target")),
        Column(_("Window")),
        Column(_("Interviewer")),
        Column(_("Forms signed")),
    ]
    rows: list[list[Any]] = [
        [
            Link(grouped(line.participant.number), visit_url(line)) if link else grouped(line.participant.number),
            line.visit.name,
            shown_state(line),
            line.window.target if line.window else None,
            window_words(line.window),
            line.interviewer.full_name if line.interviewer else None,
            _("%(signed)d of %(all)d") % {"signed": line.forms.signed, "all": line.instruments},
        ]
        for line in lines
    ]
    return Table(columns, rows, caption=caption, empty=empty, csv_url=csv_url, page=position)


def work_table(lines: Iterable[VisitLine], *, rating: bool = False, empty: str = "", caption: str = "") -> Table:
    """A worklist: what is to be done with whom, by when, and whether the window is open. ``rating``: of clinicians' forms."""
    columns = [
        Column(_("Participant"), code=True),
        Column(_("Visit")),
        Column(_("State")),
        Column(_("Target")),
        Column(_("Window")),
        Column(_("Window today")),
        Column(_("Forms signed")),
    ]
    today = clock.today()
    rows: list[list[Any]] = []
    for line in lines:
        signed, of = line.forms.signed, line.instruments
        if rating:
            signed, of = line.forms.signed - line.forms.interview, line.instruments - line.interview
        rows.append(
            [
                Link(grouped(line.participant.number), visit_url(line)),
                line.visit.name,
                shown_state(line),
                line.window.target if line.window else None,
                window_words(line.window),
                _openness(line.window, today),
                _("%(signed)d of %(all)d") % {"signed": signed, "all": of},
            ]
        )
    return Table(columns, rows, caption=caption, empty=empty)


def _openness(window: Window | None, today: dt.date) -> str | None:
    """Whether the window is open, and for how long, or since when not."""
    if window is None:
        return None
    match window.timing(today):
        case Timing.BEFORE_WINDOW:
            n = (window.opens - today).days
            return ngettext("opens in %(n)d day", "opens in %(n)d days", n) % {"n": n}
        case Timing.IN_WINDOW:
            n = (window.closes - today).days
            return ngettext("open, %(n)d day left", "open, %(n)d days left", n) % {"n": n}
        case Timing.AFTER_WINDOW:
            n = (today - window.closes).days
            return ngettext("closed %(n)d day ago", "closed %(n)d days ago", n) % {"n": n}


def calendar_facts(line: VisitLine, protocol: Protocol) -> list[tuple[str, Any]]:
    """What stands on the page of a visit."""
    facts: list[tuple[str, Any]] = [(_("Participant"), grouped(line.participant.number)), (_("Visit"), line.visit.name)]
    if line.window:
        facts += [(_("Target day"), line.window.target), (_("Window"), window_words(line.window))]
    facts.append((_("Interviewer"), line.interviewer.full_name if line.interviewer else _("nobody yet")))
    if line.outcome and line.outcome.outcome == VisitOutcome.Outcome.MISSED:
        reasons = {reason.code: reason.text for reason in protocol.reasons.missed_visit}
        facts += [(_("Missed"), line.outcome.day), (_("Reason"), reasons.get(line.outcome.reason, line.outcome.reason))]
    if line.outcome and line.outcome.outcome == VisitOutcome.Outcome.ATTENDED:
        facts.append((_("Held"), line.outcome.day))
    return facts


def is_near(line: VisitLine) -> bool:
    """Whether a visit belongs into a worklist: open, and its window opens within ``SOON_DAYS``."""
    if not line.is_open:
        return False
    return line.window is None or (line.window.opens - clock.today()).days <= SOON_DAYS


def my_lines(person: Person, protocol: Protocol) -> list[VisitLine]:
    """The open visits of the participants assigned to this interviewer that are near. Four queries, however many."""
    lines = visit_lines(assigned_participants(person), protocol, clock.today())
    return in_order(line for line in lines if is_near(line) and not _waits_for_others(line))


def rating_lines(person: Person, protocol: Protocol) -> list[VisitLine]:
    """The visits of the rater's site with forms that a clinician still has to rate, and that are near. Whether the interview
    took place does not matter. Four queries, however many participants."""
    people = [one for one in participants() if person.holds(ClinicianRater, Coordinator, site=one.site_id)]
    lines = visit_lines(people, protocol, clock.today())
    return in_order(line for line in lines if others_left(line) > 0 and (not line.is_open or is_near(line)))


def _waits_for_others(line: VisitLine) -> bool:
    """Whether the interview's part of a baseline is done: only forms of other raters are left."""
    return line.visit.is_baseline and line.forms.interview >= line.interview


def others_left(line: VisitLine) -> int:
    """How many forms of this visit are left that are not of the interview. They can be made whether it took place or not."""
    if line.state is State.DIED or not line.has_opened(clock.today()):
        return 0
    return line.instruments - line.interview - (line.forms.signed - line.forms.interview)


def work_for(person: Person) -> list[WorkList]:
    """Interviews for the interviewer; participants without interviewer, and clinicians' forms, for those who see to them."""
    try:
        protocol = current()
    except NoProtocol:
        return []
    lists = []
    if person.holds(Interviewer):
        items = [_item(line, _("Interview %(number)s, %(visit)s")) for line in my_lines(person, protocol)]
        empty = _("Interviews appear here when a participant is assigned to you and the window comes near.")
        lists.append(WorkList(_("Interviews"), items, empty=empty))
    sites = [one.code for one in protocol.sites if coordinates_blind(person, one)]
    if sites:
        lists.append(_unassigned(sites, protocol))
    if person.holds(Coordinator, Interviewer):
        lists.append(_try_again(person, protocol))
    if person.holds(ClinicianRater, Coordinator) and any(one.rater not in OWN for one in protocol.instruments):
        lists.append(_clinicians(person, protocol))
    return lists


def _item(line: VisitLine, title: str) -> WorkItem:
    signed = _("%(signed)d of %(all)d forms signed") % {"signed": line.forms.signed, "all": line.instruments}
    window = window_words(line.window)
    detail = _("Window %(window)s, %(signed)s") % {"window": window, "signed": signed} if window else signed
    words = {"number": grouped(line.participant.number), "visit": line.visit.name}
    return WorkItem(title % words, visit_url(line), detail, WORK[line.state], line.due_on)


def _try_again(person: Person, protocol: Protocol) -> WorkList:
    """Attempts and appointments whose day has come, of visits for which something can still be done."""
    people = [one for one in participants() if person.holds(Coordinator, site=one.site_id)]
    if not people:
        people = list(assigned_participants(person))
    today, following = clock.today(), next_attempts(one.pk for one in people)
    lines = visit_lines([one for one in people if any(one.pk == key for key, _visit in following)], protocol, today)
    items = []
    for line in lines:
        attempt = following.get((line.participant.pk, line.visit.code))
        if attempt is None or attempt.next_on is None or attempt.next_on > today or not line.is_open:
            continue
        appointed = attempt.outcome == ContactAttempt.Outcome.APPOINTMENT
        words = {"number": grouped(line.participant.number), "visit": line.visit.name}
        items.append(
            WorkItem(
                (_("Appointment with %(number)s, %(visit)s") if appointed else _("Try again: %(number)s, %(visit)s"))
                % words,
                visit_url(line),
                line.interviewer.full_name if line.interviewer else "",
                "due" if attempt.next_on == today else "overdue",
                attempt.next_on,
            )
        )
    return WorkList(
        _("Try again"), items, empty=_("Attempts to reach somebody come back here on the day of the next step.")
    )


def _unassigned(sites: list[str], protocol: Protocol) -> WorkList:
    people = list(participants().filter(site__in=sites))
    waiting: dict[Any, Participant] = {}
    for line in visit_lines(people, protocol, clock.today()):
        if line.interviewer is None and is_near(line):
            waiting.setdefault(line.participant.pk, line.participant)
    items = [
        WorkItem(
            _("Assign an interviewer to participant %(number)s") % {"number": grouped(one.number)},
            reverse("assign_interviewer", args=[one.number]),
            one.team.name,
            "due",
            one.registered_at.date(),
        )
        for one in waiting.values()
    ]
    return WorkList(
        _("Without interviewer"), items, empty=_("Participants who need an interviewer appear here; everybody has one.")
    )


def _clinicians(person: Person, protocol: Protocol) -> WorkList:
    items = [
        WorkItem(
            _("Clinician's forms of %(number)s, %(visit)s")
            % {"number": grouped(line.participant.number), "visit": line.visit.name},
            visit_url(line),
            ngettext("%(n)d form to sign", "%(n)d forms to sign", left) % {"n": left},
            WORK.get(line.state, "due"),
            line.due_on,
        )
        for line in rating_lines(person, protocol)
        if line.state is not State.UPCOMING and (left := others_left(line))
    ]
    return WorkList(
        _("Clinicians' forms"),
        items,
        empty=_("What clinicians rate appears here when the window of a visit opens."),
    )


@dataclass
class Completeness:
    """Counts of one visit at one site. ``expected``: whose window has opened (baseline: everybody registered)."""

    expected: int = 0
    done: int = 0
    missed: int = 0
    withdrawn: int = 0
    died: int = 0
    late: int = 0

    @property
    def open(self) -> int:
        """Expected, and something can still be done."""
        return self.expected - self.done - self.missed - self.withdrawn - self.died


def completeness(lines: Iterable[VisitLine]) -> dict[tuple[str, str], Completeness]:
    """Counts by visit code and site code; pooled over the arms, like everything here."""
    counts: dict[tuple[str, str], Completeness] = {}
    for line in lines:
        one = counts.setdefault((line.visit.code, line.participant.site_id), Completeness())
        if not line.has_opened(clock.today()) and line.state not in (State.DONE, State.MISSED):
            continue
        one.expected += 1
        one.done += line.state is State.DONE
        one.missed += line.state is State.MISSED
        one.withdrawn += line.state is State.WITHDRAWN
        one.died += line.state is State.DIED
        one.late += line.state is State.WINDOW_CLOSED
    return counts


def completeness_table(protocol: Protocol, *, csv_url: str = "") -> Table:
    """Expected, done, missed and open by visit and site, over the sites one may see."""
    counts = completeness(visit_lines(everybody(), protocol, clock.today()))
    names = {site.code: site.name for site in protocol.sites}
    columns = [
        Column(_("Visit")),
        Column(_("Site")),
        Column(_("Expected"), number=True, decimals=0),
        Column(_("Done"), number=True, decimals=0),
        Column(_("Missed"), number=True, decimals=0),
        Column(_("Withdrawn"), number=True, decimals=0),
        Column(_("Died"), number=True, decimals=0),
        Column(_("Open"), number=True, decimals=0),
        Column(_("Window closed"), number=True, decimals=0),
        Column(_("Done"), number=True, decimals=1, unit="%"),
    ]
    rows: list[list[Any]] = []
    for visit in protocol.visits:
        for site in protocol.sites:
            one = counts.get((visit.code, site.code))
            if one is None:
                continue
            share = 100 * one.done / one.expected if one.expected else None
            gone = [one.missed, one.withdrawn, one.died]
            rows.append([visit.name, names[site.code], one.expected, one.done, *gone, one.open, one.late, share])
    return Table(
        columns,
        rows,
        caption=_("Visits by site"),
        empty=_("Visits are counted here when somebody has been registered."),
        note=_(
            "Expected: the window has opened. Open: expected, and something can still be done. Nothing here is by arm."
        ),
        csv_url=csv_url,
    )


def panels_for(person: Person) -> list[Panel]:
    """Completeness by visit and site, for those who watch the data."""
    if not person.holds(DataManager, TrialStatistician, Investigator):
        return []
    try:
        table = completeness_table(current())
    except NoProtocol:
        return []
    return [Panel(_("Completeness"), "assessments/completeness_panel.html", {"table": table})]
