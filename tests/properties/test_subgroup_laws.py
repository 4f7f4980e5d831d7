"""Laws of subgroups: on complete data the model is a regression by hand, without covariates a fit of each level alone, and names say nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.methods.fitting import Fitted
from analysis.methods.problems import Refused
from analysis.methods.results import Moderation
from tests.properties.test_repeated_measures_laws import CLDA, FEW, MMRM, fit, seeds, trial

BARE = {key: value for key, value in MMRM.items() if key not in ("baseline", "covariates", "categorical")}
LMM = {**BARE, "model": "lmm", "random": ["id"]}
LEVELS = 3


def divided(seed: int, missing: float = 0.15, n: int = 72) -> pd.DataFrame:
    """Three levels that cross the arms, with a difference of their own in the second."""
    table = trial(seed, n=n, missing=missing)
    table["part"] = [f"L{number // 2 % 5 % LEVELS}" for number in table["id"]]
    return table.assign(y=table["y"] + (table["part"] == "L1") * table["arm"] * (table["time"] > 1) * 0.7)


def moderation(found: Fitted) -> Moderation:
    assert found.moderation is not None
    return found.moderation


def values(found: Fitted, visit: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    rows = [one.value for one in moderation(found).differences if one.visit == visit]
    return np.array([(one.estimate, one.se, one.df) for one in rows], dtype=float)


def test_of(found: Fitted, visit: str) -> tuple[Any, ...]:
    one = dict(moderation(found).interactions)[visit]
    return one.statistic, one.df, one.df_residual, one.p


test_of.__test__ = False  # type: ignore[attr-defined]


def by_hand(rows: pd.DataFrame, *more: str) -> tuple[np.ndarray[Any, Any], tuple[float, ...]]:
    """Least squares of one visit: (estimate, SE) of the arm in each level, and F of arm x level."""
    dummies = [(rows["part"] == f"L{k}").astype(float) for k in range(LEVELS)]
    X = np.column_stack([*dummies, *(one * rows["arm"] for one in dummies), *(rows[name] for name in more)])
    inverse, y = np.linalg.inv(X.T @ X), rows["y"].to_numpy()
    beta = inverse @ X.T @ y
    df = len(y) - X.shape[1]
    variance = float(((y - X @ beta) ** 2).sum()) / df
    se = np.sqrt(variance * np.diag(inverse))
    C = np.zeros((LEVELS - 1, X.shape[1]))
    C[:, LEVELS] = -1
    C[np.arange(LEVELS - 1), LEVELS + 1 + np.arange(LEVELS - 1)] = 1
    left = C @ beta
    F = float(left @ np.linalg.solve(variance * C @ inverse @ C.T, left)) / (LEVELS - 1)
    at = slice(LEVELS, 2 * LEVELS)
    return np.column_stack([beta[at], se[at]]), (F, LEVELS - 1, df, float(stats.f.sf(F, LEVELS - 1, df)))


@FEW
@given(seed=seeds, df=st.sampled_from(["satterthwaite", "kenward_roger"]))
def test_complete_data_are_a_regression_by_hand(seed: int, df: str) -> None:
    table = divided(seed, missing=0.0)
    found = fit(table, {**BARE, "baseline": "base"}, subgroup="part", df=df)
    for visit in ("1", "2", "3"):
        expected, F = by_hand(table[table["time"] == int(visit)], "base")
        np.testing.assert_allclose(values(found, visit)[:, :2], expected, rtol=1e-7)
        np.testing.assert_allclose(values(found, visit)[:, 2], F[2], rtol=1e-7)
        np.testing.assert_allclose(test_of(found, visit), F, rtol=1e-6)


@FEW
@given(seed=seeds, keys=st.sampled_from([BARE, LMM]))
def test_without_covariates_each_level_is_its_own_fit(seed: int, keys: dict[str, Any]) -> None:
    """Complete data: the same differences as of the people of the level alone; the standard error is that of all levels together."""
    table = divided(seed, missing=0.0)
    found = fit(table, keys, subgroup="part")
    alone = [fit(table[table["part"] == f"L{k}"], keys).differences for k in range(LEVELS)]
    for visit in ("1", "2", "3"):
        expected = [next(d.value.estimate for d in one if d.visit == visit) for one in alone]
        np.testing.assert_allclose(values(found, visit)[:, 0], expected, atol=1e-8)


@FEW
@given(seed=seeds, keys=st.sampled_from([MMRM, CLDA, LMM]))
def test_two_levels_have_the_t_of_their_difference(seed: int, keys: dict[str, Any]) -> None:
    """The other names and order of the levels turn nothing but places; F of two levels has one degree of freedom."""
    table = divided(seed)
    two = table.assign(part=np.where(table["part"] == "L1", "b", "a"))
    turned = two.assign(part=np.where(two["part"] == "b", "1", "2"))
    one, other = fit(two, keys, subgroup="part"), fit(turned, keys, subgroup="part")
    np.testing.assert_allclose(values(other, "3")[::-1], values(one, "3"), rtol=1e-6)
    np.testing.assert_allclose(test_of(other, "3"), test_of(one, "3"), rtol=1e-6)
    assert test_of(one, "3")[1] == 1
    if keys["model"] == "clda":
        assert {d.visit for d in moderation(one).differences} == {"2", "3"}


@FEW
@given(seed=seeds)
def test_a_level_that_is_nested_in_a_covariate_is_still_compared(seed: int) -> None:
    """Site in team: the main effect is not determined beside the teams, the differences and their interaction are."""
    table = divided(seed)
    table["team"] = [f"{part}{number % 7 % 2}" for part, number in zip(table["part"], table["id"], strict=True)]
    found = fit(table, {**CLDA, "covariates": ["team"], "categorical": ["team"]}, subgroup="part")
    assert "rank_deficient" in [problem.code for problem in found.problems]
    assert np.isfinite(values(found, "3")).all()
    assert test_of(found, "3")[1] == LEVELS - 1


@FEW
@given(seed=seeds, keys=st.sampled_from([MMRM, CLDA, LMM]), weights=st.sampled_from(["equal", "proportional"]))
def test_the_whole_is_the_levels_in_their_weights(seed: int, keys: dict[str, Any], weights: str) -> None:
    table = divided(seed)
    found = fit(table, keys, subgroup="part", weights=weights)
    rows = table.dropna(subset="y")
    share = (
        np.full(LEVELS, 1 / LEVELS) if weights == "equal" else rows["part"].value_counts(normalize=True).sort_index()
    )
    whole = next(one.value.estimate for one in found.differences if one.visit == "3")
    assert whole == pytest.approx(float(values(found, "3")[:, 0] @ np.asarray(share)), abs=1e-9)


def test_what_divides_nobody_is_refused() -> None:
    table = divided(1)
    with pytest.raises(Refused, match="fit_one_level"):
        fit(table.assign(part="x"), MMRM, subgroup="part")
    with pytest.raises(Refused, match="varies_within_subject"):
        fit(table.assign(part=np.where(table["time"] == 2, "a", "b")), MMRM, subgroup="part")
    with pytest.raises(Refused, match="fit_column_meant"):
        fit(table, MMRM, subgroup="parts")
    with pytest.raises(Refused, match="spec_column_twice"):
        fit(table, MMRM, subgroup="site")
    with pytest.raises(Refused, match="fit_needs_other"):
        fit(table, {key: value for key, value in MMRM.items() if key != "arm"}, subgroup="part")
    gone = table.assign(part=np.where(table["id"] < 4, "", table["part"]))
    found = fit(gone, CLDA, subgroup="part")
    assert [dict(p.data) for p in found.problems if p.code == "covariate_missing"] == [
        {"column": "part", "subjects": 4}
    ]
    empty = table.assign(part=np.where((table["arm"] == 1) & (table["part"] == "L2"), "L1", table["part"]))
    found = fit(empty, CLDA, subgroup="part")
    reasons = {one.level: one.value.reason for one in moderation(found).differences if one.visit == "3"}
    assert reasons == {"L0": None, "L1": None, "L2": "not_estimable"}
    assert dict(moderation(found).interactions)["3"].reason == "not_estimable"
