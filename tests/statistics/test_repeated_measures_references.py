"""MMRM and cLDA against mmrm and emmeans: estimates, standard errors, degrees of freedom, covariance, LS means, joint F."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.methods.design import read_table
from analysis.methods.fitspec import read_fit_spec
from analysis.methods.fitting import Fitted, fit_model

REFERENCES = Path(__file__).parent / "references"
EXPECTED = json.loads((REFERENCES / "repeated_measures.json").read_text())
TOLERANCES = (("estimate", 1e-6), ("se", 1e-6), ("df", 1e-5), ("p", 1e-4))
STRUCTURES = ("cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh")
CASES: dict[str, dict[str, Any]] = {
    "mmrm_us_satterthwaite": {},
    "mmrm_us_kenward_roger_linear": {"df": "kenward_roger"},
    "mmrm_us_between_within": {"df": "between_within"},
    "mmrm_us_residual": {"df": "residual"},
    "mmrm_us_satterthwaite_CR0": {"variance": "cr0"},
    "mmrm_us_satterthwaite_CR2": {"variance": "cr2"},
    "mmrm_us_ml": {"method": "ml"},
    "mmrm_us_by_arm": {"covariance_by_arm": True},
    **{f"mmrm_{name}": {"covariance": name} for name in STRUCTURES},
}
TRIAL = {"data": "", "model": "mmrm", "outcome": "y", "subject": "id", "visit": "time", "arm": "arm", "reference": "0"}
TRIALS: dict[str, dict[str, Any]] = {
    "rct_a": {"visits": [12, 18], "covariates": ["site"], "categorical": ["site"]},
    "rct_b": {"visits": [3, 6, 12], "covariates": ["site", "age"], "categorical": ["site"]},
}


def fitted(table: pd.DataFrame, keys: dict[str, Any]) -> Fitted:
    return fit_model(table, read_fit_spec({"data": "data.csv", **keys}))


def trial(name: str, **more: Any) -> Fitted:
    return fitted(
        read_table(REFERENCES / f"{name}.csv"), {**TRIAL, **TRIALS[name], "baseline": "base", "data": "x", **more}
    )


def assert_equal(found: Fitted, expected: dict[str, Any], order: list[int] | None = None) -> None:
    assert (found.rows, found.counts.analyzed) == (expected["n_obs"], expected["n_subjects"])
    assert found.log_likelihood == pytest.approx(expected["logLik"], abs=1e-6, rel=0)
    ours = [found.coefficients[i] for i in order] if order else found.coefficients
    for attribute, tolerance in TOLERANCES:
        got = [getattr(one, attribute) for one in ours]
        # an effect of nearly 0 has no relative digits: the standard error is its scale
        floor = {"estimate": 1e-6 * min(expected["coef"]["se"]), "p": 1e-12}.get(attribute, 0)
        np.testing.assert_allclose(got, expected["coef"][attribute], rtol=tolerance, atol=floor, err_msg=attribute)


def assert_marginals(found: Fitted, means: list[dict[str, Any]], differences: list[dict[str, Any]]) -> None:
    for ours, table in ((found.means, means), (found.differences, differences)):
        assert len(ours) == len(table)
        for one, row in zip(ours, table, strict=True):
            value = one.value
            wanted = [row.get("emmean", row.get("estimate")), row["SE"], row["lower.CL"], row["upper.CL"]]
            np.testing.assert_allclose([value.estimate, value.se, value.low, value.high], wanted, rtol=1e-6)
            assert value.df == pytest.approx(row["df"], rel=1e-5)


@pytest.mark.parametrize("case", sorted(CASES))
@pytest.mark.parametrize("name", sorted(TRIALS))
def test_mmrm(name: str, case: str) -> None:
    found, expected = trial(name, **CASES[case]), EXPECTED[name][case]
    assert_equal(found, expected)
    assert_marginals(found, expected["emmeans"]["means"], expected["emmeans"]["diffs"])
    covariance, sigma = found.details["covariance"], expected["sigma"]
    if "values" in sigma:
        np.testing.assert_allclose(covariance["matrix"], sigma["values"], rtol=1e-5)
    else:
        for ours, arm in zip(covariance, ("ctl", "trt"), strict=True):
            np.testing.assert_allclose(ours["matrix"], sigma[arm]["values"], rtol=1e-5)
    if "ftests" in expected:
        wanted, joint = expected["ftests"]["arm_all_visits"], found.joint
        assert joint is not None
        got = [joint.statistic, joint.df, joint.df_residual, joint.p]
        np.testing.assert_allclose(got, [wanted[k] for k in ("f_stat", "num_df", "denom_df", "p_val")], rtol=1e-5)


@pytest.mark.parametrize("name", sorted(TRIALS))
def test_clda(name: str) -> None:
    own = {**TRIAL, **TRIALS[name], "data": "x", "model": "clda"}
    found = fitted(read_table(REFERENCES / f"{name}.csv"), {k: v for k, v in own.items() if k != "visits"})
    expected = EXPECTED[name]["clda_us_satterthwaite"]
    assert_equal(found, expected)
    assert_marginals(found, expected["lsmeans"], expected["diffs"])
    np.testing.assert_allclose(found.details["covariance"]["matrix"], expected["sigma"]["values"], rtol=1e-5)
    assert found.counts.randomized > found.counts.any_follow_up


FEV = {"model": "mmrm", "outcome": "FEV1", "subject": "USUBJID", "visit": "AVISIT", "arm": "ARMCD", "reference": "PBO"}


@pytest.mark.parametrize("case", ["Satterthwaite", "Between-Within", "Residual"])
def test_fev_data(case: str) -> None:
    keys = {**FEV, "covariates": ["RACE", "SEX"], "df": case.lower().replace("-", "_")}
    found, expected = fitted(read_table(REFERENCES / "fev_data.csv"), keys), EXPECTED["fev_data"][case]
    assert found.log_likelihood == pytest.approx(expected["logLik"], abs=1e-6, rel=0)
    for ours, row in zip(found.differences, expected["diffs"], strict=True):
        got = [ours.value.estimate, ours.value.se, ours.value.low, ours.value.high]
        np.testing.assert_allclose(got, [row[k] for k in ("estimate", "SE", "lower.CL", "upper.CL")], rtol=1e-6)
        assert ours.value.df == pytest.approx(row["df"], rel=1e-5)
    np.testing.assert_allclose(found.details["covariance"]["matrix"], expected["sigma"]["values"], rtol=1e-5)


def beat_the_blues() -> pd.DataFrame:
    wide = pd.read_csv(REFERENCES / "btheb_wide.csv", dtype=str, keep_default_na=False)
    long = wide.melt(["subject", "drug", "length", "treatment", "bdi.pre"], var_name="month", value_name="bdi")
    return long.assign(month=long["month"].str.extract(r"(\d+)")[0])


BLUES = {
    "model": "mmrm",
    "outcome": "bdi",
    "subject": "subject",
    "visit": "month",
    "arm": "treatment",
    "reference": "TAU",
    "covariates": ["bdi.pre", "drug", "length"],
}


@pytest.mark.parametrize("df", ["satterthwaite", "kenward_roger"])
def test_beat_the_blues(df: str) -> None:
    """The reference is mmrm's default search, which stops 3e-7 below the maximum of the logLik and up to 3e-5 off in what follows.

    Its Kenward-Roger has the second-derivative term, ours (the linear one) has not: their df are the same.
    """
    found, expected = fitted(beat_the_blues(), {**BLUES, "df": df}), EXPECTED["btheb"][f"mmrm_unstructured_{df}"]
    assert expected["logLik"] - 1e-9 < found.log_likelihood < expected["logLik"] + 1e-6
    for ours, row in zip(found.differences, expected["differences"], strict=True):
        assert ours.value.estimate == pytest.approx(row["estimate"], abs=1e-4 * row["SE"])
        assert ours.value.df == pytest.approx(row["df"], rel=5e-5)
        if df == "satterthwaite":
            assert ours.value.se == pytest.approx(row["SE"], rel=3e-5)
    np.testing.assert_allclose(found.details["covariance"]["matrix"], expected["covariance"], rtol=1e-4)
