"""From a table of text to the model matrix: columns typed and checked, levels with their reference, formula by formulaic."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import formulaic
import numpy as np
import numpy.typing as npt
import pandas as pd

from .likelihood import Array
from .problems import Problem, Refused, error, warning
from .spec import Spec, level_text

_MISSING = {"", "NA", "NaN", "."}
_NAMED = 5  # so many bad cells are named one by one; then the count says how many more


def read_table(source: bytes | str | Path) -> pd.DataFrame:
    """A CSV (UTF-8, comma, header) as text cells; nothing is guessed. Raises Refused for a table that is none."""
    raw = source.read_bytes() if isinstance(source, Path) else source
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
    except UnicodeDecodeError as failure:
        raise Refused([error("table_not_utf8", byte=failure.start)]) from failure
    lines = list(csv.reader(io.StringIO(text)))
    if not lines:
        raise Refused([error("table_empty")])
    header = [name.strip() for name in lines[0]]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise Refused([error("table_column_twice", columns=tuple(twice))])
    rows = [line for line in lines[1:] if line]
    bad = [n for n, line in enumerate(rows, start=2) if len(line) != len(header)]
    if bad:
        raise Refused([error("table_ragged", row=bad[0], columns=len(header), rows=len(bad))])
    return pd.DataFrame(rows, columns=header, dtype=object)


@dataclass(frozen=True)
class Prepared:
    """Typed data. `frame` has every row, `analyzed` (bool, one per row) those that the model uses."""

    spec: Spec
    frame: pd.DataFrame
    analyzed: npt.NDArray[np.bool_]
    indicator: str | None
    problems: tuple[Problem, ...]

    @property
    def subjects(self) -> pd.DataFrame:
        """One row per subject in the data (the first)."""
        return self.frame.drop_duplicates(self.spec.subject)


def prepare(table: pd.DataFrame, spec: Spec) -> Prepared:
    """Type and check the columns that the specification names. Raises Refused with every error found, each with its place."""
    wanted = _columns(spec)
    absent = [column for column in wanted if column not in table.columns]
    if absent:
        have = tuple(str(c) for c in table.columns)
        raise Refused([error("column_missing", column=column, available=have) for column in absent])
    problems: list[Problem] = []
    frame = pd.DataFrame(index=range(len(table)))
    numeric = {spec.outcome, spec.baseline, *(c.column for c in spec.covariates if c.kind == "numeric")}
    numeric |= {spec.time.column} if spec.time.form == "linear" else set()
    for column in wanted:
        cells = [level_text(cell) for cell in table[column].fillna("").to_list()]
        frame[column] = _numbers(column, cells, problems) if column in numeric else _texts(cells)
    _check_levels(frame, spec, problems)
    _check_subjects(frame, spec, problems)
    if any(p.severity == "error" for p in problems):
        raise Refused(problems)
    indicator = _fill_baseline(frame, spec, problems)
    analyzed = _analyzed(frame, spec, problems)
    if not analyzed.any():
        raise Refused([*problems, error("nothing_to_analyze", outcome=spec.outcome)])
    problems += _cells(frame[analyzed], spec)
    return Prepared(spec, frame, analyzed, indicator, tuple(problems))


def _columns(spec: Spec) -> list[str]:
    """Every column that the specification names, once, in a fixed order."""
    found = [spec.subject, spec.time.column, spec.outcome]
    found += [spec.arm.column] if spec.arm else []
    found += [spec.baseline] if spec.baseline else []
    found += [spec.unit] if spec.unit else []
    return found + [c.column for c in spec.covariates]


def _texts(cells: list[str]) -> pd.Series[Any]:
    return pd.Series([None if cell in _MISSING else cell for cell in cells], dtype=object)


def _numbers(column: str, cells: list[str], problems: list[Problem]) -> pd.Series[Any]:
    """Numbers, NaN where missing; every cell that is neither is a problem with its row (the header is row 1)."""
    values, bad = np.full(len(cells), np.nan), []
    for n, cell in enumerate(cells):
        if cell in _MISSING:
            continue
        try:
            values[n] = float(cell)
        except ValueError:
            values[n] = np.inf
        if not np.isfinite(values[n]):
            bad.append((n + 2, cell))
    problems += [error("not_a_number", column=column, row=row, value=cell) for row, cell in bad[:_NAMED]]
    if len(bad) > _NAMED:
        problems.append(error("not_a_number_more", column=column, rows=len(bad) - _NAMED))
    return pd.Series(values)


def _check_levels(frame: pd.DataFrame, spec: Spec, problems: list[Problem]) -> None:
    """Turn factors into categories with the reference first; a value that is no level is an error with its row."""
    factors: list[tuple[str, tuple[str, ...], bool]] = [
        (c.column, c.levels, False) for c in spec.covariates if c.kind == "categorical"
    ]
    if spec.arm:
        factors.append((spec.arm.column, spec.arm.levels, True))
    if spec.time.form == "categorical":
        factors.append((spec.time.column, spec.time.levels, True))
    else:
        times = {float(level) for level in spec.time.levels}
        for row, value in enumerate(frame[spec.time.column].tolist(), start=2):
            if value not in times:
                problems.append(error("unknown_level", column=spec.time.column, row=row, value=level_text(value),
                                      allowed=spec.time.levels))  # fmt: skip
                break
    for column, levels, complete in factors:
        for row, value in enumerate(frame[column].tolist(), start=2):
            if (value is None and complete) or (value is not None and value not in levels):
                problems.append(error("unknown_level", column=column, row=row, value=value or "", allowed=levels))
                break
        known = frame[column].where(frame[column].isin(levels), None)
        frame[column] = pd.Categorical(known, categories=list(levels))


def _check_subjects(frame: pd.DataFrame, spec: Spec, problems: list[Problem]) -> None:
    """One row per subject and visit; arm, baseline and covariates are facts of the subject."""
    nameless = np.flatnonzero(frame[spec.subject].isna().to_numpy())
    if nameless.size:
        problems.append(error("subject_missing", column=spec.subject, row=int(nameless[0]) + 2))
        return
    twice = frame[frame.duplicated([spec.subject, spec.time.column])]
    if len(twice):
        first = twice.iloc[0]
        visit = level_text(first[spec.time.column])
        problems.append(error("row_twice", subject=str(first[spec.subject]), visit=visit, rows=len(twice)))
    fixed = [c.column for c in spec.covariates]
    fixed += [spec.arm.column] if spec.arm else []
    fixed += [spec.baseline] if spec.baseline else []
    fixed += [spec.unit] if spec.unit else []
    for column in fixed:
        distinct = frame.groupby(spec.subject)[column].nunique(dropna=False)
        varying = distinct[distinct > 1]
        if len(varying):
            problems.append(error("varies_within_subject", column=column, subject=str(varying.index[0])))


def _fill_baseline(frame: pd.DataFrame, spec: Spec, problems: list[Problem]) -> str | None:
    """Mean of all subjects and an indicator where the baseline is missing (nobody is dropped for it); the indicator's name."""
    if not spec.baseline:
        return None
    missing = frame[spec.baseline].isna()
    if not missing.any():
        return None
    number = int(frame.loc[missing, spec.subject].nunique())
    known = frame.drop_duplicates(spec.subject)[spec.baseline].dropna()
    if spec.missing_baseline == "refuse" or known.empty:
        raise Refused([*problems, error("baseline_missing", column=spec.baseline, subjects=number)])
    name = f"{spec.baseline} missing"
    frame[name] = missing.astype(float)
    frame["baseline as measured"] = frame[spec.baseline]
    frame.loc[missing, spec.baseline] = float(known.mean())
    problems.append(warning("baseline_filled", column=spec.baseline, subjects=number, mean=float(known.mean())))
    return name


def _analyzed(frame: pd.DataFrame, spec: Spec, problems: list[Problem]) -> npt.NDArray[np.bool_]:
    """Rows with an outcome and all covariates; who is left out for a covariate is counted."""
    usable = frame[spec.outcome].notna()
    for column in (*(c.column for c in spec.covariates), *((spec.unit,) if spec.unit else ())):
        without = usable & frame[column].isna()
        if without.any():
            lost = int(frame.loc[without, spec.subject].nunique())
            problems.append(warning("covariate_missing", column=column, subjects=lost))
        usable &= frame[column].notna()
    return cast(npt.NDArray[np.bool_], usable.to_numpy(dtype=bool))


def _cells(rows: pd.DataFrame, spec: Spec) -> list[Problem]:
    """Visits and arms without anybody, and arms of one person: said before the model is fitted."""
    found: list[Problem] = []
    visits = rows[spec.time.column].map(level_text).astype(str)
    found += [warning("visit_empty", visit=visit) for visit in spec.time.levels if not (visits == visit).any()]
    if spec.arm is None:
        return found
    for arm in spec.arm.levels:
        mine = rows[spec.arm.column] == arm
        people = int(rows.loc[mine, spec.subject].nunique())
        if people == 0:
            found.append(warning("arm_empty", arm=arm))
            continue
        if people == 1:
            found.append(warning("arm_of_one", arm=arm))
        found += [
            warning("cell_empty", arm=arm, visit=visit)
            for visit in spec.time.levels
            if (visits == visit).any() and not (mine & (visits == visit)).any()
        ]
    return found


@dataclass(frozen=True)
class Design:
    """The model matrix of the analyzed rows, and the means to make that of any other rows."""

    names: tuple[str, ...]
    X: Array
    encoder: Any  # formulaic.ModelSpec, untyped

    def rows(self, frame: pd.DataFrame) -> Array:
        """The model matrix (n, p) of other rows, coded as the analyzed ones were."""
        return np.asarray(self.encoder.get_model_matrix(frame), dtype=float)


def build_design(prepared: Prepared) -> Design:
    """The model matrix by treatment coding, first level the reference."""
    matrix = formulaic.model_matrix(_formula(prepared), prepared.frame[prepared.analyzed])
    return Design(tuple(str(c) for c in matrix.columns), np.asarray(matrix, dtype=float), matrix.model_spec)


def _formula(prepared: Prepared) -> str:
    """The right-hand side, in the order intercept, baseline, time, arm, covariates, interaction."""
    spec = prepared.spec
    terms: list[str] = ["1"]
    terms += _quoted([spec.baseline] if spec.baseline else [])
    terms += _quoted([prepared.indicator] if prepared.indicator else [])
    terms += _quoted([spec.time.column])
    terms += _quoted([spec.arm.column] if spec.arm else [])
    terms += _quoted(c.column for c in spec.covariates)
    if spec.arm and spec.interaction:
        terms.append(":".join(_quoted([spec.arm.column, spec.time.column])))
    return " + ".join(terms)


def _quoted(columns: Iterable[str]) -> list[str]:
    return [f"`{column}`" for column in columns]
