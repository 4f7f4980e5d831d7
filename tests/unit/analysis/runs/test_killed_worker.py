"""The worker of the open side, killed in the middle of a run: the run begins anew and ends once."""

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg

from analysis.pooled import actions as pooled
from analysis.pooled import tasks
from analysis.pooled.models import PooledRun
from analysis.snapshots.actions import make_snapshot
from tests import workers, world
from trial.core import clock
from trial.participants.actions import request_randomization
from trial.protocol.models import Team


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
