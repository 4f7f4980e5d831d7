"""The bootstrap of the plan and outcomes under shared lots: parts make the whole, and what cannot be done is said."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from analysis.methods import blocks, rerandomization
from analysis.methods.canonical import encode
from analysis.methods.multiplicity import max_t
from analysis.plans.checks import check
from analysis.plans.reading import FILE, parse
from analysis.reports.plan_beside import beside
from analysis.runs import parts, resampled, sensitivity
from analysis.runs.joined import Joined
from analysis.runs.resampled import bootstrap
from tests import world
from tests.unit.analysis.runs.test_parts import FOLDERS, few, frozen, inputs
from trial.protocol.problems import ProtocolError

LOTS = 40


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer still than the parts have elsewhere: each lot is fitted for several outcomes."""
    few(monkeypatch.setattr)
    for module, name in ((rerandomization, "LEAST"), (sensitivity, "LEAST")):
        monkeypatch.setattr(module, name, LOTS)
    for module in (blocks, parts):
        monkeypatch.setattr(module, "BLOCK", 20)


def spare() -> dict[str, Any]:
    """The plan with its outcomes adjusted together, and the bootstrap; nothing that takes long beside them."""
    plan = frozen() | {"multiplicity": "max_t", "imputations": [], "tipping": None}
    return plan | {"fits": plan["fits"][:1]}


@cache
def computed() -> tuple[dict[str, Any], dict[str, Any]]:
    plan = spare()
    return plan, json.loads(encode(parts.undivided(inputs(plan))))


@cache
def each() -> dict[str, Any]:
    """Every part by itself, the last one first."""
    plan = spare()
    return {name: json.loads(encode(parts.part_of(inputs(plan), name))) for name in reversed(parts.names_of(plan))}


def test_parts_in_any_order_have_the_bytes_of_the_undivided_computation() -> None:
    plan, stored = computed()
    names = parts.names_of(plan)
    assert [name for name in names if name.startswith("bootstrap")] == ["bootstrap 0", "bootstrap 20"]
    assert sum(name.startswith("joint sers ") for name in names) == 2
    assert all(parts.cost_of(name) for name in names)
    found = each()
    assert encode(parts.completed(plan, found, None)) == encode(stored)


def test_p_is_adjusted_by_the_lots_that_the_outcomes_share() -> None:
    plan, stored = computed()
    codes = [one["code"] for one in plan["outcomes"]]
    assert resampled.joint_codes(plan) == codes
    shared = [[each()[f"joint {code} {start}"] for start in (0, 20)] for code in codes]
    statistics = np.array([[v for part in of for v in part["statistics"]] for of in shared]).T
    wanted = max_t(np.array([of[0]["observed"] for of in shared]), statistics)
    assert [one["p_adjusted"] for one in stored["outcomes"]] == pytest.approx(list(wanted))
    assert stored["joint"] == {"method": "max_t", "replicates": LOTS, "outcomes": codes, "failed": 0}
    assert f"in each of {LOTS} allocations" in str(beside(plan, stored)[0].lead)
    assert each()["replicates 0"]["seed"] == shared[0][0]["seed"], "the lots of the re-randomization test"


def test_the_bootstrap_stands_beside_the_planned_model_with_its_interval() -> None:
    plan, stored = computed()
    planned, drawn = stored["fits"]
    (one,) = drawn["answer"]["differences"]
    at = next(d for d in planned["answer"]["differences"] if d["visit"] == plan["primary_visit"])
    assert one["estimate"] == pytest.approx(at["estimate"], rel=1e-7)
    assert one["lower"] < one["estimate"] < one["upper"]
    assert one["p"] is None
    told = stored["bootstrap"]
    assert sum(told["counts"]) == told["replicates"] - told["failed"]
    assert (one["lower"], one["upper"]) == (told["lower"], told["upper"])


def test_without_a_scheme_no_outcome_is_adjusted_and_the_result_says_why() -> None:
    plan, stored = computed()
    given = inputs(plan)
    bare = parts.Inputs(given.content, {n: Joined(one.arm) for n, one in given.joined.items()}, plan)
    found = [parts.part_of(bare, name) for name in parts.names_of(plan) if name.startswith("joint")]
    adjusted, told = resampled.jointly(plan, found)
    assert adjusted == {}
    assert [one["code"] for one in told["problems"]] == ["rerandomization_no_scheme"]
    said = str(beside(plan, stored | {"joint": json.loads(encode(told))})[0].lead)
    assert "could not be computed" in said


def test_an_outcome_that_cannot_be_fitted_is_left_out_of_the_others_adjustment() -> None:
    plan, _stored = computed()
    one = {"observed": 2.0, "statistics": [1.0, -3.0, None]}
    problems = {"problems": [{"code": "fit_numbers", "data": {}}]}
    adjusted, told = resampled.jointly(plan, [one, problems])
    assert adjusted == {"sers": 0.75}
    assert (told["outcomes"], told["failed"]) == (["sers"], 1)
    failed = bootstrap(plan, [problems])
    assert failed == problems
    fit = resampled.as_fit(plan, failed, {"answer": {}, "problems": []})
    assert (fit["kind"], fit["answer"]) == ("bootstrap", None)


TEXT = (FOLDERS / "imr" / FILE).read_text(encoding="utf-8").replace('"holm"', '"max_t"')


def test_a_plan_that_draws_no_lot_cannot_adjust_by_lots() -> None:
    protocol = world.read("imr")
    assert parse(TEXT, protocol).outcomes.multiplicity == "max_t"
    without = TEXT.replace('kind = "rerandomization"', 'kind = "copy_reference"')
    cases = {
        without: "no re-randomization is planned",
        TEXT.replace("sides = 2", "sides = 1"): "max_t is two-sided",
    }
    for text, said in cases.items():
        with pytest.raises(ProtocolError) as refusal:
            parse(text, protocol)
        assert [problem.key for problem in refusal.value.problems] == ["outcomes.multiplicity"]
        assert said in str(refusal.value.problems[0])


def test_retrieved_dropout_needs_an_event_to_have_stopped_at() -> None:
    protocol = world.read("imr")
    plan = parse(TEXT, protocol)
    found = check(replace(plan, estimand=replace(plan.estimand, events=())), protocol, FILE).found
    kinds = {plan.sensitivity[int(one.key.split("[")[1].split("]")[0]) - 1].kind for one in found}
    assert kinds == {"jump_to_reference", "retrieved_dropout", "tipping_point"}
