"""Runs that several workers share: each part once, the same bytes whoever computes what, and nothing is lost but the part of a killed worker."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError
from django.test import Client

from analysis.methods.canonical import digest, encode
from analysis.plans.actions import load_plan
from analysis.plans.reading import load
from analysis.pooled import actions as pooled
from analysis.pooled import tasks
from analysis.pooled.models import PooledPart, PooledRun
from analysis.pooled.presenters import progress_of, stage_words
from analysis.runs import executor, fanout, parts, plans
from analysis.snapshots.models import Snapshot
from tests import world
from tests.unit.analysis.runs import test_parts
from tests.unit.analysis.runs.all_outcomes import table
from trial.core import clock, side
from trial.core.access import Person
from trial.core.errors import Refused
from trial.protocol.queries import version

SENT: list[tuple[str, tuple[str, ...]]] = []


def keep(queue: str, name: str, args: Any) -> None:
    """A broker that loses everything; the test delivers by itself what it likes."""
    assert queue == "default"
    SENT.append((name, tuple(args)))


@pytest.fixture(autouse=True)
def _quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TASK_SENDER = f"{__name__}.keep"
    every = plans.frozen_sensitivity
    monkeypatch.setattr(plans, "frozen_sensitivity", lambda *a: every(*a) | {"outcomes": every(*a)["outcomes"][:1]})
    test_parts.few(monkeypatch.setattr)
    SENT.clear()


@pytest.fixture
def stan(database: psycopg.Connection[Any]) -> Person:
    """The trial statistician of a trial whose plan is loaded and whose data are frozen."""
    world.open_trial()
    person = world.person(world.make_user("stan", "statistician"))
    with world.at_work(world.SETUP) as by:
        load_plan(plan=load(test_parts.FOLDERS / "imr", world.read("imr")), by=by)
        content = table()
        Snapshot(
            made_by="test", protocol_version=version(), content=content, sha256=digest(content), dictionary=[], participants=44, rows=132,
            after_lock=False,
        ).save(force_insert=True)  # fmt: skip
    return person


def start(by: Person, kind: str = "plan") -> PooledRun:
    """A run, of two outcomes only."""
    with world.at_work(by):
        run = pooled.start_run(snapshot=Snapshot.objects.get(), kind=kind, by=by)
        assert parts.names_of(run.spec)
        return run  # type: ignore[no-any-return]


def again(by: Person, run: PooledRun) -> PooledRun:
    """The same once more, as a run of its own."""
    with world.at_work(by):
        names = (
            "kind",
            "snapshot_id",
            "snapshot_sha256",
            "spec",
            "seed",
            "code_version",
            "environment_hash",
            "created_by",
        )
        other = PooledRun(**{name: getattr(run, name) for name in names})
        other.save(force_insert=True)
    return other


def seen(run: PooledRun) -> PooledRun:
    with world.at_work(world.SETUP):
        return PooledRun.objects.get(pk=run.pk)


def states(run: PooledRun) -> dict[str, tuple[str, int]]:
    with world.at_work(world.SETUP):
        rows = PooledPart.objects.filter(run=run).order_by("number")
        return {one.name: (one.state, one.attempt) for one in rows}


def laid_out(run: PooledRun, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A worker claims the run, lays out its parts, and dies before it takes one."""
    with monkeypatch.context() as patch:
        patch.setattr(fanout, "_help", _nothing)
        tasks.execute(str(run.pk))
    return [args[1] for name, args in SENT if name == pooled.PART_TASK and args[0] == str(run.pk)]


def _nothing(*_args: object) -> None:
    """Die."""


def test_two_workers_in_any_order_give_the_bytes_of_one_alone(stan: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = start(stan)
    tasks.execute(str(alone.pk))
    assert (seen(alone).state, seen(alone).failure) == ("succeeded", [])
    shared = again(stan, alone)
    names = laid_out(shared, monkeypatch)
    assert names == parts.names_of(alone.spec)
    for name in [*reversed(names), names[0]]:  # each by a message of its own, one delivered twice
        assert seen(shared).result is None or name == names[0]
        tasks.part(str(shared.pk), name)
    assert seen(shared).result_sha256 == seen(alone).result_sha256 != ""
    assert set(states(shared).values()) == {("succeeded", 1)}
    whole = tasks.compute_run(seen(alone), executor.watching(lambda _stage, _share: True))
    assert digest(encode(whole)) == seen(alone).result_sha256


def test_a_killed_worker_loses_the_part_it_was_at_and_a_stopped_run_goes_on_from_the_others(
    stan: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(stan)
    names = laid_out(run, monkeypatch)
    tasks.part(str(run.pk), names[0])
    monkeypatch.setattr(fanout, "part_of", _raises(SystemExit))
    with pytest.raises(SystemExit):
        tasks.part(str(run.pk), names[1])
    assert states(run)[names[1]] == ("running", 1)
    with world.at_work(world.SETUP):
        PooledPart.objects.filter(name=names[1]).update(heartbeat_at=clock.now() - dt.timedelta(minutes=2))
    SENT.clear()
    tasks.sweep()
    assert states(run)[names[1]] == ("queued", 1)
    monkeypatch.setattr(fanout, "part_of", _raises(ZeroDivisionError))
    tasks.part(str(run.pk), names[1])
    failed = seen(run)
    assert (failed.state, "ZeroDivisionError" in failed.failure[0]) == ("failed", True)
    monkeypatch.undo()
    test_parts.few(monkeypatch.setattr)
    other = world.person(world.make_user("otto", "statistician"))
    with world.at_work(other), pytest.raises(Refused, match="Only who started"):
        pooled.resume_run(run=failed, by=other)
    with world.at_work(stan):
        resumed = pooled.resume_run(run=failed, by=stan)
        assert pooled.resume_run(run=failed, by=stan).pk == resumed.pk
    tasks.execute(str(resumed.pk))
    assert (seen(resumed).state, seen(resumed).failure) == ("succeeded", [])
    assert names[0] not in states(resumed), "what was done is not done again"
    alone = again(stan, run)
    tasks.execute(str(alone.pk))
    assert seen(alone).result_sha256 == seen(resumed).result_sha256
    with world.at_work(stan), pytest.raises(Refused, match="failed or was canceled"):
        pooled.resume_run(run=seen(resumed), by=stan)
    with world.at_work(world.SETUP):
        stale = PooledRun.objects.create(
            **{k: getattr(failed, k) for k in ("kind", "snapshot_id", "snapshot_sha256", "spec", "seed", "environment_hash", "created_by")},
            code_version="another",
        )  # fmt: skip
        PooledRun.objects.filter(pk=stale.pk).update(state="cancelled", finished_at=clock.now())
    with world.at_work(stan), pytest.raises(Refused, match="program has changed"):
        pooled.resume_run(run=seen(stale), by=stan)


def _raises(error: type[BaseException]) -> Callable[..., Any]:
    def fail(*_args: object) -> Any:
        raise error

    return fail


def test_cancel_ends_it_at_once_and_whoever_is_at_a_part_drops_it(
    stan: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "BEAT_EVERY", 0.0)
    run = start(stan)
    names = laid_out(run, monkeypatch)

    def slow(_inputs: Any, _name: str, watch: Any) -> Any:
        with world.at_work(stan):
            pooled.cancel_run(run=seen(run), by=stan)
        assert seen(run).state == "cancelled"
        watch.step("fitting", 0.5)
        raise AssertionError("it went on")

    monkeypatch.setattr(fanout, "part_of", slow)
    tasks.part(str(run.pk), names[0])
    assert states(run)[names[0]] == ("cancelled", 1)
    tasks.part(str(run.pk), names[1])
    assert states(run)[names[1]] == ("queued", 0)


def test_a_part_that_kills_five_workers_fails_its_run_in_words(stan: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(stan)
    names = laid_out(run, monkeypatch)
    with world.at_work(world.SETUP):
        old = clock.now() - dt.timedelta(minutes=2)
        PooledPart.objects.filter(name=names[0]).update(state="running", attempt=5, heartbeat_at=old)
    tasks.sweep()
    assert seen(run).state == "failed"
    assert "five times" in seen(run).failure[0]
    assert states(run)[names[0]][0] == "failed"


def test_the_sweep_sends_what_waits_again(stan: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(stan)
    names = laid_out(run, monkeypatch)
    SENT.clear()
    with clock.frozen(clock.now() + dt.timedelta(seconds=20)):
        tasks.sweep()
    assert [args[1] for name, args in SENT if name == pooled.PART_TASK] == names
    with clock.frozen(clock.now() + dt.timedelta(minutes=2)):
        tasks.sweep()
    assert seen(run).state == "queued", "nobody is at any part: the run is claimed anew"
    tasks.execute(str(run.pk))
    assert (seen(run).state, seen(run).attempt) == ("succeeded", 2)


def test_progress_and_remaining_time_come_from_finished_parts(stan: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "BEAT_EVERY", 0.0)
    run = start(stan)
    names = laid_out(run, monkeypatch)
    for name in names[: names.index("tipping") + 1]:
        tasks.part(str(run.pk), name)
    now = seen(run)
    assert 0.2 < now.progress < 0.8
    assert str(stage_words(now)) == "Looking for the tipping point"
    with world.at_work(world.SETUP):
        PooledRun.objects.update(started_at=clock.now() - dt.timedelta(seconds=30))
    shown = progress_of(seen(run), poll="", cancel="", result="")
    assert shown.remaining is not None
    assert dt.timedelta(seconds=5) < shown.remaining < dt.timedelta(seconds=150)


def test_the_database_refuses_a_part_that_no_run_has_and_one_that_is_over(
    stan: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(stan)
    with world.at_work(world.SETUP), pytest.raises(DatabaseError, match="computed while its run is"):
        PooledPart(run=run, name="models", number=0).save(force_insert=True)
    names = laid_out(run, monkeypatch)
    with world.at_work(world.SETUP), pytest.raises(DatabaseError, match="begins waiting"):
        PooledPart(run=run, name="x", number=99, state="succeeded").save(force_insert=True)
    with world.at_work(world.SETUP), pytest.raises(DatabaseError, match="once"):
        PooledPart(run=run, name=names[0], number=99).save(force_insert=True)
    tasks.part(str(run.pk), names[0])
    with world.at_work(world.SETUP), pytest.raises(DatabaseError, match="does not change"):
        PooledPart.objects.filter(name=names[0]).update(state="queued", result=None, finished_at=None)
    with world.at_work(world.SETUP), pytest.raises(DatabaseError, match=r"written once|does not change"):
        PooledPart.objects.filter(name=names[0]).update(result={"value": 1})
    with side.opened(), pytest.raises(DatabaseError, match="permission denied"):
        PooledPart.objects.filter(name=names[0]).delete()


def test_the_page_of_a_canceled_run_offers_to_go_on_to_who_started_it(stan: Person) -> None:
    world.make_user("otto", "statistician")
    run = start(stan)
    with world.at_work(stan):
        pooled.cancel_run(run=run, by=stan)
    for name, offered in (("otto", False), ("stan", True)):
        client = Client()
        client.post("/login/", {"username": name, "password": world.PASSWORD})
        address = f"/analysis/{run.pk}/"
        assert (b"Resume" in client.get(address).content) is offered
        there = client.post(f"{address}resume/")
        assert there.status_code == 302
        assert (there["Location"] == address) is not offered
