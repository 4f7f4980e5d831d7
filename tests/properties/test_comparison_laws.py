"""Laws of comparisons: where the scale lies, which arm is called experimental and in which order people stand changes only what it must."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods.admissions import Stay, analyze_admissions
from analysis.methods.canonical import encode
from analysis.methods.multiplicity import holm
from analysis.methods.ranks import mann_whitney
from analysis.methods.results import Analysis
from analysis.methods.spec import read_spec
from analysis.methods.study import analyze

NUMBERS = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=25)
STAYS = st.lists(
    st.builds(Stay, st.booleans(), st.booleans(), st.integers(0, 30), st.booleans(), st.integers(0, 30)),
    min_size=4,
    max_size=40,
)
SOME = settings(max_examples=15, deadline=None)
FEW = settings(max_examples=5, deadline=None)


@SOME
@given(NUMBERS, NUMBERS, st.integers(-50, 50))
def test_ranks_know_no_location(x: list[float], y: list[float], shift: int) -> None:
    one = mann_whitney(np.array(x), np.array(y))
    moved = mann_whitney(np.array(x) + shift, np.array(y) + shift)
    assert (moved.u, moved.p, moved.shift.estimate) == (one.u, one.p, one.shift.estimate)
    if one.shift.estimate is not None:
        apart = mann_whitney(np.array(x) + shift, np.array(y))
        if apart.shift.estimate is not None:
            assert apart.shift.estimate == pytest.approx(one.shift.estimate + shift)


@SOME
@given(NUMBERS, NUMBERS)
def test_ranks_turn_round_with_the_arm(x: list[float], y: list[float]) -> None:
    one, other = mann_whitney(np.array(x), np.array(y)), mann_whitney(np.array(y), np.array(x))
    assert (one.u, one.u_other) == (other.u_other, other.u)
    assert one.reason == other.reason
    if one.p is not None and other.p is not None:
        assert one.p == pytest.approx(other.p)
        assert one.shift.estimate == pytest.approx(-(other.shift.estimate or 0.0))


@FEW
@given(STAYS, st.randoms(use_true_random=False))
def test_the_order_of_people_changes_no_byte_of_admissions(stays: list[Stay], rng: Any) -> None:
    mixed = list(stays)
    rng.shuffle(mixed)
    assert encode(analyze_admissions(stays)) == encode(analyze_admissions(mixed))


@FEW
@given(STAYS)
def test_an_odds_ratio_turns_round_with_the_arm(stays: list[Stay]) -> None:
    flipped = [Stay(not s.experimental, s.before_any, s.before_days, s.after_any, s.after_days) for s in stays]
    one, other = analyze_admissions(stays).any, analyze_admissions(flipped).any
    assert (one.method, one.odds_ratio.reason) == (other.method, other.odds_ratio.reason)
    if one.odds_ratio.estimate is not None and other.odds_ratio.estimate is not None:
        assert one.odds_ratio.estimate * other.odds_ratio.estimate == pytest.approx(1, rel=1e-6)
        assert one.risk_difference.estimate == pytest.approx(-(other.risk_difference.estimate or 0), abs=1e-8)
        assert one.odds_ratio.p == pytest.approx(other.odds_ratio.p, abs=1e-6)


@FEW
@given(st.lists(st.floats(0, 1), max_size=12), st.randoms(use_true_random=False))
def test_holm_never_helps_and_knows_no_order(values: list[float], rng: Any) -> None:
    adjusted = holm(values)
    assert all(a is not None and a >= p for a, p in zip(adjusted, values, strict=True))
    order = list(range(len(values)))
    rng.shuffle(order)
    assert holm([values[n] for n in order]) == [adjusted[n] for n in order]


# --- the mixed model


def trial(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(48):
        level = rng.normal(0, 2)
        for visit in ("T1", "T2", "T3"):
            score = 30 + level + rng.normal() + (0.8 if n % 2 and visit != "T1" else 0)
            rows.append(
                [f"P{n:02}", visit, ("cau", "imr")[n % 2], f"t{n % 4}", f"{score:.4f}" if rng.random() > 0.1 else ""]
            )
    return pd.DataFrame(rows, columns=["id", "visit", "arm", "team", "score"])


def fitted(table: pd.DataFrame, **changes: Any) -> Analysis:
    spec = {
        "outcome": "score", "subject": "id", "unit": "team", "interaction": True, "baseline_visit": "T1", "primary_visit": "T3",
        "time": {"column": "visit", "form": "categorical", "levels": ["T1", "T2", "T3"]},
        "arm": {"column": "arm", "reference": "cau", "experimental": "imr"},
    }  # fmt: skip
    return analyze(table, read_spec(spec | changes))


def numbers(analysis: Analysis) -> list[list[float]]:
    return [
        [float(getattr(d.value, k) or 0) for k in ("estimate", "se", "df", "low", "high", "p")]
        for d in analysis.differences
    ]


@FEW
@given(st.integers(0, 10_000))
def test_differences_know_no_location_and_no_order(seed: int) -> None:
    table = trial(seed)
    one = fitted(table)
    moved = table.assign(score=[f"{float(s) + 100:.4f}" if s else "" for s in table["score"]])
    np.testing.assert_allclose(numbers(fitted(moved)), numbers(one), rtol=1e-5, atol=1e-7)
    mixed = table.sample(frac=1, random_state=seed).reset_index(drop=True)
    np.testing.assert_allclose(numbers(fitted(mixed)), numbers(one), rtol=1e-5, atol=1e-7)


@FEW
@given(st.integers(0, 10_000))
def test_differences_turn_round_with_the_arm(seed: int) -> None:
    table = trial(seed)
    one = fitted(table)
    other = fitted(table, arm={"column": "arm", "reference": "imr", "experimental": "cau"})
    for d, e in zip(one.differences, other.differences, strict=True):
        assert d.value.estimate == pytest.approx(-(e.value.estimate or 0), rel=1e-6, abs=1e-9)
        assert d.value.p == pytest.approx(e.value.p, rel=1e-5)
        assert d.standardized == pytest.approx(-(e.standardized or 0), rel=1e-6, abs=1e-9)
        assert d.value.df == pytest.approx(e.value.df, rel=1e-4)
    assert one.joint is not None
    assert other.joint is not None
    assert one.joint.p == pytest.approx(other.joint.p, rel=1e-5)


@FEW
@given(st.integers(0, 10_000))
def test_a_third_group_leaves_the_estimates_of_the_second_alone(seed: int) -> None:
    """Saturated in group and visit, a group's observed cells decide; another group only changes the variances."""
    table = trial(seed).query("score != ''").reset_index(drop=True)
    complete = table.groupby("id").filter(lambda rows: len(rows) == 3).reset_index(drop=True)
    third = [
        ("extra" if arm == "imr" and int(i[1:]) % 3 == 0 else arm)
        for arm, i in zip(complete["arm"], complete["id"], strict=True)
    ]
    arms = {"column": "arm", "reference": "cau", "experimental": "imr", "others": ["extra"]}
    three = fitted(complete.assign(arm=third), arm=arms, unit=None)
    two = fitted(complete.assign(arm=third).query("arm != 'extra'").reset_index(drop=True), unit=None)
    mine = [d.value.estimate for d in three.differences if d.arm == "imr"]
    np.testing.assert_allclose(mine, [d.value.estimate for d in two.differences], rtol=1e-7, atol=1e-9)
    assert [d.arm for d in three.differences] == ["imr"] * 3 + ["extra"] * 3
    assert three.joint is not None
    assert three.joint.df == 4
