"""What every fitted model of the command ``fit`` answers: linear combinations with their tests, LS means, differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy import special

from .columns import Columns
from .likelihood import Array
from .longtable import Counts, Long
from .problems import Problem
from .results import Estimate, JointTest, Moderation, absent
from .smallsample import Precision, fai_cornelius


@dataclass(frozen=True)
class Marginal:
    """An LS mean (`arm`), or the difference of `arm` from `against`, at a visit; None where the model has no visits.

    `more`: what a model adds, as a ratio.
    """

    visit: str | None
    arm: str | None
    value: Estimate
    against: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitted:
    """A fitted model, complete enough to be written out. `details` are plain data of one kind of model: covariance or variances, search."""

    model: str
    method: str | None
    df_method: str | None
    rows: int
    counts: Counts
    log_likelihood: float | None
    coefficients: tuple[Estimate, ...]
    means: tuple[Marginal, ...]
    differences: tuple[Marginal, ...]
    joint: JointTest | None
    problems: tuple[Problem, ...]
    details: Mapping[str, Any]
    moderation: Moderation | None = None


@dataclass(frozen=True)
class Answers:
    """Asks a fitted model for linear combinations of its reported coefficients.

    `to_reported` (r, r) leads from the basis to the estimable coefficients at `kept`; `shift` is added to the intercept; `null` (p, q) is what the
    data say nothing of.
    """

    names: tuple[str, ...]
    kept: npt.NDArray[np.intp]
    null: Array
    to_reported: Array
    shift: float
    gamma: Array
    precision: Precision
    confidence: float

    def combination(self, name: str, row: Array) -> Estimate:
        """The combination `row` (p,) with its t test; None with its reason where the data do not determine it."""
        if self._undetermined(row[None]):
            return absent(name, "not_estimable")
        own = self.to_reported.T @ row[self.kept]
        value = float(own @ self.gamma) + float(row[0]) * self.shift
        variance = float(own @ self.precision.covariance @ own)
        df = self.precision.df(own) if variance > 0 else None
        return absent(name, "no_variance") if df is None else tested(name, value, variance**0.5, df, self.confidence)

    def jointly(self, name: str, rows: Array) -> JointTest:
        """F that all combinations `rows` (q, p) are 0, its denominator by Fai and Cornelius or by the model's own rule."""
        if self._undetermined(rows):
            return JointTest(name, None, None, None, None, "not_estimable")
        own = rows[:, self.kept] @ self.to_reported
        values, vectors = np.linalg.eigh(own @ self.precision.covariance @ own.T)
        turned = vectors.T @ own
        if values[0] <= 1e-12 * values[-1]:
            return JointTest(name, None, None, None, None, "no_variance")
        F = float(((turned @ self.gamma) ** 2 / values).mean())
        if self.precision.joint is not None and len(rows) > 1:
            scaled = self.precision.joint(own)
        else:
            found = [self.precision.df(row) for row in turned]
            degrees = np.array([df for df in found if df is not None])
            scaled = (1.0, fai_cornelius(degrees)) if len(degrees) == len(rows) else None
        if scaled is None:
            return JointTest(name, None, None, None, None, "no_variance")
        factor, freedom = scaled
        return JointTest(name, factor * F, len(rows), freedom, float(special.fdtrc(len(rows), freedom, factor * F)))

    def _undetermined(self, rows: Array) -> bool:
        return bool(self.null.size) and np.abs(rows @ self.null).max() > 1e-7 * float(np.linalg.norm(rows))


def tested(name: str, value: float, se: float, df: float, confidence: float) -> Estimate:
    """An estimate with its t test (`df` infinite: the normal one) and interval."""
    statistic = value / se
    if np.isfinite(df):
        half, p = float(special.stdtrit(df, 0.5 + confidence / 2)) * se, float(2 * special.stdtr(df, -abs(statistic)))
        return Estimate(name, value, se, df, statistic, p, value - half, value + half)
    half, p = float(special.ndtri(0.5 + confidence / 2)) * se, float(2 * special.ndtr(-abs(statistic)))
    return Estimate(name, value, se, None, statistic, p, value - half, value + half)


class Asked(Protocol):
    """What can be asked for linear combinations of coefficients."""

    def combination(self, name: str, row: Array, /) -> Estimate: ...
    def jointly(self, name: str, rows: Array, /) -> JointTest: ...


def marginals(
    data: Long, columns: Columns, answers: Asked, common_first: bool = False
) -> tuple[tuple[Marginal, ...], tuple[Marginal, ...]]:
    """LS means by visit and arm, and differences from the reference arm; `common_first`: all arms share their first mean."""
    visits: tuple[str | None, ...] = tuple(level or None for level in data.visit.levels)
    arms: tuple[str | None, ...] = data.arm.levels if data.arm is not None else (None,)
    means = tuple(
        Marginal(v, arm, answers.combination(_label(arm, v), columns.row(t, k)))
        for t, v in enumerate(visits)
        for k, arm in enumerate(arms)
    )
    differences = tuple(
        Marginal(v, arm, answers.combination(_label(f"{arm} - {arms[0]}", v), columns.difference(t, k)), arms[0])
        for t, v in enumerate(visits)
        for k, arm in enumerate(arms)
        if k and not (common_first and t == 0)
    )
    return means, differences


def _label(arm: str | None, visit: str | None) -> str:
    return " ".join(part for part in (arm, visit) if part is not None)
