"""Reference-based imputation from the long table of a trial: the case of `imputation`, and the repeated-measures model it is imputed from.

The model is that of rbmi: baseline x visit + arm x visit + covariates, with the covariance of the planned model; with an indicator and the mean
where a baseline or a number is missing. It is fitted to everybody with a value after baseline, and once without each person (jackknife).
Everybody who lives is in the analysis at the last visit: arm, baseline and covariates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from .fitspec import FitSpec
from .imputation import Case, Fitted, Imputed, Shiftable, Strategy, fitted_outcomes, shiftable
from .likelihood import Array
from .longtable import factor, numbers
from .mixed import independent_columns
from .mmrm import Maximum, maximize
from .patterns import Patterns, collect
from .problems import Refused, error
from .progress import SILENT, Watch
from .repeated import search
from .retrieved import retrieved

ENOUGH = 1e-12
"""The decrement at which a fit without one person ends."""
_NO_SHIFT = 1e-12
"""What the largest delta changes of the squared bound, as a share of it; below stands rounding: nobody is shifted."""


@dataclass(frozen=True)
class Events:
    """By subject: the first visit from which the intercurrent event counts, and the first one after death. Who is in neither has none."""

    event: Mapping[str, str]
    death: Mapping[str, str]


@dataclass(frozen=True)
class Wide:
    """n people at T visits: outcomes (n, T), who is `experimental` (n,), and the facts (n, q) of each beside the arm, an intercept first.

    `slopes`: how many facts after the intercept have a coefficient of their own at each visit (the baseline).
    """

    people: tuple[str, ...]
    visits: tuple[str, ...]
    outcomes: Array
    experimental: npt.NDArray[np.bool_]
    facts: Array
    slopes: int


def wide_of(table: pd.DataFrame, spec: FitSpec, visits: tuple[str, ...], baseline: str, experimental: str) -> Wide:
    """One row for each subject in the table. Refused: a column that is not there, no value at one of the visits."""
    for column in (spec.outcome, baseline, *spec.covariates):
        if column not in table.columns:
            raise Refused([error("fit_column", key="outcome", got=column, allowed=tuple(map(str, table.columns)))])
    subject, visit = factor(table, str(spec.subject)), factor(table, str(spec.visit), visits)
    n = len(subject.levels)
    outcomes, y = np.full((n, len(visits)), np.nan), numbers(table, spec.outcome)
    at = visit.codes >= 0
    outcomes[subject.codes[at], visit.codes[at]] = y[at]
    empty = np.isnan(outcomes).all(axis=0)
    if empty.any():
        raise Refused([error("visit_empty", visit=visits[int(np.argmax(empty))])])
    first = np.unique(subject.codes, return_index=True)[1]
    people = table.iloc[first]
    base = _number(numbers(people, baseline))
    facts = [np.ones((n, 1)), base]
    for column in spec.covariates:
        if column == baseline:
            continue
        facts.append(_dummies(people, column) if column in spec.categorical else _number(numbers(people, column)))
    names, arms = (people[str(column)].astype(str).to_numpy() for column in (spec.subject, spec.arm))
    return Wide(tuple(map(str, names)), visits, outcomes, arms == experimental, np.hstack(facts), base.shape[1])


def _number(values: Array) -> Array:
    """A number centered and scaled, with an indicator where it is missing for somebody."""
    gap = np.isnan(values)
    if gap.all():
        raise Refused([error("imputation_not_finite")])
    known = values[~gap]
    spread = float(known.std()) or 1.0
    found = np.where(gap, 0.0, (values - known.mean()) / spread)
    return np.column_stack([found, gap.astype(float)] if gap.any() else [found])


def _dummies(people: pd.DataFrame, column: str) -> Array:
    """Levels after the first; who has none is a level, too."""
    found = factor(people, column)
    codes = np.where(found.codes < 0, len(found.levels), found.codes)
    used = np.unique(codes)[1:]
    return np.asarray(codes[:, None] == used[None, :], dtype=float)


def case_of(wide: Wide, events: Events) -> Case:
    """What is imputed. Visits after a death are never; a value seen after one is somebody's slip, and refused by `Case`."""
    _n, visits = wide.outcomes.shape
    own, reference = _designs(wide)
    arm = wide.experimental.astype(float)
    columns = np.column_stack([arm, wide.facts])
    kept, _null = independent_columns(columns)
    ice = np.array([_place(events.event.get(one), wide.visits) for one in wide.people], dtype=np.intp)
    dies = np.array([_place(events.death.get(one), wide.visits) for one in wide.people])
    dead = (np.arange(visits)[None, :] >= dies[:, None]) & np.isnan(wide.outcomes)
    return Case(
        wide.outcomes, wide.experimental, ice, own, reference, columns[:, kept], dead if dead.any() else None
    )  # fmt: skip


def _place(visit: str | None, visits: tuple[str, ...]) -> int:
    return len(visits) if visit is None else visits.index(visit)


def _map(wide: Wide) -> Array:
    """B (T, m, p): an intercept, the baseline's slopes and the arm have a coefficient at each visit, covariates one for all."""
    visits, q = len(wide.visits), wide.facts.shape[1]
    by_visit, each = [*range(1 + wide.slopes), q], []
    for fact in range(q + 1):
        each += [(fact, t) for t in range(visits)] if fact in by_visit else [(fact, -1)]
    B = np.zeros((visits, q + 1, len(each)))
    for column, (fact, t) in enumerate(each):
        B[:, fact, column] = 1.0 if t < 0 else np.eye(visits)[t]
    return B


def _designs(wide: Wide) -> tuple[Array, Array]:
    """Rows of the design (n, T, p) with the arm as randomized, and with the reference arm."""
    B, arm = _map(wide), wide.experimental.astype(float)
    own, reference = (np.column_stack([wide.facts, one]) for one in (arm, np.zeros_like(arm)))
    return np.einsum("nm,tmp->ntp", own, B), np.einsum("nm,tmp->ntp", reference, B)


def imputed_difference(
    wide: Wide,
    events: Events,
    spec: FitSpec,
    strategy: Strategy,
    deltas: tuple[float, ...] = (0.0,),
    watch: Watch = SILENT,
) -> tuple[Imputed, ...]:
    """The difference at the last visit under `strategy`, for each delta added after the event. Raises Refused, or Cancelled."""
    found = shiftable_difference(wide, events, spec, strategy, watch)
    return tuple(found.at(float(delta), 0.0, spec.confidence) for delta in deltas)


def shiftable_difference(
    wide: Wide, events: Events, spec: FitSpec, strategy: Strategy, watch: Watch = SILENT
) -> Shiftable:
    """The same for whatever deltas: of values after the event in the experimental arm, of all imputed values in the reference arm."""
    case = case_of(wide, events)
    return _shiftable(case, _facts(wide), _map(wide), spec, strategy, watch)


def retrieved_difference(wide: Wide, events: Events, spec: FitSpec, watch: Watch = SILENT) -> Imputed:
    """The difference at the last visit with values after the event imputed by those that were seen after it (`retrieved`).

    The reference arm has no event: its missing values are missing at random. Raises Refused, or Cancelled.
    """
    case = case_of(wide, events)
    extended = retrieved(case, np.where(case.experimental, case.ice, len(wide.visits)))
    shifts = extended.own[:, :, case.own.shape[2] :]  # (n, T, k): each is 1 at one visit for some
    B, C = _map(wide), _facts(wide)
    m, p, k = B.shape[1], B.shape[2], shifts.shape[2]
    wider = np.zeros((B.shape[0], m + k, p + k))
    wider[:, :m, :p] = B
    wider[:, np.arange(m, m + k), np.arange(p, p + k)] = shifts.any(axis=0)
    facts = np.column_stack([C, shifts.max(axis=1)])
    return _shiftable(extended, facts, wider, spec, "mar", watch).at(0.0, 0.0, spec.confidence)


def _facts(wide: Wide) -> Array:
    """C (n, m): what is known of each person, the arm last."""
    return np.column_stack([wide.facts, wide.experimental.astype(float)])


def _shiftable(case: Case, C: Array, B: Array, spec: FitSpec, strategy: Strategy, watch: Watch) -> Shiftable:
    """The model that x_it = B_t'c_i lays out, fitted to everybody and once without each person; what is missing imputed by each."""
    Y = fitted_outcomes(case, strategy)
    center, scale = float(np.nanmean(Y)), float(np.nanstd(Y))
    if not scale > 0:
        raise Refused([error("outcome_constant", value=center)])
    Y = (Y - center) / scale
    seen: npt.NDArray[np.bool_] = np.logical_not(np.all(np.isnan(Y), axis=1))
    group = np.zeros(len(Y), dtype=np.intp)
    patterns = collect(C[seen], Y[seen], B, group[seen])
    if patterns.rows <= patterns.rank or seen.sum() <= patterns.visits:
        raise Refused([error("fit_too_few", rows=patterns.rows, subjects=int(seen.sum()), parameters=patterns.rank)])
    top, _tried = search(patterns, spec)
    full = _fitted(patterns, top, B, center, scale)
    without: list[Fitted] = []
    for i in range(len(Y)):
        if i % 20 == 0:
            watch.step("fitting", i / len(Y))
        rest = seen.copy()
        rest[i] = False
        without.append(full if not seen[i] else _again(C[rest], Y[rest], B, top, spec, center, scale))
    return shiftable(case, full, without, strategy, after_event=True)


def _again(C: Array, Y: Array, B: Array, top: Maximum, spec: FitSpec, center: float, scale: float) -> Fitted:
    """The model without one person, from the covariance of everybody. Refused where the search fails."""
    patterns = collect(C, Y, B, np.zeros(len(Y), dtype=np.intp))
    found = maximize(patterns, top.structure, spec.method == "reml", top.point.sigma, ENOUGH)
    if found is None or not found.converged:
        raise Refused([error("fit_not_converged", tried=(top.structure.name,))])
    return _fitted(patterns, found, B, center, scale)


def _fitted(patterns: Patterns, top: Maximum, B: Array, center: float, scale: float) -> Fitted:
    """Coefficients and covariance in units of the outcome; a column that depends on others has the coefficient 0."""
    beta = np.zeros(B.shape[2])
    beta[patterns.kept] = scale * np.linalg.solve(patterns.root, top.point.gamma)
    beta[: B.shape[0]] += center  # the intercepts of the visits come first
    return Fitted(beta, scale**2 * top.point.sigma[0])


def turning_point(rows: tuple[Imputed, Imputed, Imputed]) -> float | None:
    """The smallest shift, on the side of the three deltas, at which the interval reaches 0; 0 where it does already, None where no shift does.

    The estimate is linear in delta and SE^2 quadratic, so that three of them tell all: (a + b d)^2 = z^2 SE^2(d). The first delta is 0.
    """
    deltas = np.array([one.delta for one in rows])
    slope = (rows[-1].estimate - rows[0].estimate) / (rows[-1].delta - rows[0].delta)
    if rows[0].lower <= 0 <= rows[0].upper:
        return 0.0
    z = (rows[0].upper - rows[0].estimate) / rows[0].se
    variance = np.polyfit(deltas, np.square([one.se for one in rows]), 2)
    curve = np.array([slope**2, 2 * slope * rows[0].estimate, rows[0].estimate ** 2]) - z**2 * variance
    if np.abs(curve[:2] * [rows[-1].delta ** 2, rows[-1].delta]).max() < _NO_SHIFT * abs(curve[2]):
        return None
    roots = np.roots(curve)
    real = [float(r.real) for r in roots if abs(r.imag) < 1e-12 * max(1.0, abs(r))]
    right = [r for r in real if r * rows[-1].delta > 0]
    return min(right, key=abs) if right else None
