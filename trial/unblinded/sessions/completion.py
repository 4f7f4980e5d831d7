"""Exposure of one person to the program, when the program ends for them, and whether it was completed. Pure.

Definitions (the publications name the share and not its denominator, so that the protocol names it):

- planned: the sessions that the protocol plans for a person;
- offered: sessions that took place and to which the person was asked, whether they came or not;
- attended: sessions at which the person was, as a guest too;
- held: sessions that the person's last group held until the program ended for the person, also before the person entered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal

Denominator = Literal["offered", "planned", "held"]
DECIMALS = Decimal("0.000001")


class Mark(StrEnum):
    """What became of one person at one session that took place."""

    ATTENDED = "attended"
    ABSENT = "absent"
    NOT_OFFERED = "not_offered"


class Ending(StrEnum):
    """What ended the program for a person."""

    WITHDRAWN = "withdrawn"
    GROUP_CLOSED = "group_closed"
    TARGET_DAY = "target_day"


@dataclass(frozen=True)
class Stay:
    """A person's time in one group; both days belong to it."""

    entered_on: date
    left_on: date | None
    group_closed_on: date | None

    def covers(self, day: date) -> bool:
        """Whether the person belongs to the group on ``day``."""
        return self.entered_on <= day and (self.left_on is None or day <= self.left_on)

    @property
    def lasted(self) -> bool:
        """Whether the person stayed until the group closed."""
        return self.group_closed_on is not None and (self.left_on is None or self.left_on >= self.group_closed_on)


@dataclass(frozen=True)
class End:
    """The last day of the program for a person, and what ended it."""

    day: date
    why: Ending

    def is_over(self, today: date) -> bool:
        """Whether the day has passed: what happens on the last day still counts."""
        return today > self.day


@dataclass(frozen=True)
class Counts:
    """The exposure of one person, in sessions. ``attended <= offered``."""

    planned: int
    offered: int
    attended: int
    held: int

    def of(self, denominator: Denominator) -> int:
        """The number that a share is taken of."""
        return {"offered": self.offered, "planned": self.planned, "held": self.held}[denominator]


def end_of(target: date, stays: Sequence[Stay], withdrawn_on: date | None) -> End:
    """When the program ends: withdrawal, the end of the last group, or the target day, whichever comes first.

    Somebody who left a group before it closed can still enter another, so that only withdrawal and target day end it for them.
    """
    ends = [End(target, Ending.TARGET_DAY)]
    if stays:
        last = max(stays, key=lambda stay: (stay.entered_on, stay.left_on or date.max))
        if last.lasted and last.group_closed_on is not None:
            ends.append(End(last.group_closed_on, Ending.GROUP_CLOSED))
    if withdrawn_on is not None:
        ends.append(End(withdrawn_on, Ending.WITHDRAWN))
    return min(ends, key=lambda end: (end.day, list(Ending).index(end.why)))


def count(*, planned: int, marks: Iterable[Mark], held: int) -> Counts:
    """The exposure that follows from the marks of one person, one for each session."""
    given = list(marks)
    attended = given.count(Mark.ATTENDED)
    return Counts(planned, attended + given.count(Mark.ABSENT), attended, held)


def exact(share: float) -> Decimal:
    """The share of the rule as the database keeps it."""
    return Decimal(str(share)).quantize(DECIMALS)


def completed(counts: Counts, share: float, denominator: Denominator) -> bool:
    """Whether at least ``share`` of the sessions were attended; never where there is nothing to take a share of."""
    total = counts.of(denominator)
    return total > 0 and counts.attended >= exact(share) * total
