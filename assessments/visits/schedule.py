"""The visit calendar of one participant: pure functions of the randomization date, the protocol's visits and today.

Nobody stores a due date: the calendar follows from the day of randomization, so it can't differ by arm and needs no
repair. A window classifies a visit; it neither blocks nor drops it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from trial.protocol.days import target_day
from trial.protocol.definition import Protocol, Visit


class State(StrEnum):
    """Where a visit stands today."""

    UPCOMING = "upcoming"  # the window has not opened
    DUE = "due"  # the window is open, the target day has not passed
    OVERDUE = "overdue"  # the target day has passed, the window is still open
    WINDOW_CLOSED = "window_closed"  # the window has closed and nothing is known of the visit: it can still be made
    DONE = "done"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"  # nothing is on record, and nothing will be: the person withdrew from interviews
    DIED = "died"  # nothing is on record, and a death was reported


CLOSED = frozenset({State.DONE, State.MISSED, State.WITHDRAWN, State.DIED})
"""Nothing can be done for the visit any more."""


class Recorded(StrEnum):
    """What is on record about a visit."""

    NOTHING = "nothing"
    DONE = "done"
    MISSED = "missed"


class Timing(StrEnum):
    """How a day lies to the window of a visit."""

    BEFORE_WINDOW = "before_window"
    IN_WINDOW = "in_window"
    AFTER_WINDOW = "after_window"


@dataclass(frozen=True)
class Window:
    """Target day and window of a follow-up visit; both ends belong to it. ``opens <= target <= closes``."""

    opens: date
    target: date
    closes: date

    def timing(self, day: date) -> Timing:
        """How ``day`` lies to the window."""
        if day < self.opens:
            return Timing.BEFORE_WINDOW
        return Timing.IN_WINDOW if day <= self.closes else Timing.AFTER_WINDOW


@dataclass(frozen=True)
class PlannedVisit:
    """A follow-up visit of one participant in the calendar."""

    visit: str
    window: Window
    state: State


def window_of(visit: Visit, randomized_on: date) -> Window:
    """Target and window of a follow-up visit. Raises ValueError for a baseline visit or a window turned round."""
    target = target_day(visit, randomized_on)
    if visit.before < 0 or visit.after < 0:
        raise ValueError(f"Visit {visit.code}: its window cannot be negative.")
    return Window(target - timedelta(days=visit.before), target, target + timedelta(days=visit.after))


def state_of(window: Window, recorded: Recorded, today: date) -> State:
    """Where the visit stands ``today``. What is on record wins over any date."""
    match recorded:
        case Recorded.DONE:
            return State.DONE
        case Recorded.MISSED:
            return State.MISSED
        case Recorded.NOTHING:
            pass
    if today < window.opens:
        return State.UPCOMING
    if today <= window.target:
        return State.DUE
    return State.OVERDUE if today <= window.closes else State.WINDOW_CLOSED


def standing_of(state: State, *, withdrawn: bool, died: bool) -> State:
    """The state of a visit of somebody who ``died`` or has ``withdrawn`` from interviews. What is on record stays as it is."""
    if state in (State.DONE, State.MISSED):
        return state
    if died:
        return State.DIED
    return State.WITHDRAWN if withdrawn else state


def calendar_of(
    visits: Iterable[Visit], randomized_on: date, recorded: dict[str, Recorded], today: date
) -> tuple[PlannedVisit, ...]:
    """Every follow-up visit, by target day. ``recorded``: what is on record by visit code; absent means nothing."""
    planned = []
    for visit in visits:
        if visit.is_baseline:
            continue
        window = window_of(visit, randomized_on)
        planned.append(
            PlannedVisit(visit.code, window, state_of(window, recorded.get(visit.code, Recorded.NOTHING), today))
        )
    return tuple(sorted(planned, key=lambda one: (one.window.target, one.visit)))


def last_visit(protocol: Protocol) -> str:
    """The code of the visit at the end of follow-up."""
    # the day does not matter: only the order of the targets
    follow_ups = protocol.follow_ups
    return max(follow_ups, key=lambda visit: target_day(visit, date(2001, 1, 1))).code if follow_ups else ""
