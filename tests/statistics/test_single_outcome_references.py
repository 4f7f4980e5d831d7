"""Partially nested models, complier effects and counts against lme4, nlme, AER with clubSandwich, and glmmTMB; ANCOVA against statsmodels."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from analysis.methods.design import read_table
from tests.statistics.test_repeated_measures_references import REFERENCES, TOLERANCES, fitted

NESTED, COUNTS = (json.loads((REFERENCES / f"{name}.json").read_text()) for name in ("nested_a", "counts_a"))
BASE: dict[str, Any] = {"outcome": "y", "subject": "id", "visit": "time", "arm": "arm", "reference": "0",
                        "covariates": ["site"], "categorical": ["site"]}  # fmt: skip
GROUPS = {**BASE, "model": "lmm", "random": ["id"], "nested_in_arm": {"arm": "1", "unit": "group"}}


def groups() -> pd.DataFrame:
    table = read_table(REFERENCES / "nested_a.csv")
    return table.assign(base=table["id"].map(table[table["time"] == "0"].set_index("id")["y"]))


@pytest.mark.parametrize("df", ["satterthwaite", "kenward_roger"])
def test_groups_in_one_arm(df: str) -> None:
    found, expected = fitted(groups(), {**GROUPS, "residual_by_arm": False, "df": df}), NESTED["partially_nested"]
    assert found.log_likelihood == pytest.approx(expected["logLik"], abs=1e-6, rel=0)
    for attribute, tolerance in TOLERANCES:
        got = [getattr(one, attribute) for one in found.coefficients]
        np.testing.assert_allclose(got, expected[f"coef_{df}"][attribute], rtol=tolerance, err_msg=attribute)
    assert found.details["variances"] == pytest.approx(expected["variances"], rel=1e-5)


def test_groups_in_one_arm_with_residual_variance_by_arm() -> None:
    found, expected = fitted(groups(), GROUPS), NESTED["partially_nested_residual_by_arm"]
    assert found.log_likelihood == pytest.approx(expected["logLik"], abs=1e-6, rel=0)
    scale = np.array(list(expected["se"].values()))
    got = [one.estimate for one in found.coefficients]
    assert np.abs((np.array(got, dtype=float) - list(expected["fixed"].values())) / scale).max() < 1e-5
    np.testing.assert_allclose([one.se for one in found.coefficients], scale, rtol=1e-5)
    spread = {arm: sd**2 for arm, sd in expected["residual_sd"].items()}
    assert found.details["variances"]["residual"] == pytest.approx(spread, rel=1e-5)


@pytest.mark.parametrize("by", ["person", "group"])
def test_complier_effect(by: str) -> None:
    more = {"nested_in_arm": {"arm": "1", "unit": "group"}} if by == "group" else {}
    keys = {**BASE, "model": "cace", "visits": [18], "baseline": "base", "received": "attended", **more}
    found, expected = fitted(groups(), keys), NESTED["cace_18"]
    value = found.differences[0].value
    assert found.rows == expected["n"]
    wanted = [expected["estimate"], expected[f"se_cr2_by_{by}"], expected[f"df_cr2_by_{by}"]]
    np.testing.assert_allclose([value.estimate, value.se, value.df], wanted, rtol=1e-6)
    assert found.details["first_stage_F"] == pytest.approx(expected["first_stage_F"], rel=1e-6)
    assert found.details["se_classical"] == pytest.approx(expected["se_classical"], rel=1e-6)


@pytest.mark.parametrize("teams", [False, True])
def test_counts(teams: bool) -> None:
    keys = {
        "model": "negative_binomial",
        "outcome": "admissions",
        "arm": "arm",
        "covariates": ["prior"],
        "exposure": "fu_years",
    }
    found = fitted(read_table(REFERENCES / "counts_a.csv"), {**keys, **({"random": ["team"]} if teams else {})})
    expected = COUNTS["glmmTMB_nb2_team" if teams else "glmmTMB_nb2"]
    assert found.log_likelihood == pytest.approx(expected["logLik"], abs=1e-6, rel=0)
    got = np.array([(one.estimate, one.se) for one in found.coefficients], dtype=float)
    np.testing.assert_allclose(got[:, 0], list(expected["coef"].values()), rtol=1e-5)
    np.testing.assert_allclose(got[:, 1], list(expected["se" if teams else "se_observed_info"].values()), rtol=1e-5)
    assert found.details["theta"] == pytest.approx(expected["theta"], rel=1e-5)
    if teams:
        assert found.details["variances"]["team"] == pytest.approx(expected["team_sd"] ** 2, rel=1e-5)
    assert found.differences[0].more["ratio"] == pytest.approx(np.exp(expected["coef"]["arm"]), rel=1e-5)


def test_counts_without_overdispersion_are_poisson() -> None:
    draw = np.random.default_rng(3)
    table = pd.DataFrame({"y": np.round(4 + draw.normal(0, 0.6, 80)), "arm": np.arange(80) % 2})
    found = fitted(table, {"model": "negative_binomial", "outcome": "y", "arm": "arm"})
    poisson = smf.poisson("y ~ arm", table).fit(disp=0)
    assert "fit_poisson" in [problem.code for problem in found.problems]
    assert found.log_likelihood == pytest.approx(poisson.llf, abs=1e-8)
    assert found.differences[0].value.se == pytest.approx(poisson.bse["arm"], rel=1e-5)


def test_ancova_is_least_squares() -> None:
    found = fitted(groups(), {**BASE, "model": "ancova", "visits": [18], "baseline": "base"})
    rows = groups().query("time == '18' and y != 'NA'").astype({"y": float, "base": float})
    other = smf.ols("y ~ C(arm) + base + C(site)", rows).fit()
    value = found.differences[0].value
    wanted = [other.params["C(arm)[T.1]"], other.bse["C(arm)[T.1]"], other.df_resid, other.pvalues["C(arm)[T.1]"]]
    np.testing.assert_allclose([value.estimate, value.se, value.df, value.p], wanted, rtol=1e-8)
    assert found.log_likelihood == pytest.approx(other.llf, abs=1e-8)


@pytest.mark.parametrize("model", ["mann_whitney", "logistic"])
def test_ranks_and_events(model: str) -> None:
    table = groups().query("time == '18' and y != 'NA'")
    table = table.assign(event=(table["y"].astype(float) > 55).astype(int))
    keys = {"model": model, "outcome": "y" if model == "mann_whitney" else "event", "arm": "arm"}
    (one,) = fitted(table, keys).differences
    assert (one.visit, one.arm, one.against) == (None, "1", "0")
    assert one.value.estimate is not None
    if model == "logistic":
        other = smf.logit("event ~ arm", table.assign(arm=table["arm"].astype(int))).fit(disp=0)
        assert one.value.estimate == pytest.approx(other.params["arm"], rel=1e-6)
        assert one.more["ratio"] == pytest.approx(np.exp(other.params["arm"]), rel=1e-6)
