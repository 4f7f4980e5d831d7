"""MMRM and cLDA from a long table to LS means: the pieces put together, with everything a reader has to be told.

`mmrm`: baseline x visit + arm x visit + covariates. `clda` (constrained longitudinal data analysis; Liang and Zeger 2000, Sankhya B
62:134-148): the baseline is the first outcome, with one mean for all arms, arm effects at the later visits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .columns import Columns, build_columns
from .fitspec import FitSpec
from .likelihood import Array
from .longtable import Codes, Factor, Long, in_group
from .marginal import Answers, Fitted, marginals
from .mmrm import Maximum, maximize
from .patterns import Patterns, collect
from .problems import Problem, Refused, error, warning
from .sandwich import robust
from .smallsample import Precision, counted, kenward_roger, kenward_roger_f, satterthwaite
from .structures import chain_of
from .subgroups import moderated


@dataclass(frozen=True)
class Found:
    """The maximum, and what it was found from. Y (n, T) is the outcome less `center`, divided by `scale`, NaN where missing.

    `group` (n,): which covariance matrix a patient has, named by `labels`; `tried`: the covariances of the chain up to the one that converged.
    """

    columns: Columns
    Y: Array
    center: float
    scale: float
    group: Codes
    labels: tuple[str, ...]
    patterns: Patterns
    top: Maximum
    tried: tuple[str, ...]

    @property
    def design(self) -> Array:
        """The model matrix (n, T, r) on the orthonormal basis."""
        basis = self.columns.B[:, :, self.patterns.kept] @ np.linalg.inv(self.patterns.root)
        return np.asarray(np.einsum("nm,tmr->ntr", self.columns.C, basis))


def find(data: Long, spec: FitSpec) -> Found:
    """The maximum of the likelihood of `spec.model`, mmrm or clda. Raises Refused as ``fit_repeated``."""
    _refuse_hopeless(data, spec)
    columns = build_columns(data, spec, by_row=False)
    Y, center, scale = wide(data)
    group, labels = _groups(data, spec)
    patterns = collect(columns.C, Y, columns.B, group, len(labels))
    _refuse_few(patterns, data)
    top, tried = search(patterns, spec)
    return Found(columns, Y, center, scale, group, labels, patterns, top, tuple(tried))


def fit_repeated(data: Long, spec: FitSpec, found: Found | None = None) -> Fitted:
    """Fit `spec.model`, mmrm or clda. Raises Refused where there is nothing to fit, or no covariance of the chain converges.

    `found`: the maximum of the same model, where it is known; degrees of freedom and variance change nothing of it.
    """
    found = found or find(data, spec)
    columns, patterns, top, tried = found.columns, found.patterns, found.top, found.tried
    center, scale = found.center, found.scale
    problems = list(data.problems)
    if len(tried) > 1:
        problems.append(warning("covariance_fell_back", tried=tried[:-1], used=tried[-1]))
    variance = _variance(spec, fell_back=len(tried) > 1, problems=problems)
    kept = patterns.kept
    to_basis = np.linalg.inv(patterns.root)
    to_reported = scale * columns.back[np.ix_(kept, kept)] @ to_basis
    precision = _precision(spec, variance, found, to_reported, data)
    answers = Answers(
        columns.names,
        kept,
        columns.back @ patterns.null,
        to_reported,
        center,
        top.point.gamma,
        precision,
        spec.confidence,
    )
    coefficients = tuple(
        answers.combination(n, row) for n, row in zip(columns.names, np.eye(len(columns.names)), strict=True)
    )
    lost = tuple(one.name for one in coefficients if one.estimate is None)
    if lost:
        problems.append(warning("rank_deficient", columns=lost))
    means, differences = marginals(data, columns, answers, common_first=spec.model == "clda")
    compared = np.eye(len(columns.names))[columns.compares]
    return Fitted(
        model=spec.model,
        method=spec.method,
        df_method="satterthwaite" if variance != "model" and spec.df == "kenward_roger" else spec.df,
        rows=patterns.rows,
        counts=data.counts,
        log_likelihood=_as_reported(top.point.height, patterns, columns, scale, spec.method == "reml"),
        coefficients=coefficients,
        means=means,
        differences=differences,
        joint=answers.jointly("arm", compared) if len(compared) else None,
        problems=tuple(problems),
        details=_details(found, data, variance) | ({"cluster": spec.cluster} if spec.cluster else {}),
        moderation=moderated(data, spec, columns, answers, common_first=spec.model == "clda"),
    )


def _as_reported(height: float, patterns: Patterns, columns: Columns, scale: float, reml: bool) -> float:
    """The log-likelihood of the outcome and of the columns in their own units."""
    if not reml:
        return height - patterns.rows * float(np.log(scale))
    units = float(np.log(np.abs(np.diag(columns.back)[patterns.kept])).sum())
    return height - (patterns.rows - patterns.rank) * float(np.log(scale)) + units


def _details(found: Found, data: Long, variance: str) -> dict[str, Any]:
    """The covariance (a list by arm where each arm has its own), how it was found, and the patterns of missing visits."""
    visits, top, labels = list(data.visit.levels), found.top, found.labels
    matrices = [{"visits": visits, "matrix": (found.scale**2 * sigma).tolist()} for sigma in top.point.sigma]
    by_arm = [{"arm": arm, **one} for arm, one in zip(labels, matrices, strict=True)]
    search = {
        "tried": list(found.tried),
        "steps": top.steps,
        "gradient": round(top.gradient, 9),
        "decrement": round(top.decrement, 12),
        "eigenvalues": list(top.eigenvalues),
    }
    return {
        "covariance": matrices[0] if len(labels) == 1 else by_arm,
        "structure": top.structure.name,
        "variance": variance,
        "convergence": search,
        "patterns": _patterns(found.patterns, visits),
    }


def _patterns(patterns: Patterns, visits: list[str]) -> list[dict[str, Any]]:
    """How many patients were seen at which visits, the most frequent first."""
    people: dict[tuple[str, ...], int] = {}
    for seen, number in zip(patterns.seen, patterns.people, strict=True):
        key = tuple(visit for visit, there in zip(visits, seen, strict=True) if there)
        people[key] = people.get(key, 0) + int(number)
    return [
        {"visits": list(key), "subjects": number}
        for key, number in sorted(people.items(), key=lambda one: (-one[1], one[0]))
    ]


def _refuse_hopeless(data: Long, spec: FitSpec) -> None:
    """What no search can fit."""
    if len(data.visit.levels) < 2:
        raise Refused([error("fit_one_visit", model=spec.model, visit=data.visit.levels[0])])
    if len(data.visit.levels) > 30:
        raise Refused([error("fit_many_visits", visits=len(data.visit.levels))])
    if np.ptp(data.y) <= 1e-14 * float(np.abs(data.y).max()):
        raise Refused([error("outcome_constant", value=float(data.y[0]))])
    if spec.visits and len(data.visit.levels) < len(spec.visits):
        gone = next(visit for visit in spec.visits if visit not in data.visit.levels)
        raise Refused([error("visit_empty", visit=gone)])
    if spec.model == "clda" and spec.visits and data.visit.levels[0] != spec.visits[0]:
        raise Refused([error("visit_empty", visit=spec.visits[0])])
    for k, visit in enumerate(data.visit.levels):
        y = data.y[data.visit.codes == k]
        if (
            len(y) > 2
            and data.baseline is not None
            and np.ptp(y - data.baseline[data.visit.codes == k]) <= 1e-12 * np.ptp(data.y)
        ):
            raise Refused([error("fit_visit_is_baseline", visit=visit)])
        if len(y) > 1 and np.ptp(y) == 0:
            raise Refused([error("fit_visit_constant", visit=visit, value=float(y[0]))])


def _refuse_few(patterns: Patterns, data: Long) -> None:
    if patterns.rows <= patterns.rank or data.subjects <= patterns.visits:
        raise Refused([error("fit_too_few", rows=patterns.rows, subjects=data.subjects, parameters=patterns.rank)])


def wide(data: Long) -> tuple[Array, float, float]:
    """The outcome (n, T), NaN where missing, centered and scaled; the center and the scale."""
    center, scale = float(data.y.mean()), float(data.y.std())
    Y = np.full((data.subjects, len(data.visit.levels)), np.nan)
    Y[data.subject, data.visit.codes] = (data.y - center) / scale
    return Y, center, scale


def _groups(data: Long, spec: FitSpec) -> tuple[Codes, tuple[str, ...]]:
    """Which covariance matrix each patient has."""
    group = np.zeros(data.subjects, dtype=np.intp)
    if not spec.covariance_by_arm or data.arm is None:
        return group, ("",)
    group[data.subject] = data.arm.codes
    return group, data.arm.levels


def search(patterns: Patterns, spec: FitSpec) -> tuple[Maximum, list[str]]:
    """The first covariance of the chain that converges, and those tried. Raises Refused where none does."""
    tried: list[str] = []
    top: Maximum | None = None
    for one in chain_of(spec.covariance, patterns.visits):
        tried.append(one.name)
        top = maximize(patterns, one, spec.method == "reml")
        if top is not None and top.converged:
            return top, tried
    raise Refused([error("fit_not_converged", tried=tuple(tried))])


def _variance(spec: FitSpec, fell_back: bool, problems: list[Problem]) -> str:
    """Model-based, unless the plan says otherwise, the covariance fell back, or df are counted by rows (as in mmrm)."""
    asked = spec.variance or ("cr2" if spec.cluster else None)
    if spec.cluster and asked == "model":
        raise Refused([error("fit_cluster_model")])
    if spec.df == "kenward_roger" and asked in ("cr0", "cr2"):
        raise Refused([error("fit_kenward_roger_robust", variance=asked)])
    if asked:
        return asked
    if fell_back:
        problems.append(warning("variance_robust", variance="cr2"))
        return "cr2"
    if spec.df == "residual":
        problems.append(warning("residual_robust"))
        return "cr0"
    return "model"


def _clusters(data: Long, spec: FitSpec) -> Codes | None:
    """The cluster (n,) of each patient; who is in none is a cluster of its own. None where every patient is."""
    if not spec.cluster:
        return None
    unit = data.others[spec.cluster]
    codes = np.arange(data.subjects, dtype=np.intp)
    if isinstance(unit, Factor):
        inside = in_group(unit)
        codes[data.subject[inside]] = data.subjects + unit.codes[inside]
    return np.unique(codes, return_inverse=True)[1].astype(np.intp)


def _precision(spec: FitSpec, variance: str, found: Found, to_reported: Array, data: Long) -> Precision:
    """The variance of the coefficients and the degrees of freedom that go with it."""
    counts = {"between_within": True, "residual": False}
    patterns, top = found.patterns, found.top
    made = Precision(top.point.inverse, satterthwaite(top))
    if variance != "model":
        made = robust(patterns, top, found.design, found.Y, found.group, variance == "cr2", _clusters(data, spec))
    elif spec.df == "kenward_roger":
        made = Precision(kenward_roger(patterns, top), made.df, kenward_roger_f(top))
    if spec.df in counts:
        within = found.columns.within[patterns.kept]
        by_count = counted(patterns.rows, data.subjects, within, to_reported, counts[spec.df])
        made = replace(made, df=by_count, joint=None)
    return made
