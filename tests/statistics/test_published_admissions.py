"""The published figures of admissions hold together, by our own formulas (Roosenschoon et al. 2021; thesis p. 123)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from analysis.methods.logistic import as_ratio, fit_logistic, wald
from analysis.methods.ranks import mann_whitney, tie_factor, z_of


def test_odds_ratio_interval_and_p_belong_together() -> None:
    """OR 1.22, 95 % CI .44 to 3.42, p = .71: the interval implies SE .523, z .38, p .70, and from these the interval comes back."""
    se = (math.log(3.42) - math.log(0.44)) / (2 * stats.norm.ppf(0.975))
    assert se == pytest.approx(0.523, abs=5e-4)
    ratio = as_ratio(wald("arm", math.log(1.22), se, 0.95))
    assert ratio.statistic == pytest.approx(0.38, abs=5e-3)
    assert ratio.p == pytest.approx(0.71, abs=0.011)
    assert ratio.low == pytest.approx(0.44, abs=0.005)
    assert ratio.high == pytest.approx(3.42, abs=0.025)


def test_our_own_odds_ratio_interval_and_p_belong_together() -> None:
    rng = np.random.default_rng(5)
    arm, before = rng.integers(0, 2, 187).astype(float), rng.integers(0, 2, 187).astype(float)
    after = rng.random(187) < 1 / (1 + np.exp(1.5 - before))
    ratio = fit_logistic(after, np.column_stack([np.ones(187), arm, before]), ("i", "arm", "before"), 1).odds_ratio
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.estimate == pytest.approx(math.sqrt(ratio.low * ratio.high), rel=1e-9)
    se = (math.log(ratio.high) - math.log(ratio.low)) / (2 * stats.norm.ppf(0.975))
    assert ratio.se == pytest.approx(se, rel=1e-9)
    assert ratio.p == pytest.approx(2 * stats.norm.sf(abs(math.log(ratio.estimate or 0)) / se), rel=1e-9)


def test_u_and_p_need_the_ties_that_many_zero_differences_make() -> None:
    """U = 3,928.50 with 116 and 71: without ties z -.53, p .60; the printed p = .50 needs a tie factor of .61."""
    z = z_of(3928.5, 116, 71)
    assert z == pytest.approx(-0.53, abs=5e-3)
    assert 2 * stats.norm.sf(abs(z)) == pytest.approx(0.60, abs=5e-3)
    needed = (z / stats.norm.ppf(0.25)) ** 2
    assert needed == pytest.approx(0.61, abs=5e-3)
    assert 2 * stats.norm.sf(abs(z_of(3928.5, 116, 71, needed))) == pytest.approx(0.50, abs=1e-9)
    values = np.concatenate([np.zeros(137), np.arange(1.0, 51.0)])  # 73 % of 187 share one value
    assert tie_factor(values) == pytest.approx(0.61, abs=5e-3)


def test_u_of_both_groups_adds_up_and_ties_count_half() -> None:
    x, y = np.array([0.0, 0.0, 3.0, -2.0]), np.array([0.0, 1.0, 0.0])
    found = mann_whitney(x, y)
    by_hand = sum((a > b) + 0.5 * (a == b) for a in x for b in y)
    assert (found.u, found.u + found.u_other) == (by_hand, 12)
