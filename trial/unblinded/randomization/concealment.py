"""Numbers that would show it if somebody had known the coming arm. Pure; standard library only.

None of them proves it: each is a reason to look. Runs: Wald and Wolfowitz (1940), Annals of Mathematical Statistics 11:147-162. Standardized
differences of shares: Austin (2009), Statistics in Medicine 28:3083-3107.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import comb, erfc, sqrt
from statistics import median, quantiles
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

EXACT_UP_TO = 40
"""So many people of both kinds the distribution of the runs is counted out; above, it is normal."""


@dataclass(frozen=True)
class Person:
    """One randomized person as the monitor sees them."""

    recruiter: str
    arm: str
    stratum: str
    days: float
    levels: Mapping[str, str]


@dataclass(frozen=True)
class Runs:
    """Runs of the experimental arm against all others, in the order of allocation. ``p`` is None when one kind is missing."""

    people: int
    experimental: int
    runs: int
    expected: float
    z: float | None
    p: float | None


@dataclass(frozen=True)
class Spread:
    """A distribution in five numbers."""

    count: int
    least: float
    lower: float
    middle: float
    upper: float
    most: float


@dataclass(frozen=True)
class Imbalance:
    """The level of a factor on which the arms of one recruiter differ most."""

    factor: str
    level: str
    experimental: float
    others: float
    difference: float


def runs_test(kinds: Sequence[bool]) -> Runs:
    """The Wald-Wolfowitz test, two-sided: too few runs mean that arms come in rows, too many that they alternate.

    Blocks keep arms from coming in rows: with them a few runs too many are what was planned.
    """
    ones, total = sum(kinds), len(kinds)
    others, runs = total - ones, len(list(groupby(kinds)))
    if not ones or not others:
        return Runs(total, ones, runs, float(runs), None, None)
    expected = 1 + 2 * ones * others / total
    variance = 2 * ones * others * (2 * ones * others - total) / (total**2 * (total - 1))
    z = (runs - expected) / sqrt(variance) if variance > 0 else 0.0
    p = _exact(ones, others, runs) if total <= EXACT_UP_TO else erfc(abs(z) / sqrt(2))
    return Runs(total, ones, runs, expected, z, p)


def chances_of_runs(ones: int, others: int) -> dict[int, float]:
    """The probability of each number of runs, when every order is equally likely."""
    ways = {
        runs: (
            2 * comb(ones - 1, runs // 2 - 1) * comb(others - 1, runs // 2 - 1)
            if runs % 2 == 0
            else comb(ones - 1, runs // 2) * comb(others - 1, runs // 2 - 1)
            + comb(ones - 1, runs // 2 - 1) * comb(others - 1, runs // 2)
        )
        for runs in range(2, ones + others + 1)
    }
    whole = comb(ones + others, ones)
    return {runs: number / whole for runs, number in ways.items() if number}


def _exact(ones: int, others: int, runs: int) -> float:
    """The probability of whatever is no likelier than what was seen."""
    chances = chances_of_runs(ones, others)
    return min(1.0, sum(chance for chance in chances.values() if chance <= chances[runs] * (1 + 1e-9)))


def runs_by_stratum(people: Sequence[Person], experimental: str) -> dict[str, Runs]:
    """The test within each stratum, in the order in which people are given."""
    grouped = _by(people, lambda one: one.stratum)
    return {
        stratum: runs_test([one.arm == experimental for one in those]) for stratum, those in sorted(grouped.items())
    }


def spread_of(values: Sequence[float]) -> Spread:
    """Five numbers of at least one value; quartiles as of a sample that holds its least and its most."""
    if len(values) == 1:
        return Spread(1, *(5 * [values[0]]))
    lower, _middle, upper = quantiles(values, n=4, method="inclusive")
    return Spread(len(values), min(values), lower, median(values), upper, max(values))


def waits(people: Sequence[Person]) -> dict[tuple[str, str], Spread]:
    """Days from screening to randomization, by recruiter and arm: who knows the coming arm can let a person wait for it."""
    grouped = _by(people, lambda one: (one.recruiter, one.arm))
    return {key: spread_of([one.days for one in those]) for key, those in sorted(grouped.items())}


def imbalances(people: Sequence[Person], experimental: str, factors: Sequence[str]) -> dict[str, Imbalance | None]:
    """For each recruiter the level on which the arms differ most; None where one arm is empty."""
    grouped = _by(people, lambda one: one.recruiter)
    return {recruiter: _largest(those, experimental, factors) for recruiter, those in sorted(grouped.items())}


def _largest(people: Sequence[Person], experimental: str, factors: Sequence[str]) -> Imbalance | None:
    mine = [one for one in people if one.arm == experimental]
    theirs = [one for one in people if one.arm != experimental]
    if not mine or not theirs:
        return None
    found = []
    for factor in factors:
        for level in sorted({one.levels[factor] for one in people}):
            here, there = (_share(those, factor, level) for those in (mine, theirs))
            found.append(Imbalance(factor, level, here, there, standardized_difference(here, there)))
    return max(found, key=lambda one: abs(one.difference), default=None)


def _share(people: Sequence[Person], factor: str, level: str) -> float:
    return sum(one.levels[factor] == level for one in people) / len(people)


def standardized_difference(one: float, other: float) -> float:
    """Of two shares, in units of their pooled standard deviation; infinite where each is certain and they differ."""
    variance = (one * (1 - one) + other * (1 - other)) / 2
    if variance == 0:
        return 0.0 if one == other else float("inf") if one > other else float("-inf")
    return (one - other) / sqrt(variance)


def _by(people: Sequence[Person], key: Callable[[Person], K]) -> dict[K, list[Person]]:
    grouped: dict[K, list[Person]] = defaultdict(list)
    for one in people:
        grouped[key(one)].append(one)
    return grouped
