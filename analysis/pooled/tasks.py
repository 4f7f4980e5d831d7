"""Tasks of the open side."""

import uuid
from typing import Any

from analysis.methods.progress import Watch
from analysis.pooled.actions import requeue_stale
from analysis.pooled.models import PooledRun
from analysis.runs import compute, executor
from analysis.runs.models import Run
from analysis.runs.rehearsal import fake_arms, fake_join
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
    kind = run.kind if isinstance(run, PooledRun) else PooledRun.Kind.POOLED
    if kind == PooledRun.Kind.POOLED:
        return compute.pooled(content, run.spec, watch)
    numbers = compute.numbers_of(content)
    if kind == PooledRun.Kind.FAKE:
        return compute.comparative(content, fake_arms(numbers, run.seed, run.spec["ratio"]), run.spec, watch)
    joined = fake_join(numbers, run.seed, run.spec)
    return compute.computed(content, joined, run.spec, watch)
