"""Admissions from the files: the year before T1 and the year after T2, of all 187.

Published (T/123): any admission in the year after T2, adjusted for one in the year before T1, OR 1.22 (.44 to 3.42); days after minus
before -7.72 (SD 51.19) and -4.46 (SD 44.23). Numbers admitted were not found. The width of that interval goes with about 18 people
admitted of 187, and the tie correction of the published U (.61) with one value, no difference, in about 73 % of them. So: 12 and 6
admitted after, 24 and 15 before, and no difference in 137 of 187. Days are made up to come near the published means and SDs.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from trial.config.worlds.plan.calendar import at_work
from trial.config.worlds.plan.events import RecordsRead, Stay
from trial.config.worlds.plan.follow_up import targets
from trial.config.worlds.plan.order import spread
from trial.config.worlds.plan.people import randomized

Nights = tuple[int, int]
"""Nights in the year before T1 and in the year after T2."""

ADMITTED: Mapping[str, tuple[Nights, ...]] = {
    "imr": (
        (60, 21), (0, 14), (12, 0), (45, 0), (9, 0), (0, 35), (90, 118), (21, 0), (165, 0), (14, 0), (0, 160), (33, 0),
        (5, 0), (25, 12), (0, 9), (230, 0), (7, 0), (52, 0), (0, 245), (19, 0), (40, 55), (76, 0), (11, 0), (0, 28),
        (28, 0), (250, 0), (0, 61), (16, 0), (110, 20), (250, 0), (38, 0),
    ),
    "cau": (
        (30, 0), (14, 35), (9, 0), (0, 20), (62, 0), (21, 0), (0, 240), (125, 0), (7, 0), (45, 0), (16, 0), (0, 48),
        (120, 40), (26, 0), (200, 0), (12, 0), (0, 11), (36, 0), (10, 0),
    ),
}  # fmt: skip
LONG = 100
"""So many nights are two stays."""


@dataclass(frozen=True)
class Record:
    """Nights of one person in both periods."""

    before: int = 0
    after: int = 0


@cache
def records() -> Mapping[int, Record]:
    """The record of each of the 187."""
    found = {p.number: Record() for p in randomized()}
    for arm, nights in ADMITTED.items():
        people = [p.number for p in randomized() if p.arm == arm]
        for number, (before, after) in zip(spread(people, len(nights)), nights, strict=True):
            found[number] = Record(before, after)
    return found


def events() -> Iterator[RecordsRead]:
    """Both readings of everybody's file: a month after randomization, and when the year after T2 is over."""
    for person in randomized():
        record = records()[person.number]
        baseline, follow_up = person.since, targets("T2")[person.number]
        # well inside both periods: the visits that bound them may be some weeks from their day
        before = _stays(record.before, (baseline - dt.timedelta(days=300)).date())
        after = _stays(record.after, (follow_up + dt.timedelta(days=80)).date())
        read = (baseline + dt.timedelta(days=30), follow_up + dt.timedelta(days=372))
        for at, period, stays in zip(read, ("before", "after"), (before, after), strict=True):
            yield RecordsRead(at=at_work(at), person=person.number, period=period, stays=stays)


def _stays(nights: int, first: dt.date) -> tuple[Stay, ...]:
    if not nights:
        return ()
    if nights < LONG:
        return (Stay(first, nights),)
    return (Stay(first, nights // 2), Stay(first + dt.timedelta(days=nights // 2 + 14), nights - nights // 2))
