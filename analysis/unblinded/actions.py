"""Comparative runs and their release. On the unblinded side only."""

import uuid
from typing import Any

from django.utils.translation import gettext as _

from analysis.methods.canonical import digest, encode
from analysis.methods.problems import Refused as MethodRefused
from analysis.methods.problems import error
from analysis.plans import queries as plans
from analysis.plans.actions import refuse_if_superseded
from analysis.plans.models import PlanVersion
from analysis.runs import actions as runs
from analysis.runs.looks import frozen_final
from analysis.runs.parts import names_of
from analysis.runs.people import EVERYBODY, people_of
from analysis.runs.plans import frozen_fields, kinds_of
from analysis.runs.specs import BY_PLAN, LOOK, PRIMARY, PUBLISHED, SCALES
from analysis.snapshots.models import Snapshot
from analysis.unblinded.looks import queries as looks
from analysis.unblinded.models import ComparativePart, ComparativeRun, LooksSignature
from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import IndependentStatistician
from trial.core.access.signing import sign
from trial.core.actions import action
from trial.core.errors import Refused
from trial.core.tasks import enqueue
from trial.participants.models import Release
from trial.protocol.queries import protocol_of
from trial.unblinded.disclosure.actions import note, release
from trial.unblinded.disclosure.queries import planned_unblinding

TASK = "analysis.unblinded.tasks.execute"
PART_TASK = "analysis.unblinded.tasks.part"


@action
def start_run(*, snapshot: Snapshot, by: Person, kind: str = PRIMARY, people: str = EVERYBODY) -> ComparativeRun:
    """Queue an analysis on the real arms: ``primary``, all ``scales``, or the ``published`` comparisons.

    ``people``: everybody randomized, or those ``without_errors`` of randomization, the secret kind included. Refused before planned
    unblinding, without a signed analysis plan, on a snapshot from before the lock, for a kind that the protocol gives nothing to, and by
    the plan while a look is under way.
    """
    by.must_hold(IndependentStatistician)
    if planned_unblinding() is None:
        raise Refused(
            "not_unblinded",
            _(
                "The real arms are analyzed after planned unblinding only; before that there are looks, by their own page."
            ),
        )
    refuse_without_plan()
    if not snapshot.after_lock:
        raise Refused(
            "snapshot_early",
            _("This snapshot was made before the database lock. Ask the data manager for one of the locked database."),
        )
    if kind not in kinds_of(protocol_of(snapshot.protocol_version)):
        raise Refused("nothing_planned", _("The protocol has nothing for this analysis. Choose another one."))
    more = _final(people) if kind == BY_PLAN else None
    run = ComparativeRun(kind=ComparativeRun.Kind(kind), **frozen_fields(snapshot, by, kind, people, more))
    run.save(force_insert=True)
    note(what="comparative run started", subject=str(run.pk), by=by)
    enqueue("unblinded", TASK, str(run.pk))
    return run


@action
def countersign_looks(*, version: PlanVersion, password: str, by: Person) -> LooksSignature:
    """Sign the looks of the version in force: when the arms are compared before the end, and what each look costs. Twice is once.

    Refused for a version that is no longer in force, and for one without looks.
    """
    by.must_hold(IndependentStatistician)
    refuse_if_superseded(version)
    plan = plans.plan_of(version)
    if plan.looks is None:
        raise Refused("no_looks", _("This version plans no look before the end. There is nothing to countersign."))
    known = LooksSignature.objects.filter(plan_id=version.pk).first()
    if known is not None:
        return known
    content = {"plan": version.sha256, "looks": plan.looks_sha256}
    signature = sign(person=by, password=password, meaning="looks", content=content)
    row = LooksSignature(plan_id=version.pk, looks_sha256=plan.looks_sha256, signed_by=by.actor_id, signature=signature)
    row.save(force_insert=True)
    return row


def _final(people: str) -> dict[str, Any]:
    """What the final analysis by the plan has left to spend: only it, of everybody, and only where there were looks, planned or held.

    Refused while a look is under way: what it spends is not known yet.
    """
    if looks.is_running():
        raise Refused(
            "look_runs", _("A look is still running. It ends first, or is canceled: it says what is left to spend.")
        )
    version, held = plans.version_or_none(), looks.earlier()
    plan = plans.plan_of(version) if version else None
    judges = people == EVERYBODY and plan is not None and (held or plan.looks is not None)
    return {"final": frozen_final(plan, held) if judges and plan else None}


def refuse_without_plan() -> None:
    """No comparison before it stands in writing what is compared."""
    version = plans.version_or_none()
    if version is None:
        raise Refused(
            "no_plan", _("No analysis plan has been loaded. The trial statistician loads it; then it is signed.")
        )
    if plans.unsigned(version):
        raise Refused(
            "plan_unsigned",
            _("Version %(n)d of the analysis plan is not signed by trial statistician and investigator yet.")
            % {"n": version.number},
        )
    countersigned = LooksSignature.objects.filter(plan_id=version.pk).exists()
    if plans.plan_of(version).looks is not None and not countersigned:
        raise Refused("looks_unsigned", _("Countersign the looks of the analysis plan first."))


@action
def cancel_run(*, run: ComparativeRun, by: Person) -> None:
    """Ask a run to stop."""
    by.must_hold(IndependentStatistician)
    runs.ask_to_cancel(run=run, is_divided=bool(names_of(run.spec)), by=by)


@action
def resume_run(*, run: ComparativeRun, by: Person) -> ComparativeRun:
    """Go on with a failed or canceled run, in a new one, from its finished parts: by who started it. Twice is once.

    The new one keeps the join of the old one; where that no longer holds it fails in words.
    """
    by.must_hold(IndependentStatistician)
    known = ComparativeRun.objects.filter(resumes_id=run.pk).first()
    if known is not None:
        return known
    taken = {"kind": run.kind, "extract": run.extract, "extract_sha256": run.extract_sha256}
    made: ComparativeRun = runs.resume(run=run, more=taken, by=by)
    note(what="comparative run started", subject=str(made.pk), by=by)
    enqueue("unblinded", TASK, str(made.pk))
    return made


@action
def keep_extract(*, run_id: uuid.UUID, content: bytes, sha256: str, by: db.Actor) -> None:
    """Keep the join that a run used, with its hash. Refused (MethodRefused) where another one is kept: then the inputs have changed."""
    mine = ComparativeRun.objects.filter(pk=run_id)
    if not mine.filter(extract_sha256__in=["", sha256]).update(extract=content, extract_sha256=sha256):
        raise MethodRefused([error("run_inputs_changed")])


@action
def requeue_stale(*, by: db.Actor) -> None:
    """Put back what a dead worker left, and send again what waits."""
    for key in runs.put_back_stale(model=ComparativeRun, by=by):
        enqueue("unblinded", TASK, str(key))
    for run_id, name in runs.put_back_stale_parts(model=ComparativePart, by=by):
        enqueue("unblinded", PART_TASK, str(run_id), name)


@action
def release_result(*, run: ComparativeRun, by: Person) -> Release:
    """Let a finished result pass the gate: a public row that every dashboard shows. Nothing of single participants goes with it."""
    by.must_hold(IndependentStatistician)
    if run.state != ComparativeRun.State.SUCCEEDED:
        raise Refused("not_finished", _("Only a finished run is released."))
    if run.kind == LOOK:
        raise Refused("look", _("Of a look the team hears the committee's recommendation and nothing else."))
    if digest(encode(run.result)) != run.result_sha256:
        raise Refused(
            "result_changed", _("The stored result is not the one that was computed. Tell whoever runs the server.")
        )
    made: Release = release(title=title_of(run), payload=payload_of(run), by=by)
    return made


def title_of(run: ComparativeRun) -> str:
    """The title of a released result; that a comparison is not randomized, or of whom it is, stands in it."""
    if people_of(run.spec) != EVERYBODY:
        return _("%(title)s (sensitivity analysis without errors of randomization)") % {"title": _title(run)}
    return _title(run)


def _title(run: ComparativeRun) -> str:
    if run.kind == SCALES:
        return _("Results: all outcomes")
    if run.kind == BY_PLAN:
        return _("Result by the analysis plan: %(name)s") % {"name": run.spec["outcome"]["name"]}
    if run.kind == PUBLISHED:
        return _("Non-randomized comparisons, as published")
    return _("Result: %(name)s") % {"name": run.spec["outcome"]["name"]}


def payload_of(run: ComparativeRun) -> dict[str, Any]:
    """What is released: the stored result and what makes it reproducible."""
    return {
        "spec": run.spec,
        "result": run.result,
        "result_sha256": run.result_sha256,
        "snapshot_sha256": run.snapshot_sha256,
        "extract_sha256": run.extract_sha256,
        "code_version": run.code_version,
        "environment_hash": run.environment_hash,
        "seed": run.seed,
    }
