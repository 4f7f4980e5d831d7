"""What a look computes: the plan's primary model on the frozen data, nothing beside it, and what it means for the trial. Pure.

The same on the real arms behind the wall and on the fake arms of a rehearsal.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.methods.problems import Refused, error
from analysis.methods.progress import Watch
from analysis.plans.definition import Plan
from analysis.runs.joined import Joined
from analysis.runs.monitoring import FEWEST, Contrast, contrast_of, final, judged, rules_of
from analysis.runs.planned import PRIMARY, fit_all
from analysis.runs.specs import ARM_COLUMN

FUNCTION, PRICE = "function", "price"
"""What a look costs: the spending function at its information, or the plan's price of an unplanned one."""


def frozen_monitoring(
    plan: Plan,
    *,
    number: int,
    code: str,
    costs: str,
    asked: bool,
    earlier: Sequence[Mapping[str, Any]],
    stopping: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """What the specification of a look says beside the model. ``stopping``: what stopping now could still save, in counts."""
    rules = rules_of(plan)
    return {
        "rules": rules,
        "look": {
            "number": number, "code": code, "planned": bool(code),
            "costs": costs if rules["spending"] else PRICE, "asked": asked, "earlier": list(earlier),
        },
        "stopping": dict(stopping) if stopping else None,
    }  # fmt: skip


def frozen_final(plan: Plan, earlier: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the specification of the final analysis says of the looks that were held before it."""
    return {"rules": rules_of(plan), "earlier": list(earlier)}


def look_result(
    table: pd.DataFrame, joined: Mapping[str, Joined], frozen: Mapping[str, Any], watch: Watch
) -> dict[str, Any]:
    """Fit the planned model and judge its contrast. Refused, having spent nothing, where a look may not be held."""
    monitoring = frozen["monitoring"]
    if not monitoring["look"]["asked"]:
        _refuse_few(table, frozen)
    found = fit_all(table, joined, frozen, watch)
    return {**found, "look": judged(monitoring["rules"], monitoring["look"], primary_contrast(found, frozen))}


def final_result(found: Mapping[str, Any], frozen: Mapping[str, Any]) -> dict[str, Any]:
    """The fits of the plan, with what is left of alpha and the final bound."""
    monitoring = frozen["final"]
    return {**found, "final": final(monitoring["rules"], monitoring["earlier"], primary_contrast(found, frozen))}


def primary_contrast(found: Mapping[str, Any], frozen: Mapping[str, Any]) -> Contrast:
    """The contrast at the primary visit of the planned model."""
    answer = next(one["answer"] for one in found["fits"] if one["kind"] == PRIMARY)
    visit = frozen["primary_visit"]
    difference: dict[str, Any] = next((one for one in answer["differences"] if one["visit"] == visit), {})
    return contrast_of(difference, frozen["better"])


def _refuse_few(table: pd.DataFrame, frozen: Mapping[str, Any]) -> None:
    """So few people of an arm make no look."""
    outcome = frozen["fits"][0]["fit"]["outcome"]
    values = pd.to_numeric(table[outcome].replace("", None), errors="coerce")
    rows = table[values.notna() & (table["visit"] == frozen["primary_visit"])]
    counts = rows[ARM_COLUMN].value_counts()
    least = min(int(counts.get(arm, 0)) for arm in frozen["arms"])
    if least < FEWEST:
        raise Refused([error("look_few", got=least, least=FEWEST)])
