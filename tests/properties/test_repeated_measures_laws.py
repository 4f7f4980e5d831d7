"""Laws of the MMRM and cLDA: what must not change the answer, what must change it and how, and where another method gives the same one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods.columns import build_columns
from analysis.methods.fitspec import read_fit_spec
from analysis.methods.fitting import Fitted, fit_degrees, fit_model
from analysis.methods.longtable import read_long
from analysis.methods.mmrm import maximize
from analysis.methods.patterns import collect
from analysis.methods.problems import Refused
from analysis.methods.repeated import wide
from analysis.methods.structures import structure

MMRM = {"data": "x", "model": "mmrm", "outcome": "y", "subject": "id", "visit": "time", "arm": "arm", "baseline": "base",
        "covariates": ["site"], "categorical": ["site"]}  # fmt: skip
CLDA = {key: value for key, value in MMRM.items() if key != "baseline"} | {"model": "clda"}
seeds = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=8, deadline=None)


def trial(seed: int, n: int = 50, visits: int = 3, missing: float = 0.15) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    arm, base = np.arange(n) % 2, draw.normal(size=n)
    y = 10 + base[:, None] + draw.normal(size=(n, 1)) + arm[:, None] * 0.5 + draw.normal(size=(n, visits))
    y[:, 1:][draw.random((n, visits - 1)) < missing] = np.nan
    long = pd.DataFrame(
        {"id": np.repeat(np.arange(n), visits), "time": np.tile(np.arange(1, visits + 1), n), "y": y.ravel()}
    )
    site = np.arange(n) // 2 % 3
    return long.assign(arm=np.repeat(arm, visits), base=np.repeat(base, visits), site=np.repeat(site, visits))


def fit(table: pd.DataFrame, keys: dict[str, Any], **more: Any) -> Fitted:
    return fit_model(table, read_fit_spec({**keys, **more}))


def numbers(found: Fitted) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([(d.value.estimate, d.value.se, d.value.df, d.value.p) for d in found.differences], dtype=float)


@FEW
@given(seed=seeds, scale=st.sampled_from([1e-9, 1e-3, 40.0, 1e9]), shift=st.sampled_from([-1e3, 0.0, 1e4]))
def test_unit_and_origin_of_the_outcome(seed: int, scale: float, shift: float) -> None:
    table = trial(seed)
    one, other = fit(table, MMRM), fit(table.assign(y=(table["y"] + shift) * scale), MMRM)
    np.testing.assert_allclose(numbers(other) / [scale, scale, 1, 1], numbers(one), rtol=1e-6)
    assert other.log_likelihood == pytest.approx(
        one.log_likelihood - (one.rows - len(one.coefficients)) * np.log(scale), rel=1e-8
    )


@FEW
@given(seed=seeds)
def test_the_order_of_rows_says_nothing(seed: int) -> None:
    table = trial(seed)
    mixed = table.sample(frac=1, random_state=seed % 1000)
    np.testing.assert_allclose(numbers(fit(mixed, CLDA)), numbers(fit(table, CLDA)), rtol=1e-7)


@FEW
@given(seed=seeds, keys=st.sampled_from([MMRM, CLDA]))
def test_the_other_arm_as_reference_turns_the_sign(seed: int, keys: dict[str, Any]) -> None:
    table = trial(seed)
    np.testing.assert_allclose(
        numbers(fit(table, keys, reference="1")) * [-1, 1, 1, 1], numbers(fit(table, keys)), rtol=1e-6
    )


@FEW
@given(seed=seeds)
def test_a_covariate_cut_in_two_is_the_same_covariate(seed: int) -> None:
    table = trial(seed)
    part = np.random.default_rng(seed).normal(size=50)[table["id"]]
    cut = table.assign(one=part, two=table["site"] - part)
    whole = fit(table, MMRM, categorical=[])
    assert numbers(
        fit(cut.assign(sum=cut["one"] + cut["two"]), MMRM, covariates=["sum"], categorical=[])
    ) == pytest.approx(numbers(whole), rel=1e-6)
    twice = fit(cut, MMRM, covariates=["site", "one", "two"], categorical=[])
    assert "rank_deficient" in [problem.code for problem in twice.problems]
    assert np.isfinite(numbers(twice)).all()


@FEW
@given(seed=seeds, df=st.sampled_from(["satterthwaite", "kenward_roger"]))
def test_complete_data_are_multivariate_regression(seed: int, df: str) -> None:
    """Without gaps the unstructured MMRM is a regression a visit: the same estimates, standard errors and n - p degrees of freedom."""
    table = trial(seed, missing=0.0)
    found = fit(table, {key: value for key, value in MMRM.items() if key not in ("covariates", "categorical")}, df=df)
    for k, one in enumerate(found.differences, start=1):
        rows = table[table["time"] == k]
        X = np.column_stack([np.ones(50), rows["arm"], rows["base"]])
        beta, rest, *_others = np.linalg.lstsq(X, rows["y"], rcond=None)
        se = np.sqrt(rest[0] / 47 * np.linalg.inv(X.T @ X)[1, 1])
        got = [one.value.estimate, one.value.se, one.value.df]
        np.testing.assert_allclose(got, [beta[1], se, 47], rtol=1e-7)


@FEW
@given(seed=seeds, row=st.integers(0, 149))
def test_a_second_row_of_a_visit_is_refused(seed: int, row: int) -> None:
    table = trial(seed)
    with pytest.raises(Refused, match="fit_row_twice"):
        fit(pd.concat([table, table.iloc[[row]]]), MMRM)


@FEW
@given(seed=seeds, structure=st.sampled_from(["us", "toeph", "adh", "csh", "cs"]))
def test_the_end_is_a_maximum(seed: int, structure: str) -> None:
    found = fit(trial(seed), CLDA, covariance=[structure])
    assert found.details["convergence"]["gradient"] < 1e-5
    assert found.details["convergence"]["eigenvalues"][0] > 0


@FEW
@given(seed=seeds)
def test_a_refit_from_elsewhere_ends_at_the_same_maximum(seed: int) -> None:
    spec = read_fit_spec(MMRM)
    data = read_long(trial(seed), spec)
    columns = build_columns(data, spec, by_row=False)
    patterns = collect(columns.C, wide(data)[0], columns.B, np.zeros(data.subjects, dtype=np.intp))
    ends = [maximize(patterns, structure("us", 3), True, start) for start in (None, np.eye(3)[None] * 2.0)]
    assert ends[0] is not None
    assert ends[1] is not None
    np.testing.assert_allclose(ends[1].point.sigma, ends[0].point.sigma, rtol=1e-7)


@FEW
@given(seed=seeds, keys=st.sampled_from([MMRM, CLDA, {**MMRM, "model": "lmm", "random": ["id"]}]))
def test_degrees_of_freedom_change_nothing_of_the_fit(seed: int, keys: dict[str, Any]) -> None:
    """Read and found once for all of them, or each from the table: the same to the last bit."""
    table, spec = trial(seed), read_fit_spec(keys)
    degrees = ("satterthwaite", "kenward_roger")
    for df, together in zip(degrees, fit_degrees(table, spec, degrees), strict=True):
        assert together == fit(table, keys, df=df)
