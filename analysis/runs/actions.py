"""Every change of a run's state. The truth of a run is its row: claimed once, reported on while it runs, ended once.

``model`` is the kind of run of one side; the row is written on the side of the unit of work, like everything.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from analysis.methods.environment import code_hash, environment_hash
from analysis.runs.models import Execution, Part, Run
from trial.core import clock, db
from trial.core.actions import action
from trial.core.errors import Refused

STALE_AFTER = dt.timedelta(seconds=45)
MAX_ATTEMPTS = 5

State = Execution.State
Kind = TypeVar("Kind", bound=Execution)
Started = TypeVar("Started", bound=Run)


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
def ask_to_cancel(*, run: Execution, by: db.Actor, is_divided: bool = False) -> None:
    """A waiting run is canceled at once, a running one stops at its next step. A run that has ended stays as it is.

    A run whose parts are shared out ends at once, too: whoever is at a part drops it.
    """
    mine = _of(type(run)).filter(pk=run.pk)
    at_once = [State.QUEUED, State.RUNNING] if is_divided else [State.QUEUED]
    if not mine.filter(state__in=at_once).update(state=State.CANCELLED, finished_at=clock.now()):
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


# --- parts


@action
def share_out(*, run: Run, model: type[Part], names: Mapping[str, int], by: db.Actor) -> list[str]:
    """Lay out the parts of a run, by name and place; those that are there already stay. Returns the names that wait for a worker."""
    mine = _of(model).filter(run=run)
    there = set(mine.values_list("name", flat=True))
    model._default_manager.bulk_create(
        [model(run=run, name=name, number=number) for name, number in names.items() if name not in there]  # type: ignore[misc]
    )
    return list(mine.filter(state=State.QUEUED).order_by("number").values_list("name", flat=True))


@action
def claim_part(*, run: Run, model: type[Part], by: db.Actor, name: str = "") -> Part | None:
    """Begin a part that waits, the one of this ``name`` or the next one; None where there is none, or the run is not at work."""
    if not _of(type(run)).filter(pk=run.pk, state=State.RUNNING).exists():
        return None
    waiting = _of(model).filter(run=run, state=State.QUEUED, **({"name": name} if name else {}))
    now = clock.now()
    for key in waiting.order_by("number").values_list("pk", flat=True):
        mine = _of(model).filter(pk=key)
        if mine.filter(state=State.QUEUED).update(
            state=State.RUNNING, attempt=F("attempt") + 1, started_at=now, heartbeat_at=now
        ):
            part: Part | None = mine.first()
            return part
    return None


@action
def report_part(*, run: Run, part: Part, stage: str, share: float, by: db.Actor) -> bool:
    """Note that this part, and so its run, lives, and how far the run is; never back. Returns whether the worker shall go on."""
    now = clock.now()
    at_work = _of(type(run)).filter(pk=run.pk, state=State.RUNNING)
    held = _of(type(part)).filter(pk=part.pk, attempt=part.attempt, state=State.RUNNING).update(heartbeat_at=now)
    progress = Greatest(F("progress"), Value(min(max(share, 0.0), 1.0)))
    return bool(held and at_work.update(stage=stage, progress=progress, heartbeat_at=now))


@action
def finish_part(*, part: Part, result: Any, by: db.Actor) -> None:
    """Keep what this attempt computed. An attempt that lost the part changes nothing."""
    mine = _of(type(part)).filter(pk=part.pk, attempt=part.attempt, state=State.RUNNING)
    mine.update(state=State.SUCCEEDED, result={"value": result}, finished_at=clock.now())


@action
def leave_part(*, run: Run, part: Part, by: db.Actor, failure: list[str] | None = None) -> None:
    """End an attempt without a result: with a ``failure`` the run fails; of a run that is over it ends, too; otherwise it waits again."""
    mine = _of(type(part)).filter(pk=part.pk, attempt=part.attempt, state=State.RUNNING)
    now = clock.now()
    if failure is not None:
        mine.update(state=State.FAILED, finished_at=now)
        at_work = _of(type(run)).filter(pk=run.pk, state=State.RUNNING)
        at_work.update(state=State.FAILED, failure=failure, finished_at=now)
    elif _of(type(run)).filter(pk=run.pk, state__in=[State.CANCELLED, State.FAILED]).exists():
        mine.update(state=State.CANCELLED, finished_at=now)
    else:
        mine.update(state=State.QUEUED)


@action
def put_back_stale_parts(*, model: type[Part], by: db.Actor) -> list[tuple[uuid.UUID, str]]:
    """Parts whose heartbeat stopped wait again, or fail with their run after five attempts; returns run and name of each that waits."""
    now = clock.now()
    stale = _of(model).filter(state=State.RUNNING, heartbeat_at__lt=now - STALE_AFTER)
    for part in stale.filter(attempt__gte=MAX_ATTEMPTS).select_related("run"):
        words = ["The worker died five times while it computed this. Tell whoever runs the server."]
        leave_part(run=part.run, part=part, failure=words, by=by)
    stale.filter(run__state__in=[State.QUEUED, State.RUNNING]).update(state=State.QUEUED)
    stale.filter(state=State.RUNNING).update(state=State.CANCELLED, finished_at=now)
    waiting = _of(model).filter(
        state=State.QUEUED, run__state=State.RUNNING, created_at__lt=now - dt.timedelta(seconds=5)
    )
    return list(waiting.order_by("created_at", "number").values_list("run_id", "name")[:100])


@action
def resume(*, run: Started, more: Mapping[str, Any], by: db.Actor) -> Started:
    """A new run of what a failed or canceled one was asked, which goes on from its finished parts. Twice is once.

    Refused to anybody but who started it, of a run that succeeded or is under way, and when the program has changed since. ``more``: columns of
    the kind of run that are taken over, too.
    """
    known = _of(type(run)).filter(resumes_id=run.pk).first()
    if known is not None:
        return known  # type: ignore[no-any-return]
    if run.created_by != by.actor_id:
        raise Refused("not_yours", _("Only who started this analysis resumes it."))
    if run.state not in (State.FAILED, State.CANCELLED):
        raise Refused("not_stopped", _("Only an analysis that failed or was canceled is resumed."))
    if (run.code_version, run.environment_hash) != (code_hash(), environment_hash()):
        raise Refused("program_changed", _("The program has changed since this analysis began. Start a new one."))
    taken = ("spec", "seed", "code_version", "environment_hash", "snapshot_id", "snapshot_sha256", "created_by")
    made = type(run)(resumes_id=run.pk, **{name: getattr(run, name) for name in taken}, **more)
    made.save(force_insert=True)
    return made


def _of(model: type[Execution] | type[Part]) -> Any:
    return model._default_manager.all()
