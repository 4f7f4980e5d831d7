"""The whole analysis of one table by one specification: check, describe, fit, contrast; one result for every caller."""

from __future__ import annotations

import dataclasses

import pandas as pd

from .contrasts import adjusted, combinations, joint_interaction
from .descriptives import baseline_sd, count, describe
from .design import Prepared, build_design, prepare
from .environment import code_hash, environment_hash
from .mixed import fit_random_intercept
from .nestedfit import fit_nested
from .problems import Refused
from .progress import SILENT, Watch
from .results import Analysis, StandardDeviation
from .spec import Spec


def analyze(
    table: pd.DataFrame, spec: Spec, watch: Watch = SILENT, standard_deviation: StandardDeviation | None = None
) -> Analysis:
    """Descriptives by arm, the random-intercept model, adjusted means and differences.

    `standard_deviation`: what standardizes, where the table holds only a part of those randomized (see `baseline_of`); else it is that
    of the table's own baseline.
    Raises Refused where the table does not fit the specification. Where the table is right and only the model cannot be fitted, the
    descriptives stand, `fit` is None and `problems` has the reason. Raises Cancelled when told to stop.
    """
    watch.step("reading", 0.0)
    prepared = prepare(table, spec)
    watch.step("describing", 0.1)
    described = _described(prepared, "model", by_arm=spec.arm is not None)
    if standard_deviation is not None:
        described = dataclasses.replace(described, standard_deviation=standard_deviation)
    design = build_design(prepared)
    rows = prepared.frame[prepared.analyzed]
    try:
        y, subjects = rows[spec.outcome].to_numpy(dtype=float), rows[spec.subject].to_numpy(dtype=str)
        if spec.unit is None:
            found = fit_random_intercept(y, design.X, design.names, subjects, spec.method, spec.confidence, watch)
        else:
            units = rows[spec.unit].to_numpy(dtype=str)
            found = fit_nested(y, design.X, design.names, subjects, units, spec.method, spec.confidence, watch)
        fit, solution = found
    except Refused as refusal:
        return dataclasses.replace(described, problems=described.problems + refusal.problems)
    watch.step("contrasting", 0.85)
    weights = combinations(prepared, design)
    means, differences = adjusted(spec, weights, solution, described.standard_deviation)
    joint = joint_interaction(spec, weights, solution)
    watch.step("done", 1.0)
    return dataclasses.replace(described, fit=fit, means=means, differences=differences, joint=joint)


def baseline_of(table: pd.DataFrame, spec: Spec) -> StandardDeviation | None:
    """The standard deviation of the baseline of everybody in the table, pooled within arms."""
    return baseline_sd(prepare(table, spec))


def analyze_pooled(table: pd.DataFrame, spec: Spec, watch: Watch = SILENT) -> Analysis:
    """Descriptives of all arms together. An arm in the specification is not looked at, nor need the table have it."""
    watch.step("reading", 0.0)
    prepared = prepare(table, dataclasses.replace(spec, arm=None, interaction=False))
    watch.step("describing", 0.5)
    described = _described(prepared, "pooled", by_arm=False)
    watch.step("done", 1.0)
    return described


def _described(prepared: Prepared, kind: str, by_arm: bool) -> Analysis:
    """Everything that needs no model."""
    return Analysis(
        kind="pooled" if kind == "pooled" else "model",
        spec=prepared.spec.as_data(),
        counts=count(prepared),
        descriptives=describe(prepared, by_arm),
        fit=None,
        means=(),
        differences=(),
        standard_deviation=baseline_sd(prepared),
        problems=prepared.problems,
        hashes={"code": code_hash(), "environment": environment_hash()},
    )
