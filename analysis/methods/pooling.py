"""Estimates of several imputations as one: Rubin's rules.

With m estimates Q_i and their variances U_i: Qbar the mean, Ubar the mean of U_i (within), B the variance of Q_i (between, divisor m - 1),
T = Ubar + (1 + 1/m) B, r = (1 + 1/m) B / Ubar, lambda = (1 + 1/m) B / T. Rubin (1987), Multiple Imputation for Nonresponse in Surveys, 3.1.

Degrees of freedom: Rubin (1987) nu = (m - 1) / lambda^2; Barnard and Rubin (1999), Biometrika 86:948-955, with nu_com those of the complete
data: 1 / (1 / nu + 1 / nu_obs), nu_obs = (nu_com + 1) / (nu_com + 3) nu_com (1 - lambda).
Fraction of missing information: fmi = (r + 2 / (nu + 3)) / (r + 1), nu the degrees of freedom that are used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from .problems import Refused, error

_LARGEST = 1e75
"""Of an estimate or a standard error: the ratio of two squares must still be a number."""


@dataclass(frozen=True)
class Pooled:
    """One estimate of m imputations, in units of the estimates; `within` and `between` in their square.

    `df` is None where it is without bound (all imputations alike, and `df_complete` not given): then the normal distribution holds.
    """

    estimate: float
    se: float
    df: float | None
    df_method: Literal["barnard_rubin", "rubin_1987"]
    statistic: float
    p: float
    lower: float
    upper: float
    within: float
    between: float
    relative_increase: float
    fmi: float
    imputations: int


def pool(
    estimates: Sequence[float],
    errors: Sequence[float],
    *,
    df_complete: float | None = None,
    confidence: float = 0.95,
) -> Pooled:
    """Pool m estimates and their standard errors; the order changes nothing but rounding.

    Refused: fewer than two, not one standard error for each, a number that is not finite, a standard error that is not above 0, complete
    degrees of freedom that are not above 0.
    """
    q, u = np.asarray(estimates, dtype=float), np.asarray(errors, dtype=float) ** 2
    _check(q, np.asarray(errors, dtype=float), df_complete)
    m = len(q)
    within, between = math.fsum(u) / m, _variance(q)
    added = (1 + 1 / m) * between
    total, increase = within + added, added / within
    df = _degrees(m, added / total, df_complete)
    se, estimate = math.sqrt(total), math.fsum(q) / m
    reference = stats.norm if df is None else stats.t(df)
    half = float(reference.ppf(0.5 + confidence / 2)) * se
    return Pooled(
        estimate=estimate,
        se=se,
        df=df,
        df_method="rubin_1987" if df_complete is None else "barnard_rubin",
        statistic=estimate / se,
        p=float(2 * reference.sf(abs(estimate / se))),
        lower=estimate - half,
        upper=estimate + half,
        within=within,
        between=between,
        relative_increase=increase,
        fmi=(increase + (0.0 if df is None else 2 / (df + 3))) / (increase + 1),
        imputations=m,
    )


def _variance(q: np.ndarray) -> float:
    """Variance with divisor m - 1; exactly 0 where all are the same number."""
    if np.ptp(q) == 0:
        return 0.0
    return math.fsum((q - math.fsum(q) / len(q)) ** 2) / (len(q) - 1)


def _degrees(m: int, share: float, df_complete: float | None) -> float | None:
    """Degrees of freedom for lambda = share; None: without bound."""
    old = (m - 1) / share**2 if share**2 > 0 else math.inf
    if df_complete is None:
        return old if math.isfinite(old) else None
    observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
    return 1 / (1 / old + 1 / observed) if observed > 0 else None


def _check(q: np.ndarray, errors: np.ndarray, df_complete: float | None) -> None:
    if len(q) != len(errors):
        raise Refused([error("pool_pairs", estimates=len(q), errors=len(errors))])
    if len(q) < 2:
        raise Refused([error("pool_too_few", got=len(q))])
    for row, (estimate, se) in enumerate(zip(q, errors, strict=True), 1):
        if not (abs(estimate) < _LARGEST and 1 / _LARGEST < se < _LARGEST):
            raise Refused([error("pool_number", row=row, estimate=float(estimate), se=float(se))])
    if df_complete is not None and not (math.isfinite(df_complete) and df_complete > 0):
        raise Refused([error("pool_df", got=float(df_complete))])
