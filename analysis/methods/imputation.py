"""Values that are missing after an intercurrent event, imputed by what the reference arm would suggest.

Carpenter, Roger and Kenward (2013), J Biopharm Stat 23:1352-1371. A repeated-measures model gives patient i the mean mu_i (T,) under the own arm,
m_i (T,) under the reference arm, and the covariance Sigma (T, T). From the visit of the event on (stopped, or never started, treatment) the
marginal mean of an experimental patient is

- ``mar``: mu_i throughout (missing at random);
- ``j2r``, jump to reference: m_i from the event on;
- ``cir``, copy increments in reference: m_i plus the difference mu_i - m_i of the last visit before the event; never started: j2r;
- ``cr``, copy reference: m_i at all visits.

The missing values are then imputed given the observed ones: M_mis + Sigma_mis,obs Sigma_obs,obs^-1 (y_obs - M_obs). The event decides, not the
dropout: gaps before it are missing at random, and so is everything in the reference arm. Values observed after the event are kept, but the model
is fitted without them (`fitted_outcomes`). Values after death are never imputed.

Variance, always named: ``jackknife`` of the conditional mean (Wolbers et al. 2022, Pharm Stat 21:1246-1257; estimates the variance over repeated
trials), or ``rubin`` over draws. `delta` is added to every imputed value of the experimental arm, or to those after the event alone: a tipping
point is where the answer turns. With a delta for each arm it is a line (Yan, Lee and Li 2009, J Biopharm Stat 19:1085-1098; Liublinska and Rubin
2014, Stat Med 33:4170-4185: displays with a delta for each arm).
The model is fitted elsewhere; here it is its coefficients and its covariance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from .likelihood import Array
from .pooling import Pooled, pool
from .problems import Refused, error

Strategy = Literal["mar", "j2r", "cir", "cr"]
STRATEGIES: tuple[Strategy, ...] = ("mar", "j2r", "cir", "cr")
_BLOCK = 250
"""Refits that are imputed at once: bounds the memory, changes nothing."""


@dataclass(frozen=True)
class Fitted:
    """A repeated-measures model: coefficients beta (p,) and covariance of the visits sigma (T, T), in units of the outcome."""

    beta: Array
    sigma: Array


@dataclass(frozen=True)
class Case:
    """What there is of n patients at T visits after baseline.

    outcomes (n, T), not-a-number where missing; experimental (n,); ice (n,): the first visit (from 0) after the event, T where there was none;
    own and reference (n, T, p): rows of the model's design with the arm as randomized, and with the reference arm; analysis (n, q): columns of the
    regression at the last visit, the first of them the arm; dead (n, T): visits after death, never imputed (None: none).
    """

    outcomes: Array
    experimental: npt.NDArray[np.bool_]
    ice: npt.NDArray[np.intp]
    own: Array
    reference: Array
    analysis: Array
    dead: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Refused: shapes that do not belong together, an outcome that is infinite, an outcome after death, an event at no visit."""
        n, visits = self.outcomes.shape
        shapes = (
            self.experimental.shape == (n,) == self.ice.shape,
            self.own.shape == self.reference.shape == (n, visits, self.own.shape[-1]),
            len(self.analysis) == n,
            self.dead is None or self.dead.shape == (n, visits),
        )
        if not all(shapes):
            raise Refused([error("imputation_shapes")])
        if np.isinf(self.outcomes).any() or not all(map(_finite, (self.own, self.reference, self.analysis))):
            raise Refused([error("imputation_not_finite")])
        if ((self.ice < 0) | (self.ice > visits)).any():
            raise Refused([error("imputation_event")])
        if self.dead is not None and (self.dead & ~np.isnan(self.outcomes)).any():
            raise Refused([error("imputation_dead")])

    @property
    def imputed(self) -> npt.NDArray[np.bool_]:
        """Which values are imputed (n, T): the missing ones of those who live."""
        missing = np.isnan(self.outcomes)
        return missing if self.dead is None else missing & ~self.dead


@dataclass(frozen=True)
class Imputed:
    """The adjusted difference at the last visit, experimental minus reference, normal p and interval. `imputed` values at that visit by arm.

    `delta` was added to imputed values of the experimental arm, `delta_reference` to those of the reference arm.
    """

    strategy: Strategy
    delta: float
    estimate: float
    se: float
    statistic: float
    p: float
    lower: float
    upper: float
    variance: Literal["jackknife"]
    analyzed: int
    imputed_experimental: int
    imputed_reference: int
    delta_reference: float = 0.0


def fitted_outcomes(case: Case, strategy: Strategy) -> Array:
    """The outcomes (n, T) that the model is fitted to: without those of experimental patients after the event, unless under ``mar``."""
    affected = _after(case) if strategy != "mar" else np.zeros(case.outcomes.shape, dtype=bool)
    return _choose(affected, np.full_like(case.outcomes, np.nan), case.outcomes)


def _choose(where: npt.NDArray[np.bool_], yes: Array, no: Array) -> Array:
    return np.asarray(np.where(where, yes, no), dtype=float)


def impute(case: Case, fitted: Fitted, strategy: Strategy, delta: float = 0.0) -> Array:
    """The outcomes (n, T) with each missing value at its conditional mean; dead stays missing. Refused: sigma is no covariance."""
    completed = next(_completed(case, [fitted], strategy))[0]
    return _choose(np.logical_and(case.imputed, case.experimental[:, None]), completed + delta, completed)


def conditional_mean(
    case: Case,
    full: Fitted,
    without: Sequence[Fitted],
    strategy: Strategy,
    deltas: Sequence[float] = (0.0,),
    confidence: float = 0.95,
    after_event: bool = False,
) -> tuple[Imputed, ...]:
    """Impute conditional means, regress at the last visit, jackknife the whole: one result for each delta.

    `after_event`: delta goes to values after the event only, not to gaps before it.

    `full` is the model of everybody, `without[i]` the one fitted without patient i. SE^2 = (n - 1) / n sum (b_(i) - mean)^2. Since the estimate is
    linear in delta, all deltas cost one pass. Refused: not one refit for each patient, an analysis that is not estimable.
    """
    found = shiftable(case, full, without, strategy, after_event)
    return tuple(found.at(float(delta), 0.0, confidence) for delta in deltas)


@dataclass(frozen=True)
class Shiftable:
    """The estimate, its `slopes` (2,) by delta of the experimental and of the reference arm, and both without each patient: (n,) and (n, 2).

    An estimate at a pair of deltas is linear in them, and so is each of the jackknife: SE^2 is a quadratic form. `moved`: how many values at the
    last visit a delta is added to, by arm.
    """

    case: Case
    strategy: Strategy
    estimate: float
    slopes: Array
    replicates: Array
    without: Array
    moved: tuple[int, int]

    def at(self, experimental: float, reference: float, confidence: float = 0.95) -> Imputed:
        """The result with these deltas added to the imputed values of the two arms."""
        estimate = self.estimate + experimental * float(self.slopes[0]) + reference * float(self.slopes[1])
        replicates = self.replicates + experimental * self.without[:, 0] + reference * self.without[:, 1]
        return _jackknifed(self.case, self.strategy, (experimental, reference), estimate, replicates, confidence)

    @property
    def spread(self) -> Array:
        """K (3, 3): SE^2 at deltas d is (1, d)'K(1, d)."""
        n = len(self.replicates)
        away = np.column_stack([self.replicates, self.without])
        away = away - away.mean(axis=0)
        return np.asarray((n - 1) / n * away.T @ away, dtype=float)


def shiftable(
    case: Case, full: Fitted, without: Sequence[Fitted], strategy: Strategy, after_event: bool = False
) -> Shiftable:
    """Everything that results at whatever deltas are read from, in one pass. `without`, `after_event`: as in ``conditional_mean``.

    A delta of the reference arm goes to each of its imputed values: there is no event in it. Refused as there.
    """
    n = len(case.outcomes)
    if len(without) != n:
        raise Refused([error("imputation_refits", got=len(without), people=n)])
    experimental = case.imputed[:, -1] & (_after(case)[:, -1] if after_event else case.experimental)
    moved = np.stack([experimental, case.imputed[:, -1] & ~case.experimental]).astype(float)
    last = next(_completed(case, [full], strategy))[:, :, -1]
    left = [_left_out(case, block[:, :, -1], start) for start, block in _blocks(case, without, strategy)]
    slopes = [_left_out(case, np.broadcast_to(one, (n, n)), 0) for one in moved]
    return Shiftable(
        case=case,
        strategy=strategy,
        estimate=float(_coefficient(case, last)[0]),
        slopes=np.array([float(_coefficient(case, one[None, :])[0]) for one in moved]),
        replicates=np.concatenate(left),
        without=np.column_stack(slopes),
        moved=(int(moved[0].sum()), int(moved[1].sum())),
    )


def multiple(case: Case, draws: Sequence[Fitted], strategy: Strategy, seed: int, delta: float = 0.0) -> Pooled:
    """One completed data set for each draw of the model, with its residual error; regressed at the last visit, and pooled by Rubin's rules.

    The draws are the caller's (of the posterior, or refits to bootstrap samples). Same seed, same result.
    """
    generator = np.random.default_rng(seed)
    found = []
    for fitted in draws:
        completed = impute(case, fitted, strategy, delta) + _noise(case, fitted, generator)
        found.append(_regressed(case, completed[:, -1]))
    columns = case.analysis.shape[1]
    df = int(_analyzed(case).sum()) - columns
    return pool([estimate for estimate, _ in found], [se for _, se in found], df_complete=df)


def _finite(values: Array) -> bool:
    return bool(np.isfinite(values).all())


def _after(case: Case) -> npt.NDArray[np.bool_]:
    """Visits (n, T) of experimental patients from the event on."""
    visits = np.arange(case.outcomes.shape[1])
    after: npt.NDArray[np.bool_] = np.greater_equal(visits[None, :], case.ice[:, None])
    return np.logical_and(after, case.experimental[:, None])


def _means(case: Case, beta: Array, strategy: Strategy) -> Array:
    """Marginal means (R, n, T) under the strategy for R coefficient vectors beta (R, p)."""
    own: Array = np.einsum("ntp,rp->rnt", case.own, beta)
    if strategy == "mar":
        return own
    reference, after = np.einsum("ntp,rp->rnt", case.reference, beta), _after(case)
    if strategy == "cr":
        return _choose(np.any(after, axis=1, keepdims=True), reference, own)
    if strategy == "cir":
        before = np.maximum(case.ice - 1, 0)
        people = np.arange(len(before))
        kept = (own - reference)[:, people, before] * (case.ice > 0)
        reference = reference + kept[:, :, None]
    return _choose(after, reference, own)


def _completed(case: Case, fits: Sequence[Fitted], strategy: Strategy) -> Iterator[Array]:
    """Outcomes (R, n, T) with conditional means, in blocks of fits."""
    missing = np.isnan(case.outcomes)
    patterns, code = np.unique(missing, axis=0, return_inverse=True)
    for start in range(0, len(fits), _BLOCK):
        some = fits[start : start + _BLOCK]
        sigma = np.array([fitted.sigma for fitted in some])
        means = _means(case, np.array([fitted.beta for fitted in some]), strategy)
        completed = np.broadcast_to(case.outcomes, means.shape).copy()
        for number, gone in enumerate(patterns):
            if not gone.any():
                continue
            who = np.flatnonzero(code.ravel() == number)
            values = means[:, who][:, :, gone]
            if not gone.all():
                slopes = _slopes(sigma, gone)
                away = case.outcomes[who][:, ~gone] - means[:, who][:, :, ~gone]
                values = values + away @ slopes.swapaxes(1, 2)
            completed[np.ix_(np.arange(len(some)), who, np.flatnonzero(gone))] = values
        yield completed if case.dead is None else np.where(case.dead, np.nan, completed)


def _blocks(case: Case, fits: Sequence[Fitted], strategy: Strategy) -> Iterator[tuple[int, Array]]:
    start = 0
    for block in _completed(case, fits, strategy):
        yield start, block
        start += len(block)


def _slopes(sigma: Array, gone: npt.NDArray[np.bool_]) -> Array:
    """Sigma_mis,obs Sigma_obs,obs^-1 (R, mis, obs). Refused: sigma is no covariance."""
    here, there = np.flatnonzero(gone), np.flatnonzero(~gone)
    seen = sigma[:, there[:, None], there[None, :]]
    try:
        np.linalg.cholesky(seen)
    except np.linalg.LinAlgError:
        raise Refused([error("imputation_sigma")]) from None
    across = sigma[:, there[:, None], here[None, :]]
    return np.asarray(np.linalg.solve(seen, across).swapaxes(1, 2), dtype=float)


def _noise(case: Case, fitted: Fitted, generator: np.random.Generator) -> Array:
    """Residual errors (n, T) of the imputed values given the observed ones; 0 where nothing is imputed."""
    n, visits = case.outcomes.shape
    standard, noise = generator.standard_normal((n, visits)), np.zeros((n, visits))
    for row in np.flatnonzero(case.imputed.any(axis=1)):
        gone = np.isnan(case.outcomes[row])
        rest = fitted.sigma[np.ix_(gone, gone)]
        if not gone.all():
            rest = rest - _slopes(fitted.sigma[None], gone)[0] @ fitted.sigma[np.ix_(~gone, gone)]
        noise[row, gone] = np.linalg.cholesky(rest) @ standard[row, gone]
    return noise


def _analyzed(case: Case) -> npt.NDArray[np.bool_]:
    """Who has a value at the last visit, observed or imputed (n,)."""
    return np.ones(len(case.outcomes), dtype=bool) if case.dead is None else ~case.dead[:, -1]


def _inverse(case: Case) -> tuple[Array, Array]:
    """Columns (n, q) of the analysis, 0 for who is not in it, and (X'X)^-1. Refused: columns that depend on each other."""
    X = np.where(_analyzed(case)[:, None], case.analysis, 0.0)
    if np.linalg.matrix_rank(X) < X.shape[1] or _analyzed(case).sum() <= X.shape[1]:
        raise Refused([error("imputation_analysis")])
    return X, np.asarray(np.linalg.inv(X.T @ X), dtype=float)


def _coefficient(case: Case, y: Array) -> Array:
    """The arm's coefficients (R,) of the regressions of y (R, n) at the last visit."""
    X, inverse = _inverse(case)
    return np.asarray(np.where(_analyzed(case), y, 0.0) @ X @ inverse[:, 0], dtype=float)


def _left_out(case: Case, y: Array, start: int) -> Array:
    """The same, row r without patient start + r: b - (X'X)^-1 x (y - x'b) / (1 - h), h the leverage (Sherman and Morrison)."""
    X, inverse = _inverse(case)
    y = np.where(_analyzed(case), y, 0.0)
    rows = np.arange(len(y))
    b, x = y @ X @ inverse, X[start + rows]
    leverage = np.einsum("rq,qs,rs->r", x, inverse, x)
    if (leverage > 1 - 1e-10).any():
        raise Refused([error("imputation_analysis")])
    residual = y[rows, start + rows] - np.einsum("rq,rq->r", x, b)
    return np.asarray(b[:, 0] - (x @ inverse[:, 0]) * residual / (1 - leverage), dtype=float)


def _regressed(case: Case, y: Array) -> tuple[float, float]:
    """The arm's coefficient and its standard error in one completed data set."""
    X, inverse = _inverse(case)
    y = np.where(_analyzed(case), y, 0.0)
    b = inverse @ (X.T @ y)
    spread = float(np.square(y - X @ b).sum()) / (int(_analyzed(case).sum()) - X.shape[1])
    return float(b[0]), float(np.sqrt(spread * inverse[0, 0]))


def _jackknifed(
    case: Case, strategy: Strategy, deltas: tuple[float, float], estimate: float, replicates: Array, confidence: float
) -> Imputed:
    n = len(replicates)
    se = float(np.sqrt((n - 1) / n * np.square(replicates - replicates.mean()).sum()))
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * se
    last = case.imputed[:, -1]
    return Imputed(
        strategy=strategy,
        delta=deltas[0],
        delta_reference=deltas[1],
        estimate=estimate,
        se=se,
        statistic=estimate / se,
        p=float(2 * stats.norm.sf(abs(estimate / se))),
        lower=estimate - half,
        upper=estimate + half,
        variance="jackknife",
        analyzed=int(_analyzed(case).sum()),
        imputed_experimental=int((last & case.experimental).sum()),
        imputed_reference=int((last & ~case.experimental).sum()),
    )
