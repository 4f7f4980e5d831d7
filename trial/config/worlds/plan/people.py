"""The 238 people who are assessed: 51 turned away, 187 randomized; who they are, and their way in.

Background of the 187: the counts of the published baseline table (T/95), shuffled; in what way they go together was not published.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

from trial.config.worlds.plan.allocation import TEAMS, sequence
from trial.config.worlds.plan.calendar import BEGIN, RUNNING, at_work
from trial.config.worlds.plan.events import (
    Assessed,
    Opened,
    Part,
    PersonEvent,
    Randomized,
    Registered,
    ScreenedBefore,
    Sitting,
    TurnedAway,
)
from trial.config.worlds.plan.order import in_turn, shuffled, spread

RANDOMIZED = sum(TEAMS.values())
TURNED_AWAY = {"declined": 35, "condition": 7, "not_contacted": 5, "other": 4}
"""T/120. The first is a reason to decline, the others are reasons of exclusion."""
SCREENED_TWICE = 168
"""Made up: somebody who was excluded first, and randomized at the second screening, two months later."""
NOT_SHARING = 14
"""Made up: people who do not agree to the sharing of their data."""

AGE = NormalDist(44.29, 10.7)
"""T/95: mean 44.29, SD 10.38. Ages are the quantiles, cut at 18 and 65; the cut takes .3 off the SD."""
LEVELS: Mapping[str, Mapping[int | None, int]] = {
    "sex": {0: 99, 1: 88},
    "living": {0: 111, 1: 48, 2: 28},
    "education": {0: 69, 1: 79, 2: 39},
    "origin": {0: 136, 1: 16, 2: 35},
    "income": {0: 12, 1: 126, 2: 41, 3: 6, None: 2},
    "psychotic": {1: 106, 0: 81},
    "mood": {1: 61, 0: 126},
    "personality": {1: 58, 0: 129},
    "treated": {0: 47, 1: 139, None: 1},
}
HOSPITAL: Mapping[tuple[int, int], int] = {(0, 0): 48, (1, 1): 60, (1, 2): 9, (2, 1): 34, (2, 2): 36}
"""Admissions and time in hospital so far: both margins are published (48, 69, 70 and 48, 94, 45), the table is made up."""
BANDS = ((30, "18-29"), (40, "30-39"), (50, "40-49"), (60, "50-59"), (66, "60-65"))


@dataclass(frozen=True)
class Person:
    """One made-up person. ``arm``, ``randomized_at`` and ``background`` are of those who get so far; a level None is unknown."""

    number: int
    team: str
    age: int
    sex: str
    arm: str = ""
    randomized_at: dt.datetime | None = None
    background: Mapping[str, int | None] | None = None

    @property
    def site(self) -> str:
        """The institution of the team."""
        return site_of(self.team)

    @property
    def age_band(self) -> str:
        """The age as the screening log has it."""
        return next(band for limit, band in BANDS if self.age < limit)

    @property
    def since(self) -> dt.datetime:
        """The instant of randomization. ValueError for somebody who was turned away."""
        if self.randomized_at is None:
            raise ValueError(f"Person {self.number} is not randomized.")
        return self.randomized_at


def site_of(team: str) -> str:
    """The institution of a team."""
    return "dordrecht" if team.startswith("D") else "rotterdam"


SITES = ("rotterdam", "dordrecht")

# The last ten, so that at RUNNING there is work: days from RUNNING of opening, consent, registration, baseline (twice: in two sittings)
# and randomization.
_LAST: tuple[tuple[float, float, float, tuple[float, ...], float], ...] = (
    (-17, -14, -11, (-4.0,), 0.08),
    (-17, -13, -10, (-3.0,), 0.2),
    (-14, -11, -10, (-3.1,), 1.1),
    (-13, -10, -7, (-3.0, 2.1), 4.1),
    (-12, -10, -6, (-4.0, 3.1), 7.1),
    (-10, -7, -3, (8.1,), 10.1),
    (-7, -3, 3.1, (10.1,), 14.1),
    (-4, 3.1, 7.1, (14.1,), 18.1),
    (-3, 4.1, 8.1, (15.1,), 22.1),
    (7, 9.1, 14.1, (21.1,), 30.1),
)
_EVENLY = RANDOMIZED - len(_LAST)
_FIRST_DAY, _DAYS_BETWEEN = 20, 4.03


@cache
def people() -> tuple[Person, ...]:
    """Everybody: those randomized, in the order of randomization, then those turned away."""
    teams = in_turn(dict(sorted(TEAMS.items())))
    lists = sequence()
    taken = dict.fromkeys(TEAMS, 0)
    levels = {name: shuffled(shares, name) for name, shares in LEVELS.items()}
    hospital = shuffled(HOSPITAL, "hospital")
    ages = shuffled(dict(enumerate([1] * RANDOMIZED)), "age")
    found = []
    for number in range(RANDOMIZED):
        team = teams[number]
        background = {name: order[number] for name, order in levels.items()}
        background["admissions"], background["hospital"] = hospital[number]
        age = min(65, max(18, round(AGE.inv_cdf((ages[number] + 0.5) / RANDOMIZED))))
        found.append(
            Person(
                number=number,
                team=team,
                age=age,
                sex="female" if background["sex"] else "male",
                arm=lists[team][taken[team]],
                randomized_at=_randomized_at(number),
                background=background | {"age": age},
            )
        )
        taken[team] += 1
    return (*found, *_turned_away())


def randomized() -> tuple[Person, ...]:
    """The 187, in the order of randomization."""
    return people()[:RANDOMIZED]


def _turned_away() -> Iterator[Person]:
    teams = sorted(TEAMS)
    for n in range(sum(TURNED_AWAY.values())):
        yield Person(
            number=RANDOMIZED + n,
            team=teams[n * 5 % len(teams)],
            age=20 + n * 17 % 45,
            sex=("female", "male", "male")[n % 3],
        )


def _from_running(days: float, number: int) -> dt.datetime:
    return at_work(RUNNING + dt.timedelta(days=days, minutes=number % 10))


def _randomized_at(number: int) -> dt.datetime:
    if number >= _EVENLY:
        return _from_running(_LAST[number - _EVENLY][-1], number)
    day = BEGIN + dt.timedelta(days=int(_FIRST_DAY + _DAYS_BETWEEN * number))
    return at_work(day + dt.timedelta(hours=2 + number * 5 % 6, minutes=number * 17 % 60))


def way_in() -> Iterator[PersonEvent]:
    """The events of everybody up to randomization, or to being turned away."""
    refusing = {person.number for person in spread(randomized(), NOT_SHARING)}
    for person in randomized():
        yield from _way_in(person, ("sharing",) if person.number in refusing else ())
    for n, reason in enumerate(in_turn(TURNED_AWAY)):
        number = RANDOMIZED + n
        opened = at_work(BEGIN + dt.timedelta(days=8 + int(15.1 * n), hours=n % 7, minutes=n))
        yield Opened(at=opened, person=number)
        closed = at_work(opened + dt.timedelta(days=6))
        yield TurnedAway(at=closed, person=number, declined=reason == "declined", reason=reason)


def _way_in(person: Person, refused: tuple[str, ...]) -> Iterator[PersonEvent]:
    """Screening 14 days before randomization, consent 12, registration 10, baseline 3; the last ten as they are told."""
    n, since = person.number, person.since
    if n >= _EVENLY:
        opened, assessed, registered, baseline, _since = _LAST[n - _EVENLY]
        steps = [_from_running(days, n) for days in (opened, assessed, registered)]
        sittings = [_from_running(days, n) for days in baseline]
    else:
        steps = [at_work(since - dt.timedelta(days=days, minutes=7 * days)) for days in (14, 12, 10)]
        sittings = [at_work(since - dt.timedelta(days=3, minutes=30))]
    if n == SCREENED_TWICE:
        yield ScreenedBefore(at=at_work(steps[0] - dt.timedelta(days=61)), person=n, reason="condition")
    yield Opened(at=steps[0], person=n)
    yield Assessed(at=steps[1], person=n, refused=refused)
    yield Registered(at=steps[2], person=n)
    parts = (Part.WHOLE,) if len(sittings) == 1 else (Part.FIRST, Part.REST)
    for at, part in zip(sittings, parts, strict=True):
        yield Sitting(at=at, person=n, visit="T1", occasion=0, part=part)
    yield Randomized(at=since, person=n)
