"""What each kind of run freezes at its creation: the primary outcome in full, all outcomes, or the published comparisons.

The database keeps no order of keys, so that no order of keys may mean anything: what has an order is a list.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from analysis.methods.environment import code_hash, environment_hash
from analysis.methods.nonrandomized import refuse_unsound
from analysis.plans.definition import Plan
from analysis.plans.models import PlanVersion
from analysis.plans.queries import plan_of, version_or_none
from analysis.runs.blinded import frozen_blinded
from analysis.runs.looks import frozen_final, frozen_rehearsal
from analysis.runs.monitoring import rules_of
from analysis.runs.people import EVERYBODY
from analysis.runs.planned import frozen_fits
from analysis.runs.sensitivity import frozen_sensitivity
from analysis.runs.specs import (
    BY_PLAN,
    LOOK,
    PRIMARY,
    PUBLISHED,
    SCALES,
    frozen_spec,
    outcome_of,
    spec_of,
    team_column,
    trial_of,
)
from analysis.runs.subgroups import frozen_subgroups
from analysis.snapshots.models import Snapshot
from trial.core import db, ids
from trial.core.errors import Refused
from trial.protocol.definition import Protocol
from trial.protocol.queries import protocol_of

GROUPS = 15
"""Fake groups; a number of the rehearsal's own, so that each person's fake group depends on nobody else."""


def frozen_scales(protocol: Protocol) -> dict[str, Any]:
    """All primary and secondary outcomes by the plan's model, the primary first, and admissions where records are planned."""
    return {
        "kind": SCALES,
        "outcomes": _outcomes(protocol),
        "records": _records(protocol),
        "rehearsal": _rehearsal(protocol),
        **trial_of(protocol),
    }


def frozen_published(protocol: Protocol) -> dict[str, Any]:
    """Completers and classes of fidelity against all controls, by the same models. Refused (MethodRefused) for a plan that rests on the lot."""
    refuse_unsound([protocol.analysis.method])
    return {**frozen_scales(protocol), "kind": PUBLISHED, "comparisons": comparisons_of(protocol)}


def comparisons_of(protocol: Protocol) -> list[dict[str, Any]]:
    """The comparisons of groups formed after randomization that this trial has; none without a program of sessions."""
    found: list[dict[str, Any]] = []
    if protocol.sessions is None:
        return found
    rule = protocol.sessions.completion
    found.append(
        {
            "code": "completers", "classes": [{"code": "completed", "name": "Completers"}],
            "share": rule.share, "denominator": rule.denominator, "minimum_sessions": 0,
        }
    )  # fmt: skip
    bands = protocol.fidelity[0].bands if protocol.fidelity else ()
    if protocol.analysis.fidelity_sessions and bands:
        classes = [{"code": band.code, "name": band.name} for band in reversed(bands)]
        found.append({"code": "fidelity", "classes": classes, "minimum_sessions": protocol.analysis.fidelity_sessions})
    return found


def kinds_of(protocol: Protocol) -> list[str]:
    """The kinds of comparative analysis that say something in this trial; the primary outcome always does."""
    several = len(_outcomes(protocol)) > 1 or protocol.records is not None
    return [BY_PLAN, PRIMARY, *([SCALES] if several else []), *([PUBLISHED] if comparisons_of(protocol) else [])]


FROZEN: dict[str, Callable[[Protocol], dict[str, Any]]] = {
    PRIMARY: frozen_spec,
    SCALES: frozen_scales,
    PUBLISHED: frozen_published,
}


def _outcomes(protocol: Protocol) -> list[dict[str, Any]]:
    plan, method = protocol.analysis, protocol.analysis.estimation[0]
    scales = [(scale, instrument) for instrument in protocol.instruments for scale in instrument.scales]
    wanted = [s.code for s, i in scales if s.role == "secondary" and len(set(i.visits) & set(plan.visits)) > 1]
    return [{**outcome_of(protocol, code), "spec": spec_of(protocol, method, code)} for code in (plan.outcome, *wanted)]


def _records(protocol: Protocol) -> dict[str, Any] | None:
    """Admissions: the days looked up, and the settings of the two published analyses. Abstractors read files that mention the treatment."""
    plan = protocol.records
    if plan is None:
        return None
    return {
        "before_visit": plan.before_visit,
        "before_days": plan.before_days,
        "after_visit": plan.after_visit,
        "after_days": plan.after_days,
        "rater": "record",
        "rater_blind": False,
        "continuity": False,
        "confidence": 1 - protocol.analysis.alpha,
    }


def _rehearsal(protocol: Protocol) -> dict[str, Any]:
    """What fake sessions, groups, classes and admissions are drawn from: the protocol alone."""
    plan = protocol.sessions
    bands = protocol.fidelity[0].bands if protocol.fidelity else ()
    return {
        "arms": list(plan.arms) if plan else [],
        "planned_sessions": plan.planned_sessions if plan else 0,
        "share": plan.completion.share if plan else 0.0,
        "groups": GROUPS,
        "follow_ups": [visit.code for visit in protocol.follow_ups],
        "bands": [band.code for band in bands],
        "records": protocol.records is not None,
        "longest_days": min(protocol.records.before_days, protocol.records.after_days) if protocol.records else 0,
    }


def _plan_in(version: PlanVersion | None) -> Plan:
    if version is None:
        raise Refused(
            "no_plan", _("No analysis plan has been loaded. The trial statistician loads it; then it is signed.")
        )
    return plan_of(version)


def frozen_by_plan(protocol: Protocol, version: PlanVersion | None) -> dict[str, Any]:
    """The primary outcome by the plan in force. Refused without one."""
    plan = _plan_in(version)
    return {
        **_model_of(protocol, plan),
        **frozen_sensitivity(protocol, plan),
        **({"subgroups": frozen_subgroups(protocol, plan)} if plan.subgroups else {}),
        "not_computed": [],
        **({"final": frozen_final(plan, ())} if plan.looks else {}),
    }


def _model_of(protocol: Protocol, plan: Plan) -> dict[str, Any]:
    """The plan's outcome and models, and how its results are read."""
    return {
        "kind": BY_PLAN,
        "outcome": outcome_of(protocol, plan.estimand.outcome),
        "rehearsal": _rehearsal(protocol),
        **trial_of(protocol),
        "primary_visit": plan.estimand.visit,
        "labels": {visit.code: visit.name for visit in protocol.visits},
        "model": plan.model.method,
        "better": "lower" if protocol.scale(plan.estimand.outcome).direction == "higher_is_worse" else "higher",
        "confidence": 1 - plan.alpha if plan.sides == 2 else 1 - 2 * plan.alpha,
        "team_rule": plan.model.team,
        "team_column": team_column(protocol),
        "fits": frozen_fits(protocol, plan),
    }


def frozen_look(protocol: Protocol, version: PlanVersion | None) -> dict[str, Any]:
    """A look: the plan's outcome and primary model, nothing beside them. Behind the wall ``monitoring`` says which look; a rehearsal goes through
    all of the plan (``rehearsal_of_looks``), since the open side knows of no look that was held. Refused without a plan.
    """
    plan = _plan_in(version)
    frozen = _model_of(protocol, plan)
    return {**frozen, "kind": LOOK, "fits": frozen["fits"][:1], "not_computed": []}


def rehearsal_of_looks() -> dict[str, Any]:
    """What the specification of a rehearsal says of looks: the rules of the plan in force, and every look of it."""
    plan = _plan_in(version_or_none())
    return {"monitoring": {"rules": rules_of(plan)}, "rehearsed": frozen_rehearsal(plan)}


OF_PLAN: dict[str, Callable[[Protocol, PlanVersion | None], dict[str, Any]]] = {
    BY_PLAN: frozen_by_plan,
    LOOK: frozen_look,
}
"""What rests on the analysis plan in force."""


def pooled_information(protocol: Protocol) -> dict[str, Any]:
    """What pooled figures say of information and sample size, where a plan says what that is."""
    version = version_or_none()
    return {"blinded": frozen_blinded(protocol, plan_of(version))} if version else {}


def _named(version: PlanVersion | None) -> dict[str, Any]:
    """The version of the analysis plan that the result will name; a rehearsal may come before there is one."""
    return {"plan": {"number": version.number, "sha256": version.sha256}} if version else {}


def frozen_fields(
    snapshot: Snapshot,
    by: db.Actor,
    kind: str = PRIMARY,
    people: str = EVERYBODY,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What every run freezes at its creation, on either side: the data, the specification, the seed, and what computes.

    ``people``: the set of a sensitivity analysis; a specification that names none means everybody randomized. ``more``: what one side adds
    to the specification.
    """
    protocol, version = protocol_of(snapshot.protocol_version), version_or_none()
    spec = OF_PLAN[kind](protocol, version) if kind in OF_PLAN else FROZEN[kind](protocol)
    spec |= _named(version) | dict(more or {})
    return {
        "snapshot_id": snapshot.pk,
        "snapshot_sha256": snapshot.sha256,
        "spec": spec if people == EVERYBODY else {**spec, "people": people},
        "seed": ids.below(2**31),
        "code_version": code_hash(),
        "environment_hash": environment_hash(),
        "created_by": by.actor_id,
    }
