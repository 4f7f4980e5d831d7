"""The tipping-point map: how far missing values would have to be off, in either arm, before the answer turns.

With deltas d = (x, y) added to the imputed values of the experimental and of the reference arm, the estimate is b0 + b1 x + b2 y and SE^2 is the
quadratic form (1, x, y) K (1, x, y)' of the jackknife (`imputation.Shiftable`): a map costs no more fits than one point of it. The answer is where
the interval lies: above 0, below 0, or around it. It turns along the conic (b0 + b1 x + b2 y)^2 = z^2 (1, x, y) K (1, x, y)', which is solved, not
read off a grid: for each value of one delta the other one, by a quadratic.
Yan, Lee and Li (2009), J Biopharm Stat 19:1085-1098; Liublinska and Rubin (2014), Stat Med 33:4170-4185.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from .imputation import Imputed, Shiftable
from .likelihood import Array

Answer = Literal["above", "around", "below"]
"""Where the interval lies: above 0, around it, below it."""
FINER = 4
"""So many points of the line for each step of the grid."""


@dataclass(frozen=True)
class Cell:
    """One pair of deltas, what results, and whether the answer is another than without any."""

    experimental: float
    reference: float
    estimate: float
    se: float
    lower: float
    upper: float
    p: float
    answer: Answer
    turned: bool


@dataclass(frozen=True)
class Crossing:
    """A point at which an end of the interval is 0: the `lower` one or the `upper` one. Points of one `strand` follow each other."""

    bound: Literal["lower", "upper"]
    strand: int
    experimental: float
    reference: float


@dataclass(frozen=True)
class TippingMap:
    """The cells row by row of `reference`; `answer` without any delta; how many cells turned; `moved` values at the last visit, by arm."""

    experimental: tuple[float, ...]
    reference: tuple[float, ...]
    cells: tuple[Cell, ...]
    line: tuple[Crossing, ...]
    answer: Answer
    turned: int
    moved_experimental: int
    moved_reference: int


def tipping_map(found: Shiftable, deltas: Sequence[float], confidence: float = 0.95) -> TippingMap:
    """The map over `deltas` x `deltas`, ascending, 0 among them."""
    grid = tuple(float(one) for one in deltas)
    answer = answer_of(found.at(0.0, 0.0, confidence))
    cells = tuple(_cell(found.at(x, y, confidence), answer) for y in grid for x in grid)
    return TippingMap(
        experimental=grid,
        reference=grid,
        cells=cells,
        line=tuple(_line(found, grid, confidence)),
        answer=answer,
        turned=sum(one.turned for one in cells),
        moved_experimental=found.moved[0],
        moved_reference=found.moved[1],
    )


def answer_of(one: Imputed) -> Answer:
    """Where its interval lies."""
    return "above" if one.lower > 0 else "below" if one.upper < 0 else "around"


def _cell(one: Imputed, without: Answer) -> Cell:
    answer = answer_of(one)
    return Cell(
        experimental=one.delta, reference=one.delta_reference, estimate=one.estimate, se=one.se, lower=one.lower, upper=one.upper,
        p=one.p, answer=answer, turned=answer != without,
    )  # fmt: skip


def _line(found: Shiftable, grid: tuple[float, ...], confidence: float) -> Iterator[Crossing]:
    """The points of the line inside the grid, for each value of the delta that moves the estimate less; in its order."""
    solved, given = (0, 1) if abs(found.slopes[0]) >= abs(found.slopes[1]) else (1, 0)
    if found.slopes[solved] == 0:
        return
    z, low, high = float(stats.norm.ppf(0.5 + confidence / 2)), grid[0], grid[-1]
    slack = 1e-9 * (high - low)
    for at in np.linspace(low, high, FINER * (len(grid) - 1) + 1):
        strands = {"lower": 0, "upper": 0}
        for root in _roots(found, solved, given, float(at), z):
            if not low - slack <= root <= high + slack:
                continue
            pair = (root, float(at)) if solved == 0 else (float(at), root)
            estimate = found.estimate + float(found.slopes @ np.array(pair))
            bound: Literal["lower", "upper"] = "lower" if estimate > 0 else "upper"
            yield Crossing(bound, strands[bound], *pair)
            strands[bound] += 1


def _roots(found: Shiftable, solved: int, given: int, at: float, z: float) -> list[float]:
    """Where an end of the interval is 0: the real roots in one delta, the other one being `at`; ascending."""
    K, slope = found.spread, float(found.slopes[solved])
    rest = found.estimate + float(found.slopes[given]) * at
    i, j = solved + 1, given + 1
    curve: Array = np.array(
        [
            slope**2 - z**2 * K[i, i],
            2 * (rest * slope - z**2 * (K[0, i] + at * K[i, j])),
            rest**2 - z**2 * (K[0, 0] + 2 * at * K[0, j] + at**2 * K[j, j]),
        ]
    )
    roots = np.roots(curve)
    return sorted(float(r.real) for r in roots if abs(r.imag) < 1e-12 * max(1.0, abs(r)))
