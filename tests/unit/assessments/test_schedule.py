"""The visit calendar, on the days where it turns."""

from datetime import date, timedelta

import pytest

from assessments.visits.schedule import Recorded, State, Timing, Window, calendar_of, state_of, window_of
from trial.protocol.days import add_months
from trial.protocol.definition import Visit

T1 = Visit("T1", "Baseline", 0, "months", 0, 0, True)
T2 = Visit("T2", "12 months", 12, "months", 14, 28, False)
T3 = Visit("T3", "18 months", 18, "months", 14, 28, False)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2025, 11, 23), 12, date(2026, 11, 23)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 8, 31), 18, date(2026, 2, 28)),
        (date(2026, 8, 31), 18, date(2028, 2, 29)),
        (date(2025, 12, 31), 2, date(2026, 2, 28)),
        (date(2025, 1, 31), 0, date(2025, 1, 31)),
    ],
)
def test_add_months(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


def test_days_and_months() -> None:
    assert window_of(T2, date(2025, 3, 10)) == Window(date(2026, 2, 24), date(2026, 3, 10), date(2026, 4, 7))
    days = Visit("D", "Day 61", 61, "days", 7, 7, False)
    assert window_of(days, date(2025, 1, 1)).target == date(2025, 3, 3)


@pytest.mark.parametrize(
    "bad", [T1, Visit("X", "x", 1, "months", -1, 0, False), Visit("X", "x", -1, "days", 0, 0, False)]
)
def test_no_window(bad: Visit) -> None:
    with pytest.raises(ValueError):
        window_of(bad, date(2025, 1, 1))


@pytest.mark.parametrize(
    ("day", "state", "timing"),
    [
        (date(2026, 2, 23), State.UPCOMING, Timing.BEFORE_WINDOW),
        (date(2026, 2, 24), State.DUE, Timing.IN_WINDOW),
        (date(2026, 3, 10), State.DUE, Timing.IN_WINDOW),
        (date(2026, 3, 11), State.OVERDUE, Timing.IN_WINDOW),
        (date(2026, 4, 7), State.OVERDUE, Timing.IN_WINDOW),
        (date(2026, 4, 8), State.WINDOW_CLOSED, Timing.AFTER_WINDOW),
    ],
)
def test_states(day: date, state: State, timing: Timing) -> None:
    window = window_of(T2, date(2025, 3, 10))
    assert state_of(window, Recorded.NOTHING, day) is state
    assert window.timing(day) is timing


def test_what_is_on_record_wins_over_the_date() -> None:
    window = window_of(T2, date(2025, 3, 10))
    for day in (window.opens - timedelta(days=1), window.closes + timedelta(days=1)):
        assert state_of(window, Recorded.DONE, day) is State.DONE
        assert state_of(window, Recorded.MISSED, day) is State.MISSED


def test_calendar_is_the_follow_up_visits_by_target() -> None:
    planned = calendar_of((T3, T1, T2), date(2025, 3, 10), {"T2": Recorded.MISSED}, date(2026, 9, 1))
    assert [(one.visit, one.state) for one in planned] == [("T2", State.MISSED), ("T3", State.DUE)]
