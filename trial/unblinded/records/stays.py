"""Days in hospital within the days that are looked up. Pure.

A day in hospital is a calendar day from admission to discharge, both included; the day of a transfer from one ward to another counts once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """Days in a row; both ends belong to it. No day where ``last`` lies before ``first``."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return max(0, (self.last - self.first).days + 1)

    def is_over(self, today: date) -> bool:
        """Whether its last day has passed."""
        return today > self.last


@dataclass(frozen=True)
class Stay:
    """One admission; ``discharged_on`` is None while the person is still in."""

    admitted_on: date
    discharged_on: date | None

    @property
    def end(self) -> date:
        """The last day, as far as anybody knows."""
        return date.max if self.discharged_on is None else self.discharged_on


def period_before(day: date, days: int) -> Period:
    """The ``days`` that end on the day before ``day``."""
    return Period(day - days * DAY, day - DAY)


def period_from(day: date, days: int) -> Period:
    """The ``days`` that begin with ``day``."""
    return Period(day, day + (days - 1) * DAY)


def touches(stay: Stay, period: Period) -> bool:
    """Whether at least one day of the stay lies in the period."""
    return max(stay.admitted_on, period.first) <= min(stay.end, period.last)


def overlaps(one: Stay, other: Stay) -> bool:
    """Whether two stays share more than the day of a transfer, or are the same."""
    return one == other or (one.admitted_on < other.end and other.admitted_on < one.end)


def days_in_hospital(stays: Iterable[Stay], period: Period) -> int:
    """The days of the period spent in hospital; a day of several stays counts once."""
    counted, reached = 0, period.first - DAY
    for stay in sorted(stays, key=lambda stay: (stay.admitted_on, stay.end)):
        first, last = max(stay.admitted_on, reached + DAY), min(stay.end, period.last)
        if first <= last:
            counted += (last - first).days + 1
            reached = last
    return counted
