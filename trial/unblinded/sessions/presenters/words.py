"""People, sessions and states in words."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core.history.presenters import Words, lines
from trial.core.history.queries import Change, history_of, names_of
from trial.core.ui.parts import Change as Line
from trial.core.ui.tables import State, grouped, shown
from trial.core.ui.text import Text
from trial.protocol.definition import SessionsPlan
from trial.unblinded.disclosure.models import UnblindedHistory
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.sessions.completion import Ending
from trial.unblinded.sessions.models import AbsenceReason, Attendance, CancelReason, GroupSession, WithdrawalReason
from trial.unblinded.sessions.queries import PersonLine

ENDINGS: dict[Ending, Text] = {
    Ending.WITHDRAWN: gettext_lazy("withdrawal from treatment"),
    Ending.GROUP_CLOSED: gettext_lazy("end of the group"),
    Ending.TARGET_DAY: gettext_lazy("day of the first follow-up visit"),
}
DENOMINATORS: dict[str, Text] = {
    "offered": gettext_lazy("offered to the person"),
    "planned": gettext_lazy("planned for the person"),
    "held": gettext_lazy("held by the group"),
}
HISTORY: dict[str, Text] = {
    "open_group": gettext_lazy("Group made"),
    "change_group": gettext_lazy("Group changed"),
    "close_group": gettext_lazy("Group closed"),
    "place": gettext_lazy("Placed in a group"),
    "change_stay": gettext_lazy("Days in the group changed"),
    "record_told": gettext_lazy("Participant and care team told"),
    "withdraw": gettext_lazy("Withdrew from treatment"),
    "record_session": gettext_lazy("Session recorded"),
    "correct_session": gettext_lazy("Session corrected"),
    "fix_completions": gettext_lazy("Completion fixed"),
    "report_death": gettext_lazy("Death reported"),
    "name": gettext_lazy("name"),
    "opened_on": gettext_lazy("first day"),
    "closed_on": gettext_lazy("last day"),
    "since": gettext_lazy("since"),
    "until": gettext_lazy("until"),
    "trainer_id": gettext_lazy("trainer"),
    "told_on": gettext_lazy("told"),
    "entered_on": gettext_lazy("entered"),
    "left_on": gettext_lazy("left"),
    "day": gettext_lazy("day"),
    "minutes": gettext_lazy("minutes"),
    "modules": gettext_lazy("modules"),
    "led_by": gettext_lazy("led by"),
    "cancel_reason": gettext_lazy("not held because"),
    "ended_on": gettext_lazy("program ended"),
    "ended_by": gettext_lazy("ended by"),
    **{f"ended_by:{code.value}": words for code, words in ENDINGS.items()},
    **{f"denominator:{code}": words for code, words in DENOMINATORS.items()},
}
"""Actions, columns and codes of this side in the words of its pages."""
LEFT_OUT = frozenset(
    {
        "site", "placed_at", "placed_by", "allocated_at", "deviates", "created_at", "created_by", "guest", "signature", "recorded_at", "recorded_by",
        "fixed_at", "revision",
    }
)  # fmt: skip
"""Columns that the history leaves out: they repeat the rest of the line."""


Names = Mapping[uuid.UUID, str]
"""Names by key of the participant, of those whom the reader may know; their reading was logged (``views.names``)."""


def member_label(allocation: Allocation, names: Names | None = None) -> str:
    """What a member of a group is called on pages of this side: the name, where it may be shown, and the study number."""
    number, name = grouped(allocation.participant.number), (names or {}).get(allocation.participant_id, "")
    return f"{name}, {number}" if name else number


def state_of(line: PersonLine, today: dt.date) -> State:
    """Where a person is on the treatment side. A deviation says so, whatever else is to be said."""
    state = _state_of(line, today)
    return State("blocked", _("Deviation: %(state)s") % {"state": str(state).lower()}) if line.deviates else state


def _state_of(line: PersonLine, today: dt.date) -> State:
    if line.completion is not None:
        done = line.completion.completed
        return State("done", _("Completed")) if done else State("missed", _("Not completed"))
    if line.withdrawal is not None:
        return State("cancelled", _("Withdrew"))
    if not line.is_offered and not line.members:
        return State("info", _("Guest") if line.deviates else _("No program"))
    if line.end.is_over(today):
        return State("waiting", _("Ended, attendance open") if line.missing else _("Ended, fixed tonight"))
    if line.member is not None:
        return State("open", _("In a group"))
    return State("due", _("Left the group")) if line.members else State("due", _("To place"))


def completion_words(line: PersonLine, plan: SessionsPlan) -> str:
    """Completion in a sentence, with its denominator named; open until it is fixed."""
    one = line.completion
    words: dict[str, Any]
    if one is None:
        rule = plan.completion
        words = {
            "share": f"{100 * rule.share:g}", "of": DENOMINATORS[rule.denominator],
            "day": shown(line.end.day), "why": ENDINGS[line.end.why],
        }  # fmt: skip
        return _("Open until %(day)s (%(why)s). Completed: at least %(share)s %% of the sessions %(of)s.") % words
    words = {
        "attended": one.attended, "counted": one.counted, "of": DENOMINATORS[one.denominator], "day": shown(one.ended_on),
    }  # fmt: skip
    if one.completed:
        return _("Completed: attended %(attended)d of %(counted)d sessions %(of)s, until %(day)s.") % words
    return _("Not completed: attended %(attended)d of %(counted)d sessions %(of)s, until %(day)s.") % words


def session_state(session: GroupSession) -> State:
    """Held, or canceled with its reason."""
    if session.state == GroupSession.State.HELD:
        return State("done", _("Held"))
    return State("cancelled", str(CancelReason(session.cancel_reason).label))


def mark_words(mark: str, reason: str) -> str:
    """A mark with its reason."""
    words = str(Attendance.Mark(mark).label)
    return f"{words}: {str(AbsenceReason(reason).label).lower()}" if reason else words


def module_names(codes: Iterable[str], plan: SessionsPlan) -> str:
    """The names of modules, in their order."""
    names = {module.code: module.name for module in plan.modules}
    return ", ".join(names.get(code, code) for code in codes)


def history_lines(
    rows: Iterable[tuple[str, Any]],
    plan: SessionsPlan | None,
    labels: Mapping[str, str] | None = None,
    words: Words | None = None,
) -> list[Line]:
    """The history of rows of this side, with people, modules and marks by name. ``labels``: whom a row is about, by its key.

    ``words``: of codes and columns, as :func:`lines` takes them.
    """
    found = history_of(*rows, source=UnblindedHistory)
    keys = {str(key) for change in found for _name, old, new in change.fields for key in _keys(_name, old, new)}
    names = names_of(keys)
    about = labels or {}
    readable = [
        replace(change, fields=list(_readable(change, names, plan, about.get(change.row, "")))) for change in found
    ]
    return lines([change for change in readable if change.fields], {**HISTORY, **(words or {})})


def _keys(name: str, *values: Any) -> Iterable[str]:
    for value in values:
        if name == "led_by" and isinstance(value, list):
            yield from value
        elif name in ("trainer_id", "rater", "reached_by") and isinstance(value, str):
            yield value


def _readable(
    change: Change, names: dict[str, str], plan: SessionsPlan | None, about: str
) -> Iterable[tuple[str, Any, Any]]:
    for name, old, new in change.fields:
        if name not in LEFT_OUT:
            called = f"{name} {about}" if about else name
            yield called, _value(name, old, names, plan), _value(name, new, names, plan)


def _value(name: str, value: Any, names: dict[str, str], plan: SessionsPlan | None) -> Any:
    if value in (None, "", []):
        return None
    if name == "led_by":
        return ", ".join(names.get(key, key) for key in value)
    if name in ("trainer_id", "rater", "reached_by"):
        return names.get(value, value)
    if name == "modules":
        return module_names(value, plan) if plan else ", ".join(value)
    if name == "mark":
        return str(Attendance.Mark(value).label)
    if name == "reason":
        labels = {**dict(AbsenceReason.choices), **dict(WithdrawalReason.choices)}
        return str(labels.get(value, value))
    if name == "cancel_reason":
        return str(CancelReason(value).label)
    if name == "state":
        return str(GroupSession.State(value).label)
    return value
