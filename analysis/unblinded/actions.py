"""Comparative runs and their release. On the unblinded side only."""

import uuid
from typing import Any

from django.utils.translation import gettext as _

from analysis.runs import executor
from analysis.runs.specs import frozen_fields
from analysis.snapshots.models import Snapshot
from analysis.unblinded.models import ComparativeRun
from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import IndependentStatistician
from trial.core.actions import action
from trial.core.errors import Refused
from trial.core.tasks import enqueue
from trial.participants.models import Release
from trial.unblinded.disclosure.actions import note, release
from trial.unblinded.disclosure.queries import planned_unblinding

TASK = "analysis.unblinded.tasks.execute"


@action
def start_run(*, snapshot: Snapshot, by: Person) -> ComparativeRun:
    """Queue the analysis of the plan on the real arms. Refused before planned unblinding, and on a snapshot from before the lock."""
    by.must_hold(IndependentStatistician)
    if planned_unblinding() is None:
        raise Refused(
            "not_unblinded",
            _(
                "The real arms are analyzed after planned unblinding only. Until the analysis plan has looks there are none."
            ),
        )
    if not snapshot.after_lock:
        raise Refused(
            "snapshot_early",
            _("This snapshot was made before the database lock. Ask the data manager for one of the locked database."),
        )
    run = ComparativeRun(
        **frozen_fields(snapshot, by),
    )
    run.save(force_insert=True)
    note(what="comparative run started", subject=str(run.pk), by=by)
    enqueue("unblinded", TASK, str(run.pk))
    return run


@action
def cancel_run(*, run: ComparativeRun, by: Person) -> None:
    """Ask a run to stop."""
    by.must_hold(IndependentStatistician)
    executor.ask_to_cancel(ComparativeRun, run.pk)


@action
def keep_extract(*, run_id: uuid.UUID, content: bytes, sha256: str, by: db.Actor) -> None:
    """Keep the join that a run used, with its hash."""
    ComparativeRun.objects.filter(pk=run_id).update(extract=content, extract_sha256=sha256)


@action
def requeue_stale(*, by: db.Actor) -> None:
    """Put back what a dead worker left, and send again what waits."""
    for key in executor.put_back_stale(ComparativeRun):
        enqueue("unblinded", TASK, str(key))


@action
def release_result(*, run: ComparativeRun, by: Person) -> Release:
    """Let a finished result pass the gate: a public row that every dashboard shows. Nothing of single participants goes with it."""
    by.must_hold(IndependentStatistician)
    if run.state != ComparativeRun.State.SUCCEEDED:
        raise Refused("not_finished", _("Only a finished run is released."))
    name = run.spec["outcome"]["name"]
    made: Release = release(title=_("Result: %(name)s") % {"name": name}, payload=payload_of(run), by=by)
    return made


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
