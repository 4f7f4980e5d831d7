"""Logistic regression against formulas that can be worked by hand, statsmodels, and separation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from analysis.methods.canonical import encode
from analysis.methods.logistic import fit_logistic, is_separated


def of_table(a: int, b: int, c: int, d: int) -> tuple[Any, Any]:
    """Outcome and design of a four-fold table: a events and b none in group 1, c and d in group 0."""
    y = np.array([True] * a + [False] * b + [True] * c + [False] * d)
    return y, np.column_stack([np.ones(len(y)), [1.0] * (a + b) + [0.0] * (c + d)])


def test_a_four_fold_table_by_hand() -> None:
    """Woolf: log odds ratio with SE sqrt(1/a + 1/b + 1/c + 1/d); the risk difference is that of the two proportions."""
    a, b, c, d = 12, 30, 8, 25
    y, X = of_table(a, b, c, d)
    found = fit_logistic(y, X, ("i", "g"), 1)
    assert (found.method, found.n, found.events, found.separated) == ("maximum_likelihood", 75, 20, False)
    assert found.odds_ratio.estimate == pytest.approx(a * d / (b * c), rel=1e-10)
    se = math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    assert found.odds_ratio.se == pytest.approx(se, rel=1e-10)
    assert found.odds_ratio.low == pytest.approx(a * d / (b * c) * math.exp(-1.959963984540054 * se), rel=1e-9)
    p1, p0 = a / (a + b), c / (c + d)
    assert found.risk_difference.estimate == pytest.approx(p1 - p0, rel=1e-9)
    assert found.risk_difference.se == pytest.approx(
        math.sqrt(p1 * (1 - p1) / (a + b) + p0 * (1 - p0) / (c + d)), rel=1e-9
    )


def test_adjusted_it_equals_statsmodels_and_the_risk_difference_is_the_mean_of_both_worlds() -> None:
    rng = np.random.default_rng(1)
    g, before = rng.integers(0, 2, 187).astype(float), rng.integers(0, 2, 187).astype(float)
    y = rng.random(187) < 1 / (1 + np.exp(1.4 - 0.5 * g - before))
    X = np.column_stack([np.ones(187), g, before])
    found = fit_logistic(y, X, ("i", "g", "before"), 1)
    theirs = sm.Logit(y.astype(float), X).fit(disp=0, tol=1e-12)
    np.testing.assert_allclose([c.estimate for c in found.coefficients], theirs.params, rtol=1e-7)
    np.testing.assert_allclose([c.se for c in found.coefficients], theirs.bse, rtol=1e-7)
    assert found.log_likelihood == pytest.approx(theirs.llf, rel=1e-10)
    one, none = X.copy(), X.copy()
    one[:, 1], none[:, 1] = 1, 0
    wanted = float((theirs.predict(one) - theirs.predict(none)).mean())
    assert found.risk_difference.estimate == pytest.approx(wanted, rel=1e-7)


@pytest.mark.parametrize("table", [(5, 5, 0, 8), (10, 0, 6, 7), (4, 0, 0, 9)])
def test_separation_is_detected_and_firth_adds_a_half_to_each_cell(table: tuple[int, int, int, int]) -> None:
    a, b, c, d = table
    y, X = of_table(a, b, c, d)
    found = fit_logistic(y, X, ("i", "g"), 1)
    assert (found.method, found.separated, found.converged) == ("firth", True, True)
    assert "separated" in [p.code for p in found.problems]
    wanted = (a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))
    assert found.odds_ratio.estimate == pytest.approx(wanted, rel=1e-8)
    assert found.risk_difference.estimate == pytest.approx((a + 0.5) / (a + b + 1) - (c + 0.5) / (c + d + 1), rel=1e-8)
    encode(found)


def test_the_profile_interval_of_firth_ends_where_the_likelihood_ratio_says() -> None:
    """For a saturated table the penalized profile is that of binomials with 1/2 added to each cell, so it can be worked by hand."""
    from scipy import optimize, special

    a, b, c, d = 5, 5, 0, 8
    y, X = of_table(a, b, c, d)
    found = fit_logistic(y, X, ("i", "g"), 1)

    def height(intercept: float, slope: float) -> float:
        line1, line0 = intercept + slope, intercept
        return float(
            (a + 0.5) * special.log_expit(line1)
            + (b + 0.5) * special.log_expit(-line1)
            + (c + 0.5) * special.log_expit(line0)
            + (d + 0.5) * special.log_expit(-line0)
        )

    def profile(slope: float) -> float:
        return -float(optimize.minimize_scalar(lambda i: -height(i, slope), bounds=(-40, 40), method="bounded").fun)

    top = profile(math.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))))
    for end in (found.odds_ratio.low, found.odds_ratio.high):
        assert end is not None
        assert 2 * (top - profile(math.log(end))) == pytest.approx(stats.chi2.ppf(0.95, 1), rel=1e-4)
    assert found.odds_ratio.p == pytest.approx(stats.chi2.sf(2 * (top - profile(0.0)), 1), rel=1e-4)


def test_overlapping_data_are_not_separated() -> None:
    y, X = of_table(3, 3, 3, 3)
    assert not is_separated(y, X)
    assert is_separated(*of_table(3, 0, 0, 3))


@pytest.mark.parametrize(("table", "reason"), [((0, 5, 0, 6), "event_constant"), ((5, 0, 6, 0), "event_constant")])
def test_nobody_or_everybody_is_na_with_the_reason_never_zero(table: tuple[int, int, int, int], reason: str) -> None:
    found = fit_logistic(*of_table(*table), ("i", "g"), 1)
    for estimate in (found.odds_ratio, found.risk_difference, *found.coefficients):
        assert (estimate.estimate, estimate.p, estimate.reason) == (None, None, reason)


def test_one_group_is_na_and_a_covariate_that_tells_nothing_is_left_out() -> None:
    y = np.array([True, False, True, False, False])
    assert fit_logistic(y, np.ones((5, 2)), ("i", "g"), 1).odds_ratio.reason == "group_constant"
    y, X = of_table(3, 4, 2, 6)
    found = fit_logistic(y, np.column_stack([X, np.zeros(len(y))]), ("i", "g", "before"), 1)
    assert [(p.code, p.data["column"]) for p in found.problems] == [("column_left_out", "before")]
    assert found.coefficients[2].reason == "not_estimable"
    assert found.odds_ratio.estimate == pytest.approx(3 * 6 / (4 * 2))


def test_a_covariate_that_separates_is_the_same_wherever_its_zero_lies() -> None:
    rng = np.random.default_rng(5)
    age, group = rng.normal(50, 8, 60), (np.arange(60) % 2).astype(float)
    y = age > np.median(age)
    found = [
        fit_logistic(y, np.column_stack([np.ones(60), group, age - zero]), ("one", "group", "age"), 1)
        for zero in (0.0, 50.0)
    ]
    assert [(one.method, one.converged) for one in found] == [("firth", True)] * 2
    for far, near in zip(found[0].coefficients[1:], found[1].coefficients[1:], strict=True):
        for name in ("estimate", "se", "statistic", "low", "high"):
            assert getattr(far, name) == pytest.approx(getattr(near, name), rel=1e-6), name
