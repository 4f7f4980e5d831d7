"""All looks of a plan on fake arms, one after the other, and the final analysis: as they would be held, and counted nowhere."""

import dataclasses
import json
from typing import Any

import pytest

from analysis.methods.canonical import encode
from analysis.methods.progress import SILENT
from analysis.plans.definition import Look
from analysis.reports.looks import look_context
from analysis.runs.looks import frozen_rehearsal, look_result, rehearsed_result
from analysis.runs.rehearsal import fake_join
from tests.unit.analysis.runs.test_monitoring import PLAN, RULES, frozen, in_arms, people

FROZEN = frozen() | {"monitoring": {"rules": RULES}, "rehearsed": frozen_rehearsal(PLAN)}
SHOWN = {
    "kind": "look", "experimental": "imr", "confidence": 0.95, "not_computed": [], "visits": {}, "labels": {},
    "outcome": {"name": "IMR scale", "raters": [], "rater": "participant", "rater_blind": False, "unit": ""},
}  # fmt: skip


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return rehearse(240)


def rehearse(number: int) -> dict[str, Any]:
    """As a run stores it. People enter in the reverse of their numbers."""
    table, joined = in_arms(people(number, 1.0, difference=0.4).assign(imrs_client_baseline=""))
    joined = {one: dataclasses.replace(joined[one], entry=number - k) for k, one in enumerate(joined)}
    made: dict[str, Any] = json.loads(encode(rehearsed_result(table, joined, FROZEN, SILENT)))
    return made


def test_every_look_is_held_in_its_order_and_the_final_analysis_after_them(found: dict[str, Any]) -> None:
    assert [(one["code"], one["people"]) for one in found["looks"]] == [("half", 120), ("three_quarters", 180)]
    first, second = (one["look"] for one in found["looks"])
    last = found["final"]
    assert 0.3 < first["fraction"] < 0.65 < second["fraction"] < 0.9, "of what everybody holds"
    assert [one["number"] for one in second["held"]] == [1, 2]
    assert last["held"] == second["held"]
    assert 0 < first["cumulative_alpha"] < second["cumulative_alpha"] == last["spent_before"] < last["alpha"]
    assert first["bound"] > second["bound"] > last["bound"]
    assert last["problems"] == []


def test_a_look_takes_the_first_who_entered_and_is_the_look_that_would_be_held(found: dict[str, Any]) -> None:
    """Computed by the program of a real look, on the people that it takes and against the same maximum."""
    table, joined = in_arms(people(240, 1.0, difference=0.4).assign(imrs_client_baseline=""))
    last_numbers = sorted(joined)[-120:]
    rules = RULES | {"maximum": found["final"]["information"]}
    look = {"number": 1, "code": "half", "planned": True, "costs": "function", "asked": False, "earlier": []}
    inside = table[table["participant"].isin(last_numbers)].reset_index(drop=True)
    alone = look_result(inside, joined, FROZEN | {"monitoring": {"rules": rules, "look": look}}, SILENT)
    known, held = found["looks"][0]["look"], json.loads(encode(alone["look"]))
    for name in ("estimate", "se", "df", "z", "fraction", "bound", "cumulative_alpha", "crossed"):
        assert held[name] == (pytest.approx(known[name], rel=1e-9) if name != "crossed" else known[name]), name
    assert held["ahead"]["trend"] == pytest.approx(known["ahead"]["trend"], rel=1e-9)


def test_a_real_look_would_wait_for_more_people_and_a_rehearsal_says_so() -> None:
    found = rehearse(60)
    assert [(one["look"]["number"], one["few"]) for one in found["looks"]] == [(1, 12), (2, 18)]
    told = [str(one.text) for one in look_context(FROZEN | SHOWN, found, fake=True)["result"].certainty]
    waits = next(line for line in told if "A real look would wait for more of them." in line)
    assert waits.startswith("Look 1 (half): the smaller arm has 12")


def test_a_look_that_cannot_be_computed_says_why_and_spends_nothing() -> None:
    table, joined = in_arms(people(60, 1.0).assign(imrs_client_baseline=""))
    one_arm = sorted(joined, key=lambda number: joined[number].arm)
    joined = {number: dataclasses.replace(joined[number], entry=place) for place, number in enumerate(one_arm)}
    frozen_so = FROZEN | {"rehearsed": [{"code": "half", "share": 0.3}, {"code": "three_quarters", "share": 0.75}]}
    found = json.loads(encode(rehearsed_result(table, joined, frozen_so, SILENT)))
    first, second = found["looks"]
    assert (first["look"], first["people"]) == (None, 18)
    assert [one["number"] for one in second["look"]["held"]] == [2]
    assert found["final"]["spent_before"] == second["look"]["cumulative_alpha"]
    context = look_context(FROZEN | SHOWN, found, fake=True)
    assert "This look could not be computed, and spends nothing." in context["rehearsed"][0]["sentence"]


def test_looks_by_the_calendar_come_at_equal_distances() -> None:
    assert PLAN.looks is not None
    by_calendar = dataclasses.replace(PLAN.looks, timing="calendar", looks=(Look("one", 12), Look("two", 30)))
    shares = [one["share"] for one in frozen_rehearsal(dataclasses.replace(PLAN, looks=by_calendar))]
    assert shares == pytest.approx([1 / 3, 2 / 3])
    assert frozen_rehearsal(dataclasses.replace(PLAN, looks=None)) == []


def test_the_order_of_entry_is_drawn_by_lot_and_for_looks_alone() -> None:
    numbers = [f"{n:04d}" for n in range(200)]
    plan = {
        "arms": [], "planned_sessions": 0, "share": 0.0, "groups": 1, "follow_ups": ["T3"], "bands": [], "records": False, "longest_days": 0,
    }  # fmt: skip
    asked = {"rehearsal": plan, "ratio": {"imr": 3, "cau": 2}}
    assert {one.entry for one in fake_join(numbers, 5, asked).values()} == {None}
    with_order = fake_join(numbers, 5, asked | {"rehearsed": []})
    assert sorted(one.entry or 0 for one in with_order.values()) == list(range(1, 201))
    assert sorted(numbers, key=lambda one: with_order[one].entry or 0) != numbers
    assert fake_join(numbers, 6, asked | {"rehearsed": []}) != with_order


def test_every_page_of_it_is_marked(found: dict[str, Any]) -> None:
    context = look_context(FROZEN | SHOWN, found, fake=True)
    shown = context["result"]
    assert shown.marked
    assert shown.sentence.startswith("Rehearsal on a fake arm, no result:")
    assert all(one["sentence"].startswith("Rehearsal on a fake arm, no result:") for one in context["rehearsed"])
    assert "(fake)" in shown.charts[0].title
    assert len(shown.table.rows) == 3
    assert "held" not in context, "nothing of it counts as held"
