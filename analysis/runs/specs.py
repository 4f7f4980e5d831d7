"""From the protocol's analysis plan to the specification that the methods read, and back to the data they need."""

from typing import Any

from analysis.methods.spec import Spec, read_spec
from analysis.snapshots.extract import months_of
from trial.protocol.definition import Protocol

ARM_COLUMN = "arm"
PRIMARY, SCALES, PUBLISHED, BY_PLAN, LOOK = "primary", "scales", "published", "plan", "look"
"""Kinds of comparative analysis: the primary outcome in full, all outcomes, comparisons of groups formed after randomization, the
primary outcome as the analysis plan in force has it, and its planned model alone at a look before the end."""


def frozen_spec(protocol: Protocol) -> dict[str, Any]:
    """What a run freezes at its creation: one specification for each way of estimation, ``reported`` names the one that counts.

    The database keeps no order of keys, so that no order may mean anything.
    ``notes`` are codes of what the plan says and this model does not do; the result page says them.
    """
    plan = protocol.analysis
    specs = {method: spec_of(protocol, method, plan.outcome) for method in plan.estimation}
    return {
        "outcome": outcome_of(protocol, plan.outcome),
        **trial_of(protocol),
        "notes": [],
        "reported": plan.estimation[0],
        "analyses": specs,
    }


def outcome_of(protocol: Protocol, code: str) -> dict[str, Any]:
    """What a result says of a scale on every line: its name, and who rated it."""
    scale, instrument = protocol.scale(code), protocol.instrument_of(code)
    return {
        "code": code,
        "name": scale.name,
        "role": scale.role,
        "direction": scale.direction,
        "rater": instrument.rater,
        "rater_blind": instrument.rater_blind,
    }


def trial_of(protocol: Protocol) -> dict[str, Any]:
    """What every frozen specification says of the trial."""
    plan = protocol.analysis
    return {
        "arms": {arm.code: arm.name for arm in protocol.arms},
        "experimental": protocol.experimental_arm.code,
        "visits": {v.code: v.name for v in protocol.visits},
        "labels": {months_of(v): v.name for v in protocol.visits}
        if plan.time == "linear"
        else {v.code: v.name for v in protocol.visits},
        "primary_visit": plan.primary_visit,
        "months": {months_of(v) if plan.time == "linear" else v.code: months_of(v) for v in protocol.visits},
        "ratio": {arm.code: arm.ratio for arm in protocol.arms},
        "protocol": protocol.sha256,
    }


def spec_of(protocol: Protocol, method: str, outcome: str) -> dict[str, Any]:
    """The plan's model of one scale, at those of the plan's visits where it is measured."""
    plan, measured = protocol.analysis, protocol.instrument_of(outcome).visits
    visits = [protocol.visit(code) for code in plan.visits if code in measured]
    linear = plan.time == "linear"
    levels = [months_of(v) for v in visits] if linear else [v.code for v in visits]
    primary = protocol.visit(plan.primary_visit)
    better = "lower" if protocol.scale(outcome).direction == "higher_is_worse" else "higher"
    data: dict[str, Any] = {
        "outcome": outcome,
        "subject": "participant",
        "time": {"column": "months" if linear else "visit", "form": plan.time, "levels": levels},
        "arm": {
            "column": ARM_COLUMN,
            "reference": protocol.control_arm.code,
            "experimental": protocol.experimental_arm.code,
        },
        "interaction": plan.arm_by_time,
        "covariates": [_covariate(protocol, c) for c in plan.covariates],
        "method": method,
        "better": better,
        "confidence": 1 - plan.alpha,
    }
    if primary in visits:
        data["primary_visit"] = months_of(primary) if linear else primary.code
    if protocol.baseline.code in measured and plan.baseline == "covariate":
        data["baseline"] = f"{outcome}_baseline"
    elif protocol.baseline in visits:
        data["baseline_visit"] = months_of(protocol.baseline) if linear else protocol.baseline.code
    if plan.team == "random":
        data["unit"] = team_column(protocol)
    elif plan.team == "fixed":
        teams = [team.code for team in protocol.teams]
        data["covariates"].append({"column": team_column(protocol), "kind": "categorical", "levels": teams})
    return read_spec(data).as_data()


def team_column(protocol: Protocol) -> str:
    """The column of the team at randomization: the stratum where teams are the strata."""
    return "stratum" if protocol.strata_rule == "team" else "team"


def _covariate(protocol: Protocol, covariate: Any) -> dict[str, Any]:
    item = next(i for i in protocol.instrument(covariate.instrument).items if i.code == covariate.item)
    if not item.levels:
        return {"column": covariate.code, "kind": "numeric"}
    values = [str(value) for value, _label in item.levels]
    first = str(covariate.reference if covariate.reference is not None else values[0])
    return {"column": covariate.code, "kind": "categorical", "levels": [first, *(v for v in values if v != first)]}


def specs_of(frozen: dict[str, Any]) -> dict[str, Spec]:
    """The specifications by way of estimation, as the methods want them."""
    return {
        name: read_spec({k: v for k, v in data.items() if v is not None}) for name, data in frozen["analyses"].items()
    }
