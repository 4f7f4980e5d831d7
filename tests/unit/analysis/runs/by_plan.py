"""A stored result of the IMR plan on fake arms, computed once for all who read it."""

import json
from functools import cache
from typing import Any

from analysis.methods.canonical import plain
from analysis.plans.models import PlanVersion
from analysis.plans.reading import load
from analysis.runs import compute, plans, rehearsal
from tests import world
from tests.unit.analysis.runs.all_outcomes import table
from tests.unit.analysis.runs.test_specs import as_stored

SEED = 7


@cache
def frozen_plan() -> dict[str, Any]:
    """What a run of kind ``plan`` freezes, as the database gives it back."""
    protocol = world.read("imr")
    plan = load(world.ROOT / "protocols" / "imr", protocol)
    version = PlanVersion(number=1, sha256="0" * 64, document=json.loads(json.dumps(plan.to_document())))
    spec = plans.frozen_by_plan(protocol, version) | {"plan": {"number": 1, "sha256": "0" * 64}}
    return as_stored(json.loads(json.dumps(spec)))  # type: ignore[no-any-return]


@cache
def stored_plan() -> dict[str, Any]:
    """Its result, as the database gives it back."""
    content, frozen = table(), frozen_plan()
    joined = rehearsal.fake_join(compute.numbers_of(content), SEED, frozen)
    return as_stored(plain(compute.computed(content, joined, frozen)))  # type: ignore[no-any-return]
