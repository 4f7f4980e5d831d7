"""Executing a run, on whatever side it belongs to. May be killed at any moment and called twice; neither changes anything.

Claimed by a conditional UPDATE; progress and heartbeat are small commits of their own; the terminal transition commits alone, and only
if this attempt still holds the run. A run whose heartbeat stopped is put back by the sweep and begins anew.
"""

import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import F, Q

from analysis.methods.canonical import digest, encode, plain
from analysis.methods.problems import Refused as MethodRefused
from analysis.methods.progress import Cancelled, Watch
from analysis.methods.words import in_words
from analysis.runs.models import Run
from trial.core import clock, db

EXECUTOR = db.System("run")
STALE_AFTER = dt.timedelta(seconds=45)
BEAT_EVERY = 1.0
MAX_ATTEMPTS = 5

Compute = Callable[[Run, Watch], Mapping[str, Any]]
State = Run.State

log = logging.getLogger(__name__)


def execute(model: type[Run], key: uuid.UUID, compute: Compute) -> None:
    """Run ``key`` if it is waiting. ``compute`` gets the run and two hooks, and gives plain data."""
    with db.unit_of_work(by=EXECUTOR):
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
        run = _of(model).filter(pk=key).first()
    if not claimed or run is None:
        return
    attempt = run.attempt
    try:
        result = compute(run, _watch(model, key, attempt))
        content = encode(result)
        end: dict[str, Any] = {
            "state": State.SUCCEEDED,
            "result": plain(result),
            "result_sha256": digest(content),
            "progress": 1.0,
        }
    except Cancelled:
        end = {"state": State.CANCELLED}
    except MethodRefused as refusal:
        end = {"state": State.FAILED, "failure": [in_words(problem) for problem in refusal.problems]}
    except Exception as error:
        log.exception("Run %s failed.", key)
        end = {
            "state": State.FAILED,
            "failure": [f"The program failed ({type(error).__name__}). The data manager finds the details in the log."],
        }
    _finish(model, key, attempt, end)


def _finish(model: type[Run], key: uuid.UUID, attempt: int, end: dict[str, Any]) -> None:
    with db.unit_of_work(by=EXECUTOR):
        _of(model).filter(pk=key, attempt=attempt, state__in=[State.RUNNING, State.CANCELLING]).update(
            finished_at=clock.now(), **end
        )


def _watch(model: type[Run], key: uuid.UUID, attempt: int) -> Watch:
    """Hooks that write at most once a second: progress, heartbeat, and whether somebody asked to stop."""
    last = 0.0
    stopped = False

    def report(stage: str, share: float) -> None:
        nonlocal last, stopped
        if time.monotonic() - last < BEAT_EVERY:
            return
        last = time.monotonic()
        with db.unit_of_work(by=EXECUTOR):
            mine = _of(model).filter(pk=key, attempt=attempt)
            mine.update(stage=stage, progress=min(max(share, 0.0), 1.0), heartbeat_at=clock.now())
            stopped = not mine.filter(state=State.RUNNING).exists()

    def cancelled() -> bool:
        return stopped

    return Watch(report=report, cancelled=cancelled)


def ask_to_cancel(model: type[Run], key: uuid.UUID) -> None:
    """A part of an action: a waiting run is cancelled at once, a running one stops at its next step."""
    _of(model).filter(pk=key, state=State.QUEUED).update(state=State.CANCELLED, finished_at=clock.now())
    _of(model).filter(pk=key, state=State.RUNNING).update(state=State.CANCELLING)


def put_back_stale(model: type[Run]) -> list[uuid.UUID]:
    """Runs whose heartbeat stopped begin anew, or fail after five attempts; returns every run that waits for a worker."""
    limit = clock.now() - STALE_AFTER
    stale = _of(model).filter(heartbeat_at__lt=limit)
    stale.filter(state=State.CANCELLING).update(state=State.CANCELLED, finished_at=clock.now())
    words = ["The worker died five times while it computed this. Tell whoever runs the server."]
    stale.filter(state=State.RUNNING, attempt__gte=MAX_ATTEMPTS).update(
        state=State.FAILED, failure=words, finished_at=clock.now()
    )
    stale.filter(state=State.RUNNING).update(state=State.QUEUED)
    waiting = _of(model).filter(Q(state=State.QUEUED), created_at__lt=clock.now() - dt.timedelta(seconds=5))
    return list(waiting.order_by("created_at").values_list("pk", flat=True)[:100])


def _of(model: type[Run]) -> Any:
    return model._default_manager.all()
