"""The fit of `nested`: a look over both ratios of variances, then Newton steps, each with exact score and Hessian.

A variance of exactly 0 is compared, not approached: then the model without it is fitted and reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .likelihood import Array
from .mixed import (
    Solution,
    Variances,
    as_fit,
    fit_random_intercept,
    independent_columns,
    refuse_confounded,
    refuse_hopeless,
    solved,
)
from .nested import RESIDUAL, SUBJECT, UNIT, NestedModel, NestedState, at, build, derivatives, heights
from .problems import Problem, warning
from .progress import SILENT, Watch
from .results import Convergence, Fit, Status

_RATIOS = np.concatenate([[0.0], np.geomspace(1e-3, 300.0, 14)])
_GRADIENT, _DECREMENT, _STEPS = 1e-5, 1e-10, 100
_ROUNDING = 1e-18  # what a step gains at the maximum; below stands rounding
_GONE = 1e-10  # a variance below this share of the residual one runs to 0
_CLEAR = 2.0  # a maximum this much above all of the grid's models without units is above the best of them


def _in_logs(state: NestedState) -> tuple[Array, Array]:
    """Score and Hessian in the logarithms of the free variances."""
    free = list(state.free)
    scale, found = state.theta[free], derivatives(state)
    gradient = found.score[free] * scale
    curvature = found.hessian[np.ix_(free, free)] * np.outer(scale, scale)
    return gradient, curvature + np.diag(gradient)


def _in_roots(state: NestedState) -> tuple[Array, Array]:
    """Score and Hessian in the square roots of the free variances: there a variance of 0 is an ordinary maximum, quickly reached."""
    free = list(state.free)
    scale, found = 2 * np.sqrt(state.theta[free]), derivatives(state)
    own = found.score[free]
    curvature = found.hessian[np.ix_(free, free)] * np.outer(scale, scale)
    return own * scale, curvature + np.diag(2 * own)


@dataclass(frozen=True)
class _Top:
    """Where the steps ended, after how many; `gone` are the variances that ran to 0 there: another model covers that."""

    state: NestedState
    steps: int
    gone: tuple[int, ...] = ()


def _climb(state: NestedState, watch: Watch, enough: float = _ROUNDING) -> _Top:
    """Newton steps, each halved until it climbs; they end where a variance runs to 0.

    They end as well where a step would gain less than `enough`, twice the log-likelihood.
    """
    free = list(state.free)
    for step in range(_STEPS):
        watch.step("fitting", 0.1)
        gradient, curvature = _in_roots(state)
        values, vectors = np.linalg.eigh(-curvature)
        # where the surface is no hill the step follows the gradient, with the curvature's size
        move = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), 1e-8 * np.abs(values).max()))
        if values.min() > 0 and gradient @ move < enough:
            return _Top(state, step)
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
            return _Top(state, step)
        state = tried
        gone = tuple(one for one in free if state.theta[one] < _GONE * state.theta[RESIDUAL])
        if gone:
            return _Top(state, step, gone)
    return _Top(state, _STEPS)


def refit(model: NestedModel, theta: Array, enough: float) -> NestedState | None:
    """The maximum of nearly the same data (another lot), from the variances `theta` (3,) of the first fit; what is 0 there stays 0.

    `enough`: the decrement at which the search ends.
    A variance that runs to 0 is left out, units before subjects. None where the search ends nowhere.
    """
    free = tuple(int(place) for place in np.flatnonzero(theta > 0))
    while RESIDUAL in free:
        start = np.where(np.isin(np.arange(3), free), theta, 0.0)
        found = _climb(at(model, start, free), SILENT, enough)
        if not found.gone:
            return found.state if found.steps < _STEPS else None
        free = free[1:]
    return None


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

    codes = np.unique(units, return_inverse=True)[1]
    kept, null = independent_columns(X)
    inner = np.unique(subjects, return_inverse=True)[1]
    if codes.max() == 0:
        fit, solution = fit_random_intercept(y, X, names, subjects, method, confidence, watch, ask_statsmodels=False)
        return _warned(fit, warning("one_unit"), 1), solution
    refuse_hopeless(y, len(kept), inner)
    model = build(y, X[:, kept], inner, codes, method == "reml")
    refuse_confounded(model.two, y)
    tops, simple = _tops(model, watch)
    best = max(tops, key=lambda top: top.state.log_likelihood, default=None)
    if best is None or best.state.log_likelihood <= simple + _CLEAR:
        fit, solution = solved(model.two, names, kept, null, confidence)
        if best is None or best.state.log_likelihood <= fit.log_likelihood + 1e-10:
            return _warned(fit, warning("unit_variance_zero"), model.units), solution
    state = best.state
    convergence, problems = _judge(state, best.steps, _distinct(tops))
    information = -derivatives(state).hessian[np.ix_(state.free, state.free)]
    found = Solution(state, tuple(names), kept, null, information, confidence, convergence.status != "not_converged")
    variances = Variances(
        float(state.theta[SUBJECT]), float(state.theta[RESIDUAL]), model.two.rows, model.two.subjects,
        float(state.theta[UNIT]), model.units,
    )  # fmt: skip
    return as_fit(found, variances, method, convergence, problems), found


def _tops(model: NestedModel, watch: Watch) -> tuple[list[_Top], float]:
    """The maxima that Newton's steps reach from every local one of the grid, and the highest point of the grid without units."""
    axis = np.arange(len(_RATIOS))
    t, u = (one.ravel() for one in np.meshgrid(axis, axis, indexing="ij"))
    surface = heights(model, _RATIOS[t], _RATIOS[u]).reshape(len(axis), len(axis))
    padded = np.pad(surface, 1, constant_values=-np.inf)
    around = [np.roll(padded, (i, j), (0, 1))[1:-1, 1:-1] for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    reached = []
    for i, j in np.argwhere(surface >= np.max(around, axis=0)):
        inside = np.array([_RATIOS[max(i, 1)], _RATIOS[max(j, 1)], 1.0])
        top = _climb(_scaled(model, inside, (UNIT, SUBJECT, RESIDUAL)), watch)
        reached.append(top)
        if j == 0 or SUBJECT in top.gone:
            reached.append(_climb(_scaled(model, inside * (1, 0, 1), (UNIT, RESIDUAL)), watch))
    return [top for top in reached if not top.gone], float(surface[0].max())


def _scaled(model: NestedModel, ratios: Array, free: tuple[int, ...]) -> NestedState:
    """The model at these ratios, the whole variance at its maximum for them."""
    unit, two = at(model, ratios, free), model.two
    total = unit.quadratic / (two.rows - (two.rank if two.reml else 0))
    return at(model, ratios * total, free)


def _distinct(tops: list[_Top]) -> int:
    """How many different maxima with all three variances were reached."""
    return len({round(top.state.log_likelihood, 6) for top in tops if len(top.state.free) == 3}) or 1


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
        optimizer="grid, then Newton",
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
