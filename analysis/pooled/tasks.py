"""Tasks of the open side."""

import uuid
from typing import Any

from analysis.methods.progress import Watch
from analysis.pooled.actions import requeue_stale
from analysis.pooled.models import PooledRun
from analysis.runs import compute, executor
from analysis.runs.models import Run
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
    """Pooled figures, or the model on the fake arm."""
    with db.unit_of_work(by=executor.EXECUTOR):
        content = content_of(run.snapshot_id, run.snapshot_sha256)
    if isinstance(run, PooledRun) and run.kind == PooledRun.Kind.POOLED:
        return compute.pooled(content, run.spec, watch)
    arms = compute.fake_arms(compute.numbers_of(content), run.seed, run.spec["ratio"])
    return compute.comparative(content, arms, run.spec, watch)
