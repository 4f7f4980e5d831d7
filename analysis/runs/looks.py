"""What a look computes: the plan's primary model on the frozen data, nothing beside it, and what it means for the trial. Pure.

The same on the real arms behind the wall and on the fake arms of a rehearsal, which goes through all looks of the plan.
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


def frozen_rehearsal(plan: Plan) -> list[dict[str, Any]]:
    """Every look of the plan in order, with the share of the people at hand that its rehearsal takes.

    By information that is the planned share; by the calendar the looks come at equal distances. Nothing for a plan without looks.
    """
    if plan.looks is None:
        return []
    planned, by_share = plan.looks.looks, plan.looks.timing == "information"
    return [
        {"code": one.code, "share": one.at if by_share else n / (len(planned) + 1)}
        for n, one in enumerate(planned, start=1)
    ]


def rehearsed_result(
    table: pd.DataFrame, joined: Mapping[str, Joined], frozen: Mapping[str, Any], watch: Watch
) -> dict[str, Any]:
    """Every look of the plan one after the other, and the final analysis, as if the people at hand were the whole trial.

    The maximum of the information is what all of them hold; each look takes the first of them in their fake order of entry, as many as its share
    says, and spends after the looks before it, also where a real one would wait for more people. One that cannot be computed says why and spends
    nothing; the others go on. Refused where the model cannot be fitted to everybody.
    """
    planned = frozen["rehearsed"]
    found = fit_all(table, joined, frozen, _step(watch, "final", 0, len(planned) + 1))
    whole = primary_contrast(found, frozen)
    rules = {**frozen["monitoring"]["rules"], "maximum": whole.information}
    order = sorted(joined, key=lambda number: joined[number].entry or 0)
    looks: list[dict[str, Any]] = []
    earlier: list[dict[str, Any]] = []
    for n, one in enumerate(planned, start=1):
        people = order[: round(one["share"] * len(order))]
        inside = table[table["participant"].astype(str).isin(people)].reset_index(drop=True)
        look = {
            "number": n, "code": one["code"], "planned": True, "costs": FUNCTION, "asked": True, "earlier": list(earlier),
        }  # fmt: skip
        made = _rehearsed(inside, joined, frozen, rules, look, _step(watch, one["code"], n, len(planned) + 1))
        looks.append({"number": n, "code": one["code"], "people": len(people), **made})
        earlier = made["look"]["held"] if made["look"] else earlier
    return {**found, "looks": looks, "final": final(rules, earlier, whole)}


def _rehearsed(
    table: pd.DataFrame,
    joined: Mapping[str, Joined],
    frozen: Mapping[str, Any],
    rules: Mapping[str, Any],
    look: Mapping[str, Any],
    watch: Watch,
) -> dict[str, Any]:
    """One look of a rehearsal, or the problems for which it could not be held. ``few``: the smaller arm, where it has too few for a real look."""
    least = _smaller_arm(table, frozen)
    few = {"few": least if least < FEWEST else None}
    try:
        found = fit_all(table, joined, frozen, watch)
        return {"look": judged(rules, look, primary_contrast(found, frozen)), "problems": [], **few}
    except Refused as refusal:
        return {"look": None, "problems": list(refusal.problems), **few}


def _step(watch: Watch, name: str, done: int, of: int) -> Watch:
    return Watch(report=lambda _stage, share: watch.report(name[:30], (done + share) / of), cancelled=watch.cancelled)


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
    least = _smaller_arm(table, frozen)
    if least < FEWEST:
        raise Refused([error("look_few", got=least, least=FEWEST)])


def _smaller_arm(table: pd.DataFrame, frozen: Mapping[str, Any]) -> int:
    """How many people of the smaller arm have the outcome at the primary visit."""
    outcome = frozen["fits"][0]["fit"]["outcome"]
    values = pd.to_numeric(table[outcome].replace("", None), errors="coerce")
    rows = table[values.notna() & (table["visit"] == frozen["primary_visit"])]
    counts = rows[ARM_COLUMN].value_counts()
    return min(int(counts.get(arm, 0)) for arm in frozen["arms"])
