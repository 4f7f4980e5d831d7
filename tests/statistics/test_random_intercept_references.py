"""The random-intercept model against R: estimates, standard errors, degrees of freedom, log-likelihood, means, differences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.methods.design import read_table
from analysis.methods.results import Analysis
from analysis.methods.spec import read_spec
from analysis.methods.study import analyze

REFERENCES = Path(__file__).parent / "references"
RCT = {
    "outcome": "y",
    "subject": "id",
    "time": {"column": "time", "form": "categorical", "levels": ["0", "12", "18"]},
    "arm": {"column": "arm", "reference": "0", "experimental": "1"},
    "interaction": True,
    "covariates": [{"column": "site", "kind": "categorical", "levels": ["1", "2"]}],
    "weights": "equal",
}
RCT_B = RCT | {
    "time": {"column": "time", "form": "categorical", "levels": ["0", "3", "6", "12"]},
    "covariates": [{"column": "site", "kind": "categorical", "levels": ["1", "2", "3"]}],
}
SIMULATED = {"rct_a": RCT, "rct_b": RCT_B, "rct_c_singular": RCT}
RCT_NAMES = {"Intercept": "(Intercept)", "arm[T.1]": "armtrt"}
BTHEB_NAMES = {
    "Intercept": "(Intercept)",
    "treatment[T.BtheB]": "treatmentBtheB",
    "drug[T.Yes]": "drugYes",
    "length[T.>6m]": "length>6m",
}


def reference(name: str, case: str = "random_intercept_reml") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REFERENCES / f"{name}.json").read_text(encoding="utf-8"))[case]
    return found


def r_name(ours: str, special: dict[str, str]) -> str:
    """Our coefficient's name as R writes it: visit factors are called time here and visit there."""
    if ours in special:
        return special[ours]
    return ":".join(
        special.get(part, part.replace("time[T.", "visit").replace("site[T.", "site").replace("]", ""))
        for part in ours.split(":")
    )


def compare(analysis: Analysis, expected: dict[str, Any], special: dict[str, str], tolerance: float = 1e-6) -> None:
    fit = analysis.fit
    assert fit is not None
    assert fit.convergence.status == "converged", fit.warnings
    table = expected["coef"]
    by_name = {r_name(c.name, special): c for c in fit.coefficients}
    assert sorted(by_name) == sorted(table["names"])
    for column, attribute, wanted in (
        ("estimate", "estimate", tolerance),
        ("se", "se", tolerance),
        ("df", "df", 1e-5),
        ("p", "p", 1e-4),
    ):
        ours = [getattr(by_name[name], attribute) for name in table["names"]]
        np.testing.assert_allclose(ours, table[column], rtol=wanted, err_msg=column)
    assert fit.log_likelihood == pytest.approx(expected["logLik"], abs=1e-6, rel=0)
    assert fit.variance_subject == pytest.approx(expected["var_subject"], rel=1e-5)
    assert fit.variance_residual == pytest.approx(expected["var_residual"], rel=1e-5)
    assert fit.rows == expected["n_obs"]


def btheb_long() -> pd.DataFrame:
    wide = read_table(REFERENCES / "btheb_wide.csv")
    long = wide.melt(
        id_vars=["subject", "drug", "length", "treatment", "bdi.pre"],
        value_vars=["bdi.2m", "bdi.3m", "bdi.5m", "bdi.8m"],
        var_name="month",
        value_name="bdi",
    )
    long["month"] = long["month"].str.removeprefix("bdi.").str.removesuffix("m")
    return long


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_beat_the_blues_equals_lmer(method: str) -> None:
    spec = read_spec(
        {
            "outcome": "bdi",
            "subject": "subject",
            "baseline": "bdi.pre",
            "method": method,
            "better": "lower",
            "time": {"column": "month", "form": "linear", "levels": [2, 3, 5, 8]},
            "arm": {"column": "treatment", "reference": "TAU", "experimental": "BtheB"},
            "covariates": [
                {"column": "drug", "kind": "categorical", "levels": ["No", "Yes"]},
                {"column": "length", "kind": "categorical", "levels": ["<6m", ">6m"]},
            ],
        }
    )
    analysis = analyze(btheb_long(), spec)
    expected = reference("btheb", f"random_intercept_{method}")
    compare(analysis, expected, BTHEB_NAMES)
    assert analysis.fit is not None
    assert analysis.fit.subjects == expected["n_subjects"] == 97
    assert analysis.counts.subjects == 100
    arm = next(c for c in analysis.fit.coefficients if c.name == "treatment[T.BtheB]")
    for difference in analysis.differences:  # no interaction: one difference, at every visit
        assert difference.value.estimate == pytest.approx(arm.estimate, rel=1e-9)
        assert difference.value.df == pytest.approx(arm.df, rel=1e-9)
        assert difference.standardized is not None
        assert difference.standardized > 0  # a lower score is better, and BtheB is lower


@pytest.mark.parametrize("name", sorted(SIMULATED))
def test_simulated_trials_equal_lmer_and_emmeans(name: str) -> None:
    analysis = analyze(read_table(REFERENCES / f"{name}.csv"), read_spec(SIMULATED[name]))
    expected = reference(name)
    compare(analysis, expected, RCT_NAMES)
    arms = {"ctl": "0", "trt": "1"}
    means = {(m.visit, m.arm): m.value for m in analysis.means}
    for row in expected["emm_satt"]["means"]:
        ours = means[row["visit"], arms[row["arm"]]]
        wanted = [row["emmean"], row["SE"], row["df"], row["lower.CL"], row["upper.CL"]]
        np.testing.assert_allclose([ours.estimate, ours.se, ours.df, ours.low, ours.high], wanted, rtol=1e-5)
    differences = {d.visit: d.value for d in analysis.differences}
    for row in expected["emm_satt"]["diffs"]:
        ours = differences[row["visit"]]
        wanted = [row["estimate"], row["SE"], row["df"], row["lower.CL"], row["upper.CL"], row["p.value"]]
        got = [ours.estimate, ours.se, ours.df, ours.low, ours.high, ours.p]
        np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_the_covariance_of_the_coefficients_equals_lmer() -> None:
    analysis = analyze(read_table(REFERENCES / "rct_b.csv"), read_spec(RCT_B))
    expected = reference("rct_b")["beta_vcov"]
    assert analysis.fit is not None
    ours = [r_name(name, RCT_NAMES) for name in analysis.fit.covariance_of]
    order = [ours.index(name) for name in expected["names"]]
    np.testing.assert_allclose(
        np.array(analysis.fit.covariance)[np.ix_(order, order)], expected["values"], rtol=1e-5, atol=1e-9
    )


def test_sleepstudy_equals_lmer() -> None:
    days = {"column": "Days", "form": "linear", "levels": list(range(10))}
    spec = read_spec({"outcome": "Reaction", "subject": "Subject", "time": days})
    analysis = analyze(read_table(REFERENCES / "sleepstudy.csv"), spec)
    compare(analysis, reference("sleepstudy"), {"Intercept": "(Intercept)"})


def test_orthodont_equals_lmer() -> None:
    spec = read_spec(
        {
            "outcome": "distance",
            "subject": "Subject",
            "time": {"column": "age", "form": "linear", "levels": [8, 10, 12, 14]},
            "arm": {"column": "Sex", "reference": "Male", "experimental": "Female"},
            "interaction": True,
        }
    )
    analysis = analyze(read_table(REFERENCES / "orthodont.csv"), spec)
    expected = reference("orthodont")
    names = {"Intercept": "(Intercept)", "Sex[T.Female]": "SexFemale", "Sex[T.Female]:age": "age:SexFemale"}
    compare(analysis, expected, names)
