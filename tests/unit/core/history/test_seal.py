"""The seal of the histories: what it covers, who can write it, and what the command finds."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from tests import world
from trial.core import db, side
from trial.core.history.chain import Finding
from trial.core.history.sealed import verified
from trial.core.history.tasks import seal_concealed, seal_open, seal_unblinded
from trial.core.models import History, HistorySeal
from trial.protocol.models import Team
from trial.unblinded.disclosure.actions import note

HISTORIES = ("core_history", "unblinded_history", "concealed_history")


@pytest.fixture
def trial(database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Something stands in each history, sealed in two batches of the open one."""
    world.open_trial(length=3)
    seal_open()
    with world.at_work(world.SETUP):
        world.register(world.SETUP, Team.objects.order_by("code")[0])
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        note(what="result released", subject="", by=world.SETUP)
        note(what="result released", subject="more", by=world.SETUP)
    for seal in (seal_open, seal_unblinded, seal_concealed):
        seal()
    return database


def findings(paper: dict[int, str] | None = None) -> list[Finding]:
    with side.owner(), db.atomic():
        return verified(History, HistorySeal, paper).findings


def command(*options: str) -> str:
    out = StringIO()
    try:
        call_command("verify_history", *options, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}"
    return out.getvalue()


def rows(owner: psycopg.Connection[Any], table: str = "core_history") -> list[int]:
    return [n for (n,) in owner.execute(f"select id from {table} order by id").fetchall()]  # type: ignore[arg-type]


def test_every_line_of_each_history_is_sealed(trial: psycopg.Connection[Any]) -> None:
    for table in HISTORIES:
        lines, sealed = trial.execute(
            f"select (select count(*) from {table}), (select sum(rows) from {table}_seal)"  # type: ignore[arg-type]
        ).fetchone() or (0, 0)
        assert lines == sealed > 0, table
    assert trial.execute("select number from core_history_seal order by number").fetchall() == [(1,), (2,)]
    said = command()
    assert "Every sealed line is as it was sealed." in said
    assert said.count("0 not sealed yet") == 3


def test_nothing_new_makes_no_seal(trial: psycopg.Connection[Any]) -> None:
    for seal in (seal_open, seal_unblinded, seal_concealed):
        seal()
    assert trial.execute("select count(*) from core_history_seal").fetchone() == (2,)


FAULTS = {
    "one letter": ("update core_history set action = action || 'x' where id = {row}", "altered"),
    "one byte of a value": (
        "update core_history set new = jsonb_set(new, '{{code}}', '\"R9\"') where id = {row}",
        "altered",
    ),
    "the time": ("update core_history set at = at + interval '1 microsecond' where id = {row}", "altered"),
    "the author": ("update core_history set actor = 'somebody else' where id = {row}", "altered"),
    "the salt": ("update core_history set salt = gen_random_uuid() where id = {row}", "altered"),
    "removed": ("delete from core_history where id = {row}", "removed"),
    "put at the end": ("update core_history set id = id + 100000 where id = {row}", "removed"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_changed_line_is_named(trial: psycopg.Connection[Any], fault: str) -> None:
    row = rows(trial)[3]
    trial.execute(FAULTS[fault][0].format(row=row))  # type: ignore[arg-type]
    assert Finding(FAULTS[fault][1], row, 1) in findings()  # type: ignore[arg-type]
    said = command()
    assert f"core_history line {row} (batch 1): " in said
    assert "not as they were sealed" in said


@pytest.mark.parametrize("table", HISTORIES)
def test_each_history_is_verified(trial: psycopg.Connection[Any], table: str) -> None:
    row = rows(trial, table)[0]
    trial.execute(f"update {table} set reason = 'x' where id = {row}")  # type: ignore[arg-type]
    assert f"{table} line {row} (batch 1): was altered" in command()


def test_an_added_line_is_named(trial: psycopg.Connection[Any]) -> None:
    first = rows(trial)[0]
    trial.execute("delete from core_history where id = %s", [first + 1])
    columns = "at, login, actor, action, reason, table_name, operation, row_id, site, old, new, salt"
    trial.execute(
        f"insert into core_history (id, {columns}) select {first - 1}, {columns} from core_history where id = {first}"  # type: ignore[arg-type]
    )
    assert findings() == [Finding("added", first - 1, 1), Finding("removed", first + 1, 1)]


def test_two_lines_that_changed_places_are_named(trial: psycopg.Connection[Any]) -> None:
    one, other = rows(trial)[2], rows(trial)[5]
    for row, to in ((one, -1), (other, one), (-1, other)):
        trial.execute("update core_history set id = %s where id = %s", [to, row])
    assert findings() == [Finding("reordered", one, 1), Finding("reordered", other, 1)]


SEAL_FAULTS = (
    "update core_history_seal set head = md5('x') || md5('y') where number = 1",
    "update core_history_seal set at = at + interval '1 second' where number = 1",
    "update core_history_seal set rows = rows + 1 where number = 1",
    "update core_history_seal set digests = substring(digests from 41) where number = 1",
    "delete from core_history_seal where number = 1",
)


@pytest.mark.parametrize("fault", SEAL_FAULTS)
def test_a_changed_seal_is_named(trial: psycopg.Connection[Any], fault: str) -> None:
    with trial.transaction():
        trial.execute("set local session_replication_role = replica")
        trial.execute(fault)  # type: ignore[arg-type]
    assert {one.kind for one in findings()} & {"seal"}


def test_a_history_that_was_sealed_anew_is_found_with_the_head_on_paper(trial: psycopg.Connection[Any]) -> None:
    """Whoever owns the database can make a chain that fits. Not the head that somebody wrote down."""
    number, head = trial.execute("select number, head from core_history_seal where number = 1").fetchone() or (0, "")
    written = ("--paper", "open", str(number), f"{head[:32]} {head[32:].upper()}")
    assert "Every sealed line" in command(*written)
    with trial.transaction():
        trial.execute("set local session_replication_role = replica")
        trial.execute("update core_history set actor = 'somebody else' where id = %s", [rows(trial)[0]])
        trial.execute("delete from core_history_seal")
    seal_open()
    assert "Every sealed line" in command()
    assert "core_history batch 1: has not the head that was written down" in command(*written)
    assert "batch 9: has not the head" in command("--paper", "open", "9", head)


@contextmanager
def writing(what: str, which: str = "min") -> Iterator[psycopg.Connection[Any]]:
    """A transaction of the blinded login that has written a line of the open history and is not over."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as login:
        login.execute(
            "select set_config('equipoise.actor', 'system:test', false), set_config('equipoise.sites', '*', false)"
        )
        login.execute("set statement_timeout = '20s'")
        login.execute(
            f"update protocol_site set name = %s where code = (select {which}(code) from protocol_site)",  # type: ignore[arg-type]
            [what],
        )
        yield login


def test_a_line_that_comes_late_is_in_the_next_seal(trial: psycopg.Connection[Any]) -> None:
    """Its number is smaller than that of a line which was committed before: a seal must not pass it by."""
    with writing("Late") as late:
        with world.at_work(world.SETUP):
            world.register(world.SETUP, Team.objects.order_by("code")[0])  # greater numbers, committed first
        seal_open()
        assert trial.execute("select count(*) from core_history_seal").fetchone() == (2,)
        late.commit()
    seal_open()
    lines, sealed = trial.execute(
        "select (select count(*) from core_history), (select sum(rows) from core_history_seal)"
    ).fetchone() or (0, 0)
    assert lines == sealed
    assert findings() == []


def test_a_seal_keeps_nobody_waiting(trial: psycopg.Connection[Any]) -> None:
    """While one is being written, somebody else writes history and commits."""
    with writing("First"), psycopg.connect(os.environ["DATABASE_URL"]) as sealing:
        waiting = threading.Thread(target=sealing.execute, args=("select equipoise_seal_history()",))
        waiting.start()
        with writing("Second", "max") as other:
            other.rollback()
        waiting.join(10)
        assert not waiting.is_alive()


def test_an_old_snapshot_seals_nothing(trial: psycopg.Connection[Any]) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as login:
        login.execute("set transaction isolation level repeatable read")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="as it is now"):
            login.execute("select equipoise_seal_history()")


@pytest.mark.parametrize("on", ["default", "unblinded", "allocator"])
@pytest.mark.parametrize("table", HISTORIES)
@pytest.mark.parametrize(
    "how",
    [
        "insert into {0}_seal(number) values (9)",
        "update {0}_seal set head = 'x'",
        "delete from {0}_seal",
        "truncate {0}_seal",
    ],
)
def test_no_service_login_writes_a_seal(database: Any, on: side.Side, table: str, how: str) -> None:
    with side.on(on), pytest.raises(DatabaseError, match="permission denied"), db.atomic(), db.cursor() as c:
        c.execute(how.format(table))


def test_each_login_seals_its_own_history_and_no_other(trial: psycopg.Connection[Any]) -> None:
    for on in (side.UNBLINDED, side.ALLOCATOR):
        before = trial.execute("select count(*) from core_history_seal").fetchone()
        with world.at_work(world.SETUP):
            world.register(world.SETUP, Team.objects.order_by("code")[0])
        with side.on(on), db.atomic(), db.cursor() as c:
            c.execute("select equipoise_seal_history()")
        assert trial.execute("select count(*) from core_history_seal").fetchone() == before
        with side.on(on), pytest.raises(DatabaseError, match="permission denied"), db.atomic(), db.cursor() as c:
            c.execute("select equipoise_seal('open')")


def test_a_long_history_is_sealed_in_batches(trial: psycopg.Connection[Any]) -> None:
    with trial.transaction():
        trial.execute(
            "insert into core_history(at, login, actor, action, reason, table_name, operation, row_id)"
            " select now(), 'x', 'x', 'x', '', 'x', 'INSERT', n from generate_series(1, 10001) n"
        )
    seal_open()
    sizes = trial.execute("select rows from core_history_seal where number > 2 order by number").fetchall()
    assert sizes == [(10000,), (1,)]
    assert findings() == []
