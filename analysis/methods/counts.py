"""Counts over time at risk (admissions): negative binomial with log link, offset log(years), and an intercept by team.

E y_i = mu_i = years_i exp(x_i'b + s u_j), Var(y_i | u) = mu_i + alpha mu_i^2 with alpha = 1 / theta: "NB2", Lawless (1987), Can J Stat
15:209-225. u_j ~ N(0, 1) for the team j of person i, integrated out by Laplace's approximation around its mode (Breslow and Clayton 1993, JASA
88:9-25), which is what glmmTMB does. The log-likelihood is written in alpha, without gamma functions, so that it goes over into Poisson:

    l_i = sum_(k < y) log(1 + k alpha) + y log(mu) - (y + 1 / alpha) log(1 + alpha mu) - log(y!)

Standard errors come from the observed information (negative Hessian in b, log alpha, log s), tests are Wald's z. The gradient is exact to rounding
by the complex step (Squire and Trapp 1998, SIAM Review 40:110-112). Where the maximum lies at alpha = 0 or s = 0, the model without it is fitted
and reported, and the result says so: the boundary is compared, not approached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from .likelihood import Array
from .logistic import as_ratio, wald
from .mixed import absent, independent_columns
from .problems import Problem, Refused, error, warning
from .results import Estimate

_STEP = 1e-30
_NUDGE = 1e-5
_GRADIENT = 1e-9
_LEAST_SHARE = 1e-5
"""Of the Poisson variance: alpha (or s^2) that adds less than this to it (to that of a team's total) is at the boundary."""


@dataclass(frozen=True)
class CountFit:
    """The result; coefficients are logarithms of rates, `rate_ratio` that of the group column (its `se` that of the log).

    `theta` = 1 / alpha, None for Poisson; `unit_sd` the standard deviation between teams on the log scale, None in a model without them.
    `log_likelihood` includes -log(y!). `gradient`: the largest absolute score at the end.
    """

    model: Literal["negative_binomial", "poisson"] | None
    n: int
    events: int
    years: float
    units: int | None
    rate_ratio: Estimate
    coefficients: tuple[Estimate, ...]
    theta: float | None
    unit_sd: float | None
    log_likelihood: float | None
    converged: bool
    iterations: int
    gradient: float | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Data:
    """Rows ordered by unit: counts y (N,), columns X (N, p), log years (N,), number of the unit (N,), first row of each (units,)."""

    y: Array
    X: Array
    offset: Array
    unit: npt.NDArray[np.intp]
    first: npt.NDArray[np.intp]


@dataclass(frozen=True)
class _Model:
    """Which of the two variances are free; parameters are b (p,), then log alpha, then log s, as far as free."""

    overdispersed: bool
    grouped: bool


@dataclass(frozen=True)
class _Point:
    model: _Model
    parameters: Array
    height: float
    information: Array
    gradient: float
    iterations: int


def fit_counts(
    y: npt.ArrayLike,
    X: Array,
    names: Sequence[str],
    group: int,
    years: npt.ArrayLike,
    units: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> CountFit:
    """Regress counts y (N,) on X (N, p) with its intercept, over `years` (N,) at risk, with an intercept for each of `units` (N,) if given.

    Column `group` is the one whose rate ratio is wanted; the count of the year before is a column as others are. Columns that depend on
    earlier ones are left out, which is said. Refused: a count that is no whole number from 0 on, years that are not above 0. Nothing is estimable,
    with its reason, where nobody has an event, the groups do not differ, or a combination of columns tells people without events from all others.
    """
    counts, time = np.asarray(y, dtype=float), np.asarray(years, dtype=float)
    _check(counts, time)
    kept, _null = independent_columns(X)
    problems = [warning("column_left_out", column=names[j]) for j in range(X.shape[1]) if j not in kept]
    labels = [names[j] for j in kept]
    code, number = (np.zeros(len(counts), dtype=np.intp), 0) if units is None else _numbered(units)
    if units is not None and number < 2:
        problems.append(warning("one_unit"))
    scale = np.abs(X[:, kept]).max(axis=0) if len(kept) else np.ones(0)
    data = _ordered(counts, X[:, kept] / scale, np.log(time), code)
    reason = "no_events" if not counts.any() else "" if group in kept else "group_constant"
    if not reason and _is_separated(data):
        reason = "counts_separated"
    asked = _Model(True, number >= 2)
    point = None if reason else _highest(data, asked)
    if point is None or reason:
        return _nothing(data, names, group, number or None, reason or "not_converged", problems)
    problems += _boundaries(asked, point.model)
    covariance = np.linalg.inv(point.information)
    p = len(kept)
    found = {
        label: wald(label, float(b / s), float(np.sqrt(v) / s), confidence)
        for label, b, s, v in zip(labels, point.parameters[:p], scale, np.diag(covariance)[:p], strict=True)
    }
    alpha, sd = _variances(point.model, point.parameters, p)
    return CountFit(
        model="negative_binomial" if point.model.overdispersed else "poisson",
        n=len(counts),
        events=int(counts.sum()),
        years=math.fsum(time),
        units=number or None,
        rate_ratio=as_ratio(found[names[group]]),
        coefficients=tuple(found.get(name, absent(name, "not_estimable")) for name in names),
        theta=float(1 / alpha) if point.model.overdispersed else None,
        unit_sd=float(sd) if point.model.grouped else None,
        log_likelihood=point.height - float(special.gammaln(counts + 1).sum()),
        converged=True,
        iterations=point.iterations,
        gradient=float(f"{point.gradient:.1e}"),
        problems=tuple(problems),
    )


def _check(y: Array, years: Array) -> None:
    for row in range(len(y)):
        if not (np.isfinite(y[row]) and y[row] >= 0 and y[row] == np.floor(y[row]) and y[row] < 1e6):
            raise Refused([error("counts_number", row=row + 1, got=float(y[row]))])
        if not (np.isfinite(years[row]) and years[row] > 0):
            raise Refused([error("counts_years", row=row + 1, got=float(years[row]))])


def _ordered(y: Array, X: Array, offset: Array, unit: npt.NDArray[np.intp]) -> _Data:
    """Rows in an order of their own, since sums of floating-point numbers depend on it: the order given changes nothing."""
    order = np.lexsort((offset, y, *X.T, unit))
    unit = unit[order]
    first = np.flatnonzero(np.diff(unit, prepend=-1))
    return _Data(y[order], X[order], offset[order], unit, first)


def _numbered(units: npt.ArrayLike) -> tuple[npt.NDArray[np.intp], int]:
    found, code = np.unique(np.asarray(units), return_inverse=True)
    return np.asarray(code, dtype=np.intp), len(found)


def _is_separated(data: _Data) -> bool:
    """Whether some d has x'd = 0 for everybody with events, x'd <= 0 for all, and < 0 for one: then a rate runs off to 0."""
    none = data.y == 0
    if not none.any():
        return False
    found = optimize.linprog(
        data.X[none].sum(axis=0),
        A_ub=data.X[none],
        b_ub=np.zeros(int(none.sum())),
        A_eq=data.X[~none],
        b_eq=np.zeros(int((~none).sum())),
        bounds=[(-1, 1)] * data.X.shape[1],
        method="highs",
    )
    return bool(found.status == 0 and found.fun is not None and found.fun < -1e-7)


def _highest(data: _Data, asked: _Model) -> _Point | None:
    """The highest maximum of the model and of those on its boundary; of equal ones the smaller model. None: none converged."""
    first: Array = np.linalg.lstsq(data.X, np.log(data.y + 0.5) - data.offset, rcond=None)[0].astype(np.float64)
    plain = _climb(data, _Model(False, False), first)
    if plain is None:
        return None
    best, start = plain, plain.parameters
    for overdispersed, grouped in ((True, False), (False, True), (True, True)):
        if (overdispersed and not asked.overdispersed) or (grouped and not asked.grouped):
            continue
        for log_alpha, log_sd in ((0.0, -1.0), (-2.0, -2.5)):
            free = [*([log_alpha] if overdispersed else []), *([log_sd] if grouped else [])]
            point = _climb(data, _Model(overdispersed, grouped), np.concatenate([start, free]))
            if point is not None and point.height > best.height + 1e-8 * max(1.0, abs(best.height)):
                best = point
            if point is not None:  # the other start is for where this one ran to the boundary
                break
    return best


def _climb(data: _Data, model: _Model, start: Array) -> _Point | None:
    """Newton steps to the maximum, each halved until it climbs; None where it runs to a boundary or does not arrive."""
    p, parameters = data.X.shape[1], start.copy()
    modes = np.zeros(len(data.first))
    height, modes = _height(data, model, parameters, modes)
    enough = _GRADIENT * max(1.0, float(data.y.sum()) / 1e3)
    for steps in range(100):
        slope = _gradient(data, model, parameters, modes)
        information = _information(data, model, parameters, modes)
        values, vectors = np.linalg.eigh(information)
        if np.abs(slope).max() < enough and values[0] > 0:
            return _Point(model, parameters, height, information, float(np.abs(slope).max()), steps)
        # where the surface is no hill the step follows the score, with the curvature's size
        move = np.clip(vectors @ ((vectors.T @ slope) / np.maximum(np.abs(values), 1e-8 * np.abs(values).max())), -2, 2)
        for _halving in range(40):
            tried, found = _height(data, model, parameters + move, modes)
            if np.isfinite(tried) and tried >= height - 1e-13 * abs(height):
                break
            move = move / 2
        else:
            return None
        parameters, height, modes = parameters + move, tried, found
        alpha, sd = _variances(model, parameters, p)
        if model.overdispersed and alpha * data.y.mean() < _LEAST_SHARE:
            return None
        if model.grouped and sd**2 * data.y.sum() / len(data.first) < _LEAST_SHARE:
            return None
    return None


def _variances(model: _Model, parameters: Any, p: int) -> tuple[Any, Any]:
    """alpha and s; 0 where the model has none."""
    alpha = np.exp(parameters[p]) if model.overdispersed else 0.0
    sd = np.exp(parameters[p + model.overdispersed]) if model.grouped else 0.0
    return alpha, sd


def _height(data: _Data, model: _Model, parameters: Array, modes: Array) -> tuple[float, Array]:
    """Log-likelihood (Laplace), without log(y!), and the modes of u by unit (units,); -inf where it overflows."""
    line, alpha, sd = _line(data, model, parameters)
    with np.errstate(over="ignore", invalid="ignore"):
        if model.grouped:
            modes = _settle(data, line, alpha, sd, modes, 50)
        height = _laplace(data, model, line, alpha, sd, modes)
    return (float(height) if np.isfinite(height) else -np.inf), modes


def _line(data: _Data, model: _Model, parameters: Any) -> tuple[Any, Any, Any]:
    p = data.X.shape[1]
    return (data.X @ parameters[:p] + data.offset, *_variances(model, parameters, p))


def _settle(data: _Data, line: Any, alpha: Any, sd: Any, modes: Any, most: int) -> Any:
    """Newton to the modes of sum l_i - u^2 / 2, which is concave in u; in complex numbers two steps carry the derivative exactly."""
    for _step in range(most):
        mu = np.exp(line + sd * modes[data.unit])
        slope = sd * _by_unit(data, (data.y - mu) / (1 + alpha * mu)) - modes
        bend = sd**2 * _by_unit(data, mu * (1 + alpha * data.y) / (1 + alpha * mu) ** 2) + 1
        move = slope / bend
        modes = modes + (move if np.iscomplexobj(move) else np.clip(move, -2, 2))
        if not np.iscomplexobj(move) and not np.abs(move).max() > 1e-13:
            break
    return modes


def _laplace(data: _Data, model: _Model, line: Any, alpha: Any, sd: Any, modes: Any) -> Any:
    if model.grouped:
        line = line + sd * modes[data.unit]
    mu = np.exp(line)
    height = (data.y * line).sum() - ((data.y + 1 / alpha) * np.log1p(alpha * mu) if model.overdispersed else mu).sum()
    if model.overdispersed:
        rising = np.concatenate([[0.0], np.cumsum(np.log1p(np.arange(int(data.y.max())) * alpha))])
        height = height + rising[data.y.astype(int)].sum()
    if model.grouped:
        bend = sd**2 * _by_unit(data, mu * (1 + alpha * data.y) / (1 + alpha * mu) ** 2) + 1
        height = height - (modes**2).sum() / 2 - np.log(bend).sum() / 2
    return height


def _by_unit(data: _Data, values: Any) -> Any:
    """Sums by unit (units,) of values (N,), complex or not."""
    return np.add.reduceat(values, data.first)


def _gradient(data: _Data, model: _Model, parameters: Array, modes: Array) -> Array:
    slope = np.zeros(len(parameters))
    for j in range(len(parameters)):
        moved = parameters.astype(complex)
        moved[j] += _STEP * 1j
        line, alpha, sd = _line(data, model, moved)
        found = _settle(data, line, alpha, sd, modes.astype(complex), 2) if model.grouped else modes
        slope[j] = np.imag(_laplace(data, model, line, alpha, sd, found)) / _STEP
    return slope


def _information(data: _Data, model: _Model, parameters: Array, modes: Array) -> Array:
    """Negative Hessian: central differences of the exact gradient."""
    rows = []
    for j in range(len(parameters)):
        ends = []
        for side in (1, -1):
            moved = parameters.copy()
            moved[j] += side * _NUDGE
            ends.append(_gradient(data, model, moved, _height(data, model, moved, modes)[1]))
        rows.append((ends[1] - ends[0]) / (2 * _NUDGE))
    matrix = np.array(rows)
    return (matrix + matrix.T) / 2


def _boundaries(asked: _Model, found: _Model) -> list[Problem]:
    """What the model that was found does not have, though it was asked for."""
    said = []
    if asked.overdispersed and not found.overdispersed:
        said.append(warning("counts_no_overdispersion"))
    if asked.grouped and not found.grouped:
        said.append(warning("unit_variance_zero"))
    return said


def _nothing(
    data: _Data, names: Sequence[str], group: int, units: int | None, reason: str, problems: list[Problem]
) -> CountFit:
    missing = tuple(absent(name, reason) for name in names)
    years = math.fsum(np.exp(data.offset))
    events = int(data.y.sum())
    return CountFit(
        None,
        len(data.y),
        events,
        years,
        units,
        missing[group],
        missing,
        None,
        None,
        None,
        False,
        0,
        None,
        tuple(problems),
    )
