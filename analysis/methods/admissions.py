"""Admissions in the year before and the year after, as published: any admission by logistic regression, days by Mann-Whitney.

Any admission after, adjusted for any admission before; the difference in days (after minus before) by ranks. People whose records are not
known on both sides are left out, and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .logistic import Binary, fit_logistic
from .ranks import RankTest, mann_whitney
from .results import absent


@dataclass(frozen=True)
class Stay:
    """One person: the group (True: experimental), and what the records say; None: not known."""

    experimental: bool
    before_any: bool | None
    before_days: int | None
    after_any: bool | None
    after_days: int | None


@dataclass(frozen=True)
class GroupStays:
    """One group: people, those with records on both sides, and how many of these were admitted before and after."""

    people: int
    known: int
    before: int
    after: int


@dataclass(frozen=True)
class Admissions:
    """`any` and `days` have None and a reason where nothing can be estimated."""

    experimental: GroupStays
    reference: GroupStays
    any: Binary
    days: RankTest


def analyze_admissions(stays: Sequence[Stay], continuity: bool = False, confidence: float = 0.95) -> Admissions:
    """Both analyses of the people given. The order of people changes nothing."""
    known = [s for s in stays if s.before_any is not None and s.after_any is not None]
    group = np.array([s.experimental for s in known], dtype=float)
    before = np.array([bool(s.before_any) for s in known], dtype=float)
    after = np.array([bool(s.after_any) for s in known], dtype=bool)
    names = ("Intercept", "group", "admitted before")
    if known:
        any_ = fit_logistic(after, np.column_stack([np.ones(len(known)), group, before]), names, 1, confidence)
    else:
        nothing = tuple(absent(name, "no_records") for name in names)
        any_ = Binary(None, 0, 0, nothing[1], nothing[1], nothing, False, False, 0, None, None)
    counted = [(s.experimental, s.after_days - s.before_days) for s in stays if _days_known(s)]  # type: ignore[operator]
    days = mann_whitney(
        np.array([d for mine, d in counted if mine], dtype=float),
        np.array([d for mine, d in counted if not mine], dtype=float),
        continuity,
        confidence,
    )
    return Admissions(_group(stays, True), _group(stays, False), any_, days)


def _days_known(stay: Stay) -> bool:
    return stay.before_days is not None and stay.after_days is not None


def _group(stays: Sequence[Stay], experimental: bool) -> GroupStays:
    mine = [s for s in stays if s.experimental is experimental]
    known = [s for s in mine if s.before_any is not None and s.after_any is not None]
    return GroupStays(
        len(mine), len(known), sum(bool(s.before_any) for s in known), sum(bool(s.after_any) for s in known)
    )
