"""Adjusted means and their differences by visit: linear combinations of the fitted coefficients, with t intervals."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from .design import Design, Prepared
from .likelihood import Array
from .mixed import Solution
from .results import JointTest, StandardDeviation, VisitEstimate
from .spec import Spec

Combinations = Mapping[tuple[str, str | None], Array]


def combinations(prepared: Prepared, design: Design) -> Combinations:
    """By visit and arm the combination (p,) of coefficients that is the adjusted mean."""
    spec = prepared.spec
    grid = _grid(prepared)
    arms: tuple[str | None, ...] = spec.arm.levels if spec.arm else (None,)
    return {(visit, arm): _weights(spec, design, grid, visit, arm) for visit in spec.time.levels for arm in arms}


def adjusted(
    spec: Spec, weights: Combinations, solution: Solution, sd: StandardDeviation | None
) -> tuple[tuple[VisitEstimate, ...], tuple[VisitEstimate, ...]]:
    """Adjusted means by arm and visit, and differences (experimental minus reference) by visit.

    A visit or arm of which the data say nothing has None and a reason. The standardized difference is divided by `sd`, one for
    all visits, and signed so that + favors the experimental arm.
    """
    means = tuple(
        VisitEstimate(visit, arm, solution.combination(f"{visit} {arm or ''}".strip(), w))
        for (visit, arm), w in weights.items()
    )
    if spec.arm is None:
        return means, ()
    differences = []
    for arm, visit in itertools.product(spec.arm.compared, spec.time.levels):
        contrast = weights[visit, arm] - weights[visit, spec.arm.reference]
        value = solution.combination(f"{visit} {arm} - {spec.arm.reference}", contrast)
        effects = [_standardized(spec, v, sd) for v in (value.estimate, value.low, value.high)]
        ends = sorted(e for e in effects[1:] if e is not None)
        low, high = (ends[0], ends[1]) if len(ends) == 2 else (None, None)
        named = arm if spec.arm.others else None
        differences.append(VisitEstimate(visit, named, value, effects[0], low, high))
    return means, tuple(differences)


def joint_interaction(spec: Spec, weights: Combinations, solution: Solution) -> JointTest | None:
    """Condition x time: whether any group's difference from the reference changes over the visits; None without groups.

    F test of all interaction terms at once, its denominator as `Solution.jointly` says.
    """
    name = "condition x time"
    if spec.arm is None:
        return None
    if not spec.interaction:
        return JointTest(name, None, None, None, None, "no_interaction")
    first, *later = spec.time.levels
    rows = []
    for arm in spec.arm.compared:
        difference = {v: weights[v, arm] - weights[v, spec.arm.reference] for v in spec.time.levels}
        rows += [difference[visit] - difference[first] for visit in later]
    return solution.jointly(name, np.array(rows))


def _standardized(spec: Spec, difference: float | None, sd: StandardDeviation | None) -> float | None:
    if difference is None or sd is None or not sd.value:
        return None
    return difference / sd.value * (1 if spec.better == "higher" else -1)


def _grid(prepared: Prepared) -> pd.DataFrame:
    """The rows over which means are averaged: analyzed subjects, or all combinations of levels (see Spec.weights)."""
    spec, rows = prepared.spec, prepared.frame[prepared.analyzed]
    if spec.weights == "observed":
        return rows.drop_duplicates(spec.subject).reset_index(drop=True)
    factors = [c for c in spec.covariates if c.kind == "categorical"]
    grid = pd.DataFrame(list(itertools.product(*(c.levels for c in factors))), columns=[c.column for c in factors])
    for factor in factors:
        grid[factor.column] = pd.Categorical(grid[factor.column], categories=list(factor.levels))
    numeric = [c.column for c in spec.covariates if c.kind == "numeric"]
    numeric += [column for column in (spec.baseline, prepared.indicator) if column]
    for column in numeric:
        grid[column] = float(rows[column].mean())
    return grid


def _weights(spec: Spec, design: Design, grid: pd.DataFrame, visit: str, arm: str | None) -> Array:
    """The combination (p,) of coefficients that is the mean of the grid, everybody in `arm` and at `visit`."""
    there = grid.copy()
    if spec.time.form == "linear":
        there[spec.time.column] = float(visit)
    else:
        there[spec.time.column] = pd.Categorical([visit] * len(there), categories=list(spec.time.levels))
    if spec.arm is not None:
        there[spec.arm.column] = pd.Categorical([arm] * len(there), categories=list(spec.arm.levels))
    return np.asarray(design.rows(there).mean(axis=0), dtype=float)
