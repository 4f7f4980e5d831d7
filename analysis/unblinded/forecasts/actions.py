"""Starting and stopping forecasts. On the unblinded side only: what a scheme gives away is for nobody who recruits."""

from typing import Any

from analysis.methods.environment import environment_hash
from analysis.runs import actions as runs
from analysis.unblinded.forecasts.compute import scheme_hash
from analysis.unblinded.models import ForecastRun
from trial.core import db, ids
from trial.core.access import Person
from trial.core.access.roles import IndependentStatistician
from trial.core.actions import action
from trial.core.tasks import enqueue

TASK = "analysis.unblinded.tasks.forecast"


@action
def start_forecast(*, spec: dict[str, Any], by: Person) -> ForecastRun:
    """Queue a forecast of this specification (``candidates.specification``)."""
    by.must_hold(IndependentStatistician)
    run = ForecastRun(
        spec=spec, seed=ids.below(2**31), code_version=scheme_hash(), environment_hash=environment_hash(),
        created_by=by.actor_id,
    )  # fmt: skip
    run.save(force_insert=True)
    enqueue("unblinded", TASK, str(run.pk))
    return run


@action
def cancel_forecast(*, run: ForecastRun, by: Person) -> None:
    """Ask a forecast to stop."""
    by.must_hold(IndependentStatistician)
    runs.ask_to_cancel(run=run, by=by)


@action
def requeue_stale(*, by: db.Actor) -> None:
    """Put back what a dead worker left, and send again what waits."""
    for key in runs.put_back_stale(model=ForecastRun, by=by):
        enqueue("unblinded", TASK, str(key))
