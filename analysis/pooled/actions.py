"""Starting and stopping runs of the open side."""

from analysis.pooled.models import PooledRun
from analysis.runs import executor
from analysis.runs.specs import frozen_fields
from analysis.snapshots.models import Snapshot
from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import TrialStatistician
from trial.core.actions import action
from trial.core.tasks import enqueue

TASK = "analysis.pooled.tasks.execute"


@action
def start_run(*, snapshot: Snapshot, kind: str, by: db.Actor) -> PooledRun:
    """Freeze what is asked and queue it: ``pooled`` figures, or a rehearsal on a ``fake`` arm. By the trial statistician."""
    if isinstance(by, Person):
        by.must_hold(TrialStatistician)
    run = PooledRun(
        kind=PooledRun.Kind(kind),
        **frozen_fields(snapshot, by),
    )
    run.save(force_insert=True)
    enqueue("default", TASK, str(run.pk))
    return run


@action
def cancel_run(*, run: PooledRun, by: db.Actor) -> None:
    """Ask a run to stop. One that has ended stays as it is."""
    if isinstance(by, Person):
        by.must_hold(TrialStatistician)
    executor.ask_to_cancel(PooledRun, run.pk)


@action
def requeue_stale(*, by: db.Actor) -> None:
    """Put back what a dead worker left, and send again what waits."""
    for key in executor.put_back_stale(PooledRun):
        enqueue("default", TASK, str(key))
