"""From the protocol's analysis plan to the specification that the methods read, and back to the data they need."""

from typing import Any

from analysis.methods.environment import code_hash, environment_hash
from analysis.methods.spec import Spec, read_spec
from analysis.snapshots.extract import months_of
from analysis.snapshots.models import Snapshot
from trial.core import db, ids
from trial.protocol.definition import Protocol
from trial.protocol.queries import protocol_of

ARM_COLUMN = "arm"


def frozen_spec(protocol: Protocol) -> dict[str, Any]:
    """What a run freezes at its creation: one specification for each way of estimation, ``reported`` names the one that counts.

    The database keeps no order of keys, so that no order may mean anything.
    ``notes`` are codes of what the plan says and this model does not do; the result page says them.
    """
    plan = protocol.analysis
    scale = protocol.scale(plan.outcome)
    notes = ["team_not_in_model"] if plan.team != "none" else []
    specs = {method: _spec(protocol, method) for method in plan.estimation}
    rater = protocol.instrument_of(plan.outcome)
    return {
        "outcome": {
            "code": plan.outcome,
            "name": scale.name,
            "direction": scale.direction,
            "rater": rater.rater,
            "rater_blind": rater.rater_blind,
        },
        "arms": {arm.code: arm.name for arm in protocol.arms},
        "experimental": protocol.experimental_arm.code,
        "visits": {v.code: v.name for v in protocol.visits},
        "labels": {months_of(v): v.name for v in protocol.visits}
        if plan.time == "linear"
        else {v.code: v.name for v in protocol.visits},
        "primary_visit": plan.primary_visit,
        "ratio": {arm.code: arm.ratio for arm in protocol.arms},
        "notes": notes,
        "protocol": protocol.sha256,
        "reported": plan.estimation[0],
        "analyses": specs,
    }


def _spec(protocol: Protocol, method: str) -> dict[str, Any]:
    plan = protocol.analysis
    visits = [protocol.visit(code) for code in plan.visits]
    linear = plan.time == "linear"
    levels = [months_of(v) for v in visits] if linear else [v.code for v in visits]
    primary = protocol.visit(plan.primary_visit)
    better = "lower" if protocol.scale(plan.outcome).direction == "higher_is_worse" else "higher"
    data: dict[str, Any] = {
        "outcome": plan.outcome,
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
        "primary_visit": months_of(primary) if linear else primary.code,
    }
    if plan.baseline == "covariate":
        data["baseline"] = f"{plan.outcome}_baseline"
    else:
        data["baseline_visit"] = months_of(protocol.baseline) if linear else protocol.baseline.code
    return read_spec(data).as_data()


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


def frozen_fields(snapshot: Snapshot, by: db.Actor) -> dict[str, Any]:
    """What every run freezes at its creation, on either side: the data, the specification, the seed, and what computes."""
    return {
        "snapshot_id": snapshot.pk,
        "snapshot_sha256": snapshot.sha256,
        "spec": frozen_spec(protocol_of(snapshot.protocol_version)),
        "seed": ids.below(2**31),
        "code_version": code_hash(),
        "environment_hash": environment_hash(),
        "created_by": by.actor_id,
    }
