"""Group-sequential bounds against gsDesign, conditional power against gsCP, and the laws that every such design keeps."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.methods.problems import Refused
from analysis.methods.sequential import (
    Bound,
    Sides,
    boundaries,
    conditional_power,
    crossing,
    drift_for_power,
    futility_bound,
    inflation,
    maximum_information,
    predictive_power,
    trend,
    z_of_t,
)
from analysis.methods.spending import Family, Spending, read_spending

REFERENCES = Path(__file__).parent / "references"
DESIGNS = json.loads((REFERENCES / "group_sequential.json").read_text(encoding="utf-8"))
POWER = json.loads((REFERENCES / "conditional_power.json").read_text(encoding="utf-8"))["cases"]
FAMILIES: dict[str, Family] = {"LDOF": "obf", "LDPocock": "pocock", "HSD": "hsd"}
OBF = Spending("obf")


def _z(bounds: Sequence[Bound]) -> list[float]:
    return [38.0 if bound.z is None else bound.z for bound in bounds]


def _label(design: dict[str, Any]) -> str:
    return f"{design['spending']} {design['one_sided_alpha']} {len(design['z'])} {design['info_fraction'][0]:.2f}"


@pytest.mark.parametrize("design", DESIGNS, ids=_label)
@pytest.mark.parametrize("sides", [1, 2])
def test_bounds_equal_gsdesign(design: dict[str, Any], sides: Sides) -> None:
    alpha = design["one_sided_alpha"] * sides
    spending = Spending(FAMILIES[design["spending"]], design["par"])
    found = boundaries(alpha, sides, design["info_fraction"], spending)
    np.testing.assert_allclose(_z(found), design["z"], rtol=0, atol=1e-6)
    nominal = design["nominal_p_one_sided" if sides == 1 else "nominal_p_two_sided"]
    np.testing.assert_allclose([b.nominal_p for b in found], nominal, rtol=1e-5)
    np.testing.assert_allclose([b.cumulative_alpha / sides for b in found], design["cum_alpha"], rtol=1e-10)


@pytest.mark.parametrize("case", POWER, ids=lambda case: f"z {case['z_interim']}")
def test_conditional_and_predictive_power_equal_gscp(case: dict[str, float]) -> None:
    z, t, bound = case["z_interim"], case["t"], case["final_bound"]
    assert conditional_power(z, t, bound, trend(z, t)) == pytest.approx(case["cp_current_trend"], rel=1e-9)
    assert conditional_power(z, t, bound, 0) == pytest.approx(case["cp_null"], rel=1e-9)
    assert conditional_power(z, t, bound, 3) == pytest.approx(case["cp_design_theta3"], rel=1e-9)
    assert predictive_power(z, t, bound) == pytest.approx(case["predictive_power_flat_prior"], rel=1e-9)


def test_the_power_family_and_a_single_analysis() -> None:
    linear = boundaries(0.025, 1, [0.5, 1], Spending("kd", 1))
    assert [b.z for b in linear] == pytest.approx([b.z for b in boundaries(0.025, 1, [0.5, 1], Spending("hsd", 0))])
    assert linear[0].z == pytest.approx(stats.norm.isf(0.0125))
    assert boundaries(0.05, 2, [1], OBF)[0].z == pytest.approx(1.959963984540054)


def test_pocock_constant_bound_of_two_equal_looks_is_the_published_one() -> None:
    """Jennison and Turnbull (2000), table 2.1: C_P(2, .05) = 2.178, two-sided; each side's paths alone cross with .025."""
    assert 2 * sum(crossing([1, 2], [2.178, 2.178]).upper) == pytest.approx(0.05, abs=5e-5)


def test_power_and_inflation_of_obrien_fleming() -> None:
    z = _z(boundaries(0.05, 2, [0.5, 1], OBF))
    drift = drift_for_power([0.5, 1], z, 0.9)
    assert sum(crossing([0.5, 1], z, drift=drift).upper) == pytest.approx(0.9, abs=1e-9)
    inflated = inflation([0.5, 1], z, 0.05, 2, 0.9)
    assert 1 < inflated < 1.01
    fixed = maximum_information(4, 0.05, 2, 0.9)
    assert fixed == pytest.approx(((1.959963984540054 + 1.2815515655446004) / 4) ** 2)
    assert maximum_information(4, 0.05, 2, 0.9, inflated) == pytest.approx(fixed * (drift / 3.2415155500846544) ** 2)


def test_simulated_paths_cross_as_often_as_computed() -> None:
    information, upper, lower = np.array([20.0, 55.0, 90.0]), [2.6, 2.3, 2.0], [-0.5, 0.4, 2.0]
    steps = np.random.default_rng(1).standard_normal((200_000, 3)) * np.sqrt(np.diff(information, prepend=0))
    z = (np.cumsum(steps, axis=1) + 2.5 / math.sqrt(90) * information) / np.sqrt(information)
    out = np.where(z >= upper, 1, 0) + np.where(z < lower, -1, 0)
    first = np.argmax(out != 0, axis=1)
    found = crossing(list(information), upper, lower, drift=2.5)
    for k in range(3):
        for side, expected in ((1, found.upper[k]), (-1, found.lower[k])):
            share = np.mean((first == k) & (out[:, k] == side))
            assert share == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 200_000) + 1e-9)
    assert sum(found.upper) + sum(found.lower) == pytest.approx(1, abs=1e-7)


def test_futility_is_not_counted_on_and_lies_where_conditional_power_is_the_threshold() -> None:
    z = futility_bound(0.2, 0.5, 1.97, 3.0)
    assert conditional_power(z, 0.5, 1.97, 3.0) == pytest.approx(0.2)
    alone, with_futility = crossing([0.5, 1], [2.963, 1.969]), crossing([0.5, 1], [2.963, 1.969], [z, -9.0])
    assert sum(with_futility.upper) < sum(alone.upper) == pytest.approx(0.025, abs=5e-5)


def test_actual_information_and_the_last_analysis() -> None:
    under = boundaries(0.05, 2, [60, 90], OBF, maximum=100, final=True)
    assert [b.fraction for b in under] == [0.6, 1.0]
    assert under[-1].cumulative_alpha == pytest.approx(0.05)
    over = boundaries(0.05, 2, [60, 130], OBF, maximum=100)
    assert over[-1].fraction == 1.0
    for looks, information in ((under, [60, 90]), (over, [60, 130])):
        crossed: float = sum(crossing(information, _z(looks)).upper)
        assert 2 * crossed == pytest.approx(0.05, abs=1e-8)
    interim = boundaries(0.05, 2, [60, 90], OBF, maximum=100)
    assert interim[-1].cumulative_alpha < 0.05


def test_alpha_already_spent_is_never_taken_back() -> None:
    priced = boundaries(0.05, 2, [0.25, 0.5, 1], OBF, spent=[0.001])
    assert priced[0].z == pytest.approx(stats.norm.isf(0.0005))
    assert priced[-1].cumulative_alpha == pytest.approx(0.05)
    assert priced[-1].z > boundaries(0.05, 2, [0.25, 0.5, 1], OBF)[-1].z  # type: ignore[operator]
    generous = boundaries(0.05, 2, [0.25, 0.5, 1], OBF, spent=[0.02])
    assert (generous[1].z, generous[1].nominal_p, generous[1].cumulative_alpha) == (None, 0.0, 0.02)


FRACTIONS = st.lists(st.integers(10, 99), max_size=3, unique=True).map(
    lambda looks: [*(k / 100 for k in sorted(looks)), 1.0]
)
FUNCTIONS = st.one_of(
    st.just(OBF),
    st.just(Spending("pocock")),
    st.integers(-8, 8).map(lambda g: Spending("hsd", g)),
    st.sampled_from([0.5, 1, 2, 3]).map(lambda r: Spending("kd", r)),
)


@settings(max_examples=25, deadline=None)
@given(FRACTIONS, FUNCTIONS, st.sampled_from([0.01, 0.05, 0.2]), st.sampled_from([1, 2]))
def test_spent_alpha_adds_up_and_never_falls(
    looks: list[float], spending: Spending, alpha: float, sides: Sides
) -> None:
    bounds = boundaries(alpha, sides, looks, spending)
    spent = [b.cumulative_alpha for b in bounds]
    assert spent == sorted(spent)
    assert spent[-1] == pytest.approx(alpha, rel=1e-12)
    z = _z(bounds)
    np.testing.assert_allclose(np.cumsum(crossing(looks, z).upper) * sides, spent, rtol=0, atol=1e-9)
    scaled = boundaries(alpha, sides, [50 * t for t in looks], spending, maximum=50)
    assert [b.z for b in scaled] == pytest.approx([b.z for b in bounds], abs=1e-9)
    first = boundaries(alpha, sides, looks[:1], spending)[0]  # later looks change nothing of earlier ones
    assert first.z == pytest.approx(bounds[0].z, abs=1e-9)


@given(FUNCTIONS, st.floats(0, 1.2), st.floats(0, 1.2))
def test_spending_rises_from_nothing_to_alpha(spending: Spending, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= spending(low, 0.025) <= spending(high, 0.025) <= 0.025
    assert (spending(0, 0.025), spending(1, 0.025)) == (0, 0.025)
    assert read_spending(str(spending)) == spending


@given(st.floats(-6, 6), st.floats(1, 500))
def test_z_of_t_keeps_the_tail(statistic: float, df: float) -> None:
    z = z_of_t(statistic, df)
    assert stats.norm.sf(abs(z)) == pytest.approx(stats.t.sf(abs(statistic), df), rel=1e-9)
    assert abs(z) <= abs(statistic) + 1e-8  # scipy.stats.t is that far off beside 0
    assert math.copysign(1, z) == math.copysign(1, statistic)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"information": [0.5, 0.4]}, "sequential_falling"),
        ({"information": [0.5, 0.5]}, "sequential_falling"),
        ({"information": [0.5, 0.5001]}, "sequential_too_near"),
        ({"information": [0.5, math.nan]}, "sequential_falling"),
        ({"information": [0.0, 1]}, "sequential_falling"),
        ({"information": []}, "sequential_no_look"),
        ({"information": [1, 1.5]}, "sequential_nothing_left"),
        ({"maximum": 0.0}, "sequential_maximum"),
        ({"alpha": 0.0}, "sequential_alpha"),
        ({"alpha": math.nan}, "sequential_alpha"),
        ({"alpha": 1.0}, "sequential_alpha"),
        ({"sides": 3}, "sequential_sides"),
        ({"spent": [0.01, 0.005]}, "sequential_spent"),
        ({"spent": [0.06]}, "sequential_spent"),
        ({"spent": [0.01, 0.02, 0.03]}, "sequential_spent_looks"),
    ],
)
def test_what_is_no_design_is_refused(arguments: dict[str, Any], code: str) -> None:
    design: dict[str, Any] = {"alpha": 0.05, "sides": 2, "information": [0.5, 1], "spending": OBF} | arguments
    with pytest.raises(Refused) as refusal:
        boundaries(**design)
    assert [problem.code for problem in refusal.value.problems] == [code]


@pytest.mark.parametrize("text", ["hsd", "obf:1", "kd:0", "hsd:x", "hsd:99", "kd:nan", "hsd:inf"])
def test_parameters_that_a_family_does_not_have(text: str) -> None:
    with pytest.raises(Refused, match="spending_parameter"):
        read_spending(text)


def test_other_questions_without_an_answer_are_refused() -> None:
    with pytest.raises(Refused, match="spending_unknown"):
        read_spending("tsiatis")
    with pytest.raises(Refused, match="sequential_fraction"):
        conditional_power(1, 1, 1.96, 0)
    with pytest.raises(Refused, match="sequential_power"):
        drift_for_power([1], [1.96], 1.0)
    with pytest.raises(Refused, match="sequential_power"):
        maximum_information(0, 0.05, 2, 0.9)
    with pytest.raises(Refused, match="sequential_power"):
        futility_bound(1.0, 0.5, 1.96, 3)
    with pytest.raises(Refused, match="sequential_bounds"):
        crossing([1, 2], [2.0], [0.0, 0.0])
