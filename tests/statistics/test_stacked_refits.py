"""Refits in a stack are those of each data set by itself, also where a search is not plain sailing, a lot tells nothing, or memory is short."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from analysis.methods import stacked, stackedlots
from analysis.methods.fitspec import read_fit_spec
from analysis.methods.longtable import read_long
from analysis.methods.lots import Lots, lots_of
from analysis.methods.repeated import find
from analysis.methods.stackedpeople import Refits

KEYS = {"data": "x", "outcome": "y", "subject": "id", "visit": "time", "arm": "arm", "reference": "0"}
MMRM = {**KEYS, "model": "mmrm", "baseline": "base", "covariates": ["site"], "categorical": ["site"]}
CLDA = {**KEYS, "model": "clda"}
ML = {**MMRM, "method": "ml"}
FEW = (0, 7, 9)
Values = npt.NDArray[np.float64]


def trial(seed: int, n: int, visits: int, arms: int = 2, missing: float = 0.25) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    arm, base = np.arange(n) % arms, draw.normal(size=n)
    y = 10 + base[:, None] + draw.normal(size=(n, 1)) + arm[:, None] * 0.5 + draw.normal(size=(n, visits))
    y[:, 1:][draw.random((n, visits - 1)) < missing] = np.nan
    rows = {"id": np.repeat(np.arange(n), visits), "time": np.tile(np.arange(1, visits + 1), n), "y": y.ravel()}
    facts = {
        "arm": np.repeat(arm, visits),
        "base": np.repeat(base, visits),
        "site": np.repeat(np.arange(n) // 2 % 3, visits),
    }
    return pd.DataFrame(rows | facts).astype({"id": str, "time": str, "arm": str, "site": str})


def drawn(lots: Lots, number: int, seed: int = 1) -> npt.NDArray[np.int64]:
    draw = np.random.default_rng(seed)
    return np.array([draw.permutation(lots.arms) for _ in range(number)])


def found_in_stack(
    table: pd.DataFrame, keys: dict[str, Any], rows: npt.NDArray[np.int64], farther: float = 1.0
) -> npt.NDArray[np.bool_]:
    """Which lots a stack finds, from the covariance of the lot as it fell, or from one that is so much larger."""
    spec = read_fit_spec(keys)
    data = read_long(table, spec)
    found = find(data, spec)
    stack = stackedlots.StackOfLots.of(found.columns, found.Y).stack(rows)
    return stacked.climb(stack, farther * found.top.point.sigma[0], True, 1e-8).found


def both(lots: Lots, rows: npt.NDArray[np.int64]) -> tuple[Values, Values]:
    with np.errstate(all="ignore"):
        return np.asarray(lots.statistic(rows), dtype=float), np.asarray(lots.alone(rows), dtype=float)


@pytest.mark.parametrize("keys", [MMRM, CLDA, ML], ids=["mmrm", "clda", "ml"])
@pytest.mark.parametrize(("n", "visits", "arms"), [(187, 3, 2), (24, 3, 2), (60, 4, 3)])
def test_the_statistics_of_many_lots_are_those_of_each_by_itself(
    keys: dict[str, Any], n: int, visits: int, arms: int
) -> None:
    for seed in range(4):
        lots = lots_of(trial(seed, n, visits, arms), read_fit_spec(keys), str(visits), "1")
        together, alone = both(lots, drawn(lots, 8, seed))
        np.testing.assert_allclose(together, alone, rtol=1e-9)
        assert np.isfinite(together).all()


@pytest.mark.parametrize("seed", FEW)
def test_few_people_leave_the_stack_and_are_fitted_alone(seed: int) -> None:
    """Eleven people at three visits: some searches come where the information is not positive definite."""
    table = trial(seed, 11, 3, missing=0.35)
    lots = lots_of(table, read_fit_spec(CLDA), "3", "1")
    rows = drawn(lots, 6)
    assert not found_in_stack(table, CLDA, rows).all()
    together, alone = both(lots, rows)
    np.testing.assert_allclose(together, alone, rtol=1e-9)
    assert np.isfinite(alone).any()


def test_lots_that_tell_nothing_have_no_statistic_and_leave_their_neighbors_alone() -> None:
    table = trial(5, 40, 3)
    lots = lots_of(table, read_fit_spec(MMRM), "3", "1")
    rows = drawn(lots, 6)
    last = [bool(table[(table["id"] == one) & (table["time"] == "3")]["y"].notna().any()) for one in lots.people]
    rows[1] = 0
    rows[4] = np.where(last, 0, 1)  # the arm is empty at the visit of the contrast
    together, alone = both(lots, rows)
    assert np.isnan(together).tolist() == [False, True, False, False, True, False]
    np.testing.assert_allclose(together, alone, rtol=1e-9)


@pytest.mark.parametrize("share", [1.0, 0.02])
def test_what_the_stack_gives_back_is_fitted_alone(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    lots = lots_of(trial(2, 30, 3), read_fit_spec(CLDA), "3", "1")
    rows = drawn(lots, 8)
    expected = np.asarray(lots.alone(rows))
    monkeypatch.setattr(stacked, "_PLAIN", share)
    np.testing.assert_allclose(np.asarray(lots.statistic(rows)), expected, rtol=1e-9)


def test_a_search_that_overshoots_is_given_back() -> None:
    """From a bad start Newton's first step leaves the covariances: nothing wrong is found."""
    table = trial(2, 30, 3)
    rows = drawn(lots_of(table, read_fit_spec(CLDA), "3", "1"), 5)
    assert found_in_stack(table, CLDA, rows).all()
    assert not found_in_stack(table, CLDA, rows, farther=50.0).any()


def test_little_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    lots = lots_of(trial(3, 60, 4, 3), read_fit_spec(MMRM), "4", "1")
    rows = drawn(lots, 20)
    whole = np.asarray(lots.statistic(rows))
    monkeypatch.setattr(stacked, "_ROOM", 20_000)
    np.testing.assert_allclose(np.asarray(lots.statistic(rows)), whole, rtol=1e-11)


def test_a_patterned_covariance_is_fitted_lot_by_lot() -> None:
    lots = lots_of(trial(4, 50, 3), read_fit_spec({**CLDA, "covariance": "ar1h"}), "3", "1")
    assert lots.statistic is lots.alone


@pytest.mark.parametrize(("n", "visits", "arms"), [(187, 3, 2), (24, 3, 2), (60, 4, 3)])
def test_the_differences_in_many_samples_are_those_of_each_by_itself(n: int, visits: int, arms: int) -> None:
    for keys in (MMRM, CLDA, ML):
        data, spec = read_long(trial(7, n, visits, arms), read_fit_spec(keys)), read_fit_spec(keys)
        found = find(data, spec)
        contrast = found.columns.B[visits - 1, found.columns.arms[0]]
        refits, chance = Refits(found, contrast, spec.method == "reml"), np.random.default_rng(3)
        weights = np.array([np.bincount(chance.integers(0, n, n), minlength=n) for _i in range(12)])
        with np.errstate(all="ignore"):
            together, alone = refits.together(weights), refits.alone(weights)
        np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-9)
        assert np.isfinite(together).any()
