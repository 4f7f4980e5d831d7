"""The bootstrap over patients: the model fitted again to samples of the patients, drawn with replacement within each arm.

Whole patients are drawn, with all their visits, so that nothing is assumed of the covariance (Efron and Tibshirani 1993, An Introduction to the
Bootstrap, chapters 8 and 13). A sample is a number of times that each patient counts; its cross-products are sums with these weights, and the
samples of a block climb together (`stacked`). Sample i depends on the seed and i alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from .fitspec import FitSpec
from .likelihood import Array
from .longtable import Long, read_long
from .mmrm import maximize
from .patterns import collect, in_patterns
from .problems import Refused, error
from .progress import SILENT, Watch
from .repeated import Found, find
from .stacked import Rows, Stack, at_once, climb, tells
from .structures import entries

BLOCK = 100
ENOUGH = 1e-8
"""The decrement at which a refit ends."""

Weights = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bootstrap:
    """The `estimate` of the patients as they are, the standard deviation of those of the samples, and their percentiles.

    `failed` samples have no estimate (not-a-number among the `values`), since their model could not be fitted.
    """

    estimate: float
    se: float
    lower: float
    upper: float
    failed: int
    values: tuple[float, ...]


def bootstrap(
    table: pd.DataFrame,
    spec: FitSpec,
    visit: str,
    experimental: str,
    *,
    samples: int,
    seed: str,
    watch: Watch = SILENT,
) -> Bootstrap:
    """The difference of `experimental` from the reference at `visit` in the model of `spec`, mmrm or clda. Raises Refused, or Cancelled."""
    refits = refits_of(table, spec, visit, experimental)
    values: list[Array] = []
    for start in range(0, samples, BLOCK):
        watch.step("fitting", start / samples)
        weights = np.array([refits.draw(seed, i) for i in range(start, min(start + BLOCK, samples))])
        values.append(refits.together(weights))
    found = np.concatenate(values) if values else np.empty(0)
    good = found[np.isfinite(found)]
    if len(good) < 2:
        raise Refused([error("bootstrap_no_samples", samples=samples)])
    tail = (1 - spec.confidence) / 2
    lower, upper = np.quantile(good, [tail, 1 - tail])
    spread = float(good.std(ddof=1))
    return Bootstrap(
        refits.estimate, spread, float(lower), float(upper), len(found) - len(good), tuple(map(float, found))
    )


def refits_of(table: pd.DataFrame, spec: FitSpec, visit: str, experimental: str) -> Refits:
    """What every sample needs. Refused: another model, an arm or a visit that is not there, a difference that the data do not tell."""
    data = read_long(table, spec)
    arm = data.arm
    if (
        spec.model not in ("mmrm", "clda")
        or arm is None
        or visit not in data.visit.levels
        or experimental not in arm.levels[1:]
    ):
        raise Refused([error("bootstrap_no_contrast")])
    found = find(data, spec)
    facts = found.columns.arms[arm.levels.index(experimental) - 1]
    contrast = found.columns.B[data.visit.levels.index(visit), facts]
    if not contrast.any() or np.abs(contrast @ found.patterns.null).max(initial=0.0) > 1e-8:
        raise Refused([error("bootstrap_no_contrast")])
    return Refits(found, contrast, spec.method == "reml", _by_arm(data))


def _by_arm(data: Long) -> tuple[Rows, ...]:
    """The patients of each arm."""
    codes = np.zeros(data.subjects, dtype=np.intp)
    if data.arm is not None:
        codes[data.subject] = data.arm.codes
    return tuple(np.flatnonzero(codes == code) for code in np.unique(codes))


@dataclass(frozen=True)
class Refits:
    """The fit of the patients as they are, the `contrast` (p,) on its columns, and how samples of them are fitted."""

    found: Found
    contrast: Array
    reml: bool
    arms: tuple[Rows, ...]

    @property
    def row(self) -> Array:
        """The contrast (r,) on the orthonormal basis of the first fit, in units of the outcome."""
        patterns = self.found.patterns
        return np.asarray(self.found.scale * np.linalg.solve(patterns.root.T, self.contrast[patterns.kept]))

    @property
    def estimate(self) -> float:
        """The difference among the patients as they are."""
        return float(self.row @ self.found.top.point.gamma)

    def draw(self, seed: str, index: int) -> Weights:
        """How often each patient (n,) is in sample `index`."""
        own = hashlib.sha256(f"bootstrap|{seed}|{index}".encode()).digest()
        chance = np.random.default_rng(int.from_bytes(own, "big"))
        taken = [mine[chance.integers(0, len(mine), len(mine))] for mine in self.arms]
        return np.bincount(np.concatenate(taken), minlength=len(self.found.Y))

    def together(self, weights: Weights) -> Array:
        """The differences in samples (R, n); each by itself where the search is not plain sailing."""
        if not self.found.top.structure.free or len(self.found.labels) > 1:
            return self.alone(weights)
        values = np.full(len(weights), np.nan)
        size = at_once(len(self.found.patterns.seen), self.found.patterns.visits, 0, self.found.patterns.rank + 1)
        for start in range(0, len(weights), size):
            part = slice(start, start + size)
            stack = self.stack(weights[part])
            plain = np.flatnonzero(tells(stack))
            if len(plain):
                tops = climb(stack.of(plain), self.found.top.point.sigma[0], self.reml, ENOUGH)
                values[part][plain] = np.where(tops.found, tops.gamma @ self.row, np.nan)
        left = np.flatnonzero(np.isnan(values))
        values[left] = self.alone(weights[left])
        return values

    def alone(self, weights: Weights) -> Array:
        """The same, each sample fitted by itself: what `together` has to equal."""
        return np.array([self._one(row) for row in weights])

    def _one(self, weights: Weights) -> float:
        found, who = self.found, np.repeat(np.arange(len(weights)), weights)
        try:
            patterns = collect(found.columns.C[who], found.Y[who], found.columns.B, found.group[who], len(found.labels))
            top = maximize(patterns, found.top.structure, self.reml, found.top.point.sigma, ENOUGH)
        except np.linalg.LinAlgError:
            return float("nan")
        if top is None or not top.converged or np.abs(self.contrast @ patterns.null).max(initial=0.0) > 1e-8:
            return float("nan")
        row = np.linalg.solve(patterns.root.T, self.contrast[patterns.kept])
        return float(found.scale * row @ top.point.gamma)

    def stack(self, weights: Weights) -> Stack:
        """The cross-products of samples (R, n)."""
        columns, Y, patterns = self.found.columns, self.found.Y, self.found.patterns
        R, T, P, m, z = len(weights), patterns.visits, len(patterns.seen), columns.C.shape[1], patterns.rank + 1
        observed = ~np.isnan(Y)
        order, _codes, start, stop = in_patterns(observed, self.found.group)
        facts = np.concatenate([columns.C, np.where(observed, Y, 0.0)], axis=1)[order]
        counted = weights[:, order].astype(float)
        sums = np.empty((R, P, 1, m + T, m + T))
        for pattern, (a, b) in enumerate(zip(start, stop, strict=True)):
            products = (facts[a:b, :, None] * facts[a:b, None, :]).reshape(b - a, -1)
            sums[:, pattern, 0] = (counted[:, a:b] @ products).reshape(R, m + T, m + T)
        turned = np.zeros((T, m + T, z))  # [y_t | x_t] from the facts
        turned[np.arange(T), m + np.arange(T), 0] = 1.0
        turned[:, :m, 1:] = columns.B[:, :, patterns.kept] @ np.linalg.inv(patterns.root)
        where = entries(T)
        i, j, twice = where[:, 0], where[:, 1], (where[:, 0] != where[:, 1]).astype(float)[:, None, None]
        own = turned[i].transpose(0, 2, 1) @ (sums @ turned)[:, :, j]
        own += twice * own.swapaxes(3, 4)
        people = np.stack([counted[:, a:b].sum(axis=1) for a, b in zip(start, stop, strict=True)], axis=1)
        return Stack(
            pairs=patterns.pairs.transpose(1, 2, 0),
            people=people,
            rows=people @ patterns.seen.sum(axis=1),
            shared=np.empty((P * len(where), 0)),
            own=own.reshape(R, P * len(where), z * z),
            f=0,
            g=z,
            log_root=patterns.log_root,
        )
