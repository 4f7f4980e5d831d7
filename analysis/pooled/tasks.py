"""Tasks of the open side."""

import uuid
from typing import Any

from analysis.methods.progress import Watch
from analysis.pooled.actions import requeue_stale
from analysis.pooled.models import PooledRun
from analysis.pooled.rehearsals import fakes
from analysis.runs import compute, executor
from analysis.runs.models import Run
from analysis.runs.people import EVERYBODY, left_out, people_of, without
from analysis.snapshots.queries import content_of
from trial.core import db
from trial.core.tasks import task

SWEEP = db.System("sweep")


@task(queue="default")
def execute(run_id: str) -> None:
    """Execute one run."""
    executor.execute(PooledRun, uuid.UUID(run_id), compute_run)


@task(queue="default", time_limit=60)
def sweep() -> None:
    """Every twenty seconds: runs whose worker died begin anew."""
    with db.unit_of_work(by=SWEEP):
        requeue_stale(by=SWEEP)


def compute_run(run: Run, watch: Watch) -> dict[str, Any]:
    """Pooled figures, or an analysis on fake arms. Nothing in here can read a real one."""
    with db.unit_of_work(by=executor.EXECUTOR):
        content = content_of(run.snapshot_id, run.snapshot_sha256)
    if not isinstance(run, PooledRun) or run.kind == PooledRun.Kind.POOLED:
        outside = left_out(content, {}, run.spec)
        found = compute.pooled(without(content, outside), run.spec, watch)
        return found if people_of(run.spec) == EVERYBODY else {**found, "left_out": len(outside)}
    return compute.computed(content, fakes(run, compute.numbers_of(content)), run.spec, watch)
