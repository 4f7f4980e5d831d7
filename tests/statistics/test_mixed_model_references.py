"""The model ``lmm`` of the command against lmerTest, pbkrtest and emmeans: two and three levels, random slopes, singular fits."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.methods.design import read_table
from tests.statistics.test_repeated_measures_references import REFERENCES, TOLERANCES, fitted

EXPECTED = json.loads((REFERENCES / "mixed_models.json").read_text())
SPEC = {
    "model": "lmm",
    "outcome": "y",
    "subject": "id",
    "arm": "arm",
    "reference": "0",
    "covariates": ["site"],
    "categorical": ["site"],
}
MODELS: dict[str, dict[str, Any]] = {
    "lmm2": {"visit": "time", "random": ["id"]},
    "lmm3": {"visit": "time", "random": ["team", "id"]},
    "lmm_slope": {"visit": "yrs", "visit_as": "number", "random": ["id"], "slope": "yrs"},
}
CASES = [
    (name, case, df)
    for name, models in EXPECTED.items()
    for case in models
    for df in ("satterthwaite", "kenward_roger")
    if f"coef_{df}" in models[case]
]


def table_of(name: str) -> pd.DataFrame:
    table = read_table(REFERENCES / f"{name}.csv")
    return table.assign(yrs=table["time"].astype(float) / 12)


@pytest.mark.parametrize(("name", "case", "df"), CASES)
def test_mixed_models(name: str, case: str, df: str) -> None:
    kind, method = case.rsplit("_", 1)
    found = fitted(table_of(name), {**SPEC, **MODELS[kind], "df": df, "method": method})
    expected = EXPECTED[name][case]
    assert found.rows == expected["n_obs"]
    assert found.log_likelihood == pytest.approx(expected["logLik"], abs=1e-6, rel=0)
    for attribute, tolerance in TOLERANCES:
        got = [getattr(one, attribute) for one in found.coefficients]
        np.testing.assert_allclose(got, expected[f"coef_{df}"][attribute], rtol=max(tolerance, 1e-5), err_msg=attribute)
    variances = found.details["variances"]
    for level, entry, value in expected["varcomp"]:
        if level == "Residual":
            assert variances["residual"] == pytest.approx(value, rel=1e-5)
        elif kind == "lmm_slope" and entry == "yrs":
            assert min(abs(variances["id"][k] - value) for k in ("covariance", "yrs")) < 1e-5 * abs(value)
        elif kind != "lmm_slope":
            assert variances[level] == pytest.approx(value, rel=1e-5, abs=1e-9)
    marginals = expected.get({"satterthwaite": "emm_satt", "kenward_roger": "emm_kr"}[df])
    if marginals:
        for ours, rows in ((found.means, marginals["means"]), (found.differences, marginals["diffs"])):
            for one, row in zip(ours, rows, strict=True):
                got = [one.value.estimate, one.value.se, one.value.df, one.value.low]
                wanted = [row.get("emmean", row.get("estimate")), row["SE"], row["df"], row["lower.CL"]]
                np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_a_singular_slope_is_said() -> None:
    found = fitted(table_of("rct_c_singular"), {**SPEC, **MODELS["lmm_slope"]})
    assert "fit_singular" in [problem.code for problem in found.problems]


def test_a_team_variance_of_zero_is_the_model_without_teams() -> None:
    with_teams = fitted(table_of("rct_b"), {**SPEC, **MODELS["lmm3"], "df": "kenward_roger"})
    without = fitted(table_of("rct_b"), {**SPEC, **MODELS["lmm2"], "df": "kenward_roger"})
    assert "unit_variance_zero" in [problem.code for problem in with_teams.problems]
    for one, other in zip(with_teams.coefficients, without.coefficients, strict=True):
        assert one.se == pytest.approx(other.se, rel=1e-7)
        assert one.df == pytest.approx(other.df, rel=1e-6)
