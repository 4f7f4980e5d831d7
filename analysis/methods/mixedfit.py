"""The model ``lmm`` of the command ``fit``: random intercepts of one or two levels, a random slope, groups in one arm only.

One or two levels of intercepts are found by `mixed` and `nested`, whose cost does not depend on the number of patients; what else there is, and
Kenward and Roger's adjustment, by `components`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from . import components
from .columns import Columns, build_columns
from .components import Blocks, Level, Term, Top
from .fitspec import FitSpec
from .likelihood import Array
from .longtable import Codes, Factor, Long, in_group
from .marginal import Answers, Fitted, marginals
from .mixed import fit_random_intercept, independent_columns
from .nestedfit import fit_nested
from .problems import Problem, Refused, error, warning
from .results import Estimate, Fit
from .smallsample import Degrees, Precision, kenward_roger_scale
from .subgroups import moderated


@dataclass(frozen=True)
class _Design:
    """The rows of the model: X (N, p) as reported, on the basis Q (N, r), and the outcome scaled."""

    columns: Columns
    kept: Codes
    null: Array
    Q: Array
    R: Array
    y: Array
    center: float
    scale: float


def fit_mixed(data: Long, spec: FitSpec) -> Fitted:
    """Fit `spec.model` lmm. Raises Refused where the variances cannot be told apart or the search ends nowhere."""
    if spec.df == "between_within":
        raise Refused([error("fit_df", df=spec.df, model=spec.model)])
    if len(spec.random) > 2:
        raise Refused([error("fit_levels", levels=len(spec.random))])
    if float(np.ptp(data.y)) <= 1e-14 * float(np.abs(data.y).max()):
        raise Refused([error("outcome_constant", value=float(data.y[0]))])
    columns = build_columns(data, spec, by_row=True)
    design = _design(data, columns)
    levels = [_factor(data, name) for name in spec.random]
    _refuse_crossed(levels, spec)
    if spec.slope or spec.nested_in_arm:
        model, top, problems = _by_components(data, spec, design, levels)
        return _answer(data, spec, design, model, top, problems)
    X = np.asarray(np.linalg.solve(columns.back.T, _rows(data, columns).T).T, dtype=float)
    names = columns.names
    method: Any = spec.method
    if len(levels) == 1:
        fit, solution = fit_random_intercept(
            data.y, X, names, levels[0].codes, method, spec.confidence, ask_statsmodels=False
        )
    else:
        fit, solution = fit_nested(data.y, X, names, levels[1].codes, levels[0].codes, method, spec.confidence)
    if fit.convergence.status == "not_converged":
        raise Refused([error("fit_not_converged", tried=(" / ".join(spec.random),))])
    if spec.df != "satterthwaite":
        model, top = _at(spec, design, levels, fit)
        return _answer(data, spec, design, model, top, list(fit.warnings))
    means, differences = marginals(data, columns, solution)
    compared = np.eye(len(names))[columns.compares]
    return Fitted(
        model=spec.model,
        method=spec.method,
        df_method=spec.df,
        rows=fit.rows,
        counts=data.counts,
        log_likelihood=fit.log_likelihood,
        coefficients=fit.coefficients,
        means=means,
        differences=differences,
        joint=solution.jointly("arm", compared) if len(compared) else None,
        problems=(*data.problems, *fit.warnings),
        details={"variances": _variances(spec, fit), "convergence": fit.convergence},
        moderation=moderated(data, spec, columns, solution),
    )


def _variances(spec: FitSpec, fit: Fit) -> dict[str, Any]:
    """By level, outermost first, and the residual one."""
    found = {spec.random[-1]: fit.variance_subject, "residual": fit.variance_residual}
    return found if len(spec.random) == 1 else {spec.random[0]: fit.variance_unit or 0.0, **found}


def _factor(data: Long, name: str) -> Factor:
    one = data.others[name]
    if not isinstance(one, Factor):
        raise Refused([error("fit_slope_level", column=name)])
    return one


def _refuse_crossed(levels: list[Factor], spec: FitSpec) -> None:
    """Refuse an inner unit that belongs to two outer ones: these models are nested."""
    if len(levels) < 2:
        return
    outer, inner = levels
    pairs = np.unique(np.column_stack([inner.codes, outer.codes]), axis=0)
    twice = pairs[1:][np.diff(pairs[:, 0]) == 0]
    if len(twice):
        name = inner.levels[int(twice[0, 0])]
        raise Refused([error("fit_crossed", inner=spec.random[1], unit=name, outer=spec.random[0])])


def _rows(data: Long, columns: Columns) -> Array:
    """The model matrix (N, p) of the scaled facts."""
    X = np.empty((len(data.y), len(columns.names)))
    for t in range(len(data.visit.levels)):
        mine = data.visit.codes == t
        X[mine] = columns.C[mine] @ columns.B[t]
    return X


def _design(data: Long, columns: Columns) -> _Design:
    X = _rows(data, columns)
    kept, null = independent_columns(X)
    if len(data.y) <= len(kept) + 1:
        raise Refused([error("too_few_rows", rows=len(data.y), parameters=len(kept))])
    Q, R = linalg.qr(X[:, kept], mode="economic")
    center, scale = float(data.y.mean()), float(data.y.std())
    return _Design(
        columns,
        kept,
        columns.back @ null,
        np.asarray(Q, dtype=float),
        np.asarray(R, dtype=float),
        (data.y - center) / scale,
        center,
        scale,
    )


def _terms(levels: list[Factor], names: tuple[str, ...], slope: Array | None) -> list[Term]:
    """Intercepts, outermost first; the innermost level has the slope, too."""
    one = np.ones((len(levels[0].codes), 1))
    terms = [Term(name, level.codes, one) for name, level in zip(names, levels, strict=True)]
    if slope is not None:
        terms[-1] = Term(names[-1], levels[-1].codes, np.column_stack([one, slope]))
    return terms


def _in_groups(data: Long, spec: FitSpec, blocks: Codes) -> tuple[Term, Codes, Codes | None]:
    """Groups in one arm only: an effect of the group after the first visit; the rows that hang together; the residual variance by arm.

    Who is in no group has none of it.
    """
    name, arm = spec.nested_in_arm["unit"], spec.nested_in_arm["arm"]
    unit = data.others[name]
    if data.arm is None or not isinstance(unit, Factor) or arm not in data.arm.levels:
        levels = data.arm.levels if data.arm is not None else ()
        raise Refused([error("fit_word", key="nested_in_arm.arm", got=arm, allowed=levels)])
    inside = in_group(unit)
    stray = np.flatnonzero(inside & (data.arm.codes != data.arm.levels.index(arm)))
    if stray.size:
        raise Refused([error("fit_stray_group", unit=unit.levels[int(unit.codes[stray[0]])], column=name)])
    if len(np.unique(unit.codes[inside])) < 2:
        raise Refused([error("fit_few_groups", column=name)])
    after = data.visit.codes > 0 if len(data.visit.levels) > 1 else np.ones(len(data.y), dtype=bool)
    term = Term(name, np.where(inside, unit.codes, -1), after[:, None].astype(float))
    own = np.where(inside, int(blocks.max()) + 1 + unit.codes, blocks)
    return term, own, data.arm.codes if spec.residual_by_arm else None


def _by_components(
    data: Long, spec: FitSpec, design: _Design, levels: list[Factor]
) -> tuple[Blocks, Top, list[Problem]]:
    """A random slope, or groups in one arm only."""
    slope = data.others[spec.slope] if spec.slope else None
    if isinstance(slope, Factor) or (slope is not None and float(np.ptp(slope)) == 0):
        raise Refused([error("fit_slope_constant", column=str(spec.slope))])
    terms, blocks, residual = _terms(levels, spec.random, slope), levels[0].codes, None
    if spec.nested_in_arm:
        if len(levels) > 1:
            raise Refused([error("fit_nested_levels")])
        term, blocks, residual = _in_groups(data, spec, blocks)
        terms = [term, *terms]
    model = components.build_blocks(design.y, design.Q, terms, blocks, residual, _log_root(design))
    left = design.y - design.Q @ (design.Q.T @ design.y)
    variance = float(left @ left) / (len(left) - design.Q.shape[1])
    if variance < 1e-20:
        raise Refused([error("no_residual_variance")])
    found = components.search(model, spec.method == "reml", components.several_starts(model, variance))
    if found is None:
        raise Refused([error("fit_not_converged", tried=(" / ".join(spec.random),))])
    top, maxima = found
    problems: list[Problem] = []
    if top.boundary:
        problems.append(warning("fit_singular", levels=tuple(spec.random)))
    if maxima > 1:
        problems.append(warning("several_maxima", maxima=maxima))
    return model, top, problems


def _log_root(design: _Design) -> float:
    """log|R| of the reported columns."""
    own = float(np.log(np.abs(np.diag(design.R))).sum())
    return own + float(np.log(np.abs(np.diag(design.columns.back)[design.kept])).sum()) * -1


def _blocks(spec: FitSpec, design: _Design, levels: list[Factor], known: dict[str, Any]) -> tuple[Blocks, Array]:
    """The rows of the intercepts' model in blocks, and its variances there in units of `design`, without levels whose variance is 0."""
    used = [(name, level) for name, level in zip(spec.random, levels, strict=True) if known[name] > 0]
    terms = [Term(name, level.codes, np.ones((len(level.codes), 1))) for name, level in used]
    blocks = used[0][1].codes if used else np.arange(len(design.y), dtype=np.intp)
    model = components.build_blocks(design.y, design.Q, terms, blocks, None, _log_root(design))
    theta = np.array([*(known[name] for name, _level in used), known["residual"]])
    return model, theta / design.scale**2


def _at(spec: FitSpec, design: _Design, levels: list[Factor], fit: Fit) -> tuple[Blocks, Top]:
    """The intercepts' model at the variances that were found."""
    model, theta = _blocks(spec, design, levels, _variances(spec, fit))
    start = np.array([*np.sqrt(theta[:-1]), np.log(theta[-1])])
    top = components.climb(model, start, spec.method == "reml")
    if top is None or not top.converged:
        raise Refused([error("fit_not_converged", tried=(" / ".join(spec.random),))])
    return model, top


def intercepts_at(data: Long, spec: FitSpec, known: dict[str, Any]) -> tuple[Blocks, Array, float, float]:
    """The rows of a model of random intercepts in blocks, its variances `known` by level in units of these rows, and the rows' center and scale."""
    design = _design(data, build_columns(data, spec, by_row=True))
    model, theta = _blocks(spec, design, [_factor(data, name) for name in spec.random], known)
    return model, theta, design.center, design.scale


def _precision(spec: FitSpec, model: Blocks, top: Top) -> Precision:
    """Variance and degrees of freedom: observed information for Satterthwaite's, expected for Kenward and Roger's."""
    level = top.level
    if spec.df == "residual":
        freedom = float(model.rows - model.rank)
        return Precision(level.phi, lambda _combination: freedom)
    if spec.df == "kenward_roger":
        spread = np.asarray(np.linalg.inv(components.expected_information(level)), dtype=float)
        scale = kenward_roger_scale(spread, level.A_slopes, level.phi)
        return Precision(components.adjusted(level, spread), _degrees(level, spread), scale)
    return Precision(level.phi, _degrees(level, top.J @ np.linalg.inv(top.information) @ top.J.T))


def _degrees(level: Level, spread: Array) -> Degrees:
    """Satterthwaite's formula, with `spread` that of theta."""

    def df(combination: Array) -> float | None:
        half = level.phi @ combination
        variance = float(combination @ half)
        gradient = -np.einsum("r,ars,s->a", half, level.A_slopes, half)
        bottom = float(gradient @ spread @ gradient)
        return 2 * variance**2 / bottom if bottom > 0 else None

    return df


def _answer(data: Long, spec: FitSpec, design: _Design, model: Blocks, top: Top, problems: list[Problem]) -> Fitted:
    """The fitted model from its components."""
    columns, kept = design.columns, design.kept
    to_basis = linalg.solve_triangular(design.R, np.eye(len(kept)))
    to_reported = design.scale * columns.back[np.ix_(kept, kept)] @ to_basis
    answers = Answers(
        columns.names,
        kept,
        design.null,
        to_reported,
        design.center,
        top.level.gamma,
        _precision(spec, model, top),
        spec.confidence,
    )
    coefficients: tuple[Estimate, ...] = tuple(
        answers.combination(name, row) for name, row in zip(columns.names, np.eye(len(columns.names)), strict=True)
    )
    lost = tuple(one.name for one in coefficients if one.estimate is None)
    if lost and not any(problem.code == "rank_deficient" for problem in problems):
        problems = [*problems, warning("rank_deficient", columns=lost)]
    means, differences = marginals(data, columns, answers)
    compared = np.eye(len(columns.names))[columns.compares]
    freedom = model.rows - (model.rank if spec.method == "reml" else 0)
    return Fitted(
        model=spec.model,
        method=spec.method,
        df_method=spec.df,
        rows=model.rows,
        counts=data.counts,
        log_likelihood=top.level.height - freedom * float(np.log(design.scale)),
        coefficients=coefficients,
        means=means,
        differences=differences,
        joint=answers.jointly("arm", compared) if len(compared) else None,
        problems=(*data.problems, *problems),
        details={"variances": _by_level(data, spec, model, top, design.scale), "convergence": _search(top)},
        moderation=moderated(data, spec, columns, answers),
    )


def _search(top: Top) -> dict[str, Any]:
    """How the search ended; the decrement is what Newton still expects to gain."""
    return {"steps": top.steps, "decrement": round(top.decrement, 12), "boundary": top.boundary}


def _by_level(data: Long, spec: FitSpec, model: Blocks, top: Top, scale: float) -> dict[str, Any]:
    """Variances by level; of a level with a slope its matrix (intercept, slope)."""
    found: dict[str, Any] = dict.fromkeys(
        [*([spec.nested_in_arm["unit"]] if spec.nested_in_arm else []), *spec.random], 0.0
    )
    at = 0
    theta = top.level.theta * scale**2
    for term in model.terms:
        if term.entries == 1:
            found[term.name] = float(theta[at])
        else:
            a, b, c = (float(v) for v in theta[at : at + 3])
            found[term.name] = {"intercept": a, "covariance": b, spec.slope: c}
        at += term.entries
    if model.residuals > 1 and data.arm is not None:
        return found | {"residual": {arm: float(v) for arm, v in zip(data.arm.levels, theta[at:], strict=True)}}
    return found | {"residual": float(theta[at])}
