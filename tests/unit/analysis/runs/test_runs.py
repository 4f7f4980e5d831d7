"""Runs: the truth is in the database; a dead worker and a second delivery change nothing; the wall stands around the real arms."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError
from django.test import Client

from analysis.methods.canonical import digest, encode
from analysis.methods.progress import Watch
from analysis.plans.actions import load_plan
from analysis.plans.plain import plain_plan
from analysis.pooled import actions as pooled
from analysis.pooled import tasks as pooled_tasks
from analysis.pooled.models import PooledRun
from analysis.runs import actions as runs
from analysis.runs import compute, executor, rehearsal
from analysis.snapshots.actions import make_snapshot
from analysis.snapshots.models import Snapshot
from analysis.unblinded import actions as comparative
from analysis.unblinded import tasks as comparative_tasks
from analysis.unblinded.models import ComparativeRun
from tests import world
from trial.core import clock, db, side
from trial.core.errors import Refused
from trial.participants.actions import lock_database, request_unblinding
from trial.participants.models import Release
from trial.unblinded.disclosure.actions import confirm_planned_unblinding
from trial.unblinded.disclosure.models import LedgerEntry
from trial.unblinded.randomization.models import Allocation


@pytest.fixture
def small(played: psycopg.Connection[Any]) -> Snapshot:
    """Twelve patients of Beat the Blues and a snapshot of them."""
    with world.at_work(world.SETUP):
        return make_snapshot(by=world.SETUP)  # type: ignore[no-any-return]


def start(snapshot: Snapshot, kind: str = "fake") -> PooledRun:
    with world.at_work(world.SETUP):
        return pooled.start_run(snapshot=snapshot, kind=kind, by=world.SETUP)  # type: ignore[no-any-return]


def seen(run: PooledRun) -> PooledRun:
    with world.at_work(world.SETUP):
        return PooledRun.objects.get(pk=run.pk)


def nowhere(queue: str, name: str, args: Any) -> None:
    """Takes the message and forgets it."""


@pytest.fixture(autouse=True)
def _no_broker(settings: Any) -> None:
    settings.TASK_SENDER = f"{__name__}.nowhere"


def test_a_snapshot_is_the_same_bytes_until_the_data_change(small: Snapshot) -> None:
    with world.at_work(world.SETUP):
        again = make_snapshot(by=world.SETUP)
        assert again.pk == small.pk
        text = bytes(Snapshot.objects.get(pk=small.pk).content).decode()
    assert text.splitlines()[0].startswith("participant,site,team,stratum,visit,months,bdi,bdi_baseline")
    assert len(text.splitlines()) == 1 + 12 * 5
    assert "BtheB" not in text
    assert "TAU" not in text


@pytest.mark.parametrize("kind", ["pooled", "fake"])
def test_a_run_ends_with_a_result_and_a_second_delivery_changes_nothing(small: Snapshot, kind: str) -> None:
    run = start(small, kind)
    pooled_tasks.execute(str(run.pk))
    done = seen(run)
    assert (done.state, done.failure) == ("succeeded", [])
    assert done.result_sha256 == digest(encode(done.result))
    pooled_tasks.execute(str(run.pk))
    again = seen(run)
    assert (again.finished_at, again.attempt, again.result_sha256) == (done.finished_at, 1, done.result_sha256)


def test_the_same_inputs_give_the_same_bytes(small: Snapshot) -> None:
    run = start(small)
    pooled_tasks.execute(str(run.pk))
    first = seen(run)
    content = bytes(world_content(small))
    arms = rehearsal.fake_arms(compute.numbers_of(content), first.seed, first.spec["ratio"])
    assert digest(encode(compute.comparative(content, arms, first.spec))) == first.result_sha256


def world_content(snapshot: Snapshot) -> bytes:
    with world.at_work(world.SETUP):
        return bytes(Snapshot.objects.get(pk=snapshot.pk).content)


def test_a_dead_worker_s_run_begins_anew_and_its_ghost_cannot_finish_it(
    small: Snapshot, database: psycopg.Connection[Any]
) -> None:
    run = start(small)
    ghost: list[Callable[[], None]] = []

    def dies(one: Any, watch: Watch) -> dict[str, Any]:
        def finish() -> None:
            with db.unit_of_work(by=executor.EXECUTOR):
                runs.finish(run=one, end={"state": "failed", "failure": ["ghost"]}, by=executor.EXECUTOR)

        ghost.append(finish)
        raise SystemExit

    with pytest.raises(SystemExit):
        executor.execute(PooledRun, run.pk, dies)
    assert seen(run).state == "running"
    with world.at_work(world.SETUP):
        assert runs.put_back_stale(model=PooledRun, by=world.SETUP) == []
        PooledRun.objects.update(heartbeat_at=clock.now() - dt.timedelta(minutes=2))
    pooled_tasks.sweep()
    assert seen(run).state == "queued"
    pooled_tasks.execute(str(run.pk))
    assert (seen(run).state, seen(run).attempt) == ("succeeded", 2)
    ghost[0]()
    assert (seen(run).state, seen(run).failure) == ("succeeded", [])


def test_a_run_that_kills_five_workers_fails_in_words(small: Snapshot) -> None:
    run = start(small)
    with world.at_work(world.SETUP):
        PooledRun.objects.update(
            state="running", attempt=5, started_at=clock.now(), heartbeat_at=clock.now() - dt.timedelta(minutes=2)
        )
    pooled_tasks.sweep()
    assert seen(run).state == "failed"
    assert "five times" in seen(run).failure[0]


def test_cancel_before_and_while_it_runs(small: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "BEAT_EVERY", 0.0)
    waiting = start(small)
    with world.at_work(world.SETUP):
        pooled.cancel_run(run=waiting, by=world.SETUP)
    assert seen(waiting).state == "cancelled"
    pooled_tasks.execute(str(waiting.pk))
    assert seen(waiting).state == "cancelled"
    running = start(small)

    def slow(run: Any, watch: Watch) -> dict[str, Any]:
        with world.at_work(world.SETUP):
            pooled.cancel_run(run=running, by=world.SETUP)
        watch.step("fitting", 0.5)
        raise AssertionError("it went on")

    executor.execute(PooledRun, running.pk, slow)
    assert seen(running).state == "cancelled"
    quick = start(small)

    def done_first(run: Any, watch: Watch) -> dict[str, Any]:
        with world.at_work(world.SETUP):
            pooled.cancel_run(run=quick, by=world.SETUP)
        return {"too": "late"}  # computed, and nobody wants it any more

    executor.execute(PooledRun, quick.pk, done_first)
    assert (seen(quick).state, seen(quick).result) == ("cancelled", None)


def test_a_failure_is_said_in_words(small: Snapshot) -> None:
    run = start(small)

    def fails(one: Any, watch: Watch) -> dict[str, Any]:
        raise ZeroDivisionError

    executor.execute(PooledRun, run.pk, fails)
    assert (seen(run).state, "ZeroDivisionError" in seen(run).failure[0]) == ("failed", True)


def test_the_fake_arm_knows_nothing_of_the_allocation(small: Snapshot, database: psycopg.Connection[Any]) -> None:
    content = world_content(small)
    numbers = compute.numbers_of(content)
    before = rehearsal.fake_arms(numbers, 7, {"BtheB": 1, "TAU": 1})
    with database.transaction():
        database.execute("set local session_replication_role = replica")
        database.execute("update unblinded_allocation set arm = case arm when 'TAU' then 'BtheB' else 'TAU' end")
    assert rehearsal.fake_arms(compute.numbers_of(world_content(small)), 7, {"BtheB": 1, "TAU": 1}) == before
    assert rehearsal.fake_arms(numbers[:5], 7, {"BtheB": 1, "TAU": 1}) == {n: before[n] for n in numbers[:5]}
    draws = rehearsal.fake_arms([str(n) for n in range(5000)], 1, {"imr": 3, "cau": 2})
    share = sum(arm == "imr" for arm in draws.values()) / 5000
    assert abs(share - 0.6) < 3.3 * (0.6 * 0.4 / 5000) ** 0.5


def persons() -> tuple[Any, Any, Any]:
    from trial.core.models import User

    with side.opened():
        return tuple(world.person(User.objects.get(username=n)) for n in ("datamanager", "sponsor", "independent"))  # type: ignore[return-value]


def unblind() -> Any:
    manager, sponsor, independent = persons()
    with world.at_work(manager):
        lock_database(password=world.PASSWORD, by=manager)
    with world.at_work(sponsor):
        request_unblinding(password=world.PASSWORD, by=sponsor)
    with world.at_work(independent):
        confirm_planned_unblinding(password=world.PASSWORD, by=independent)
    with world.at_work(manager):
        return make_snapshot(by=manager), independent


def test_no_comparative_run_before_planned_unblinding(small: Snapshot) -> None:
    independent = persons()[2]
    with world.at_work(independent), pytest.raises(Refused, match="planned unblinding"):
        comparative.start_run(snapshot=small, by=independent)
    with world.at_work(independent), pytest.raises(DatabaseError, match="follows planned unblinding"):
        ComparativeRun(
            snapshot_id=small.pk,
            snapshot_sha256=small.sha256,
            spec={},
            seed=1,
            code_version="x",
            environment_hash="x",
            created_by="x",
        ).save(force_insert=True)
    with world.at_work(world.SETUP), pytest.raises(DatabaseError, match="permission denied"):
        ComparativeRun.objects.count()


def test_no_comparative_run_without_a_signed_plan(small: Snapshot) -> None:
    snapshot, independent = unblind()
    with world.at_work(world.SETUP) as by:
        load_plan(plan=replace(plain_plan(world.read("btheb")), change="Another model."), by=by)
    with world.at_work(independent), pytest.raises(Refused, match="Version 2 of the analysis plan is not signed"):
        comparative.start_run(snapshot=snapshot, by=independent)
    with world.at_work(independent), pytest.raises(DatabaseError, match="follows a signed analysis plan"):
        ComparativeRun(
            snapshot_id=snapshot.pk,
            snapshot_sha256=snapshot.sha256,
            spec={},
            seed=1,
            code_version="x",
            environment_hash="x",
            created_by="x",
        ).save(force_insert=True)


def test_the_real_arms_after_unblinding_and_the_release(small: Snapshot) -> None:
    snapshot, independent = unblind()
    with world.at_work(independent), pytest.raises(Refused, match="before the database lock"):
        comparative.start_run(snapshot=small, by=independent)
    with world.at_work(independent):
        run = comparative.start_run(snapshot=snapshot, by=independent)
    comparative_tasks.execute(str(run.pk))
    with world.at_work(independent):
        run.refresh_from_db()
        assert (run.state, run.failure) == ("succeeded", [])
        arms = dict(Allocation.objects.values_list("participant__number", "arm"))
        lines = bytes(run.extract).decode().splitlines()
        assert dict(line.split(",")[:2] for line in lines[1:]) == arms
        row = comparative.release_result(run=run, by=independent)
        assert comparative.release_result(run=run, by=independent).pk == row.pk
        assert LedgerEntry.objects.filter(what="result released").count() == 1
    with world.at_work(world.SETUP):
        assert Release.objects.get().payload["result_sha256"] == run.result_sha256
    for name in ("coordinator", "interviewer", "statistician"):
        client = Client()
        assert client.post("/login/", {"username": name, "password": world.PASSWORD}).status_code == 302
        page = client.get("/")
        assert b"points" in page.content
        page = client.get(f"/analysis/results/{row.pk}/").content.decode()
        assert re.search(r'table-cards history">.*site staff</td><td data-label="What">Release<', page, re.S)
    client = Client()
    client.post("/unblinded/login/", {"username": "independent", "password": world.PASSWORD})
    for address in ("", f"{run.pk}/", f"{run.pk}/release/", f"{run.pk}/progress/", f"results/{row.pk}/"):
        assert client.get(f"/unblinded/analysis/{address}").status_code == 200, address
    page = client.get(f"/unblinded/analysis/results/{row.pk}/").content.decode()
    assert re.search(r'table-cards history">.*Irma de Boer</td><td data-label="What">Release<', page, re.S)
    assert "site staff" not in page


def test_pages_of_the_statistician(small: Snapshot) -> None:
    client = Client()
    client.post("/login/", {"username": "statistician", "password": world.PASSWORD})
    assert client.get("/analysis/snapshots/").status_code == 200
    assert client.get(f"/analysis/snapshots/{small.pk}.csv").content == world_content(small)
    assert client.get("/analysis/new/").status_code == 200
    assert client.post("/analysis/new/", {"kind": "nothing"}).status_code == 422
    address = client.post("/analysis/new/", {"kind": "fake"})["Location"]
    assert b"You can close this page" in client.get(address).content
    assert client.get(address + "progress/").status_code == 200
    with world.at_work(world.SETUP):
        run = PooledRun.objects.get()
    pooled_tasks.execute(str(run.pk))
    page = client.get(address)
    assert b"Nothing here is a result of the trial" in page.content
    assert client.get(address + "progress/")["HX-Refresh"] == "true"
    assert client.post(address + "cancel/").status_code == 302
    assert client.get("/analysis/").status_code == 200
    pooled_run = start(small, "pooled")
    pooled_tasks.execute(str(pooled_run.pk))
    assert client.get(f"/analysis/{pooled_run.pk}/").status_code == 200
    assert b"Pooled figures" in client.get("/").content
