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
    spec["bootstrap"]["replicates"] = 39
    return as_stored(json.loads(json.dumps(spec)))  # type: ignore[no-any-return]


@cache
def stored_plan() -> dict[str, Any]:
    """Its result, as the database gives it back."""
    content, frozen = table(), frozen_plan()
    joined = rehearsal.fake_join(compute.numbers_of(content), SEED, frozen)
    return as_stored(plain(compute.computed(content, joined, frozen)))  # type: ignore[no-any-return]


def shifts() -> dict[str, Any]:
    """A map of nine pairs of shifts, one of them turned."""
    deltas = [-0.5, 0.0, 0.5]
    pairs = [(x, y) for y in deltas for x in deltas]
    cells = [
        {
            "experimental": x, "reference": y, "estimate": 0.4 + 0.2 * x - 0.2 * y, "se": 0.12, "lower": 0.2 + 0.2 * x - 0.2 * y,
            "upper": 0.6 + 0.2 * x - 0.2 * y, "p": 0.01, "answer": "above" if x >= y else "around", "turned": x < y - 0.6,
        }
        for x, y in pairs
    ]  # fmt: skip
    line = [{"bound": "lower", "strand": 0, "experimental": x, "reference": x + 0.75} for x in (-0.5, -0.25)]
    return {
        "experimental": deltas, "reference": deltas, "cells": cells, "line": line, "answer": "above", "turned": 1,
        "moved_experimental": 6, "moved_reference": 4,
    }  # fmt: skip


def whole() -> tuple[dict[str, Any], dict[str, Any]]:
    """Specification and result with every part that a plan can ask for: other outcomes, tipping point, re-randomization."""
    frozen, stored = dict(frozen_plan()), dict(stored_plan())
    others = [("bsi", "secondary", "higher_is_worse"), ("ses", "exploratory", "higher_is_better")]
    frozen["outcomes"] = [
        {
            "code": code,
            "name": f"Scale {code}",
            "role": role,
            "direction": direction,
            "rater": "interviewer",
            "rater_blind": True,
        }
        for code, role, direction in others
    ]
    answer = stored["fits"][0]["answer"]
    stored["outcomes"] = [
        {
            "code": "bsi",
            "answer": answer,
            "problems": [],
            "standard_deviation": {"value": 0.5, "n": 44},
            "p_adjusted": 0.04,
        },
        {
            "code": "ses",
            "answer": None,
            "problems": [{"code": "fit_numbers", "data": {}}],
            "standard_deviation": None,
            "p_adjusted": None,
        },
    ]
    stored["subgroups"] = subgroups()
    stored["tipping"] = {
        "rows": [
            {
                "delta": -0.5 * n,
                "estimate": 0.4 - 0.1 * n,
                "se": 0.1,
                "lower": 0.2 - 0.1 * n,
                "upper": 0.6 - 0.1 * n,
                "p": 0.01 * n,
            }
            for n in range(6)
        ],
        "turns_at": -1.0,
        "map": shifts(),
    }
    edges = [-3 + 0.5 * n for n in range(13)]
    counts = [1, 20, 90, 260, 610, 990, 1040, 960, 640, 270, 100, 18]
    stored["rerandomization"] = {"p": 0.0312, "replicates": 4999, "observed": 2.17, "edges": edges, "counts": counts}
    return frozen, stored


def subgroups() -> list[dict[str, Any]]:
    """Two subgroups of the IMR plan as they are stored, and one that could not be tested."""
    levels = [
        {
            "label": label,
            "n": {"imr": 40, "cau": n},
            "estimate": estimate,
            "se": 0.1,
            "lower": estimate - 0.2,
            "upper": estimate + 0.2,
        }
        for label, n, estimate in (("≤ 3.01", 31, 0.31), ("> 3.01", 27, -0.12))
    ]
    institutions = [{**levels[0], "label": one["label"]} for one in frozen_plan()["subgroups"][0]["levels"]]
    model = {"model": "clda", "df_method": "kenward_roger", "structure": "us", "variance": "model"}
    test = {"statistic": 4.02, "df1": 1, "df2": 158.9, "p": 0.0467}
    severity = {"levels": levels, "interaction": test, "cut": 3.01, "unknown": 2, "model": model, "warnings": []}
    institution = severity | {"levels": institutions, "cut": None, "unknown": 0, "interaction": {**test, "p": 0.7}}
    few = {"code": "subgroup_few", "data": {"level": "male", "arm": "cau", "got": 4, "least": 10}, "severity": "error"}
    return [
        {"code": "institution", **institution},
        {"code": "severity", **severity},
        {"code": "sex", "problems": [few]},
    ]
