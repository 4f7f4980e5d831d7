"""Executing a run, on whatever side it belongs to. May be killed at any moment and called twice; neither changes anything.

Claimed by a conditional UPDATE; progress and heartbeat are small commits of their own; the terminal transition commits alone, and only
if this attempt still holds the run (``analysis.runs.actions``). A run whose heartbeat stopped is put back by the sweep and begins anew.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from analysis.methods.canonical import digest, encode, plain
from analysis.methods.problems import Refused as MethodRefused
from analysis.methods.progress import Cancelled, Watch
from analysis.methods.words import in_words
from analysis.runs import actions
from analysis.runs.models import Execution
from trial.core import db

EXECUTOR = db.System("run")
BEAT_EVERY = 1.0

State = Execution.State
Kind = TypeVar("Kind", bound=Execution)

log = logging.getLogger(__name__)


def execute(model: type[Kind], key: uuid.UUID, compute: Callable[[Kind, Watch], Mapping[str, Any]]) -> None:
    """Run ``key`` if it is waiting. ``compute`` gets the run and two hooks, and gives plain data."""
    with db.unit_of_work(by=EXECUTOR):
        run = actions.claim(model=model, key=key, by=EXECUTOR)
    if run is not None:
        attend(run, compute)


def attend(run: Kind, compute: Callable[[Kind, Watch], Mapping[str, Any]]) -> None:
    """Compute a run that was claimed, and end it."""
    end = outcome(run, lambda: compute(run, _watch(run)))
    with db.unit_of_work(by=EXECUTOR):
        actions.finish(run=run, end=end, by=EXECUTOR)


def outcome(run: Execution, compute: Callable[[], Any]) -> dict[str, Any]:
    """How an attempt at a run, or at a part of it, ends, as the columns of the run say it."""
    try:
        result = compute()
        content = encode(result)
    except Cancelled:
        return {"state": State.CANCELLED}
    except MethodRefused as refusal:
        return {"state": State.FAILED, "failure": [in_words(problem) for problem in refusal.problems]}
    except Exception as error:
        log.exception("Run %s failed.", run.pk)
        words = f"The program failed ({type(error).__name__}). The data manager finds the details in the log."
        return {"state": State.FAILED, "failure": [words]}
    return {"state": State.SUCCEEDED, "result": plain(result), "result_sha256": digest(content), "progress": 1.0}


def _watch(run: Execution) -> Watch:
    """Hooks of a run that one worker computes."""
    return watching(lambda stage, share: actions.report(run=run, stage=stage, share=share, by=EXECUTOR))


def watching(tell: Callable[[str, float], bool]) -> Watch:
    """Hooks that write at most once a second: progress, heartbeat, and whether somebody asked to stop. ``tell``: whether to go on."""
    last = 0.0
    stopped = False

    def report(stage: str, share: float) -> None:
        nonlocal last, stopped
        if time.monotonic() - last < BEAT_EVERY:
            return
        last = time.monotonic()
        with db.unit_of_work(by=EXECUTOR):
            stopped = not tell(stage, share)

    def cancelled() -> bool:
        return stopped

    return Watch(report=report, cancelled=cancelled)
