"""A long table as typed arrays: one row per subject and visit, columns checked, levels coded in their order.

Rows without an outcome stay in the counts and leave the model. Who is randomized is who stands in the table at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .fitspec import FitSpec, unknown
from .likelihood import Array
from .problems import Problem, Refused, error, warning
from .spec import level_text

Codes = npt.NDArray[np.intp]
_MISSING = ("", "NA", "NaN", "nan", ".")
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


@dataclass(frozen=True)
class Factor:
    """A categorical column: `codes` (N,) of its `levels`, -1 where missing."""

    codes: Codes
    levels: tuple[str, ...]

    def only(self, rows: npt.NDArray[Any]) -> Factor:
        """These rows, with the levels that occur in them."""
        codes = self.codes[rows]
        present = np.unique(codes[codes >= 0])
        place = np.full(len(self.levels) + 1, -1, dtype=np.intp)
        place[present] = np.arange(len(present))
        return Factor(place[codes], tuple(self.levels[k] for k in present))


@dataclass(frozen=True)
class Covariate:
    """A covariate by row: numbers (N,), or codes with their levels. NaN or -1 where missing."""

    name: str
    values: Array
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Subjects in the table; with an outcome after the first visit (any at all without visits); in the model."""

    randomized: int
    any_follow_up: int
    analyzed: int


@dataclass(frozen=True)
class Spread:
    """The standard deviation of the baseline of all randomized subjects, pooled within arms, and how many have one."""

    value: float
    subjects: int


@dataclass(frozen=True)
class Long:
    """The analyzed rows (N of them). Without an arm in the specification it is None; without a visit there is one, named "".

    `baseline` (N,) is centered at its mean over all randomized subjects; `baseline_missing` (N,) is None where everybody has one.
    """

    y: Array
    subject: Codes
    subjects: int
    visit: Factor
    arm: Factor | None
    baseline: Array | None
    baseline_missing: Array | None
    covariates: tuple[Covariate, ...]
    others: dict[str, Factor | Array]
    counts: Counts
    spread: Spread | None
    problems: tuple[Problem, ...]


def read_long(table: pd.DataFrame, spec: FitSpec) -> Long:
    """Type and check the columns that the specification names. Raises Refused with the first thing that is wrong."""
    names = [str(column) for column in table.columns]
    for key, column in spec.columns.items():
        if column not in names:
            raise Refused([unknown("fit_column", column, names, key=key)])
    if table.empty:
        raise Refused([error("fit_no_rows")])
    y = numbers(table, spec.outcome)
    named = spec.subject or (spec.random[-1] if spec.model == "lmm" else None)
    subject = factor(table, named) if named else None
    if subject is not None and (subject.codes < 0).any():
        raise Refused([error("subject_missing", column=str(named), row=int(np.argmin(subject.codes)) + 2)])
    who = subject.codes if subject is not None else np.arange(len(table), dtype=np.intp)
    people = len(subject.levels) if subject is not None else len(table)
    visit = _visits(table, spec)
    arm = _arms(table, spec)
    if subject is not None and spec.subject:
        if spec.visit:
            _one_row_a_visit(subject, visit)
        if arm is not None:
            _same(arm.codes.astype(float), who, people, str(spec.arm), subject)
    problems = [
        warning("fit_clda_baseline", visit=visit.levels[0])
        if key == "baseline"
        else warning("fit_unused", key=key, model=spec.model)
        for key in spec.unused
    ]
    baseline, gap = _baseline(table, spec, who, people, subject, problems)
    covariates = [_covariate(table, column, spec) for column in spec.covariates]
    others = _others(table, spec)
    if spec.cluster and subject is not None:
        _same(_codes(others[spec.cluster]), who, people, spec.cluster, subject)
    if spec.subgroup and subject is not None:
        _same(_codes(others[spec.subgroup]), who, people, spec.subgroup, subject)
    # in these models the first visit is the baseline
    after_first = bool(spec.visit) and spec.model in ("clda", "lmm") and not spec.baseline
    usable, counts = _usable(y, who, people, visit, covariates, others, problems, after_first)
    if not usable.any():
        raise Refused([error("fit_all_missing", outcome=spec.outcome)])
    rows = np.flatnonzero(usable)
    left, codes = np.unique(who[rows], return_inverse=True)
    if len(left) < 3:
        raise Refused([error("fit_few_people", subjects=len(left))])
    kept_arm = arm.only(rows) if arm is not None else None
    if kept_arm is not None:
        _compare(kept_arm, arm, spec)
    kept_others = {key: one.only(rows) if isinstance(one, Factor) else one[rows] for key, one in others.items()}
    _refuse_one_level(kept_others, spec)
    return Long(
        y=y[rows],
        subject=codes.astype(np.intp),
        subjects=len(left),
        visit=visit.only(rows),
        arm=kept_arm,
        baseline=None if baseline is None else baseline[rows],
        baseline_missing=None if gap is None or not gap[rows].any() else gap[rows],
        covariates=tuple(_kept(one, rows) for one in covariates),
        others=kept_others,
        counts=Counts(counts[0], counts[1], len(left)),
        spread=_spread(y, who, visit, arm, baseline, gap, after_first),
        problems=tuple(problems),
    )


def _spread(
    y: Array,
    who: Codes,
    visit: Factor,
    arm: Factor | None,
    baseline: Array | None,
    gap: Array | None,
    after_first: bool,
) -> Spread | None:
    """Of the baseline column, or of the outcome at the first visit where that is the baseline; None where there is neither."""
    if baseline is not None and gap is not None:
        rows, values = np.flatnonzero(gap == 0), baseline
    elif after_first:
        rows, values = np.flatnonzero((visit.codes == 0) & ~np.isnan(y)), y
    else:
        return None
    rows = rows[np.unique(who[rows], return_index=True)[1]]
    codes = arm.codes[rows] if arm is not None else np.zeros(len(rows), dtype=np.intp)
    number = np.bincount(codes)
    freedom = len(rows) - int((number > 0).sum())
    if freedom < 1:
        return None
    mean = np.bincount(codes, values[rows]) / np.maximum(number, 1)
    total = float(((values[rows] - mean[codes]) ** 2).sum())
    return Spread(float(np.sqrt(total / freedom)), len(rows)) if total > 0 else None


def numbers(table: pd.DataFrame, column: str) -> Array:
    """A column as numbers (N,), NaN where missing; refused with the row of a cell that is neither (the header is row 1)."""
    cells = table[column]
    if cells.dtype.kind in "fiub":
        values = cells.to_numpy(dtype=float)
        bad = np.flatnonzero(np.isinf(values))
    else:
        texts = cells.fillna("").astype(str).str.strip()
        missing = texts.isin(_MISSING).to_numpy(dtype=bool)
        values = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float, copy=True)
        values[missing] = np.nan
        wrong = ~missing & ~np.isfinite(values)
        bad = np.flatnonzero(wrong)
    if bad.size:
        first = int(bad[0])
        raise Refused([error("not_a_number", column=column, row=first + 2, value=str(cells.iloc[first]))])
    return values


def factor(table: pd.DataFrame, column: str, order: Sequence[str] = ()) -> Factor:
    """A column as levels: in the given order (others count as missing), else numbers by size, else texts by alphabet."""
    if not order and table[column].dtype.kind in "iu":
        whole, own = np.unique(table[column].to_numpy(), return_inverse=True)
        return Factor(own.astype(np.intp), tuple(map(str, whole.tolist())))
    codes, found = pd.factorize(table[column])
    texts = [level_text(value) for value in found]
    if texts and all(_NUMBER.fullmatch(text) for text in texts if text not in _MISSING):
        texts = [text if text in _MISSING else level_text(float(text)) for text in texts]
        ordered = sorted({text for text in texts if text not in _MISSING}, key=float)
    else:
        ordered = sorted({text for text in texts if text not in _MISSING})
    levels = tuple(order) or tuple(ordered)
    place = {level: k for k, level in enumerate(levels)}
    by_code = np.array([*(place.get(text, -1) for text in texts), -1], dtype=np.intp)
    return Factor(by_code[codes], levels)


def _visits(table: pd.DataFrame, spec: FitSpec) -> Factor:
    if not spec.visit:
        return Factor(np.zeros(len(table), dtype=np.intp), ("",))
    found = factor(table, spec.visit)
    if not spec.visits:
        if (found.codes < 0).any():
            raise Refused([error("fit_cell_missing", column=spec.visit, row=int(np.argmin(found.codes)) + 2)])
        chosen = found
    else:
        for visit in spec.visits:
            if visit not in found.levels:
                raise Refused([unknown("fit_level", visit, found.levels, key="visits", column=spec.visit)])
        chosen = factor(table, spec.visit, spec.visits)
    if spec.visit_as == "number" and not all(_NUMBER.fullmatch(level) for level in chosen.levels):
        bad = next(level for level in chosen.levels if not _NUMBER.fullmatch(level))
        raise Refused([error("spec_level_not_a_number", place=spec.visit, got=bad)])
    return chosen


def _arms(table: pd.DataFrame, spec: FitSpec) -> Factor | None:
    if not spec.arm:
        return None
    found = factor(table, spec.arm)
    if (found.codes < 0).any():
        raise Refused([error("fit_cell_missing", column=spec.arm, row=int(np.argmin(found.codes)) + 2)])
    if spec.reference is None:
        return found
    if spec.reference not in found.levels:
        raise Refused([unknown("fit_level", spec.reference, found.levels, key="reference", column=spec.arm)])
    return factor(table, spec.arm, (spec.reference, *(level for level in found.levels if level != spec.reference)))


def _compare(kept: Factor, all_arms: Factor | None, spec: FitSpec) -> None:
    """Refuse where fewer than two arms, or not the reference, have an outcome."""
    if len(kept.levels) < 2:
        raise Refused([error("fit_one_arm", column=str(spec.arm), arm=kept.levels[0])])
    if all_arms is not None and kept.levels[0] != all_arms.levels[0]:
        raise Refused([error("arm_empty", arm=all_arms.levels[0])])


def _refuse_one_level(kept: dict[str, Factor | Array], spec: FitSpec) -> None:
    """Refuse a subgroup that does not divide who is analyzed."""
    one = kept[spec.subgroup] if spec.subgroup else None
    if isinstance(one, Factor) and len(one.levels) < 2:
        raise Refused([error("fit_one_level", column=str(spec.subgroup), level=", ".join(one.levels))])


def _one_row_a_visit(subject: Factor, visit: Factor) -> None:
    inside = np.flatnonzero(visit.codes >= 0)
    key = subject.codes[inside] * len(visit.levels) + visit.codes[inside]
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(np.diff(key[order]) == 0)
    if again.size:
        row = int(inside[order[again[0] + 1]])
        name, when = subject.levels[subject.codes[row]], visit.levels[visit.codes[row]]
        raise Refused([error("fit_row_twice", subject=name, visit=when, row=row + 2)])


def _same(values: Array, who: Codes, people: int, column: str, subject: Factor) -> None:
    """Refuse a fact of the subject that differs between its rows (missing cells excepted)."""
    known = ~np.isnan(values)
    low, high = np.full(people, np.inf), np.full(people, -np.inf)
    np.minimum.at(low, who[known], values[known])
    np.maximum.at(high, who[known], values[known])
    changes = np.flatnonzero(low < high)
    if changes.size:
        raise Refused([error("varies_within_subject", column=column, subject=subject.levels[int(changes[0])])])


def _baseline(
    table: pd.DataFrame, spec: FitSpec, who: Codes, people: int, subject: Factor | None, problems: list[Problem]
) -> tuple[Array | None, Array | None]:
    """The baseline centered over all randomized; who has none gets the mean and an indicator."""
    if not spec.baseline:
        return None, None
    values = numbers(table, spec.baseline)
    if subject is not None:
        _same(values, who, people, spec.baseline, subject)
    of = np.full(people, np.nan)
    known = ~np.isnan(values)
    of[who[known]] = values[known]
    missing = np.isnan(of)
    if missing.all():
        raise Refused([error("fit_all_missing", outcome=spec.baseline)])
    mean = float(of[~missing].mean())
    if missing.any():
        problems.append(warning("baseline_filled", column=spec.baseline, subjects=int(missing.sum()), mean=mean))
    return np.where(missing, 0.0, of - mean)[who], missing[who].astype(float)


def _covariate(table: pd.DataFrame, column: str, spec: FitSpec) -> Covariate:
    if column not in spec.categorical and _numeric(table, column):
        return Covariate(column, numbers(table, column))
    found = factor(table, column)
    return Covariate(column, np.where(found.codes < 0, np.nan, found.codes.astype(float)), found.levels)


def _numeric(table: pd.DataFrame, column: str) -> bool:
    """Whether a column that is not declared categorical has numbers only; words make it categorical."""
    if table[column].dtype.kind in "fiub":
        return True
    texts = {str(value).strip() for value in pd.unique(table[column].fillna(""))} - set(_MISSING)
    return any(_NUMBER.fullmatch(text) for text in texts) or not texts


def _others(table: pd.DataFrame, spec: FitSpec) -> dict[str, Factor | Array]:
    """Columns that only some models use: units, clusters, slope, exposure, treatment received."""
    found: dict[str, Factor | Array] = {column: factor(table, column) for column in spec.random}
    units = [*([spec.nested_in_arm["unit"]] if spec.nested_in_arm else []), *([spec.cluster] if spec.cluster else [])]
    found |= {unit: _with_nobody(factor(table, unit)) for unit in units}
    found |= {spec.subgroup: factor(table, spec.subgroup)} if spec.subgroup else {}
    for column in (spec.slope, spec.exposure, spec.received):
        if column:
            found[column] = numbers(table, column)
    return found


def in_group(unit: Factor) -> npt.NDArray[np.bool_]:
    """Who is in a group at all: empty and 0 are none."""
    none = [k for k, level in enumerate(unit.levels) if level == "0"]
    return np.asarray((unit.codes >= 0) & ~np.isin(unit.codes, none), dtype=bool)


def _codes(one: Factor | Array) -> Array:
    """A column as numbers, NaN where missing."""
    return np.where(one.codes < 0, np.nan, one.codes.astype(float)) if isinstance(one, Factor) else one


def _with_nobody(unit: Factor) -> Factor:
    """Units where an empty cell is the level 0: in no unit."""
    if (unit.codes >= 0).all():
        return unit
    levels = unit.levels if "0" in unit.levels else (*unit.levels, "0")
    return Factor(np.where(unit.codes < 0, levels.index("0"), unit.codes), levels)


def _usable(
    y: Array,
    who: Codes,
    people: int,
    visit: Factor,
    covariates: Sequence[Covariate],
    others: dict[str, Factor | Array],
    problems: list[Problem],
    after_first: bool,
) -> tuple[npt.NDArray[np.bool_], tuple[int, int]]:
    """Rows with an outcome, a chosen visit and all covariates; how many are randomized, and have an outcome at all."""
    usable = ~np.isnan(y)
    usable &= visit.codes >= 0
    followed = len(np.unique(who[usable & (visit.codes > 0) if after_first else usable]))
    gaps = {one.name: np.isnan(one.values) for one in covariates}
    gaps |= {name: one.codes < 0 if isinstance(one, Factor) else np.isnan(one) for name, one in others.items()}
    for name, gap in gaps.items():
        lost = np.unique(who[usable & gap])
        if lost.size:
            problems.append(warning("covariate_missing", column=name, subjects=len(lost)))
        usable = usable & ~gap
    return usable, (people, followed)


def _kept(one: Covariate, rows: npt.NDArray[Any]) -> Covariate:
    """A covariate at the analyzed rows, without levels that do not occur there."""
    if not one.levels:
        return Covariate(one.name, one.values[rows])
    found = Factor(one.values[rows].astype(np.intp), one.levels).only(np.arange(len(rows)))
    return Covariate(one.name, found.codes.astype(float), found.levels)
