"""Counts against glmmTMB (negative binomial, with and without teams) and statsmodels (Poisson), and what must not change a rate ratio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods.counts import CountFit, fit_counts
from analysis.methods.problems import Refused

FOLDER = Path(__file__).parent / "references"
ROWS = pd.read_csv(FOLDER / "counts_a.csv")
REFERENCE: dict[str, Any] = json.loads((FOLDER / "counts_a.json").read_text(encoding="utf-8"))
NAMES = ("(Intercept)", "arm", "prior")
X = np.column_stack([np.ones(len(ROWS)), ROWS["arm"], ROWS["prior"]]).astype(float)
Y, YEARS, TEAMS = (ROWS[name].to_numpy() for name in ("admissions", "fu_years", "team"))


def fit(y: npt.ArrayLike = Y, columns: npt.NDArray[np.float64] = X, years: npt.ArrayLike = YEARS) -> CountFit:
    return fit_counts(y, columns, NAMES, 1, years)


WHOLE = fit()


@pytest.mark.parametrize("case", ["glmmTMB_nb2", "glmmTMB_nb2_team"])
def test_negative_binomial_equals_glmmtmb(case: str) -> None:
    wanted = REFERENCE[case]
    found = fit_counts(Y, X, NAMES, 1, YEARS, TEAMS) if case.endswith("team") else WHOLE
    errors = wanted["se" if case.endswith("team") else "se_observed_info"]
    assert [c.estimate for c in found.coefficients] == pytest.approx([wanted["coef"][n] for n in NAMES], rel=1e-5)
    assert [c.se for c in found.coefficients] == pytest.approx([errors[n] for n in NAMES], rel=1e-5)
    assert found.theta == pytest.approx(wanted["theta"], rel=1e-5)
    assert found.log_likelihood == pytest.approx(wanted["logLik"], abs=1e-6)
    if case.endswith("team"):
        assert found.unit_sd == pytest.approx(wanted["team_sd"], rel=1e-5)
        assert found.units == ROWS["team"].nunique()
    assert found.gradient is not None
    assert found.gradient < 1e-9
    assert found.rate_ratio.estimate == pytest.approx(np.exp(wanted["coef"]["arm"]), rel=1e-6)
    assert (found.model, found.events, found.problems) == ("negative_binomial", int(Y.sum()), ())


def test_counts_that_vary_less_than_poisson_are_poisson_and_the_result_says_so() -> None:
    y = np.random.default_rng(3).binomial(6, 0.3, len(ROWS))
    found = fit_counts(y, X, NAMES, 1, YEARS * 0 + 2.0, TEAMS)
    exact = sm.GLM(y, X, sm.families.Poisson(), offset=np.full(len(y), np.log(2.0))).fit(tol=1e-13)
    assert (found.model, found.theta, found.unit_sd) == ("poisson", None, None)
    assert [p.code for p in found.problems] == ["counts_no_overdispersion", "unit_variance_zero"]
    assert [c.estimate for c in found.coefficients] == pytest.approx(list(exact.params), rel=1e-8, abs=1e-9)
    assert [c.se for c in found.coefficients] == pytest.approx(list(exact.bse), rel=1e-7)
    assert found.log_likelihood == pytest.approx(exact.llf)


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([1e-6, 7.0, 1e6]))
def test_order_flipped_arms_and_units_of_time(shuffle: Any, scale: float) -> None:
    order = list(range(len(Y)))
    shuffle.shuffle(order)
    assert fit(Y[order], X[order], YEARS[order]) == WHOLE
    flipped = X.copy()
    flipped[:, 1] = 1 - X[:, 1]
    other = fit(columns=flipped, years=YEARS * scale)
    assert WHOLE.rate_ratio.estimate is not None
    assert other.rate_ratio.estimate == pytest.approx(1 / WHOLE.rate_ratio.estimate, rel=1e-8)
    assert other.rate_ratio.se == pytest.approx(WHOLE.rate_ratio.se, rel=1e-8)
    assert other.log_likelihood == pytest.approx(WHOLE.log_likelihood, abs=1e-8)
    wide = fit(columns=X * np.array([1, 1, 1e9]))
    assert wide.rate_ratio.estimate == pytest.approx(WHOLE.rate_ratio.estimate, rel=1e-8)


def test_what_is_not_estimable_says_why() -> None:
    def reason(y: npt.NDArray[Any], columns: npt.NDArray[np.float64] = X) -> str | None:
        found = fit(y, columns)
        assert found.rate_ratio.estimate is None
        return found.rate_ratio.reason

    assert reason(Y * 0) == "no_events"
    assert reason(np.where(X[:, 1] == 1, 0, Y)) == "counts_separated"
    assert reason(Y, X * np.array([1, 0, 1])) == "group_constant"
    doubled = fit_counts(Y, np.column_stack([X, X[:, 2]]), (*NAMES, "again"), 1, YEARS, np.ones(len(Y)))
    assert doubled.coefficients[:3] == WHOLE.coefficients
    assert (doubled.coefficients[3].reason, doubled.unit_sd) == ("not_estimable", None)
    assert [p.code for p in doubled.problems] == ["column_left_out", "one_unit"]


@pytest.mark.parametrize(("place", "value", "code"), [("y", -1, "number"), ("y", 0.5, "number"), ("years", 0, "years")])
def test_what_is_no_count_is_refused(place: str, value: float, code: str) -> None:
    y, years = Y.astype(float), YEARS.astype(float)
    (y if place == "y" else years)[4] = value
    with pytest.raises(Refused, match=f"counts_{code}.*'row': 5"):
        fit(y, years=years)
