"""Each test begins with nothing, whatever the one before it did; and a world that is put back is the world that was played."""

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connections

from tests import kept, world
from tests.treatment import START, Treatment
from trial.core import clock, db, ids, side
from trial.core.models import User
from trial.participants.models import Participant

Owner = psycopg.Connection[Any]


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_kept", {})


@pytest.fixture
def morning() -> Iterator[None]:
    with clock.frozen(START), ids.seeded(5):
        yield


def begin() -> Treatment:
    return Treatment(people=1)


def state(owner: Owner) -> tuple[Any, ...]:
    """All that a world consists of."""
    assert clock._frozen is not None
    assert ids._streams is not None
    streams = {name: stream.getstate() for name, stream in ids._streams.items()}
    rows = {name: sorted(content.splitlines()) for name, content in kept._rows(owner).items()}  # a table has no order
    return rows, kept._sequences(owner), clock._frozen.at, dict(clock._frozen.ticks), streams


def test_what_is_put_back_is_what_was_played(database: Owner) -> None:
    with clock.frozen(START), ids.seeded(5):
        begin()
        played = state(database)
    kept.clean(database)
    with clock.frozen(START), ids.seeded(5):
        begin()
        assert state(database) == played
        assert len(played[0]) > 15


def test_the_world_lives_on_as_one_that_was_played(database: Owner) -> None:
    """New rows get keys of their own, new instants come later, and the triggers are back."""
    for _time in range(2):
        with clock.frozen(START), ids.seeded(5):
            trial = begin()
            before = clock.now()
            trial.randomize(2)
            assert clock.now() > before
            with world.at_work(world.SETUP):
                assert Participant.objects.filter(randomized_at__isnull=False).count() == 3
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="needs an actor"):
                database.execute("update participants_participant set registered_at = now()")
        kept.clean(database)


@pytest.mark.usefixtures("morning")
def test_what_a_test_holds_is_its_own(database: Owner) -> None:
    one = begin()
    one.people.clear()
    one.users["thea"].full_name = "Somebody Else"
    kept.clean(database)
    with clock.frozen(START), ids.seeded(5):
        other = begin()
        assert other.people.keys() >= {"thea", "tim"}
        assert other.users["thea"].full_name == "Thea"
        assert other.protocol is one.protocol


def test_another_trial_another_morning_and_other_identifiers_are_played(database: Owner) -> None:
    plays: list[str] = []

    def play() -> None:
        plays.append("once more")
        world.make_user("somebody", "sponsor")

    for at, seed, given in (
        (START, 1, "imr"),
        (START, 1, "imr"),
        (START, 1, "btheb"),
        (START, 2, "imr"),
        (START + dt.timedelta(days=1), 1, "imr"),
    ):
        with clock.frozen(at), ids.seeded(seed):
            kept.once("a play", given, play=play)
        kept.clean(database)
    assert len(plays) == 4


def test_on_top_of_something_it_is_played(database: Owner) -> None:
    for name in ("first", "second"):
        kept.once("on top", play=lambda name=name: world.make_user(name, "sponsor"))
    with side.opened(), db.unit_of_work(by=world.SETUP):
        assert User.objects.count() == 2


def test_no_table_is_left_out(database: Owner) -> None:
    tables = {name for (name,) in database.execute("select tablename from pg_tables where schemaname = 'public'")}
    assert tables == {*kept.trial_tables(), *kept.STAYS}
    assert not {*kept.trial_tables()} & kept.STAYS


def test_no_row_is_left_behind(database: Owner, morning: None, monkeypatch: pytest.MonkeyPatch) -> None:
    begin()
    written = kept.filled(database, kept.trial_tables())
    assert {"core_history", "unblinded_allocation", "concealed_slot"} <= {*written}
    remembered = [name for name in kept.trial_tables() if name != "unblinded_allocation"]
    with monkeypatch.context() as planted:  # a cleaning that forgets a table is found when the next test begins
        planted.setattr(kept, "trial_tables", lambda: remembered)
        kept.clean(database)
    with pytest.raises(AssertionError, match="unblinded_allocation"):
        kept.begin(database)
    kept.clean(database)
    kept.begin(database)


@pytest.mark.parametrize(
    ("alias", "statement", "left"),
    [
        ("default", "set statement_timeout = 77", "select 1 where current_setting('statement_timeout') = '77ms'"),
        ("unblinded", "select set_config('a.b', 'c', false)", "select 1 where current_setting('a.b', true) = 'c'"),
        ("allocator", "begin", "select 1 where now() <> statement_timestamp()"),
        ("owner", "create temp table mine as select 1 as one", "select one from mine"),
        ("default", "declare mine cursor with hold for select 1", "fetch mine"),
    ],
)
def test_what_was_set_on_a_login_is_gone_in_the_next_test(
    database: Owner, alias: str, statement: str, left: str
) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)
        if statement != "begin":
            cursor.execute(left)
            assert cursor.fetchall() == [(1,)]
    kept.clean(database)
    with connections[alias].cursor() as cursor:
        try:
            cursor.execute("select 1")
            cursor.execute(left)
        except DatabaseError as error:
            assert "mine" in str(error)  # noqa: PT017 - either answer says that nothing is left
        else:
            assert cursor.fetchall() == []


def test_a_lock_that_was_held_is_let_go(database: Owner) -> None:
    held = "select count(*) from pg_locks where locktype = 'advisory' and objid = 99"
    with connections["allocator"].cursor() as cursor:
        cursor.execute("select pg_advisory_lock(99)")
    assert database.execute(held).fetchone() == (1,)
    kept.clean(database)
    for _attempt in range(100):  # the server takes a moment to see that nobody is there any more
        if database.execute(held).fetchone() == (0,):
            return
        time.sleep(0.05)
    raise AssertionError("still held")


def test_a_login_stays_connected(database: Owner) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        before = cursor.fetchone()
    kept.clean(database)
    with connections["default"].cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        assert cursor.fetchone() == before
