"""What a look finds, spends and leaves, held against gsDesign; what it refuses; and that no schedule of looks spends more than alpha."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods.problems import Refused
from analysis.methods.progress import SILENT
from analysis.methods.sequential import maximum_information
from analysis.plans.reading import load
from analysis.runs.blinded import blinded, frozen_blinded
from analysis.runs.joined import Joined
from analysis.runs.looks import frozen_monitoring, look_result
from analysis.runs.monitoring import contrast_of, final, judged, rules_of
from analysis.runs.planned import frozen_fits
from tests import world

REFERENCES = json.loads(
    (Path(__file__).resolve().parents[3] / "statistics" / "references" / "group_sequential.json").read_text()
)
PLAN = load(world.ROOT / "protocols" / "imr-interim", world.read("imr"))
RULES = rules_of(PLAN)
IMAX = RULES["maximum"]


def at(fraction: float, z: float = 1.0, better: str = "higher") -> Any:
    """A contrast at this share of the information with this Z, as a stored difference has it; df as good as infinite."""
    se = 1 / math.sqrt(fraction * IMAX)
    sign = -1 if better == "lower" else 1
    return contrast_of({"estimate": sign * z * se, "se": se, "df": 1e9}, better)


def look(number: int = 1, code: str = "half", **more: Any) -> dict[str, Any]:
    return {
        "number": number, "code": code, "planned": bool(code), "costs": "function", "asked": not code, "earlier": [],
    } | more  # fmt: skip


def test_the_maximum_information_is_that_of_the_plan() -> None:
    assert pytest.approx(maximum_information(0.2, 0.05, 2, 0.8, 1.02)) == IMAX
    one_sided = rules_of(dataclasses.replace(PLAN, sides=1))
    assert (one_sided["price"], RULES["price"]) == (0.0005, 0.001)


FAMILIES = {"LDOF": "obf", "LDPocock": "pocock", "HSD": "hsd", "KD": "kd"}


@pytest.mark.parametrize(
    "case", REFERENCES, ids=[f"{one['spending']} {one['info_fraction']} {one['two_sided_alpha']}" for one in REFERENCES]
)
def test_held_one_after_the_other_looks_have_the_bounds_of_gsdesign(case: dict[str, Any]) -> None:
    family = next(
        ours for theirs, ours in FAMILIES.items() if theirs in case["spending"].upper() or theirs == case["spending"]
    )
    rules = RULES | {"alpha": case["two_sided_alpha"], "spending": family, "parameter": case["par"]}
    held: list[dict[str, Any]] = []
    *before, _last = case["info_fraction"]
    for number, fraction in enumerate(before, start=1):
        held = judged(rules, look(number, f"look{number}", earlier=held, asked=True), at(fraction))["held"]
    found = final(rules, held, at(1.0))
    assert [*(one["bound"] for one in held), found["bound"]] == pytest.approx(case["z"], abs=1e-6)
    assert [2 * one for one in case["cum_alpha"]][:-1] == pytest.approx([one["alpha"] for one in held], abs=1e-9)
    assert found["nominal_p"] == pytest.approx(case["nominal_p_two_sided"][-1], abs=1e-7)


def test_the_final_analysis_takes_what_is_left() -> None:
    first = judged(RULES, look(), at(0.5, 2.0))
    assert first["ahead"]["final_bound"] == pytest.approx(1.96859564063605, abs=1e-6)
    assert (first["crossed"], first["fraction"]) == ("", pytest.approx(0.5))
    last = final(RULES, first["held"], at(1.0, 2.0))
    assert last["bound"] == pytest.approx(1.96859564063605, abs=1e-6)
    assert (last["crossed"], last["without"], last["problems"]) == ("experimental", None, [])
    assert last["nominal_p"] == pytest.approx(0.0489995435794847, abs=1e-7)
    assert 0.0455 < last["p_stagewise"] < 0.05


def test_z_is_in_favor_of_the_experimental_arm_whichever_way_is_better() -> None:
    assert at(0.5, 2.0, "lower").z == pytest.approx(at(0.5, 2.0, "higher").z)
    assert judged(RULES, look(), at(0.5, -3.5))["crossed"] == "control"
    assert judged(RULES, look(), at(0.5, 3.5))["crossed"] == "experimental"
    with pytest.raises(Refused, match="look_no_contrast"):
        contrast_of({"estimate": None}, "higher")


def test_what_is_ahead_is_lan_and_wittes() -> None:
    ahead = judged(RULES, look(), at(0.5, 1.0))["ahead"]
    rest = math.sqrt(0.5)

    def power(drift: float) -> float:
        from scipy import stats

        return float(stats.norm.sf((ahead["final_bound"] - rest - drift * 0.5) / rest))

    assert ahead["null"] == pytest.approx(power(0.0))
    assert ahead["design"] == pytest.approx(power(0.2 * math.sqrt(IMAX)))
    assert ahead["trend"] == pytest.approx(power(1 / rest))
    assert ahead["null"] < ahead["trend"] < ahead["design"]
    assert ahead["futility"]["threshold"] == 0.2
    assert not ahead["futility"]["below"]
    assert judged(RULES, look(), at(0.5, -1.0))["ahead"]["futility"]["below"]


def test_what_is_no_look() -> None:
    held = judged(RULES, look(), at(0.5))["held"]
    for wrong, code in (
        ((RULES, look(), at(0.19)), "look_early"),
        ((RULES, look(2, earlier=held), at(0.4)), "sequential_falling"),
        ((RULES, look(2, earlier=held), at(0.5001)), "sequential_too_near"),
        ((RULES | {"price": 0.049}, look(2, "", costs="price", earlier=held), at(0.6)), "look_no_alpha"),
    ):
        with pytest.raises(Refused, match=code):
            judged(*wrong)
    assert judged(RULES, look(1, ""), at(0.1))["fraction"] == pytest.approx(0.1), "the committee asked for it"


def test_an_unplanned_look_is_named_with_the_final_bound_without_it() -> None:
    first = judged(RULES, look(), at(0.5))
    asked = judged(RULES, look(2, "", costs="price", earlier=first["held"]), at(0.6))
    assert asked["spent"] == pytest.approx(0.001)
    assert asked["without"]["final_bound_with"] > asked["without"]["final_bound_without"]
    last = final(RULES, asked["held"], at(1.0, 1.97))
    assert last["without"]["bound"] == pytest.approx(1.96859564063605, abs=1e-6)
    assert last["bound"] > last["without"]["bound"]
    assert (last["crossed"], last["without"]["crossed"]) == ("", "experimental")


def test_a_look_at_all_of_the_information_leaves_nothing() -> None:
    found = judged(RULES, look(), at(1.1, 1.0))
    assert (found["fraction"], found["cumulative_alpha"], found["ahead"]) == (1.0, 0.05, None)
    assert [one.code for one in final(RULES, found["held"], at(1.3))["problems"]] == ["sequential_nothing_left"]


SHARES = st.lists(st.floats(0.05, 1.3), min_size=1, max_size=6, unique=True)


@settings(max_examples=15, deadline=None)
@given(
    shares=SHARES,
    kinds=st.lists(st.sampled_from(["planned", "blind", "price"]), min_size=6, max_size=6),
    spending=st.sampled_from([("obf", None), ("pocock", None), ("hsd", -4.0), ("kd", 2.0)]),
    sides=st.sampled_from([1, 2]),
)
def test_no_schedule_of_looks_spends_more_than_alpha(
    shares: list[float], kinds: list[str], spending: tuple[str, float | None], sides: int
) -> None:
    rules = RULES | {"sides": sides, "spending": spending[0], "parameter": spending[1], "price": 0.01}
    held: list[dict[str, Any]] = []
    for number, (fraction, kind) in enumerate(zip(sorted(shares), kinds, strict=False), start=1):
        code = f"look{number}" if kind == "planned" else ""
        costs = "price" if kind == "price" else "function"
        try:
            found = judged(rules, look(number, code, costs=costs, earlier=held), at(fraction))
        except Refused:
            continue
        held = found["held"]
        spent = [one["alpha"] for one in held]
        assert spent == sorted(spent)
        assert spent[-1] <= 0.05 + 1e-12
    last = final(rules, held, at(1.5))
    assert last["problems"] or last["spent_before"] <= 0.05


# --- the planned model of the teaching plan


def frozen(**more: Any) -> dict[str, Any]:
    """A look of the teaching plan as a run freezes it."""
    protocol = world.read("imr")
    monitoring = frozen_monitoring(PLAN, number=1, code="half", costs="function", asked=False, earlier=(), **more)
    return {
        "fits": frozen_fits(protocol, PLAN)[:1], "team_rule": PLAN.model.team, "team_column": "stratum", "better": "higher",
        "primary_visit": "T3", "arms": {"imr": "IMR", "cau": "CAU"}, "monitoring": monitoring,
    }  # fmt: skip


def in_arms(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Joined]]:
    arms = {number: "imr" if int(number) % 5 < 3 else "cau" for number in table["participant"]}
    return table.assign(arm=[arms[number] for number in table["participant"]]), {
        n: Joined(arm) for n, arm in arms.items()
    }


def test_a_look_is_the_planned_model_and_no_other() -> None:
    table, joined = in_arms(people(240, 0.5, difference=0.4).assign(imrs_client_baseline=""))
    found = look_result(table, joined, frozen(stopping={"randomized": 240}), SILENT)
    assert [one["kind"] for one in found["fits"]] == ["primary"]
    answer = found["fits"][0]["answer"]
    contrast = next(one for one in answer["differences"] if one["visit"] == "T3")
    look = found["look"]
    assert (answer["model"], look["information"]) == ("clda", pytest.approx(1 / contrast["se"] ** 2))
    assert look["z"] == pytest.approx(contrast["statistic"], rel=0.05)
    assert look["fraction"] == pytest.approx(look["information"] / IMAX)
    blind = blinded(table, frozen_blinded(world.read("imr"), PLAN))
    assert blind.information == pytest.approx(look["information"], rel=0.2), (
        "the trigger is near to what the look finds"
    )
    few, those = in_arms(people(120, 0.3).assign(imrs_client_baseline=""))
    with pytest.raises(Refused, match="look_few"):
        look_result(few, those, frozen(), SILENT)


# --- without arms


def people(n: int, seen: float, difference: float = 0.0) -> pd.DataFrame:
    """Long rows of n people at T1, T2 and T3 as a snapshot has them; T3 of a share ``seen``."""
    rng = np.random.default_rng(1)
    base = rng.normal(0, 1, n)
    arm = np.arange(n) % 5 < 3
    rows = []
    for k in range(n):
        for visit, weight in (("T1", 1.0), ("T2", 0.7), ("T3", 0.6)):
            value = base[k] if visit == "T1" else weight * base[k] + rng.normal(0, 0.8) + difference * arm[k]
            kept = visit != "T3" or k < seen * n
            rows.append([f"{k:08d}", f"team{k % 3}", visit, f"{value}" if kept else ""])
    return pd.DataFrame(rows, columns=["participant", "stratum", "visit", "imrs_client"])


def test_information_without_arms_is_that_of_the_residual_variance() -> None:
    frozen = frozen_blinded(world.read("imr"), PLAN)
    assert not set(frozen["fit"]) & {"arm", "reference"}
    found = blinded(people(2000, 0.5), frozen)
    assert found.people == 1000
    assert found.variance == pytest.approx(0.64, rel=0.15)
    assert found.information == pytest.approx(1000 * 0.24 / found.variance)
    assert found.needed == math.ceil(IMAX * found.variance / 0.24)
    assert found.share == pytest.approx(found.information / IMAX)
    wider = blinded(people(2000, 0.5, difference=1.0), frozen)
    assert wider.variance == pytest.approx(found.variance + 0.24, rel=0.2), "too large by pi (1 - pi) delta squared"
    with pytest.raises(Refused, match="blinded_nobody"):
        blinded(people(40, 0.0), frozen)
