"""Subjects in units (patients in teams): a random intercept of each, exact, by grouped sufficient statistics.

y = X b + unit t_j + subject u_i + e, variances s_t, s_u, s_e. Within a unit the subjects' part W^-1 = s_e I + s_u J (by subject) is that of
`likelihood`; the unit adds s_t 11', so that V^-1 = W - W1 (1/s_t + 1'W1)^-1 1'W and |V| = |W|^-1 (1 + s_t 1'W1). 1'W of a subject with k
rows is its sum of rows divided by s_e + k s_u. Everything needed is thus a sum of the cross-products of `likelihood.Model` and one vector
a unit; nothing depends on the number of subjects.

The score is in closed form; the Hessian is its derivative by the complex step (Squire and Trapp 1998, SIAM Review 40:110-112), exact to
rounding. A variance of exactly 0 is compared, not approached: then the model without it is fitted and reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import linalg

from . import likelihood
from .likelihood import Array, Model
from .mixed import Solution, Variances, as_fit, fit_random_intercept, independent_columns
from .problems import Problem, warning
from .progress import SILENT, Watch
from .results import Convergence, Fit, Status

UNIT, SUBJECT, RESIDUAL = 0, 1, 2
_STARTS = (0.02, 0.1, 0.4)  # the unit's share of the variance between subjects
_GRADIENT, _DECREMENT, _STEPS = 1e-5, 1e-10, 100
_STEP = 1e-30  # of the complex step: it may be as small as one likes
_GONE = 1e-10  # a variance below this share of the residual one runs to 0


@dataclass(frozen=True)
class NestedModel:
    """`two`: the cross-products by subject; of each unit and each number of rows a subject may have, the sum of rows (U, m, p+1) and the
    number of subjects (U, m)."""

    two: Model
    sums: Array
    counts: Array

    @property
    def units(self) -> int:
        """How many units there are."""
        return len(self.counts)


def build(y: Array, X: Array, subjects: npt.NDArray[np.intp], units: npt.NDArray[np.intp], reml: bool) -> NestedModel:
    """Cross-products of y (N,) and X (N, p) of full column rank; subjects and units (N,) coded from 0."""
    two = likelihood.build(y, X, subjects, reml)
    number, sums = likelihood.sums_by(subjects, likelihood.basis(y, X)[0])
    home = np.zeros(len(number), dtype=np.intp)
    home[subjects] = units
    size = np.searchsorted(two.sizes, number)
    shape = (int(units.max()) + 1, len(two.sizes))
    by_unit, counts = np.zeros((*shape, sums.shape[1])), np.zeros(shape)
    np.add.at(by_unit, (home, size), sums)
    np.add.at(counts, (home, size), 1.0)
    return NestedModel(two, by_unit, counts)


@dataclass(frozen=True)
class _Parts:
    """[Q|r]'V^-1[Q|r], log |V|, and the derivatives of both in (s_t, s_u, s_e)."""

    cross: Any
    log_determinant: Any
    d_cross: list[Any]
    d_log_determinant: list[Any]


def _parts(model: NestedModel, theta: Any) -> _Parts:
    """At variances `theta` (3,), which may be complex: no conjugate is taken anywhere."""
    m, sizes = model.two, model.two.sizes
    s_t, s_u, s_e = theta
    e = s_e + sizes * s_u
    a = np.einsum("tkz,k->tz", model.sums, 1 / e)
    d = model.counts @ (sizes / e)
    grown = 1 + s_t * d
    g = s_t / grown
    cross = m.within / s_e + np.tensordot(1 / e, m.between, 1) - (a * g[:, None]).T @ a
    log_determinant = m.deviations * np.log(s_e) + m.counts @ np.log(e) + np.log(grown).sum()
    d_cross, d_log = [-(a / grown[:, None] ** 2).T @ a], [(d / grown).sum()]
    for change in (sizes, np.ones_like(sizes)):  # of e, by s_u and by s_e
        inverse = -change / e**2
        da = np.einsum("tkz,k->tz", model.sums, inverse)
        dd = model.counts @ (sizes * inverse)
        dg = -(g**2) * dd
        moved = (a * g[:, None]).T @ da
        d_cross.append(np.tensordot(inverse, m.between, 1) - (a * dg[:, None]).T @ a - moved - moved.T)
        d_log.append(m.counts @ (change / e) + (g * dd).sum())
    d_cross[RESIDUAL] = d_cross[RESIDUAL] - m.within / s_e**2
    d_log[RESIDUAL] = d_log[RESIDUAL] + m.deviations / s_e
    return _Parts(cross, log_determinant, d_cross, d_log)


def score(model: NestedModel, theta: Any) -> Any:
    """Score (3,) of the log-likelihood in (s_t, s_u, s_e), the fixed effects profiled out."""
    found, p = _parts(model, theta), model.two.rank
    inverse = np.linalg.inv(found.cross[:p, :p])
    c = np.append(-(inverse @ found.cross[:p, p]), 1.0)
    values = []
    for d_cross, d_log in zip(found.d_cross, found.d_log_determinant, strict=True):
        trace = np.trace(inverse @ d_cross[:p, :p]) if model.two.reml else 0.0
        values.append(-0.5 * (d_log + trace + c @ d_cross @ c))
    return np.array(values)


def hessian(model: NestedModel, theta: Array) -> Array:
    """Hessian (3, 3) of the log-likelihood in (s_t, s_u, s_e)."""
    columns = [score(model, theta + 1j * _STEP * direction).imag / _STEP for direction in np.eye(3)]
    found = np.array(columns)
    return np.asarray((found + found.T) / 2, dtype=float)


@dataclass(frozen=True)
class NestedState:
    """The model at variances `theta` (3,); `free` are those that are not fixed at 0."""

    model: NestedModel
    theta: Array
    free: tuple[int, ...]
    cross: Array
    log_determinant: float
    d_cross: tuple[Array, ...]
    inverse: Array

    @property
    def _gamma(self) -> Array:
        p = self.model.two.rank
        return np.asarray(self.inverse @ self.cross[:p, p], dtype=float)

    @property
    def beta(self) -> Array:
        """Fixed effects, generalized least squares."""
        m = self.model.two
        return np.asarray(linalg.solve_triangular(m.R, self._gamma + m.offset), dtype=float)

    @property
    def covariance(self) -> Array:
        """(X'V^-1X)^-1."""
        half = linalg.solve_triangular(self.model.two.R, self.inverse)
        return np.asarray(linalg.solve_triangular(self.model.two.R, half.T), dtype=float)

    @property
    def log_likelihood(self) -> float:
        """ML or REML log-likelihood, by the convention of `likelihood`."""
        m, p = self.model.two, self.model.two.rank
        value = (m.rows - (p if m.reml else 0)) * np.log(2 * np.pi) + self.log_determinant
        value += float(self.cross[p, p] - self.cross[p, :p] @ self._gamma)
        if m.reml:
            value -= np.linalg.slogdet(self.inverse)[1]
            value += 2 * float(np.log(np.abs(np.diag(m.R))).sum())
        return float(-0.5 * value)

    @property
    def freedom(self) -> int:
        """Residual degrees of freedom of least squares."""
        return self.model.two.rows - self.model.two.rank

    def variance_gradient(self, combination: Array) -> Array:
        """Derivatives of l'(X'V^-1X)^-1 l in the free variances, for l = `combination` (p,) on the scale of X."""
        p = self.model.two.rank
        half = self.inverse @ linalg.solve_triangular(self.model.two.R, combination, trans="T")
        return np.array([-float(half @ self.d_cross[j][:p, :p] @ half) for j in self.free])


def at(model: NestedModel, theta: Array, free: tuple[int, ...] = (UNIT, SUBJECT, RESIDUAL)) -> NestedState:
    """The model at given variances."""
    found, p = _parts(model, theta), model.two.rank
    inverse = np.linalg.inv(found.cross[:p, :p])
    return NestedState(
        model, theta, free, found.cross, float(found.log_determinant), tuple(found.d_cross), (inverse + inverse.T) / 2
    )


def _in_logs(state: NestedState) -> tuple[Array, Array]:
    """Score and Hessian in the logarithms of the free variances."""
    free = list(state.free)
    scale = state.theta[free]
    gradient = np.asarray(score(state.model, state.theta), dtype=float)[free] * scale
    curvature = hessian(state.model, state.theta)[np.ix_(free, free)] * np.outer(scale, scale)
    return gradient, curvature + np.diag(gradient)


def _in_roots(state: NestedState) -> tuple[Array, Array]:
    """Score and Hessian in the square roots of the free variances: there a variance of 0 is an ordinary maximum, quickly reached."""
    free = list(state.free)
    scale = 2 * np.sqrt(state.theta[free])
    own = np.asarray(score(state.model, state.theta), dtype=float)[free]
    curvature = hessian(state.model, state.theta)[np.ix_(free, free)] * np.outer(scale, scale)
    return own * scale, curvature + np.diag(2 * own)


def _climb(state: NestedState, watch: Watch) -> tuple[NestedState, int] | None:
    """Newton steps, each halved until it climbs; None where a variance runs to 0, which another model covers."""
    free = list(state.free)
    for step in range(_STEPS):
        watch.step("fitting", 0.7)
        gradient, curvature = _in_roots(state)
        values, vectors = np.linalg.eigh(-curvature)
        # where the surface is no hill the step follows the gradient, with the curvature's size
        move = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), 1e-8 * np.abs(values).max()))
        if values.min() > 0 and gradient @ move < 1e-18:  # below stands rounding
            return state, step
        roots = np.sqrt(state.theta[free])
        move = np.clip(move, -2 * roots.max(), 2 * roots.max())
        for _halving in range(40):
            theta = state.theta.copy()
            theta[free] = (roots + move) ** 2
            if theta[RESIDUAL] < 1e-6 * state.theta[RESIDUAL]:
                move = move / 2
                continue
            tried = at(state.model, theta, state.free)
            if tried.log_likelihood >= state.log_likelihood:
                break
            move = move / 2
        else:
            return state, step
        state = tried
        if state.theta[list(state.free)].min() < _GONE * state.theta[RESIDUAL]:
            return None
    return state, _STEPS


def fit_nested(
    y: Array,
    X: Array,
    names: Sequence[str],
    subjects: npt.NDArray[Any],
    units: npt.NDArray[Any],
    method: Literal["reml", "ml"] = "reml",
    confidence: float = 0.95,
    watch: Watch = SILENT,
) -> tuple[Fit, Solution]:
    """Fit y (N,) = X (N, p) b + intercept of each unit + intercept of each subject + error; subjects lie within units.

    Refused where `fit_random_intercept` refuses. With one unit, or where the variance between units is exactly 0, the model is the one
    without it, and a warning says so. Standard errors and degrees of freedom as in `mixed`.
    """
    two_levels, without = fit_random_intercept(y, X, names, subjects, method, confidence, watch, ask_statsmodels=False)
    codes = np.unique(units, return_inverse=True)[1]
    if codes.max() == 0:
        return _warned(two_levels, warning("one_unit"), 1), without
    kept, null = independent_columns(X)
    model = build(y, X[:, kept], np.unique(subjects, return_inverse=True)[1], codes, method == "reml")
    tops = _tops(model, two_levels, watch)
    best = max(tops, key=lambda top: top[0].log_likelihood, default=None)
    if best is None or best[0].log_likelihood <= two_levels.log_likelihood + 1e-10:
        return _warned(two_levels, warning("unit_variance_zero"), model.units), without
    state, steps = best
    convergence, problems = _judge(state, steps, _distinct(tops))
    information = -hessian(model, state.theta)[np.ix_(state.free, state.free)]
    solution = Solution(state, tuple(names), kept, null, information, confidence, convergence.status != "not_converged")
    variances = Variances(
        float(state.theta[SUBJECT]), float(state.theta[RESIDUAL]), model.two.rows, model.two.subjects,
        float(state.theta[UNIT]), model.units,
    )  # fmt: skip
    return as_fit(solution, variances, method, convergence, problems), solution


def _tops(model: NestedModel, two: Fit, watch: Watch) -> list[tuple[NestedState, int]]:
    """The maxima that are reached from several starts, with a variance between subjects and without."""
    between, residual = two.variance_subject, two.variance_residual
    total = max(between, 0.05 * residual)
    starts: list[tuple[Array, tuple[int, ...]]] = [
        (np.array([share * total, (1 - share) * total, residual]), (UNIT, SUBJECT, RESIDUAL)) for share in _STARTS
    ]
    starts.append((np.array([0.2 * total, 0.0, residual + between]), (UNIT, RESIDUAL)))
    reached = [_climb(at(model, theta, free), watch) for theta, free in starts]
    return [top for top in reached if top is not None]


def _distinct(tops: list[tuple[NestedState, int]]) -> int:
    """How many different maxima with all three variances were reached."""
    return len({round(top.log_likelihood, 6) for top, _steps in tops if len(top.free) == 3}) or 1


def _warned(fit: Fit, problem: Problem, units: int) -> Fit:
    """The two-level fit in place of the one asked for: flagged, and its status says it."""
    status: Status = fit.convergence.status
    status = "boundary" if status in ("converged", "converged_with_warnings") else status
    return replace(
        fit,
        convergence=replace(fit.convergence, status=status),
        warnings=(*fit.warnings, problem),
        variance_unit=0.0 if units > 1 else None,
        units=units,
    )


def _judge(state: NestedState, steps: int, maxima: int) -> tuple[Convergence, tuple[Problem, ...]]:
    """The convergence record and what was found on the way."""
    gradient, curvature = _in_logs(state)
    eigenvalues = np.linalg.eigvalsh(-curvature)
    positive = bool(eigenvalues.min() > 0)
    decrement = float(gradient @ np.linalg.solve(-curvature, gradient) / 2) if positive else float("inf")
    problems: list[Problem] = []
    boundary = len(state.free) < 3
    if boundary:
        problems.append(warning("variance_zero"))
    if maxima > 1:
        problems.append(warning("several_maxima", maxima=maxima))
    largest = round(float(np.abs(gradient).max()), 9)
    good = positive and decrement < _DECREMENT and largest < _GRADIENT
    status: Status = "not_converged"
    if good:
        status = "boundary" if boundary else "converged_with_warnings" if problems else "converged"
    else:
        problems.append(warning("not_converged", gradient=largest))
    record = Convergence(
        status=status,
        optimizer="Newton from several starts",
        iterations=None,
        evaluations=None,
        polish_iterations=steps,
        gradient=largest,
        decrement=round(decrement, 9) if np.isfinite(decrement) else None,
        eigenvalues=tuple(float(v) for v in eigenvalues),
        boundary=boundary,
        maxima=maxima,
        statsmodels_log_likelihood=None,
        gain=None,
    )
    return record, tuple(problems)
