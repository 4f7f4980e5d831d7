"""Tasks of the queue ``unblinded``."""

import uuid
from typing import Any

from analysis.methods.progress import Watch
from analysis.runs import compute, executor, fanout
from analysis.runs.models import Run
from analysis.runs.parts import Inputs
from analysis.snapshots.queries import content_of
from analysis.unblinded.actions import PART_TASK, keep_extract, requeue_stale
from analysis.unblinded.assembly import as_extract, join, revealed
from analysis.unblinded.forecasts import actions as forecasts
from analysis.unblinded.forecasts.compute import compute_forecast
from analysis.unblinded.models import ComparativePart, ComparativeRun, ForecastRun
from analysis.unblinded.replaying import lot_of
from trial.core import db
from trial.core.tasks import task

SWEEP = db.System("sweep")


@task(queue="unblinded")
def execute(run_id: str) -> None:
    """Execute one comparative run: whole, or its parts as long as any waits."""
    fanout.execute(FAN, uuid.UUID(run_id))


@task(queue="unblinded")
def part(run_id: str, name: str) -> None:
    """Compute one part of a comparative run."""
    fanout.take(FAN, uuid.UUID(run_id), name)


@task(queue="unblinded")
def forecast(run_id: str) -> None:
    """Simulate the trials of one forecast."""
    executor.execute(ForecastRun, uuid.UUID(run_id), compute_forecast)


@task(queue="unblinded", time_limit=60)
def sweep() -> None:
    """Every twenty seconds: runs whose worker died begin anew."""
    with db.unit_of_work(by=SWEEP):
        requeue_stale(by=SWEEP)
        forecasts.requeue_stale(by=SWEEP)


def inputs_of(run: Run) -> Inputs:
    """Join, and keep the join: what a run is computed from. Every part finds the same one, or is refused."""
    with db.unit_of_work(by=executor.EXECUTOR):
        content = content_of(run.snapshot_id, run.snapshot_sha256)
        joined = join(compute.numbers_of(content))
        kept, digest = as_extract(joined)
        keep_extract(run_id=run.pk, content=kept, sha256=digest, by=executor.EXECUTOR)
        return Inputs(content, joined, run.spec, lot_of(revealed(), joined, run.seed))


def compute_run(run: Run, watch: Watch) -> dict[str, Any]:
    """Join, keep the join, fit."""
    given = inputs_of(run)
    return compute.computed(given.content, given.joined, run.spec, watch, given.lot)


FAN = fanout.Fan(
    model=ComparativeRun,
    parts=ComparativePart,
    queue="unblinded",
    task=PART_TASK,
    inputs=inputs_of,
    compute=compute_run,
)
