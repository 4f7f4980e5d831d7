"""Laws of days in hospital, for any stays and any window."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from trial.unblinded.records.stays import (
    DAY,
    Period,
    Stay,
    days_in_hospital,
    overlaps,
    period_before,
    period_from,
    touches,
)

DAYS = st.dates(date(2011, 1, 1), date(2016, 1, 1))
LENGTHS = st.integers(1, 500)


@st.composite
def stays(draw: st.DrawFn) -> Stay:
    admitted = draw(DAYS)
    return Stay(admitted, draw(st.none() | st.integers(0, 400).map(lambda n: admitted + n * DAY)))


PERIODS = st.builds(lambda day, n: Period(day, day + (n - 1) * DAY), DAYS, LENGTHS)
MANY = st.lists(stays(), max_size=6)


def one_by_one(found: list[Stay], period: Period) -> int:
    """The definition itself: each day of the period, asked for."""
    days = [period.first + timedelta(days=n) for n in range(period.days)]
    return sum(any(stay.admitted_on <= day <= stay.end for stay in found) for day in days)


@given(MANY, PERIODS)
def test_it_counts_what_the_definition_counts(found: list[Stay], period: Period) -> None:
    assert days_in_hospital(found, period) == one_by_one(found, period) <= period.days


@given(MANY, PERIODS)
def test_the_order_does_not_matter_and_a_stay_counts_once(found: list[Stay], period: Period) -> None:
    assert days_in_hospital(found[::-1] + found, period) == days_in_hospital(found, period)


@given(MANY, stays(), PERIODS)
def test_one_stay_more_never_takes_days_away(found: list[Stay], more: Stay, period: Period) -> None:
    before, after = days_in_hospital(found, period), days_in_hospital([*found, more], period)
    assert before <= after <= before + days_in_hospital([more], period)


@given(MANY, PERIODS)
def test_there_are_days_exactly_if_a_stay_touches(found: list[Stay], period: Period) -> None:
    assert (days_in_hospital(found, period) > 0) == any(touches(stay, period) for stay in found)


@given(stays(), PERIODS)
def test_still_in_counts_to_the_end_of_the_window(stay: Stay, period: Period) -> None:
    still_in = Stay(stay.admitted_on, None)
    expected = max(0, (period.last - max(stay.admitted_on, period.first)).days + 1)
    assert days_in_hospital([still_in], period) == expected
    assert days_in_hospital([stay], period) <= expected


@given(DAYS, st.integers(1, 300), st.integers(0, 300), PERIODS)
def test_a_transfer_overlaps_nothing_and_changes_no_count(day: date, one: int, two: int, period: Period) -> None:
    middle = day + one * DAY
    first, second, whole = Stay(day, middle), Stay(middle, middle + two * DAY), Stay(day, middle + two * DAY)
    assert not overlaps(first, second)
    assert days_in_hospital([first, second], period) == days_in_hospital([whole], period)


@given(stays(), stays())
def test_overlap_is_mutual_and_means_more_than_a_day_of_transfer(one: Stay, other: Stay) -> None:
    assert overlaps(one, other) == overlaps(other, one)
    assert overlaps(one, one)
    shared = min(one.end, other.end) - max(one.admitted_on, other.admitted_on)
    if overlaps(one, other):
        assert shared >= timedelta(0)
    elif shared >= timedelta(0):
        assert shared == timedelta(0)


@given(DAYS, LENGTHS)
def test_the_windows_have_their_length_and_meet_at_the_visit(day: date, days: int) -> None:
    before, after = period_before(day, days), period_from(day, days)
    assert before.days == after.days == days
    assert before.last + DAY == day == after.first
    assert not before.is_over(before.last)
    assert before.is_over(day)
    assert period_before(day, 0).days == period_from(day, 0).days == 0
