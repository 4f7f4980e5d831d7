"""Every change of a run's state. The truth of a run is its row: claimed once, reported on while it runs, ended once.

``model`` is the kind of run of one side; the row is written on the side of the unit of work, like everything.
"""

import datetime as dt
import uuid
from typing import Any, TypeVar

from django.db.models import F

from analysis.runs.models import Execution
from trial.core import clock, db
from trial.core.actions import action

STALE_AFTER = dt.timedelta(seconds=45)
MAX_ATTEMPTS = 5

State = Execution.State
Kind = TypeVar("Kind", bound=Execution)


@action
def claim(*, model: type[Kind], key: uuid.UUID, by: db.Actor) -> Kind | None:
    """Begin a run that waits; None where it does not, or somebody else was quicker (a conditional UPDATE)."""
    claimed = (
        _of(model)
        .filter(pk=key, state=State.QUEUED)
        .update(
            state=State.RUNNING,
            attempt=F("attempt") + 1,
            started_at=clock.now(),
            heartbeat_at=clock.now(),
            progress=0.0,
        )
    )
    run: Kind | None = _of(model).filter(pk=key).first() if claimed else None
    return run


@action
def report(*, run: Execution, stage: str, share: float, by: db.Actor) -> bool:
    """Note how far this attempt is, and that it lives. Returns whether it shall go on."""
    mine = _of(type(run)).filter(pk=run.pk, attempt=run.attempt)
    mine.update(stage=stage, progress=min(max(share, 0.0), 1.0), heartbeat_at=clock.now())
    return bool(mine.filter(state=State.RUNNING).exists())


@action
def finish(*, run: Execution, end: dict[str, Any], by: db.Actor) -> None:
    """End this attempt; it commits alone. An attempt that lost the run changes nothing; who asked to stop gets no result."""
    mine = _of(type(run)).filter(pk=run.pk, attempt=run.attempt)
    if not mine.filter(state=State.RUNNING).update(finished_at=clock.now(), **end):
        mine.filter(state=State.CANCELLING).update(state=State.CANCELLED, finished_at=clock.now())


@action
def ask_to_cancel(*, run: Execution, by: db.Actor) -> None:
    """A waiting run is canceled at once, a running one stops at its next step. A run that has ended stays as it is."""
    mine = _of(type(run)).filter(pk=run.pk)
    if not mine.filter(state=State.QUEUED).update(state=State.CANCELLED, finished_at=clock.now()):
        mine.filter(state=State.RUNNING).update(state=State.CANCELLING)


@action
def put_back_stale(*, model: type[Execution], by: db.Actor) -> list[uuid.UUID]:
    """Runs whose heartbeat stopped begin anew, or fail after five attempts; returns every run that waits for a worker."""
    now = clock.now()
    stale = _of(model).filter(heartbeat_at__lt=now - STALE_AFTER)
    stale.filter(state=State.CANCELLING).update(state=State.CANCELLED, finished_at=now)
    words = ["The worker died five times while it computed this. Tell whoever runs the server."]
    stale.filter(state=State.RUNNING, attempt__gte=MAX_ATTEMPTS).update(
        state=State.FAILED, failure=words, finished_at=now
    )
    stale.filter(state=State.RUNNING).update(state=State.QUEUED)
    waiting = _of(model).filter(state=State.QUEUED, created_at__lt=now - dt.timedelta(seconds=5))
    return list(waiting.order_by("created_at").values_list("pk", flat=True)[:100])


@action
def put_back(*, run: Execution, by: db.Actor) -> None:
    """A run that its worker left begins anew at once. For a player that is alone and knows that no worker is at it."""
    _of(type(run)).filter(pk=run.pk, state=State.RUNNING).update(state=State.QUEUED)


def _of(model: type[Execution]) -> Any:
    return model._default_manager.all()
