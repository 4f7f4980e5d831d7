"""What becomes of the visits at 12 and 18 months.

Published (T/120): of 116 and 71, 99 and 58 were interviewed at 12 months, 104 and 61 at 18; five and three missed the first of these
only. Reasons at 12 months: 7 declined, 6 not located, 4 psychiatric; and 10, 2, 1. At 18 months 8, 2, 2; and 9, 0, 1, nobody new. Which
reason a person has at both is made up, so that the sums hold. Experimental-arm people who are lost come from those who took little
of the program.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from trial.config.worlds.plan.calendar import RUNNING, T2_MONTHS, T3_MONTHS, at_work
from trial.config.worlds.plan.events import Missed, Part, PersonEvent, Reopened, Sitting
from trial.config.worlds.plan.order import in_turn, nearest, spread
from trial.config.worlds.plan.people import SITES, randomized
from trial.config.worlds.plan.program import Dose, dose_of
from trial.protocol.days import add_months

MONTHS = {"T2": T2_MONTHS, "T3": T3_MONTHS}
OCCASIONS = {"T2": 1, "T3": 2}

Reasons = tuple[str, str]
"""Reason at 12 months, and at 18 ("" where the person is interviewed then)."""

LOST: Mapping[str, Mapping[Reasons, int]] = {
    "imr": {
        ("declined", "declined"): 7,
        ("not_located", "not_located"): 2,
        ("psychiatric", "psychiatric"): 2,
        ("not_located", "declined"): 1,
    },
    "cau": {("declined", "declined"): 9, ("psychiatric", "psychiatric"): 1},
}
MISSED_ONCE: Mapping[str, Mapping[Reasons, int]] = {
    "imr": {("not_located", ""): 3, ("psychiatric", ""): 2},
    "cau": {("not_located", ""): 2, ("declined", ""): 1},
}


@dataclass(frozen=True)
class Unusual:
    """A visit at RUNNING that is not as usual, of one person a site: the one whose target lies nearest ``days`` from RUNNING."""

    kind: str
    visit: str
    days: int


NOW = (
    Unusual("closed", "T2", -67),  # still to be made, though the window has closed
    Unusual("overdue", "T2", -40),
    Unusual("back", "T2", -75),  # given up, then willing, and made since
    Unusual("reopened", "T2", -30),  # given up, then willing, still to be made
    Unusual("half", "T2", -13),  # begun, half entered
    Unusual("overdue", "T3", -24),
)


@cache
def targets(visit: str) -> Mapping[int, dt.datetime]:
    """The target day of each of the 187, at nine in the morning."""
    return {
        p.number: dt.datetime.combine(add_months(p.since.date(), MONTHS[visit]), dt.time(9), dt.UTC)
        for p in randomized()
    }


@cache
def reasons() -> Mapping[int, Reasons]:
    """Why those who missed a visit did, by person."""
    found: dict[int, Reasons] = {}
    for arm, lost in LOST.items():
        people = [p.number for p in randomized() if p.arm == arm]
        little = people if arm == "cau" else [n for n in people if dose_of(n) != Dose.HALF]
        gone = spread(little, sum(lost.values()))
        found.update(zip(gone, in_turn(lost), strict=True))
        left = [n for n in people if n not in found]
        once = MISSED_ONCE[arm]
        found.update(zip(spread(left, sum(once.values())), in_turn(once), strict=True))
    return found


def reason_of(person: int, visit: str) -> str:
    """The reason for which this person's visit was missed for good; "" where it took place."""
    pair = reasons().get(person, ("", ""))
    return pair[OCCASIONS[visit] - 1]


@cache
def unusual() -> Mapping[tuple[int, str], str]:
    """Which visits are not as usual at RUNNING: kind by person and visit. Nobody has two of them."""
    found: dict[tuple[int, str], str] = {}
    for wanted in NOW:
        for site in SITES:
            free = [
                p.number
                for p in randomized()
                if p.site == site and not reason_of(p.number, wanted.visit) and p.number not in {n for n, _v in found}
            ]
            chosen = nearest(free, RUNNING + dt.timedelta(days=wanted.days), targets(wanted.visit))
            found[chosen, wanted.visit] = wanted.kind
    return found


def interviewed_at(person: int, visit: str) -> dt.datetime | None:
    """When the visit is made, in the last sitting if there are two; None where it is missed for good."""
    if reason_of(person, visit):
        return None
    target = targets(visit)[person]
    match unusual().get((person, visit)):
        case "closed":
            return _near_running(9, person)
        case "overdue":
            return _near_running(4, person)
        case "reopened":
            return _near_running(7, person)
        case "half":
            return _near_running(2, person)
        case "back":
            return at_work(target + dt.timedelta(days=39, hours=person % 6, minutes=person % 60))
    days = person * 7 % 18 - 6 if person % 9 else 20 + person % 5 * 7
    return at_work(target + dt.timedelta(days=days, hours=person % 6, minutes=person % 60))


def _near_running(days: int, person: int) -> dt.datetime:
    return at_work(RUNNING + dt.timedelta(days=days, hours=1 + person % 4, minutes=person % 60))


def missed_at(person: int, visit: str) -> dt.datetime:
    """When a visit that is missed for good is given up: inside its window."""
    target = targets(visit)[person]
    return at_work(target + dt.timedelta(days=35 + person % 15, hours=person % 6, minutes=person % 60))


def reopened_at(person: int, visit: str) -> dt.datetime | None:
    """When a visit that had been given up comes back; None for every other."""
    match unusual().get((person, visit)):
        case "back":
            return at_work(targets(visit)[person] + dt.timedelta(days=35, hours=1))
        case "reopened":
            return _near_running(-4, person)
    return None


def events() -> Iterator[PersonEvent]:
    """Every sitting, missed visit and visit that came back."""
    for person in randomized():
        for visit, occasion in OCCASIONS.items():
            yield from _visit(person.number, visit, occasion)


def _visit(n: int, visit: str, occasion: int) -> Iterator[PersonEvent]:
    at = interviewed_at(n, visit)
    if at is None:
        yield Missed(at=missed_at(n, visit), person=n, visit=visit, reason=reason_of(n, visit))
        return
    back = reopened_at(n, visit)
    if back is not None:
        given_up = at_work(targets(visit)[n] + dt.timedelta(days=14, hours=2))
        yield Missed(at=given_up, person=n, visit=visit, reason="declined")
        yield Reopened(at=back, person=n, visit=visit)
    if unusual().get((n, visit)) == "half":
        first = _near_running(-3, n)
        yield Sitting(at=first, person=n, visit=visit, occasion=occasion, part=Part.FIRST)
        yield Sitting(at=at, person=n, visit=visit, occasion=occasion, part=Part.REST)
        return
    yield Sitting(at=at, person=n, visit=visit, occasion=occasion)
