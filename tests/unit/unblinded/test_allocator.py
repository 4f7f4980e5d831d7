"""The allocator: one allocation a person, whatever races, dies or is delivered twice; nobody else makes one."""

import multiprocessing
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from tests import workers, world
from trial.core import db, side
from trial.core.errors import Refused
from trial.participants import actions as way_in
from trial.participants.models import Participant, RandomizationRequest
from trial.participants.tasks import sweep_requests
from trial.protocol.models import Team
from trial.unblinded.randomization import actions as allocator
from trial.unblinded.randomization.models import Allocation

ALLOCATE = way_in.ALLOCATE_TASK


def ready(count: int) -> list[uuid.UUID]:
    """People with a complete baseline, spread over the 14 teams."""
    world.open_trial()
    with world.at_work(world.SETUP):
        teams = list(Team.objects.order_by("code"))
        return [world.ready_to_randomize(world.SETUP, teams[n % 14]).pk for n in range(count)]


def request(key: uuid.UUID) -> uuid.UUID:
    with world.at_work(world.SETUP):
        made = way_in.request_randomization(participant=Participant.objects.get(pk=key), by=world.SETUP)
    return made.pk  # type: ignore[no-any-return]


def allocate(key: uuid.UUID) -> None:
    with side.allocator(), db.unit_of_work(by=allocator.ALLOCATOR):
        allocator.allocate(request_id=key, by=allocator.ALLOCATOR)


def _both(keys: list[uuid.UUID]) -> None:
    for key in keys:
        allocate(request(key))
        allocate(request(key))
    db.close_all()


@pytest.fixture
def owner_too() -> Iterator[psycopg.Connection[Any]]:
    """A second connection of the owner, to hold a row while the first one looks."""
    with psycopg.connect(os.environ["OWNER_DATABASE_URL"], autocommit=True) as connection:
        yield connection


def test_ten_processes_two_hundred_people_one_allocation_each(database: psycopg.Connection[Any], settings: Any) -> None:
    settings.TASK_SENDER = "tests.unit.unblinded.test_allocator.nowhere"
    keys = ready(200)
    db.close_all()
    context = multiprocessing.get_context("fork")
    # every person is asked for by two processes, which also allocate side by side: more allocators than there ever are
    shares = [keys[n::10] + keys[(n + 1) % 10 :: 10] for n in range(10)]
    processes = [context.Process(target=_both, args=(share,)) for share in shares]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [p.exitcode for p in processes] == [0] * 10
    assert database.execute("select count(*), count(distinct participant_id) from unblinded_allocation").fetchone() == (
        200,
        200,
    )
    assert database.execute(
        "select count(*) from participants_randomizationrequest where state = 'done'"
    ).fetchone() == (200,)
    rows = database.execute(
        "select stratum, array_agg(position order by position) from unblinded_allocation group by 1"
    ).fetchall()
    assert len(rows) == 14
    for _stratum, positions in rows:
        assert positions == list(range(1, len(positions) + 1))


def nowhere(queue: str, name: str, args: Any) -> None:
    """A broker that takes nothing and says nothing."""


def test_a_killed_allocator_loses_nothing_and_a_job_delivered_twice_changes_nothing(
    database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    keys = ready(2)
    with workers.broker(tmp_path / "broker") as urls:
        database.execute("select pg_advisory_lock(%s)", [allocator.LOCK])
        with workers.worker("allocation", urls, tmp_path / "one.log") as one:
            first = request(keys[0])
            blocked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and usename = 'equipoise_allocator'"
            workers.wait_until(lambda: database.execute(blocked).fetchone() == (1,), what="the allocator at work")  # type: ignore[arg-type]
            one.kill()
        database.execute("select pg_advisory_unlock(%s)", [allocator.LOCK])
        assert database.execute("select count(*) from unblinded_allocation").fetchone() == (0,)
        with workers.worker("allocation", urls, tmp_path / "two.log"):
            database.execute("select set_config('equipoise.actor', 'system:test', false)")
            database.execute(
                "update participants_randomizationrequest set requested_at = requested_at - interval '1 minute'"
            )
            sweep_requests()
            sweep_requests()
            workers.send("allocation", ALLOCATE, [str(first)])
            second = request(keys[1])
            done = "select count(*) from participants_randomizationrequest where state = 'done'"
            workers.wait_until(lambda: database.execute(done).fetchone() == (2,), what="both answers")  # type: ignore[arg-type]
            workers.send("allocation", ALLOCATE, [str(second)])
    assert database.execute("select count(*) from unblinded_allocation").fetchone() == (2,)


BETWEEN = """
    select count(*) from pg_stat_activity a
    join pg_locks held on held.pid = a.pid and held.mode = 'RowExclusiveLock' and held.relation = 'unblinded_allocation'::regclass
    where a.usename = 'equipoise_allocator' and a.wait_event_type = 'Lock' and a.query like 'UPDATE "participants_participant"%'
"""
"""An allocator that has inserted the allocation and waits for the row of the participant."""


def test_an_allocator_killed_between_insert_and_commit_allocated_nobody(
    database: psycopg.Connection[Any], owner_too: psycopg.Connection[Any], tmp_path: Path
) -> None:
    """Nothing of it is left, its slot is not used up, and the next allocator takes exactly that one."""
    world.open_trial()
    with world.at_work(world.SETUP):
        team = Team.objects.get(code="R1")
        first, second, third = (world.ready_to_randomize(world.SETUP, team).pk for _n in range(3))

    def allocated() -> list[Any]:
        return database.execute(
            "select participant_id, position from unblinded_allocation order by position"
        ).fetchall()

    def alive(pid: int) -> bool:
        found = database.execute("select count(*) from pg_stat_activity where pid = %s", [pid]).fetchone()
        return found != (0,)

    with workers.broker(tmp_path / "broker") as urls:
        allocate(request(first))
        asked = request(second)
        with owner_too.transaction(), workers.worker("allocation", urls, tmp_path / "one.log") as one:
            # of the strength that the foreign key's check passes, and the update does not
            owner_too.execute("select 1 from participants_participant where id = %s for no key update", [second])
            workers.wait_until(lambda: database.execute(BETWEEN).fetchone() == (1,), what="the allocation inserted")  # type: ignore[arg-type]
            backend = database.execute(BETWEEN.replace("count(*)", "a.pid")).fetchone()  # type: ignore[arg-type]
            one.kill()
        assert backend is not None
        # the server goes on where it waited, finds nobody to answer, and rolls back
        workers.wait_until(lambda: not alive(backend[0]), what="the end of the killed allocator's session")
        assert allocated() == [(first, 1)]
        state = "select r.state, p.randomized_at from participants_randomizationrequest r join participants_participant p on p.id = r.participant_id"
        assert database.execute(f"{state} where r.id = %s", [asked]).fetchone() == ("waiting", None)
        for again in (asked, asked, request(third)):
            allocate(again)
    assert allocated() == [(first, 1), (second, 2), (third, 3)]
    arms = "select (select arm from concealed_slot where stratum = a.stratum and position = a.position) = a.arm from unblinded_allocation a"
    assert database.execute(arms).fetchall() == [(True,)] * 3


def test_the_broker_being_away_the_request_waits_and_is_swept(database: psycopg.Connection[Any], settings: Any) -> None:
    settings.TASK_SENDER = "tests.unit.unblinded.test_allocator.broken"
    key = request(ready(1)[0])
    with world.at_work(world.SETUP):
        assert RandomizationRequest.objects.get(pk=key).state == "waiting"


def broken(queue: str, name: str, args: Any) -> None:
    """A broker that is away."""
    raise ConnectionError("away")


def test_without_a_sequence_the_request_waits(database: psycopg.Connection[Any]) -> None:
    from trial.protocol.actions import load_version
    from trial.protocol.changes import Used

    with world.at_work(world.SETUP):
        load_version(protocol=world.read("imr"), used=Used(), by=world.SETUP)
        participant = world.ready_to_randomize(world.SETUP, Team.objects.order_by("code").first())  # type: ignore[arg-type]
        asked = way_in.request_randomization(participant=participant, by=world.SETUP)
    allocate(asked.pk)
    with world.at_work(world.SETUP):
        asked.refresh_from_db()
        assert asked.state == "waiting"


def test_a_sequence_in_use_is_not_replaced(database: psycopg.Connection[Any]) -> None:
    allocate(request(ready(1)[0]))
    with pytest.raises(Refused, match="not replaced"):
        world.seal(world.blocks(5), length=10)


def test_an_allocation_comes_from_its_slot(database: psycopg.Connection[Any]) -> None:
    key = request(ready(1)[0])
    with (
        side.allocator(),
        db.unit_of_work(by=allocator.ALLOCATOR),
        pytest.raises(DatabaseError, match="slot of the sealed sequence"),
    ):
        participant = RandomizationRequest.objects.get(pk=key).participant
        Allocation(
            participant=participant,
            site=participant.site_id,
            number=1,
            stratum=participant.team_id,
            slot_stratum=participant.team_id,
            position=999,
            sequence_version=1,
            arm="imr",
        ).save(force_insert=True)


def test_nobody_is_allocated_without_a_request(database: psycopg.Connection[Any]) -> None:
    key = ready(1)[0]
    with (
        side.allocator(),
        db.unit_of_work(by=allocator.ALLOCATOR),
        pytest.raises(DatabaseError, match="waiting request"),
    ):
        Allocation(
            participant_id=key, site="rotterdam", number=1, stratum="D1", slot_stratum="D1", position=1, sequence_version=1, arm="imr"
        ).save(force_insert=True)  # fmt: skip


def test_blocks_hold_the_ratio(database: psycopg.Connection[Any]) -> None:
    world.open_trial(sizes=(5,), length=40)
    rows = database.execute("select stratum, block, array_agg(arm) from concealed_slot group by 1, 2").fetchall()
    assert len(rows) == 14 * 8
    assert {tuple(sorted(Counter(arms).values())) for _s, _b, arms in rows} == {(2, 3)}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stratum,position\nD1,1\n", "columns stratum, position and arm"),
        ("stratum,position,arm\nX9,1,imr\n", "Row 2: no stratum X9"),
        ("stratum,position,arm\nD1,1,placebo\n", "Row 2: no such arm"),
        ("stratum,position,arm\nD1,zero,imr\n", "Row 2: the position"),
        ("stratum,position,arm\nD1,1,imr\nD1,1,cau\n", "Row 3: position 1 stands twice"),
    ],
)
def test_a_bad_list_is_refused_row_by_row(database: psycopg.Connection[Any], text: str, problem: str) -> None:
    from trial.protocol.actions import load_version
    from trial.protocol.changes import Used

    with world.at_work(world.SETUP):
        load_version(protocol=world.read("imr"), used=Used(), by=world.SETUP)
    with side.allocator(), db.unit_of_work(by=allocator.ALLOCATOR), pytest.raises(Refused, match=problem):
        allocator.import_sequence(text=text, origin="test", by=allocator.ALLOCATOR)
