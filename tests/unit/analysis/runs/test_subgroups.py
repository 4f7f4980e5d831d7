"""Subgroups of the plan: one model each, counted, cut and refused as the plan says; what is stored of a level has no p."""

import io
import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.methods.canonical import encode
from analysis.plans.reading import load
from analysis.runs import compute, parts, rehearsal
from analysis.runs.subgroups import FEWEST, frozen_subgroups
from tests import world
from tests.unit.analysis.runs.all_outcomes import table
from tests.unit.analysis.runs.test_parts import FOLDERS, frozen

CODES = ["institution", "severity", "sex"]
KEYS = {"label", "n", "estimate", "se", "lower", "upper"}


@cache
def plan() -> dict[str, Any]:
    return frozen(outcomes=0) | {"tipping": None, "rerandomization": None, "bootstrap": None, "imputations": []}


@cache
def content() -> bytes:
    """187 people in 14 teams of both institutions; of one the sex is not known."""
    raw = rows(table(people=187, teams=14))
    raw["sex"] = ["" if number == "00000003" else str(int(number) % 7 % 2) for number in raw["participant"]]
    return as_bytes(raw)


def rows(of: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(of), dtype=str, keep_default_na=False)


def as_bytes(raw: pd.DataFrame) -> bytes:
    return raw.to_csv(index=False).encode()


def found(code: str, of: bytes | None = None, **changes: Any) -> dict[str, Any]:
    """What is stored of one subgroup; ``changes`` of what the plan says of it."""
    given, asked = of or content(), plan()
    asked = asked | {"subgroups": [one | changes if one["code"] == code else one for one in asked["subgroups"]]}
    joined = rehearsal.fake_join(compute.numbers_of(given), 7, asked)
    part = parts.part_of(parts.Inputs(given, joined, asked), f"subgroup {code}")
    stored: dict[str, Any] = json.loads(encode(part))
    return stored


def codes(stored: dict[str, Any]) -> list[str]:
    return [one["code"] for one in stored["problems"]]


def test_each_is_a_part_and_the_whole_has_them_in_the_plan_s_order() -> None:
    names = parts.names_of(plan())
    assert names == ["models", *(f"subgroup {code}" for code in CODES)]
    whole = parts.whole_of(plan(), {name: {"fits": []} if name == "models" else {"code": name[9:]} for name in names})
    assert [one["code"] for one in whole["subgroups"]] == CODES
    before = {key: value for key, value in plan().items() if key != "subgroups"}
    assert "subgroups" not in parts.whole_of(before, {"models": {"fits": []}}), "a run frozen before there were any"


@pytest.mark.parametrize("code", CODES)
def test_a_level_has_an_interval_and_no_p(code: str) -> None:
    stored = found(code)
    assert set(stored) == {"code", "levels", "interaction", "cut", "unknown", "model", "warnings"}
    assert [set(one) for one in stored["levels"]] == [KEYS] * 2
    assert set(stored["interaction"]) == {"statistic", "df1", "df2", "p"}
    one, other = stored["levels"]
    assert one["lower"] < one["estimate"] < one["upper"]
    # two levels: F is the square of t, here of nearly independent differences
    t = (one["estimate"] - other["estimate"]) / np.hypot(one["se"], other["se"])
    assert stored["interaction"]["statistic"] == pytest.approx(t**2, rel=0.05, abs=0.01)
    assert stored["interaction"]["df1"] == 1
    assert stored["model"]["df_method"] == plan()["fits"][0]["fit"]["df"], "the plan's degrees of freedom"


def test_people_are_counted_by_level_and_arm_with_the_outcome_at_the_primary_visit() -> None:
    raw = rows(content())
    arms = rehearsal.fake_arms(sorted(set(raw["participant"])), 7, rehearsal.ratio_of(plan()))
    there = raw[(raw["visit"] == "T3") & (raw["imrs_client"] != "")]
    stored = found("sex")
    for level, value in zip(stored["levels"], ("0", "1"), strict=True):
        mine = [arms[number] for number in there["participant"][there["sex"] == value]]
        assert level["n"] == {"imr": mine.count("imr"), "cau": mine.count("cau")}
    assert [one["label"] for one in stored["levels"]] == ["male", "female"]
    assert stored["unknown"] == 1
    assert found("institution")["unknown"] == 0


def test_the_median_is_that_of_everybody_randomized() -> None:
    raw = rows(content())
    first = raw.drop_duplicates("participant")
    cut = float(first["imrs_client_baseline"].astype(float).median())
    stored = found("severity")
    assert stored["cut"] == pytest.approx(cut)
    assert [one["label"] for one in stored["levels"]] == [f"≤ {cut:.4g}", f"> {cut:.4g}"]
    without = raw.assign(imrs_client=np.where(raw["visit"] == "T1", raw["imrs_client"], ""))
    assert codes(found("severity", as_bytes(without))) == ["subgroup_empty"] * 4, (
        "the cut needs no outcome, the estimate does"
    )
    assert found("severity", cut=3.2)["cut"] == 3.2


def test_too_few_of_an_arm_are_said_and_nothing_is_estimated() -> None:
    stored = found("severity", cut=1.9)
    assert set(stored) == {"code", "problems"}
    assert set(codes(stored)) == {"subgroup_few"}
    assert {one["data"]["arm"] for one in stored["problems"]} <= {"imr", "cau"}
    assert all(one["data"]["got"] < FEWEST for one in stored["problems"])


def test_what_divides_nobody_says_why() -> None:
    raw = rows(content())
    assert codes(found("sex", as_bytes(raw.drop(columns="sex")))) == ["subgroup_no_column"]
    assert codes(found("sex", as_bytes(raw.assign(sex="1")))) == ["subgroup_one_level"]
    assert codes(found("sex", as_bytes(raw.assign(sex="")))) == ["subgroup_one_level"]
    protocol = world.read("imr")
    earlier = replace(protocol, instruments=tuple(one for one in protocol.instruments if one.code != "background"))
    asked = frozen_subgroups(earlier, load(FOLDERS / "imr", protocol))
    assert [(one["column"], bool(one["levels"])) for one in asked][2] == ("sex", False), (
        "an earlier protocol without it"
    )
    assert codes(found("sex", levels=[])) == ["subgroup_unknown"]
    gone = raw.assign(imrs_client_baseline="")
    assert codes(found("severity", as_bytes(gone))) == ["subgroup_unknown"]


def test_the_lot_of_the_arms_decides_no_level() -> None:
    """The same people are in the same levels under any arms: the cut and the unknown do not move."""
    other = plan() | {"ratio": {"imr": 1, "cau": 1}}
    joined = rehearsal.fake_join(compute.numbers_of(content()), 11, other)
    again = json.loads(encode(parts.part_of(parts.Inputs(content(), joined, other), "subgroup severity")))
    stored = found("severity")
    assert again["cut"] == stored["cut"]
    assert [sum(one["n"].values()) for one in again["levels"]] == [sum(one["n"].values()) for one in stored["levels"]]
    assert again["levels"][0]["estimate"] != stored["levels"][0]["estimate"]
