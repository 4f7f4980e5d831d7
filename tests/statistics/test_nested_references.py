"""Patients in teams against lme4 and lmerTest: estimates, standard errors, degrees of freedom, variances, the joint F of arm and visit."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.methods.design import read_table
from analysis.methods.spec import read_spec
from analysis.methods.study import analyze
from tests.statistics.test_random_intercept_references import RCT_NAMES, REFERENCES, SIMULATED, r_name, reference


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("name", sorted(SIMULATED))
def test_simulated_trials_with_teams_equal_lmer(name: str, method: str) -> None:
    spec = read_spec(SIMULATED[name] | {"unit": "team", "method": method})
    analysis = analyze(read_table(REFERENCES / f"{name}.csv"), spec)
    expected, fit = reference(name, f"nested_{method}"), analysis.fit
    assert fit is not None
    assert fit.log_likelihood == pytest.approx(expected["logLik"], abs=1e-6, rel=0)
    by_name = {r_name(c.name, RCT_NAMES): c for c in fit.coefficients}
    table = expected["coef"]
    for attribute, tolerance in (("estimate", 1e-6), ("se", 1e-6), ("df", 1e-5), ("p", 1e-4)):
        ours = [getattr(by_name[n], attribute) for n in table["names"]]
        np.testing.assert_allclose(ours, table[attribute], rtol=tolerance, err_msg=attribute)
    assert fit.variance_subject == pytest.approx(expected["var_subject"], rel=1e-5)
    assert fit.variance_residual == pytest.approx(expected["var_residual"], rel=1e-5)
    assert fit.variance_unit == pytest.approx(expected["var_team"], rel=1e-5, abs=1e-9)
    wanted, joint = expected["arm_by_visit"], analysis.joint
    assert joint is not None
    assert joint.df == wanted["num_df"]
    got = [joint.statistic, joint.df_residual, joint.p]
    np.testing.assert_allclose(got, [wanted["F"], wanted["den_df"], wanted["p"]], rtol=1e-5)


@pytest.mark.parametrize("name", sorted(SIMULATED))
def test_differences_at_each_visit_equal_emmeans(name: str) -> None:
    analysis = analyze(read_table(REFERENCES / f"{name}.csv"), read_spec(SIMULATED[name] | {"unit": "team"}))
    differences = {d.visit: d.value for d in analysis.differences}
    for row in reference(name, "nested_reml")["emm_satt"]["diffs"]:
        ours = differences[row["visit"]]
        wanted = [row["estimate"], row["SE"], row["df"], row["lower.CL"], row["upper.CL"], row["p.value"]]
        np.testing.assert_allclose([ours.estimate, ours.se, ours.df, ours.low, ours.high, ours.p], wanted, rtol=1e-5)


def test_a_team_variance_of_zero_is_the_model_without_teams_and_says_so() -> None:
    with_teams = analyze(read_table(REFERENCES / "rct_b.csv"), read_spec(SIMULATED["rct_b"] | {"unit": "team"})).fit
    without = analyze(read_table(REFERENCES / "rct_b.csv"), read_spec(SIMULATED["rct_b"])).fit
    assert with_teams is not None
    assert without is not None
    assert (with_teams.convergence.status, with_teams.variance_unit) == ("boundary", 0.0)
    assert "unit_variance_zero" in [w.code for w in with_teams.warnings]
    for one, other in zip(with_teams.coefficients, without.coefficients, strict=True):
        assert one.estimate == pytest.approx(other.estimate, rel=1e-7)
        assert one.df == pytest.approx(other.df, rel=1e-6)
