"""Mann-Whitney: two groups by ranks, ties corrected; the shift by Hodges and Lehmann with its interval.

U of x against y counts the pairs with x > y, ties half. z = (U - nm/2 [-+ 1/2]) / s with
s^2 = nm/12 (N + 1 - sum(t^3 - t) / (N (N - 1))) over groups of t tied values: Lehmann (1975), Nonparametrics, 1.5; the test is
scipy's (`mannwhitneyu`, asymptotic). The continuity correction is a setting.

Shift: median of all differences x - y (Hodges and Lehmann 1963, Ann Math Stat 34:598-611). Its interval runs from the C-th smallest
to the C-th largest difference, C = floor(nm/2 + 1/2 - z sqrt(nm (N + 1) / 12)): Hollander, Wolfe and Chicken (2014), Nonparametric
Statistical Methods, 4.3. It takes no account of ties, which makes it wider, never narrower.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from .descriptives import summarize
from .likelihood import Array
from .results import Estimate, Summary, absent


@dataclass(frozen=True)
class RankTest:
    """`u` of the experimental group, `u_other` of the reference; `ties`: the share of the untied variance that ties leave (1: no ties)."""

    u: float
    u_other: float
    z: float | None
    p: float | None
    reason: str | None
    continuity: bool
    ties: float
    shift: Estimate
    experimental: Summary
    reference: Summary


def mann_whitney(x: Array, y: Array, continuity: bool = False, confidence: float = 0.95) -> RankTest:
    """Compare x (experimental) with y (reference); + means that x is higher. An empty group, or one value in all, has no test, and says why."""
    described = [summarize(pd.Series(v, dtype=float), len(v)) for v in (x, y)]
    n, m = len(x), len(y)
    if not n or not m:
        return RankTest(
            0.0, 0.0, None, None, "group_empty", continuity, 1.0, absent("shift", "group_empty"), *described
        )
    u = float(stats.mannwhitneyu(x, y, method="asymptotic").statistic)
    ties = tie_factor(np.concatenate([x, y]))
    if ties == 0:
        return RankTest(u, n * m - u, None, None, "all_tied", continuity, 0.0, absent("shift", "all_tied"), *described)
    z = z_of(u, n, m, ties, continuity)
    p = float(stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=continuity).pvalue)
    return RankTest(u, n * m - u, z, p, None, continuity, ties, _shift(x, y, confidence), *described)


def tie_factor(values: Array) -> float:
    """1 - sum(t^3 - t) / (N^3 - N): 1 without ties, 0 where all values are one."""
    counts = np.unique(values, return_counts=True)[1].astype(float)
    n = float(len(values))
    return float(1 - (counts**3 - counts).sum() / (n**3 - n)) if n > 1 else 0.0


def z_of(u: float, n: int, m: int, ties: float = 1.0, continuity: bool = False) -> float:
    """z of a U of groups of n and m, with the tie factor of `tie_factor`."""
    distance = u - n * m / 2
    if continuity:
        distance = float(np.sign(distance)) * max(abs(distance) - 0.5, 0.0)
    return float(distance / np.sqrt(n * m * (n + m + 1) / 12 * ties))


def _shift(x: Array, y: Array, confidence: float) -> Estimate:
    differences = np.sort(np.subtract.outer(x, y).ravel())
    n, m = len(x), len(y)
    spread = np.sqrt(n * m * (n + m + 1) / 12)
    place = int(np.floor(n * m / 2 + 0.5 - stats.norm.ppf(0.5 + confidence / 2) * spread))
    low, high = (None, None) if place < 1 else (float(differences[place - 1]), float(differences[-place]))
    reason = "too_few_for_interval" if place < 1 else None
    return Estimate("shift", float(np.median(differences)), None, None, None, None, low, high, reason)
