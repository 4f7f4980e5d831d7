"""Counts, means and ranges by visit, of all arms together or of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .design import Prepared
from .results import Counts, StandardDeviation, Summary, VisitSummary
from .spec import level_text


def summarize(values: pd.Series[Any], people: int) -> Summary:
    """Summary of the values present; `people` minus their number is missing. No values: None, not 0; one value: no SD."""
    present = values.dropna().to_numpy(dtype=float)
    n = len(present)
    if n == 0:
        return Summary(0, people, None, None, None, None)
    sd = float(np.std(present, ddof=1)) if n > 1 else None
    return Summary(n, people - n, float(present.mean()), sd, float(present.min()), float(present.max()))


def describe(prepared: Prepared, by_arm: bool = False) -> tuple[VisitSummary, ...]:
    """Baseline (if it is a covariate) and each visit, of all arms together and, if asked for, of each arm.

    The people of a visit are all subjects in the data (of the arm): who has no row at a visit is missing there.
    """
    spec = prepared.spec
    arms: list[str | None] = [None]
    if by_arm and spec.arm is not None:
        arms += spec.arm.levels
    found = []
    for arm in arms:
        frame = prepared.frame
        if arm is not None and spec.arm is not None:
            frame = frame[frame[spec.arm.column] == arm]
        people = int(frame[spec.subject].nunique())
        if spec.baseline:
            first = frame.drop_duplicates(spec.subject)
            found.append(VisitSummary("baseline", arm, summarize(_measured(first, spec.baseline), people)))
        visits = frame[spec.time.column].map(level_text).astype(str)
        found += [
            VisitSummary(visit, arm, summarize(frame.loc[visits == visit, spec.outcome], people))
            for visit in spec.time.levels
        ]
    return tuple(found)


def _measured(frame: pd.DataFrame, baseline: str) -> pd.Series[Any]:
    """The baseline before a missing one was replaced by the mean."""
    return frame["baseline as measured"] if "baseline as measured" in frame.columns else frame[baseline]


def count(prepared: Prepared) -> Counts:
    """How many subjects are in the data, have an outcome after the baseline, are analyzed."""
    frame, subject, spec = prepared.frame, prepared.spec.subject, prepared.spec
    follow_up = frame[spec.outcome].notna()
    if spec.baseline_visit:
        follow_up &= frame[spec.time.column].map(level_text).astype(str) != spec.baseline_visit
    return Counts(
        subjects=int(frame[subject].nunique()),
        with_outcome=int(frame.loc[follow_up, subject].nunique()),
        analyzed=int(frame.loc[prepared.analyzed, subject].nunique()),
        rows=int(prepared.analyzed.sum()),
    )


def baseline_sd(prepared: Prepared) -> StandardDeviation | None:
    """The SD of the baseline of all subjects, pooled within arms where there are arms; None without a baseline.

    The baseline is the covariate, or the outcome at the baseline visit.
    """
    spec = prepared.spec
    if spec.baseline:
        people = prepared.subjects
        values = _measured(people, spec.baseline).to_numpy(dtype=float)
    elif spec.baseline_visit:
        visits = prepared.frame[spec.time.column].map(level_text).astype(str)
        people = prepared.frame[visits == spec.baseline_visit]
        values = people[spec.outcome].to_numpy(dtype=float)
    else:
        return None
    present = ~np.isnan(values)
    if spec.arm is None:
        sd = float(np.std(values[present], ddof=1)) if present.sum() > 1 else None
        return StandardDeviation("baseline", sd, int(present.sum()))
    arms = people[spec.arm.column].astype(str).to_numpy()
    squares, freedom = 0.0, 0
    for arm in spec.arm.levels:
        group = values[present & (arms == arm)]
        if len(group) > 1:
            squares += float(((group - group.mean()) ** 2).sum())
            freedom += len(group) - 1
    sd = float(np.sqrt(squares / freedom)) if freedom else None
    return StandardDeviation("baseline_within_arms", sd, int(present.sum()))
