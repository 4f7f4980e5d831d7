"""The worker of the open side, killed in the middle of a run: an undivided one begins anew, a divided one loses the part it was at."""

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
import pytest

from analysis.methods.canonical import digest, encode
from analysis.pooled import actions as pooled
from analysis.pooled import tasks
from analysis.pooled.models import PooledPart, PooledRun
from analysis.runs import executor, parts, plans
from analysis.snapshots.actions import make_snapshot
from tests import workers, world
from tests.unit.analysis.runs.test_fanout import seen, stan, start
from trial.core import clock
from trial.core.access import Person
from trial.participants.actions import request_randomization
from trial.protocol.models import Team

__all__ = ["stan"]


def test_kill_9_in_the_middle_of_a_run(database: psycopg.Connection[Any], tmp_path: Path, settings: Any) -> None:
    world.open_trial()
    with workers.broker(tmp_path / "broker") as urls:
        with world.at_work(world.SETUP):
            person = world.ready_to_randomize(world.SETUP, Team.objects.order_by("code").first())  # type: ignore[arg-type]
            request = request_randomization(participant=person, by=world.SETUP)
        world.randomize(request)
        with world.at_work(world.SETUP):
            snapshot = make_snapshot(by=world.SETUP)
        # nobody can read snapshots for a while: the worker has claimed the run and waits
        with workers.worker("default", urls, tmp_path / "one.log") as one, database.transaction():
            database.execute("lock table snapshots_snapshot in access exclusive mode")
            with world.at_work(world.SETUP):
                run = pooled.start_run(snapshot=snapshot, kind="pooled", by=world.SETUP)
            # not pg_stat_activity: what it shows stands still inside a transaction
            blocked = "select count(*) from pg_locks where relation = 'snapshots_snapshot'::regclass and not granted"
            workers.wait_until(lambda: database.execute(blocked).fetchone() == (1,), what="the worker at work")  # type: ignore[arg-type]
            one.kill()
        with world.at_work(world.SETUP):
            assert PooledRun.objects.get().state == "running"
            PooledRun.objects.update(heartbeat_at=clock.now() - dt.timedelta(minutes=2))
        tasks.sweep()
        with workers.worker("default", urls, tmp_path / "two.log"):
            workers.send("default", pooled.TASK, [str(run.pk)])
            workers.send("default", pooled.TASK, [str(run.pk)])
            over = "select count(*) from pooled_pooledrun where finished_at is not null"
            workers.wait_until(lambda: database.execute(over).fetchone() == (1,), what="the end")  # type: ignore[arg-type]
    with world.at_work(world.SETUP):
        done = PooledRun.objects.get()
        # nobody was assessed yet, which the second attempt says in words; the first left nothing behind
        assert (done.state, done.attempt) == ("failed", 2)
        assert "No row has a value" in done.failure[0]


def test_kill_9_in_the_middle_of_a_part(
    database: psycopg.Connection[Any], stan: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker takes the part that was lost and those that wait; what was finished is not touched, and the bytes are the same."""
    every = plans.frozen_sensitivity
    without_lots = {"rerandomization": None}
    monkeypatch.setattr(
        plans, "frozen_sensitivity", lambda *a: every(*a) | without_lots | {"outcomes": every(*a)["outcomes"][:2]}
    )
    with workers.broker(tmp_path / "broker") as urls:
        with workers.worker("default", urls, tmp_path / "one.log") as one:
            run = start(stan)
            workers.wait_until(lambda: _killed_at_a_part(database, one), what="a worker at a part, another part done")
        before = _parts()
        assert seen(run).state == "running"
        with world.at_work(world.SETUP):
            dead = clock.now() - dt.timedelta(minutes=2)
            PooledPart.objects.filter(state="running").update(heartbeat_at=dead)
            PooledRun.objects.update(heartbeat_at=dead)
        with workers.worker("default", urls, tmp_path / "two.log"):
            workers.wait_until(lambda: _over_after_a_sweep(run), what="the end")
    done, after = seen(run), _parts()
    assert (done.state, done.failure, done.attempt) == ("succeeded", [], 2)
    finished = {name: row for name, row in before.items() if row["state"] == "succeeded"}
    assert finished.items() <= after.items(), "a finished part was computed again"
    assert list(after) == parts.names_of(run.spec), "each part is one row"
    lost = {name for name, row in before.items() if row["state"] == "running"}
    assert {name: row["attempt"] for name, row in after.items()} == {name: 1 + (name in lost) for name in after}
    undisturbed = tasks.compute_run(done, executor.watching(lambda _stage, _share: True))
    assert digest(encode(undisturbed)) == done.result_sha256


def _over_after_a_sweep(run: PooledRun) -> bool:
    """As in the application, where sweeps go on: a part that the dead worker had fetched is sent again once it has waited long enough."""
    tasks.sweep()
    return seen(run).is_over


def _killed_at_a_part(owner: psycopg.Connection[Any], worker: workers.Worker) -> bool:
    """``kill -9`` while nobody can end a part, if the worker is at one and has finished another. Whether it was."""
    if not any(row["state"] == "succeeded" for row in _parts().values()):
        return False
    with owner.transaction():
        owner.execute("lock table pooled_pooledpart in share row exclusive mode")
        at_one = owner.execute("select count(*) from pooled_pooledpart where state = 'running'").fetchone() == (1,)
        if at_one:
            worker.kill()
    return at_one


def _parts() -> dict[str, dict[str, Any]]:
    columns = ("state", "attempt", "started_at", "finished_at", "result")
    with world.at_work(world.SETUP):
        return {row["name"]: row for row in PooledPart.objects.order_by("number").values("name", *columns)}
