"""The whole plan, part by part: nothing planned is left out, in whatever order the parts are computed the bytes are the same."""

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from analysis.methods import rerandomization
from analysis.methods.canonical import digest, encode
from analysis.plans.models import PlanVersion
from analysis.plans.reading import load
from analysis.reports import planned as page
from analysis.reports.plan_beside import beside
from analysis.runs import compute, parts, rehearsal, resampled, sensitivity
from analysis.runs.joined import Joined
from analysis.runs.plans import frozen_by_plan, frozen_scales
from tests import world
from tests.unit.analysis.runs.all_outcomes import table

FOLDERS = world.ROOT / "protocols"
FEW = 200


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch.setattr)


def few(put: Any) -> None:
    """Fewer replicates: what is tested here is how they are put together."""
    put(rerandomization, "LEAST", FEW)
    put(sensitivity, "LEAST", FEW)
    put(parts, "BLOCK", 100)
    put(resampled, "REPLICATES", 39)


def frozen(folder: str = "imr", outcomes: int = 2) -> dict[str, Any]:
    """As the database gives it back: without any order of keys."""
    protocol = world.read("btheb" if folder == "btheb" else "imr")
    plan = load(FOLDERS / folder, protocol)
    version = PlanVersion(number=1, sha256=plan.sha256, document=plan.to_document())
    made: dict[str, Any] = json.loads(json.dumps(frozen_by_plan(protocol, version), sort_keys=True))
    return made | {"outcomes": made["outcomes"][:outcomes]}


def inputs(plan: dict[str, Any], seed: int = 7) -> parts.Inputs:
    numbers = compute.numbers_of(table())
    joined = rehearsal.fake_join(numbers, seed, plan)
    return parts.Inputs(table(), joined, plan, rehearsal.fake_lot(numbers, seed, rehearsal.ratio_of(plan)))


@cache
def computed() -> tuple[dict[str, Any], dict[str, Any]]:
    plan = frozen()
    return plan, json.loads(encode(parts.undivided(inputs(plan))))


@pytest.mark.parametrize("folder", ["imr", "imr-interim", "btheb"])
def test_nothing_of_a_shipped_plan_is_left_out(folder: str) -> None:
    plan = frozen(folder, outcomes=20)
    assert plan["not_computed"] == []
    protocol = world.read("btheb" if folder == "btheb" else "imr")
    planned = {one.kind for one in load(FOLDERS / folder, protocol).sensitivity}
    there = {one["kind"] for one in [*plan["fits"], *plan["imputations"]]}
    there |= {kind for kind in ("tipping_point", "rerandomization") if plan[kind.removesuffix("_point")]}
    there |= {"bootstrap"} & set(plan)
    assert planned <= there | {"as_randomized_correctly"}
    assert len(plan.get("subgroups", ())) == (3 if folder == "imr" else 0)
    assert ("subgroups" in plan) is (folder == "imr"), "a plan that names none freezes nothing of them"
    assert [one["role"] for one in plan["outcomes"]] == ["secondary"] * (11 if folder != "btheb" else 0)


def test_the_whole_has_every_part_in_the_plan_s_order() -> None:
    plan, stored = computed()
    assert [one["kind"] for one in stored["fits"]][-3:] == ["jump_to_reference", "retrieved_dropout", "bootstrap"]
    assert all(one["answer"] for one in stored["fits"])
    imputed = page.contrast(plan, stored["fits"][-3]["answer"])
    primary = page.contrast(plan, stored["fits"][0]["answer"])
    assert imputed is not None
    assert primary is not None
    assert imputed["visit"] == primary["visit"] == "T3"
    test = stored["rerandomization"]
    assert sum(test["counts"]) == test["replicates"] - test["failed"] == FEW
    assert len(test["edges"]) == len(test["counts"]) + 1
    assert test["p"] == pytest.approx((1 + test["extreme"]) / (1 + FEW))
    assert next(row["delta"] for row in stored["tipping"]["rows"]) == 0
    assert len(stored["tipping"]["rows"]) == 21
    assert [one["code"] for one in stored["outcomes"]] == ["sers", "imrs_clinician"]
    p = [one["answer"]["differences"][-1]["p"] for one in stored["outcomes"]]
    assert min(one["p_adjusted"] for one in stored["outcomes"]) == pytest.approx(min(1, 2 * min(p)))
    assert page.fits_table(plan, stored).note == ""


def test_the_page_says_what_was_computed_and_why_something_was_not() -> None:
    plan, stored = computed()
    outcomes, divided, tipped, test, drawn = beside(plan, stored)
    assert not divided.charts, "too few people, and one institution: nothing is drawn"
    assert "fewer than 10" in str(divided.tables[0].note)
    assert "39 samples" in str(drawn.lead)
    assert [row[1:3] for row in outcomes.tables[0].rows] == [
        ["primary", outcomes.tables[0].rows[0][2]],
        ["secondary", "participant, not blind"],
        ["secondary", "clinician, not blind"],
    ]
    assert f"{FEW} allocations" in str(test.lead)
    assert [len(one.table.rows) for one in tipped.charts if one.table] == [21, 121]
    for turns, said in ((None, "No shift"), (0.0, "no answer that could turn"), (-1.5, "\N{MINUS SIGN}1.50 points")):
        _other, _divided, moved, *_others = beside(
            plan, {**stored, "tipping": {**stored["tipping"], "turns_at": turns}}
        )
        assert said in str(moved.lead)
    why = [{"code": "rerandomization_not_verified", "data": {}, "severity": "error"}]
    refused = beside(plan, stored | {kind: {"problems": why} for kind in ("rerandomization", "tipping", "bootstrap")})
    assert all("verify the allocation first" in str(one.lead) for one in refused[2:])
    assert beside(plan, {"fits": stored["fits"]}) == []


def test_parts_in_any_order_have_the_bytes_of_the_undivided_computation() -> None:
    plan, stored = computed()
    mine, outside = inputs(plan).of_people()
    names = parts.names_of(plan)
    assert names[-2:] == ["replicates 0", "replicates 100"]
    found = {name: json.loads(encode(parts.part_of(mine, name))) for name in reversed(names)}
    assert encode(parts.completed(plan, found, outside)) == encode(stored)


def test_the_parts_of_all_outcomes_have_the_bytes_of_the_undivided_computation() -> None:
    plan = frozen_scales(world.read("imr"))
    plan = json.loads(json.dumps({**plan, "outcomes": plan["outcomes"][:3]}, sort_keys=True))
    given = inputs(plan)
    found = {name: json.loads(encode(parts.part_of(given, name))) for name in reversed(parts.names_of(plan))}
    whole = compute.computed(given.content, given.joined, plan)
    assert encode(parts.whole_of(plan, found)) == encode(whole)


def test_what_cannot_be_computed_says_why_and_the_rest_stands() -> None:
    plan = frozen()
    given = inputs(plan)
    unknown = {number: Joined(one.arm) for number, one in given.joined.items()}
    bare = parts.Inputs(given.content, unknown, plan)
    assert [p["code"] for p in parts.part_of(bare, "imputation jump_to_reference")["problems"]] == ["no_exposure"]
    assert [p["code"] for p in parts.part_of(bare, "tipping")["problems"]] == ["no_exposure"]
    found = {name: parts.part_of(bare, name) for name in parts.names_of(plan) if name.startswith("replicates")}
    told = sensitivity.rerandomization(plan, list(found.values()))
    assert [p["code"] for p in told["problems"]] == ["rerandomization_no_scheme"]


SCRIPT = """
from tests.unit.analysis.runs import test_parts as t
t.few(setattr)
plan = t.frozen(outcomes=1)
print(t.digest(t.encode(t.parts.undivided(t.inputs(plan)))))
"""


def test_another_process_with_another_number_of_threads_gives_the_same_bytes() -> None:
    plan = frozen(outcomes=1)
    here = digest(encode(parts.undivided(inputs(plan))))
    setup = "import django; django.setup()\n"
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "5"}
    environment |= {"DJANGO_SETTINGS_MODULE": "trial.config.settings", "PYTHONPATH": str(world.ROOT)}
    made = subprocess.run(
        [sys.executable, "-c", setup + SCRIPT],
        cwd=world.ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert made.stdout.split()[-1] == here
