"""One outcome a person: ``ancova``, ``mann_whitney``, ``logistic`` and ``cace`` of the command ``fit``.

ANCOVA is least squares with the arms, the baseline and the covariates. The complier effect (`cace`) is two-stage least squares, the arm the
instrument of the treatment received, baseline and covariates in both stages: Angrist, Imbens and Rubin (1996), JASA 91:444-455. Its variance is
CR2 with the projected columns, clustered by person, or by therapy group where `nested_in_arm` names one: Pustejovsky and Tipton (2018),
J Bus Econ Stat 36:672-683.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import linalg

from .columns import Columns, build_columns
from .fitspec import FitSpec
from .likelihood import Array
from .logistic import fit_logistic
from .longtable import Codes, Factor, Long, in_group
from .marginal import Answers, Fitted, Marginal, marginals
from .mixed import independent_columns
from .problems import Problem, Refused, error, warning
from .ranks import mann_whitney
from .results import Estimate, absent
from .sandwich import bell_mccaffrey
from .smallsample import Precision


def one_row_each(data: Long, spec: FitSpec) -> None:
    """Refuse several visits, and several rows of a person."""
    if len(data.visit.levels) > 1:
        raise Refused([error("fit_needs_one_visit", model=spec.model, visits=data.visit.levels)])
    if data.subjects < len(data.y):
        raise Refused([error("fit_needs_one_row", model=spec.model)])
    if len(data.y) and float(np.ptp(data.y)) <= 1e-14 * float(np.abs(data.y).max()):
        raise Refused([error("outcome_constant", value=float(data.y[0]))])


def model_rows(columns: Columns) -> Array:
    """The model matrix (N, p) as reported, one visit."""
    return np.asarray(np.linalg.solve(columns.back.T, (columns.C @ columns.B[0]).T).T, dtype=float)


def unit_free(columns: Columns) -> tuple[Array, Array]:
    """The model matrix (N, p) in standard deviations of its numbers, not centered, and what its coefficients are multiplied by (p,)."""
    scale = np.diag(columns.back)
    return model_rows(columns) * scale, scale


def with_ratio(one: Estimate) -> dict[str, float | None]:
    """An estimate on the log scale as a ratio, with its interval."""
    ends = [None if v is None else float(np.exp(v)) for v in (one.estimate, one.low, one.high)]
    return {"ratio": ends[0], "ratio_lower": ends[1], "ratio_upper": ends[2]}


def fit_ancova(data: Long, spec: FitSpec) -> Fitted:
    """Least squares. Raises Refused where nothing is left for the residual variance."""
    one_row_each(data, spec)
    columns = build_columns(data, spec, by_row=True)
    X = columns.C @ columns.B[0]
    kept, null = independent_columns(X)
    freedom = len(data.y) - len(kept)
    if freedom < 1:
        raise Refused([error("too_few_rows", rows=len(data.y), parameters=len(kept))])
    Q, R = (np.asarray(one, dtype=float) for one in linalg.qr(X[:, kept], mode="economic"))
    center, scale = float(data.y.mean()), float(data.y.std())
    y = (data.y - center) / scale
    gamma = Q.T @ y
    rest = float(((y - Q @ gamma) ** 2).sum())
    if rest < 1e-22 * len(y):
        raise Refused([error("no_residual_variance")])
    to_reported = scale * columns.back[np.ix_(kept, kept)] @ linalg.solve_triangular(R, np.eye(len(kept)))
    precision = Precision(rest / freedom * np.eye(len(kept)), lambda _combination: float(freedom))
    answers = Answers(columns.names, kept, columns.back @ null, to_reported, center, gamma, precision, spec.confidence)
    means, differences = marginals(data, columns, answers)
    n = len(y)
    return Fitted(
        model=spec.model,
        method="least squares",
        df_method="residual",
        rows=n,
        counts=data.counts,
        log_likelihood=-0.5 * n * float(np.log(2 * np.pi * rest * scale**2 / n) + 1),
        coefficients=coefficients_of(answers),
        means=tuple(replace(one, visit=None) for one in means),
        differences=tuple(replace(one, visit=None) for one in differences),
        joint=answers.jointly("arm", np.eye(len(columns.names))[columns.compares]),
        problems=(*data.problems, *left_out(columns, kept)),
        details={"variances": {"residual": rest * scale**2 / freedom}},
    )


def coefficients_of(answers: Answers) -> tuple[Estimate, ...]:
    """All coefficients, one by one."""
    p = len(answers.names)
    return tuple(answers.combination(name, row) for name, row in zip(answers.names, np.eye(p), strict=True))


def left_out(columns: Columns, kept: Codes) -> list[Problem]:
    """The warning about columns that tell nothing of their own."""
    lost = tuple(name for j, name in enumerate(columns.names) if j not in kept)
    return [warning("rank_deficient", columns=lost)] if lost else []


def two_arms(data: Long, spec: FitSpec) -> Codes:
    """The arm of each row, 0 the reference. Refuses more than two."""
    if data.arm is None or len(data.arm.levels) != 2:
        raise Refused([error("fit_two_arms", model=spec.model)])
    return data.arm.codes


def fit_ranks(data: Long, spec: FitSpec) -> Fitted:
    """Mann-Whitney; the difference is the shift by Hodges and Lehmann, its p that of the test."""
    one_row_each(data, spec)
    arm = two_arms(data, spec)
    if spec.baseline or spec.covariates:
        raise Refused([error("fit_no_covariates", model=spec.model)])
    test = mann_whitney(data.y[arm == 1], data.y[arm == 0], continuity=False, confidence=spec.confidence)
    shift = Estimate("shift", test.shift.estimate, None, None, test.z, test.p, test.shift.low, test.shift.high)
    return Fitted(
        model=spec.model,
        method="asymptotic, ties corrected, no continuity correction",
        df_method=None,
        rows=len(data.y),
        counts=data.counts,
        log_likelihood=None,
        coefficients=(),
        means=(),
        differences=(_difference(data, shift),),
        joint=None,
        problems=data.problems,
        details={"u": test.u, "u_reference": test.u_other, "z": test.z, "ties": test.ties},
    )


def _difference(data: Long, value: Estimate, **more: Any) -> Marginal:
    arms = data.arm.levels if data.arm is not None else ("", "")
    return Marginal(None, arms[1], value, arms[0], more)


def fit_binary(data: Long, spec: FitSpec) -> Fitted:
    """Logistic regression of an outcome of 0 and 1; log-odds, odds ratio and marginal risk difference."""
    one_row_each(data, spec)
    two_arms(data, spec)
    strange = data.y[(data.y != 0) & (data.y != 1)]
    if strange.size:
        raise Refused([error("fit_not_binary", outcome=spec.outcome, got=float(strange[0]))])
    columns = build_columns(data, spec, by_row=True)
    place = columns.names.index(f"{spec.arm}{data.arm.levels[1]}" if data.arm is not None else "")
    X, scale = unit_free(columns)
    found = fit_logistic(data.y > 0, X, columns.names, place, spec.confidence)
    if not found.converged and found.method is not None:
        raise Refused([error("fit_not_converged", tried=("logistic",))])
    by_name = {one.name: one for one in found.coefficients}
    own = tuple(
        _scaled(by_name.get(name, absent(name, "not_estimable")), float(by))
        for name, by in zip(columns.names, scale, strict=True)
    )
    risk = found.risk_difference
    return Fitted(
        model=spec.model,
        method=found.method,
        df_method=None,
        rows=len(data.y),
        counts=data.counts,
        log_likelihood=found.log_likelihood,
        coefficients=own,
        means=(),
        differences=(_difference(data, own[place], **with_ratio(own[place])),),
        joint=None,
        problems=(*data.problems, *found.problems),
        details={
            "converged": found.converged,
            "events": found.events,
            "separated": found.separated,
            "risk_difference": {
                "estimate": risk.estimate,
                "se": risk.se,
                "lower": risk.low,
                "upper": risk.high,
                "p": risk.p,
            },
        },
    )


def _scaled(one: Estimate, by: float) -> Estimate:
    """The same estimate in another unit."""
    changed = [None if v is None else v * by for v in (one.estimate, one.se, one.low, one.high)]
    return replace(one, estimate=changed[0], se=changed[1], low=changed[2], high=changed[3])


def fit_cace(data: Long, spec: FitSpec) -> Fitted:
    """The complier average causal effect. Raises Refused where the arm does not move what is received."""
    one_row_each(data, spec)
    arm = two_arms(data, spec).astype(float)
    columns = build_columns(data, spec, by_row=True)
    X = model_rows(columns)
    kept, _null = independent_columns(X)
    place = columns.names.index(f"{spec.arm}{data.arm.levels[1]}" if data.arm is not None else "")
    received = data.others[str(spec.received)]
    if isinstance(received, Factor) or place not in kept:
        raise Refused([error("fit_numbers")])
    Z, names = X[:, kept], [columns.names[j] for j in kept]
    at = names.index(columns.names[place])
    names[at] = str(spec.received)
    Q, _R = (np.asarray(one, dtype=float) for one in linalg.qr(Z, mode="economic"))
    D = Z.copy()
    D[:, at] = received
    projected = Q @ (Q.T @ D)
    rest = len(data.y) - len(kept)
    first = _first_stage(Z, received, at, rest)
    if first is None or np.linalg.matrix_rank(projected) < len(kept):
        raise Refused([error("fit_weak", received=str(spec.received))])
    bread = np.linalg.inv(projected.T @ projected)
    beta = bread @ (projected.T @ data.y)
    left = data.y - D @ beta
    clusters = _clusters(data, spec)
    precision = bell_mccaffrey(projected, left, clusters, np.asarray(bread, dtype=float))
    p = len(kept)
    answers = Answers(tuple(names), np.arange(p), np.zeros((p, 0)), np.eye(p), 0.0, beta, precision, spec.confidence)
    coefficients = coefficients_of(answers)
    classical = float(np.sqrt(left @ left / rest * bread[at, at]))
    return Fitted(
        model=spec.model,
        method="two-stage least squares",
        df_method="satterthwaite",
        rows=len(data.y),
        counts=data.counts,
        log_likelihood=None,
        coefficients=coefficients,
        means=(),
        differences=(_difference(data, coefficients[at]),),
        joint=None,
        problems=(*data.problems, *([warning("fit_weak_instrument", F=first)] if first < 10 else [])),
        details={
            "variance": "cr2",
            "clusters": len(np.unique(clusters)),
            "first_stage_F": first,
            "se_classical": classical,
            "received_by_arm": [float(received[arm == k].mean()) for k in (0, 1)],
            "assumptions": [
                "The arm was drawn by lot.",
                "The arm acts on the outcome only through the treatment received.",
                "Nobody does the opposite of what the arm says.",
            ],
        },
    )


def _first_stage(Z: Array, received: Array, at: int, rest: int) -> float | None:
    """The square of the arm's t in the regression of what is received; None where it has none."""
    found, *_others = np.linalg.lstsq(Z, received, rcond=None)
    left = received - Z @ found
    variance = float(left @ left) / max(rest, 1) * float(np.linalg.inv(Z.T @ Z)[at, at])
    if rest < 1 or not abs(found[at]) > 1e-12:
        return None
    return float(found[at] ** 2 / variance) if variance > 1e-24 else 1e12  # everybody does as the arm says


def _clusters(data: Long, spec: FitSpec) -> Codes:
    """Persons; where groups are named, those of one group together."""
    own = np.arange(len(data.y), dtype=np.intp)
    if not spec.nested_in_arm:
        return own
    unit = data.others[spec.nested_in_arm["unit"]]
    if not isinstance(unit, Factor):
        return own
    inside = in_group(unit)
    return np.where(inside, len(own) + unit.codes, own)
