"""Synthetic answers to every item of every form. Nobody in a demo world exists, and nothing here says anything about a published trial.

Each person has a level N(0, 1), each team one too. Item j of an instrument at visit k has the latent value, turned so that more is better,

    z = start + drift k + .32 level + .15 team + .25 a + .25 b_k + .88 e_jk        (a, b_k, e_jk ~ N(0, 1), of the instrument)

and the answer: middle of the item's range + z x a quarter of the range, rounded and cut at both ends. So items of a scale hang together
(alpha about .8) and scores at two visits too (r about .6). ``effects.solve`` then moves what the experimental arm answers. One item in a
hundred is left out with the reason "did not want to answer"; of the primary scale never so many that it has no score.

The generator knows the arm from the plan. It runs in the player alone, which holds every login: the blind of a demo is about its users.
"""

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assessments.instruments.scoring import needed
from trial.config.worlds import effects
from trial.config.worlds.effects import Array, Mask
from trial.config.worlds.plan.follow_up import reason_of
from trial.config.worlds.plan.people import Person, randomized
from trial.config.worlds.plan.program import Dose, dose_of
from trial.protocol.definition import Instrument, Item, Protocol, Scale

LEFT_OUT = 0.01
LEVEL, TEAM, OWN, OCCASION, NOISE = 0.32, 0.15, 0.25, 0.25, 0.88

SHAPES: Mapping[str, tuple[float, float]] = {
    "imrs_client": (0.3, 0.05),
    "imrs_clinician": (0.3, 0.12),
    "mspss": (0.2, 0.10),
    "cses": (0.1, 0.05),
    "ses": (0.7, 0.0),
    "insight": (0.6, 0.0),
    "asi": (2.2, 0.0),
    "bsi": (0.8, 0.12),
    "sfs": (0.3, 0.10),
    "ismi": (0.4, 0.10),
    "mhrm": (0.2, 0.05),
    "sers": (0.3, 0.05),
}
"""Start and drift a visit by scale. Drift in both arms where it was published; near the top or bottom of the range: ses, insight, asi (T/198)."""
SHARE: Mapping[Dose, float] = {Dose.NONE: 0.0, Dose.FEW: 0.5, Dose.SOME: 0.9, Dose.HALF: 1.5}
"""How much of a move after baseline reaches a person, by what the person took of the program. Made up."""


def main_scale(instrument: Instrument) -> Scale | None:
    """The scale whose difference is constructed: the first that is no subscale."""
    return next((s for s in instrument.scales if s.role in ("primary", "secondary", "exploratory")), None)


class Generator:
    """Everybody's answers. Made once, in a second or two; the same protocol gives the same answers on every machine."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.people = randomized()
        self._scored: dict[str, ScaleAnswers] = {}

    def answers(
        self, person: int, visit: str, instrument: Instrument, day: dt.date, reason: str
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Answers, and reasons for items without one, by item code. The same call gives the same answers."""
        occasion = [v.code for v in self.protocol.visits].index(visit)
        scale = main_scale(instrument)
        given: dict[str, str] = {}
        missing: dict[str, str] = {}
        if scale is not None:
            numbers = self.of_scale(instrument, scale).answers_of(person, occasion)
            for code, number in numbers.items():
                if number is None:
                    missing[code] = reason
                else:
                    given[code] = str(number)
        rng = random.Random(f"{person}/{instrument.code}/{visit}")  # noqa: S311 - synthetic data
        for item in instrument.items:
            if item.code in given or item.code in missing:
                continue
            value = _other(item, self.people[person], day, rng)
            if value is not None:
                given[item.code] = value
            elif not item.optional:
                missing[item.code] = reason
        return given, missing

    def of_scale(self, instrument: Instrument, scale: Scale) -> "ScaleAnswers":
        """The answers that this scale counts, at every visit, moved to the wanted differences."""
        if scale.code not in self._scored:
            self._scored[scale.code] = ScaleAnswers(instrument, scale, self.people, len(self.protocol.visits))
        return self._scored[scale.code]


def _other(item: Item, person: Person, day: dt.date, rng: random.Random) -> str | None:
    """An answer that no constructed scale counts: the person's background where it says something, else anything."""
    background = person.background or {}
    if item.code in background:
        level = background[item.code]
        return None if level is None else str(level)
    if item.kind == "text":
        return None
    if item.kind == "date":
        return day.isoformat()
    if item.levels:
        return str(rng.choice([value for value, _label in item.levels]))
    low, high = item.limits
    return str(rng.randint(int(low), int(high)))


@dataclass
class ScaleAnswers:
    """People x visits x items of one scale: latent values, what is left out, and the moves of the experimental arm."""

    instrument: Instrument
    scale: Scale
    people: tuple[Person, ...]
    visits: int

    def __post_init__(self) -> None:
        items = [self.instrument.item(code) for code in self.scale.all_items]
        self.low = np.array([float(item.limits[0]) for item in items])
        self.high = np.array([float(item.limits[1]) for item in items])
        better = 1 if self.scale.direction == "higher_is_better" else -1
        turned = [code in self.scale.reversed_items for code in self.scale.items]
        self.signs = np.array([*(-1 if t else 1 for t in turned), *(-1 for _code in self.scale.negative_items)])
        self.better = better
        self.treated: Mask = np.array([person.arm == "imr" for person in self.people])
        self.reach: Array = np.array([SHARE[dose_of(person.number)] for person in self.people]) * self.treated
        self.latent, self.left_out = _draw(self.scale, self.people, self.visits)
        self.held: Mask = np.array(
            [[True, *(not reason_of(p.number, visit) for visit in ("T2", "T3"))][: self.visits] for p in self.people]
        )

    @cached_property
    def moves(self) -> list[float]:
        """By how much the experimental arm moves at each visit."""
        wanted = effects.TARGETS.get(self.scale.code, effects.NOTHING)[: self.visits]
        return effects.solve(self.score, self.treated, self.better, wanted)

    def scores(self) -> Array:
        """Everybody's score at every visit, as the answers are in the end."""
        return np.column_stack([self.score(visit, self.moves) for visit in range(self.visits)])

    def values(self, visit: int, moves: list[float]) -> Array:
        """Everybody's answers to the items at a visit, people x items, as if nothing were left out."""
        move = moves[0] * self.treated + (moves[visit] * self.reach if visit else 0.0)
        moved = self.latent[:, visit] + move[:, None]
        raw = (self.low + self.high) / 2 + self.better * self.signs * moved * (self.high - self.low) / 4
        return np.asarray(np.clip(np.rint(raw), self.low, self.high))

    def score(self, visit: int, moves: list[float]) -> Array:
        """Everybody's score at a visit, NaN for who was not interviewed or answered too little."""
        values = self.values(visit, moves)
        turned = np.array([code in self.scale.reversed_items for code in self.scale.all_items])
        values = np.where(turned, self.low + self.high - values, values)
        values = np.where(self.left_out[:, visit], np.nan, values)
        first = len(self.scale.items)
        total = self._part(values[:, :first], np.array(self.scale.weights or [1.0] * first))
        if self.scale.negative_items:
            total = total - self._part(values[:, first:], np.ones(len(self.scale.negative_items)))
        if self.scale.method == "mean":
            total = total / first
        return np.where(self.held[:, visit], total, np.nan)

    def _part(self, values: Array, weights: Array) -> Array:
        """The weighted sum of one part, what is left out being the person's mean of it."""
        answered = (~np.isnan(values)).sum(axis=1)
        means = np.nansum(values, axis=1) / np.maximum(answered, 1)
        whole = np.where(np.isnan(values), means[:, None], values) @ weights
        return np.where(answered >= needed(self.scale, values.shape[1]), whole, np.nan)

    def answers_of(self, person: int, visit: int) -> dict[str, int | None]:
        """One person's answers at one visit by item code, None where it is left out."""
        values = self._final[visit][person]
        out = self.left_out[person, visit]
        return {code: None if out[n] else int(values[n]) for n, code in enumerate(self.scale.all_items)}

    @cached_property
    def _final(self) -> list[Array]:
        return [self.values(visit, self.moves) for visit in range(self.visits)]


def _draw(scale: Scale, people: tuple[Person, ...], visits: int) -> tuple[Array, Mask]:
    """Latent values, and which items are left out, people x visits x items."""
    start, drift = SHAPES.get(scale.code, (0.0, 0.0))
    items = len(scale.all_items)
    allowed = items - needed(scale, items) if scale.is_primary else items
    latent = np.empty((len(people), visits, items))
    out = np.zeros((len(people), visits, items), dtype=bool)
    for row, person in enumerate(people):
        level = random.Random(f"level/{person.number}").gauss(0, 1)  # noqa: S311 - synthetic data
        team = random.Random(f"team/{person.team}").gauss(0, 1)  # noqa: S311 - synthetic data
        rng = random.Random(f"{person.number}/{scale.code}")  # noqa: S311 - synthetic data
        common = start + LEVEL * level + TEAM * team + OWN * rng.gauss(0, 1)
        for visit in range(visits):
            here = common + drift * visit + OCCASION * rng.gauss(0, 1)
            latent[row, visit] = [here + NOISE * rng.gauss(0, 1) for _item in range(items)]
            drawn = [rng.random() < LEFT_OUT for _item in range(items)]
            out[row, visit] = drawn if sum(drawn) <= allowed else False
    return latent, out
