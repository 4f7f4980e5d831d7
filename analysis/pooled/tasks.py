"""Tasks of the open side."""

import uuid
from typing import Any

from analysis.methods.progress import Watch
from analysis.pooled.actions import PART_TASK, requeue_stale
from analysis.pooled.models import PooledPart, PooledRun
from analysis.pooled.rehearsals import fakes
from analysis.runs import compute, executor, fanout
from analysis.runs.models import Run
from analysis.runs.parts import Inputs
from analysis.runs.people import EVERYBODY, left_out, people_of, without
from analysis.runs.rehearsal import fake_join, fake_lot, ratio_of
from analysis.snapshots.queries import content_of
from trial.core import db
from trial.core.tasks import task

SWEEP = db.System("sweep")


@task(queue="default")
def execute(run_id: str) -> None:
    """Execute one run: whole, or its parts as long as any waits."""
    fanout.execute(FAN, uuid.UUID(run_id))


@task(queue="default")
def part(run_id: str, name: str) -> None:
    """Compute one part of a run."""
    fanout.take(FAN, uuid.UUID(run_id), name)


@task(queue="default", time_limit=60)
def sweep() -> None:
    """Every twenty seconds: runs whose worker died begin anew."""
    with db.unit_of_work(by=SWEEP):
        requeue_stale(by=SWEEP)


def inputs_of(run: Run) -> Inputs:
    """The snapshot and a fake join: what a rehearsal is computed from."""
    content = _content(run)
    numbers = compute.numbers_of(content)
    lot = fake_lot(numbers, run.seed, ratio_of(run.spec))
    return Inputs(content, fake_join(numbers, run.seed, run.spec), run.spec, lot)


def _content(run: Run) -> bytes:
    with db.unit_of_work(by=executor.EXECUTOR):
        return content_of(run.snapshot_id, run.snapshot_sha256)


def compute_run(run: Run, watch: Watch) -> dict[str, Any]:
    """Pooled figures, or an analysis on fake arms. Nothing in here can read a real one."""
    if not isinstance(run, PooledRun) or run.kind == PooledRun.Kind.POOLED:
        content = _content(run)
        outside = left_out(content, {}, run.spec)
        found = compute.pooled(without(content, outside), run.spec, watch)
        return found if people_of(run.spec) == EVERYBODY else {**found, "left_out": len(outside)}
    if run.kind == PooledRun.Kind.FAKE:
        content = _content(run)
        return compute.computed(content, fakes(run, compute.numbers_of(content)), run.spec, watch)
    given = inputs_of(run)
    return compute.computed(given.content, given.joined, run.spec, watch, given.lot)


FAN = fanout.Fan(
    model=PooledRun, parts=PooledPart, queue="default", task=PART_TASK, inputs=inputs_of, compute=compute_run
)
