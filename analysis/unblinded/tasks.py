"""Tasks of the queue ``unblinded``."""

import uuid
from typing import Any

from analysis.methods.progress import Watch
from analysis.runs import compute, executor
from analysis.runs.models import Run
from analysis.snapshots.queries import content_of
from analysis.unblinded.actions import keep_extract, requeue_stale
from analysis.unblinded.assembly import as_extract, join, revealed
from analysis.unblinded.forecasts import actions as forecasts
from analysis.unblinded.forecasts.compute import compute_forecast
from analysis.unblinded.models import ComparativeRun, ForecastRun
from analysis.unblinded.replaying import lot_of
from trial.core import db
from trial.core.tasks import task

SWEEP = db.System("sweep")


@task(queue="unblinded")
def execute(run_id: str) -> None:
    """Execute one comparative run."""
    executor.execute(ComparativeRun, uuid.UUID(run_id), compute_run)


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


def compute_run(run: Run, watch: Watch) -> dict[str, Any]:
    """Join, keep the join, fit."""
    with db.unit_of_work(by=executor.EXECUTOR):
        content = content_of(run.snapshot_id, run.snapshot_sha256)
        joined = join(compute.numbers_of(content))
        kept, digest = as_extract(joined)
        keep_extract(run_id=run.pk, content=kept, sha256=digest, by=executor.EXECUTOR)
        lot = lot_of(revealed(), joined, run.seed)
    return compute.computed(content, joined, run.spec, watch, lot)
