"""What pages show of hospital records: windows in words, tables, the abstractor's work, and counts."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core import clock
from trial.core.access import Person
from trial.core.access.roles import Abstractor, IndependentStatistician, UnblindedDataManager, UnblindedMonitor
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui.parts import Change
from trial.core.ui.tables import Column, Link, Page, State, Table, grouped, shown
from trial.core.ui.text import Text
from trial.core.ui.work import Panel, WorkItem, WorkList
from trial.protocol.definition import Protocol
from trial.protocol.queries import NoProtocol, current
from trial.unblinded.disclosure.models import UnblindedHistory
from trial.unblinded.randomization.queries import of_the_living
from trial.unblinded.records import queries
from trial.unblinded.records.models import Admission, LookUp, RecordWindow, Source, Ward
from trial.unblinded.records.queries import RecordLine
from trial.unblinded.records.stays import days_in_hospital

READERS = (Abstractor, UnblindedDataManager, UnblindedMonitor, IndependentStatistician)
LATE_DAYS = 90
"""OURS: a window is looked up within three months of its last day."""
HISTORY: dict[str, Text] = {
    "record_admission": gettext_lazy("Admission recorded"),
    "correct_admission": gettext_lazy("Admission corrected"),
    "sign_off": gettext_lazy("Signed off as looked up"),
    "look_up": gettext_lazy("Looked up and signed off"),
    "window": gettext_lazy("window"),
    "admitted_on": gettext_lazy("admitted"),
    "discharged_on": gettext_lazy("discharged"),
    "ward": gettext_lazy("ward"),
    "source": gettext_lazy("source"),
    "void": gettext_lazy("recorded by mistake"),
    "admissions": gettext_lazy("admissions"),
}
"""Actions and columns in the words of the pages."""
LEFT_OUT = frozenset(
    {
        "site",
        "allocation_id",
        "recorded_at",
        "recorded_by",
        "looked_up_at",
        "looked_up_by",
        "reason",
        "sha256",
        "replaces_id",
    }
)
"""Columns that the history leaves out: they repeat the rest of the line."""


def window_words(window: str, protocol: Protocol) -> str:
    """A window as its readers call it: "365 days before T1 baseline"."""
    plan = protocol.records
    if plan is None:
        return window
    if window == RecordWindow.BEFORE:
        name = protocol.visit(plan.before_visit).name
        return _("%(days)d days before %(visit)s") % {"days": plan.before_days, "visit": name}
    return _("%(days)d days from %(visit)s on") % {
        "days": plan.after_days,
        "visit": protocol.visit(plan.after_visit).name,
    }


def state_of(line: RecordLine, today: dt.date) -> State:
    """Where a window is."""
    if line.looked_up is not None:
        return State("done", _("Looked up"))
    if line.stopped:
        return State("cancelled", _("No consent"))
    if not line.period.is_over(today):
        return State("upcoming", _("Not over yet"))
    return State("overdue" if is_late(line, today) else "due", _("To look up"))


def is_late(line: RecordLine, today: dt.date) -> bool:
    """Whether it waits for longer than it should."""
    return line.is_due(today) and (today - line.period.last).days > LATE_DAYS


def record_table(
    found: Sequence[RecordLine], protocol: Protocol, today: dt.date, *, csv_url: str = "", position: Page | None = None
) -> Table:
    """Windows of people, with what was found."""
    columns = [
        Column(_("Participant"), code=True), Column(_("Team")), Column(_("Window")), Column(_("From")), Column(_("To")), Column(_("State")),
        Column(_("Admissions"), number=True, decimals=0), Column(_("In hospital"), number=True, decimals=0, unit=_("days")),
    ]  # fmt: skip
    rows = [
        [
            Link(grouped(line.allocation.participant.number), reverse("admissions_person", args=[line.allocation.participant.number])),
            line.allocation.participant.team.name, window_words(line.window, protocol), line.period.first, line.period.last,
            state_of(line, today), *((len(line.admissions), line.days) if line.looked_up else (None, None)),
        ]
        for line in found
    ]  # fmt: skip
    empty = _("Two windows of each participant appear here from randomization on.")
    note = _(
        "Admissions and days are shown when a window has been signed off. A day counts once, from admission to discharge."
    )
    return Table(columns, rows, empty=empty, csv_url=csv_url, page=position, note=note)


def admission_table(line: RecordLine, *, may_correct: bool) -> Table:
    """The admissions of one window."""
    columns = [
        Column(_("Admitted")), Column(_("Discharged")), Column(_("Ward")), Column(_("Source")),
        Column(_("In the window"), number=True, unit=_("days")),
        *([Column(""), Column("")] if may_correct else []),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for one in line.admissions:
        days = days_in_hospital([queries.stay_of(one)], line.period)
        row: list[Any] = [
            one.admitted_on, one.discharged_on or _("still in"), Ward(one.ward).label, Source(one.source).label, days,
        ]  # fmt: skip
        if may_correct:
            row += [
                Link(_("Correct"), reverse("admission_correct", args=[one.pk])),
                Link(_("Recorded by mistake"), reverse("admission_remove", args=[one.pk])),
            ]
        rows.append(row)
    found_none = line.looked_up is not None and not line.looked_up.admissions
    empty = _("Looked up: no admission.") if found_none else _("No admission is recorded.")
    return Table(columns, rows, empty=empty)


def history_lines(admissions: Sequence[Admission], looked_up: Sequence[LookUp], protocol: Protocol) -> list[Change]:
    """The history of the rows about one person, with codes in words."""
    rows = [("unblinded_admission", one.pk) for one in admissions] + [("unblinded_lookup", one.pk) for one in looked_up]
    changes = history_of(*rows, source=UnblindedHistory)
    readable = [
        replace(
            change,
            fields=[
                (name, _words(name, old, protocol), _words(name, new, protocol))
                for name, old, new in change.fields
                if name not in LEFT_OUT and not (name == "void" and new is False)
            ],
        )
        for change in changes
    ]
    return lines(readable, HISTORY)


def _words(name: str, value: Any, protocol: Protocol) -> Any:
    if value in (None, ""):
        return None
    if name == "window":
        return window_words(value, protocol)
    if name == "ward":
        return str(Ward(value).label)
    if name == "source":
        return str(Source(value).label)
    return value


def work_for(person: Person) -> list[WorkList]:
    """The windows that are over and not looked up, for the abstractor; nothing without a records plan."""
    if not person.holds(Abstractor):
        return []
    try:
        protocol = current()
    except NoProtocol:
        return []
    if protocol.records is None:
        return []
    today = clock.today()
    items = [
        WorkItem(
            _("Look up participant %(number)s") % {"number": grouped(line.allocation.participant.number)},
            reverse("admissions_person", args=[line.allocation.participant.number]),
            f"{window_words(line.window, protocol)}: {shown(line.period.first)} – {shown(line.period.last)}",
            "overdue" if is_late(line, today) else "due",
            line.period.last,
        )
        for line in queries.record_lines(of_the_living())
        if line.is_due(today)
    ]
    return [WorkList(_("Records to look up"), items, empty=_("Windows appear here when their last day has passed."))]


def panels_for(person: Person) -> list[Panel]:
    """How far the records are, by window and of all arms together."""
    if not person.holds(*READERS):
        return []
    try:
        protocol = current()
    except NoProtocol:
        return []
    if protocol.records is None:
        return []
    found, today = queries.record_lines(of_the_living()), clock.today()
    counted = (_("Looked up"), _("To look up"), _("Not over yet"), _("No consent"))
    columns = [Column(_("Window")), *(Column(label, number=True, decimals=0) for label in counted)]
    rows = []
    for window in queries.windows_of(protocol.records):
        kinds = Counter(_kind(line, today) for line in found if line.window == window)
        rows.append([window_words(window, protocol), kinds["done"], kinds["due"], kinds["later"], kinds["stopped"]])
    open_, done = sum(line.is_open for line in found), sum(line.looked_up is not None for line in found)
    sentence = _("%(done)d windows are looked up, %(open)d are still open. The database lock waits for all of them.") % {
        "done": done, "open": open_,
    }  # fmt: skip
    return [
        Panel(
            _("Hospital records"), "unblinded/records/panel.html", {"sentence": sentence, "table": Table(columns, rows)}
        )
    ]


def _kind(line: RecordLine, today: dt.date) -> str:
    if line.looked_up is not None:
        return "done"
    if line.stopped:
        return "stopped"
    return "due" if line.is_due(today) else "later"
