"""Logistic regression of a yes/no outcome on a group, adjusted: odds ratio and marginal risk difference, and what separation does to both.

Maximum likelihood by statsmodels' GLM (binomial, logit), finished by Newton steps; Wald z intervals on the log-odds scale.

Separation (a combination of the columns tells all events from all others, so that the maximum lies at infinity) is decided exactly, by
linear programming: Konis (2007), DPhil thesis, Oxford. Then the penalized likelihood l + log|I|/2 is maximized instead (Firth 1993,
Biometrika 80:27-38; Heinze and Schemper 2002, Stat Med 21:2409-2419), with its profile interval and likelihood-ratio p, and the result says
so. For a single binary column that estimate is the odds ratio with 1/2 added to each of the four cells.

Marginal risk difference: mean over everybody analyzed of P(event | group 1) - P(event | group 0), everybody's other columns as they are
(g-computation); its variance by the delta method, the other columns taken as fixed: Ge et al. (2011), Drug Inf J 45:481-493.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import statsmodels.api as sm
from scipy import optimize, special, stats

from .likelihood import Array
from .mixed import independent_columns
from .problems import Problem, warning
from .results import Estimate, absent

_GRADIENT = 1e-9
_LONGEST = 5.0  # log-odds that one step may move anybody: beyond, the penalized surface is no parabola
_FARTHEST = 30.0  # log-odds beyond which a profile is said to have no end


@dataclass(frozen=True)
class Binary:
    """The result of a logistic regression. None with its reason where nothing is estimable; never 0.

    `odds_ratio`: estimate and interval as ratios, `se` that of the log; `statistic` is z (by likelihood ratio, signed, under Firth).
    `coefficients` are log-odds. `gradient`: the largest absolute (penalized) score at the end.
    """

    method: Literal["maximum_likelihood", "firth"] | None
    n: int
    events: int
    odds_ratio: Estimate
    risk_difference: Estimate
    coefficients: tuple[Estimate, ...]
    separated: bool
    converged: bool
    iterations: int
    gradient: float | None
    log_likelihood: float | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Point:
    """Where an iteration ended."""

    b: Array
    covariance: Array
    height: float
    gradient: float
    iterations: int


def wald(name: str, estimate: float, se: float, confidence: float) -> Estimate:
    """Estimate with z, two-sided p and interval by the normal distribution."""
    z = estimate / se
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * se
    return Estimate(name, estimate, se, None, z, float(2 * stats.norm.sf(abs(z))), estimate - half, estimate + half)


def as_ratio(estimate: Estimate) -> Estimate:
    """A log-odds with its interval as an odds ratio; `se`, statistic and p stay those of the log."""
    ends = [None if v is None else float(np.exp(v)) for v in (estimate.estimate, estimate.low, estimate.high)]
    return Estimate(
        estimate.name, ends[0], estimate.se, None, estimate.statistic, estimate.p, ends[1], ends[2], estimate.reason
    )


def fit_logistic(
    y: npt.NDArray[np.bool_], X: Array, names: Sequence[str], group: int, confidence: float = 0.95
) -> Binary:
    """Regress y (N,) on X (N, p), whose column `group` is 0 or 1; the other columns are adjusted for.

    Columns that depend on earlier ones are left out, which is said. Where everybody or nobody has the event, or the groups do not differ in
    the data, nothing is estimable and the reason says why. The order of rows changes nothing, not even in the last digit.
    """
    order = np.lexsort((y, *X.T))  # sums of floating-point numbers depend on their order
    y, X = y[order], X[order]
    kept, _null = independent_columns(X)
    problems = [warning("column_left_out", column=names[j]) for j in range(X.shape[1]) if j not in kept]
    reason = "event_constant" if y.all() or not y.any() else "" if group in kept else "group_constant"
    if reason:
        nothing = tuple(absent(name, reason) for name in names)
        return Binary(
            None, len(y), int(y.sum()), absent(names[group], reason), absent(names[group], reason), nothing, False,
            False, 0, None, None, tuple(problems),
        )  # fmt: skip
    Z, place = X[:, kept], int(np.flatnonzero(kept == group)[0])
    separated = is_separated(y, Z)
    if separated:
        problems.append(warning("separated"))
    point = _penalized(y, Z) if separated else _maximum(y, Z, problems)
    converged = point.gradient < _GRADIENT * max(1.0, len(y))
    if not converged:
        problems.append(warning("logistic_not_converged", gradient=point.gradient))
    labels = [names[j] for j in kept]
    found = [_coefficient(y, Z, point, j, labels[j], confidence, separated, converged) for j in range(len(labels))]
    by_name = dict(zip(labels, found, strict=True))
    return Binary(
        method="firth" if separated else "maximum_likelihood",
        n=len(y),
        events=int(y.sum()),
        odds_ratio=as_ratio(found[place]),
        risk_difference=_risk_difference(Z, point, place, labels[place], confidence)
        if converged
        else absent(labels[place], "withheld"),
        coefficients=tuple(by_name.get(name, absent(name, "not_estimable")) for name in names),
        separated=separated,
        converged=converged,
        iterations=point.iterations,
        gradient=float(f"{point.gradient:.1e}"),
        log_likelihood=point.height,
        problems=tuple(problems),
    )


def is_separated(y: npt.NDArray[np.bool_], X: Array) -> bool:
    """Whether some b has (2y - 1) x'b >= 0 for every row and > 0 for one: then the likelihood has no maximum."""
    signed = np.where(y, 1.0, -1.0)[:, None] * X
    scaled = signed / np.maximum(np.abs(X).max(axis=0), 1e-300)
    found = optimize.linprog(
        -scaled.sum(axis=0), A_ub=-scaled, b_ub=np.zeros(len(y)), bounds=[(-1, 1)] * X.shape[1], method="highs"
    )
    return bool(found.status == 0 and found.fun is not None and found.fun < -1e-7)


def _inverse(matrix: Array) -> Array:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _information(X: Array, b: Array) -> tuple[Array, Array]:
    """P(event) (N,) and X'WX (p, p)."""
    risk = np.asarray(special.expit(X @ b), dtype=float)
    return risk, X.T @ (X * (risk * (1 - risk))[:, None])


def _height(y: npt.NDArray[np.bool_], X: Array, b: Array) -> float:
    line = X @ b
    return float((y * line - np.logaddexp(0.0, line)).sum())


def _maximum(y: npt.NDArray[np.bool_], X: Array, problems: list[Problem]) -> _Point:
    """statsmodels' optimum, then Newton; what statsmodels warns of is kept."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = sm.GLM(y.astype(float), X, family=sm.families.Binomial()).fit(maxiter=200, tol=1e-12)
    problems += [
        warning("statsmodels_warned", category=w.category.__name__, message=" ".join(str(w.message).split()))
        for w in caught
        if not issubclass(w.category, DeprecationWarning | PendingDeprecationWarning | FutureWarning)
    ]
    b, steps = np.asarray(fitted.params, dtype=float), int(fitted.fit_history["iteration"])
    for _polish in range(10):
        risk, information = _information(X, b)
        gradient = X.T @ (y - risk)
        if np.abs(gradient).max() < 1e-11:
            break
        b = b + np.linalg.solve(information, gradient)
        steps += 1
    risk, information = _information(X, b)
    return _Point(b, _inverse(information), _height(y, X, b), float(np.abs(X.T @ (y - risk)).max()), steps)


def _penalized(
    y: npt.NDArray[np.bool_], X: Array, fixed: tuple[int, float] | None = None, start: Array | None = None
) -> _Point:
    """Maximum of l + log|X'WX| / 2 from `start` (0), one coefficient fixed if asked for; the penalty is always that of all columns.

    Newton steps, no log-odds moved by more than `_LONGEST`, each halved until it climbs; the Hessian is the derivative of the score by the
    complex step.
    """
    p = X.shape[1]
    free = np.array([j for j in range(p) if fixed is None or j != fixed[0]], dtype=np.intp)
    b = np.zeros(p) if start is None else start.copy()
    if fixed is not None:
        b[fixed[0]] = fixed[1]
    reached, steps = _penalized_height(y, X, b), 0
    slope = _penalized_score(y, X, b)[free].real
    while len(free) and np.abs(slope).max() > 1e-11 and steps < 200:
        steps += 1
        columns = [_penalized_score(y, X, b + 1e-30j * row)[free].imag / 1e-30 for row in np.eye(p)[free]]
        values, vectors = np.linalg.eigh(-(np.array(columns) + np.array(columns).T) / 2)
        # where the surface is no hill the step follows the score, with the curvature's size
        move = np.zeros(p)
        move[free] = vectors @ ((vectors.T @ slope) / np.maximum(np.abs(values), 1e-6))
        move *= min(1.0, _LONGEST / max(float(np.abs(X @ move).max()), 1e-300))
        for _halving in range(40):
            tried = _penalized_height(y, X, b + move)
            if tried >= reached:
                break
            move = move / 2
        else:
            break
        b, reached = b + move, tried
        slope = _penalized_score(y, X, b)[free].real
    largest = float(np.abs(slope).max()) if len(free) else 0.0
    return _Point(b, _inverse(_information(X, b)[1]), reached, largest, steps)


def _penalized_height(y: npt.NDArray[np.bool_], X: Array, b: Array) -> float:
    return _height(y, X, b) + float(np.linalg.slogdet(_information(X, b)[1])[1]) / 2


def _penalized_score(y: npt.NDArray[np.bool_], X: Array, b: Any) -> Any:
    """X'(y - risk + h (1/2 - risk)), h the leverages; `b` may be complex."""
    risk = (1 + np.tanh((X @ b) / 2)) / 2  # exp overflows far out
    weight = risk * (1 - risk)
    inverse = np.linalg.inv(X.T @ (X * weight[:, None]))
    leverage = np.einsum("ij,jk,ik->i", X, inverse, X) * weight
    return X.T @ (y - risk + leverage * (0.5 - risk))


def _coefficient(
    y: npt.NDArray[np.bool_],
    X: Array,
    point: _Point,
    j: int,
    name: str,
    confidence: float,
    firth: bool,
    converged: bool,
) -> Estimate:
    if not converged:
        return absent(name, "withheld")
    value, se = float(point.b[j]), float(np.sqrt(point.covariance[j, j]))
    if not firth:
        return wald(name, value, se, confidence)
    ratio = max(2 * (point.height - _profile(y, X, point, j, 0.0)), 0.0)
    low, high = (_profile_end(y, X, point, j, se, confidence, side) for side in (-1, 1))
    p = float(stats.chi2.sf(ratio, 1))
    return Estimate(name, value, se, None, float(np.copysign(np.sqrt(ratio), value)), p, low, high)


def _profile(y: npt.NDArray[np.bool_], X: Array, point: _Point, j: int, value: float) -> float:
    """The height of the penalized likelihood with coefficient j fixed; the others start where a parabola would have them."""
    start = point.b + point.covariance[:, j] / point.covariance[j, j] * (value - point.b[j])
    return _penalized(y, X, (j, value), start).height


def _profile_end(
    y: npt.NDArray[np.bool_], X: Array, point: _Point, j: int, se: float, confidence: float, side: int
) -> float | None:
    """Where the profile of the penalized likelihood has fallen by half the chi-square quantile; None where it never does."""
    drop = float(stats.chi2.ppf(confidence, 1)) / 2

    def above(value: float) -> float:
        return _profile(y, X, point, j, value) - point.height + drop

    inner, outer = float(point.b[j]), float(point.b[j]) + side * 2 * se
    while above(outer) > 0:
        inner, outer = outer, outer + side * 2 * se
        if abs(outer) > _FARTHEST:
            return None
    if above(inner) <= 0:  # at the maximum itself, when the optimum stands a rounding below it
        return inner
    return float(optimize.brentq(above, min(inner, outer), max(inner, outer), xtol=1e-10))


def _risk_difference(X: Array, point: _Point, j: int, name: str, confidence: float) -> Estimate:
    with_, without = X.copy(), X.copy()
    with_[:, j], without[:, j] = 1.0, 0.0
    one, other = special.expit(with_ @ point.b), special.expit(without @ point.b)
    slope = (with_ * (one * (1 - one))[:, None] - without * (other * (1 - other))[:, None]).mean(axis=0)
    se = float(np.sqrt(slope @ point.covariance @ slope))
    return wald(name, float((one - other).mean()), se, confidence)
