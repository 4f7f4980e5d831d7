"""Each guard of the database, with the fault that it is there for: planted as SQL on a service login, and refused."""

import os
import threading
import time
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from analysis.pooled.actions import start_run
from analysis.pooled.models import PooledRun
from analysis.snapshots.actions import make_snapshot
from tests import world
from trial.core import db, side
from trial.participants import actions as way_in
from trial.participants.models import Participant
from trial.protocol.models import Team


@pytest.fixture(autouse=True)
def trial(database: psycopg.Connection[Any], settings: Any) -> None:
    settings.TASK_SENDER = f"{__name__}.nowhere"
    world.open_trial()


def nowhere(queue: str, name: str, args: Any) -> None:
    """Takes the message and forgets it."""


def team(code: str = "R1") -> Team:
    return Team.objects.get(code=code)


def as_blinded(statement: str, *given: Any) -> None:
    with side.opened(), db.unit_of_work(by=world.SETUP), db.cursor() as c:
        c.execute(statement, list(given))


def as_allocator(statement: str, *given: Any) -> None:
    with side.allocator(), db.unit_of_work(by=world.SETUP), db.cursor() as c:
        c.execute(statement, list(given))


def randomized() -> Participant:
    with world.at_work(world.SETUP):
        participant = world.ready_to_randomize(world.SETUP, team())
        request = way_in.request_randomization(participant=participant, by=world.SETUP)
    world.randomize(request)
    return participant


def test_lifecycles_go_one_way() -> None:
    participant = randomized()
    with pytest.raises(DatabaseError, match="does not go from registered to in_screening"):
        as_blinded(
            "update participants_screeningentry set outcome = 'in_screening' where id = %s", participant.screening_id
        )
    for state in ("waiting", "refused"):
        with pytest.raises(DatabaseError, match=f"does not go from done to {state}"):
            as_allocator("update participants_randomizationrequest set state = %s, answered_at = now()", state)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into participants_consent(id, site_id, screening_id, version, part, given, signed_on, recorded_at, recorded_by, reason)"
        " select gen_random_uuid(), 'dordrecht', id, 'v1', 'records', true, now(), now(), 'x', '' from participants_screeningentry",
        "insert into participants_screeningentry(id, site_id, team_id, month, age_band, sex, outcome, reason, criteria, created_at)"
        " values (gen_random_uuid(), 'dordrecht', 'R1', '2025-01-01', '', '', 'in_screening', '', '{}', now())",
        "insert into participants_contactreading(id, site_id, participant_id, page, at, reader)"
        " select gen_random_uuid(), 'dordrecht', id, 'contact', now(), 'x' from participants_participant",
        "insert into participants_contactattempt(id, site_id, participant_id, visit, number, day, way, outcome, recorded_at, recorded_by)"
        " select gen_random_uuid(), 'dordrecht', id, 'T2', 1, now(), 'phone', 'reached', now(), 'x' from participants_participant",
    ],
)
def test_a_row_is_of_the_site_of_what_it_refers_to(statement: str) -> None:
    with world.at_work(world.SETUP):
        world.register(world.SETUP, team())
    with pytest.raises(DatabaseError, match="different sites"):
        as_blinded(statement)


def test_randomized_and_allocated_are_one() -> None:
    with world.at_work(world.SETUP):
        participant = world.ready_to_randomize(world.SETUP, team())
    with pytest.raises(DatabaseError, match="randomized exactly if there is an allocation"):
        as_allocator(
            "update participants_participant set randomized_at = now(), stratum = 'R1' where id = %s",
            participant.pk,
        )


def test_nobody_asks_for_somebody_who_withdrew_everything() -> None:
    with world.at_work(world.SETUP):
        participant = world.ready_to_randomize(world.SETUP, team())
    with pytest.raises(DatabaseError, match="needs a consent"):
        as_blinded(
            "insert into participants_consent(id, site_id, screening_id, version, part, given, signed_on, recorded_at, recorded_by, reason)"
            " select gen_random_uuid(), site_id, screening_id, version, part, false, signed_on, now() + interval '1 day', 'x', ''"
            " from participants_consent;"
            " insert into participants_randomizationrequest(id, site_id, participant_id, requested_at, requested_by, state, refusal)"
            " select gen_random_uuid(), site_id, id, now(), 'x', 'waiting', '' from participants_participant"
        )
    assert participant.randomized_at is None


def test_a_write_that_had_begun_comes_before_the_lock() -> None:
    """The lock waits for it, and whoever comes later is refused: nothing changes behind the lock."""
    with world.at_work(world.SETUP):
        participant = world.register(world.SETUP, team())
    manager = world.person(world.make_user("dora", "datamanager"))
    locked = threading.Event()

    def lock() -> None:
        with world.at_work(manager):
            way_in.lock_database(password=world.PASSWORD, by=manager)
        locked.set()
        db.close_all()

    with psycopg.connect(os.environ["DATABASE_URL"]) as writer:
        writer.execute(
            "select set_config('equipoise.sites', '*', true), set_config('equipoise.actor', 'system:test', true)"
        )
        writer.execute(
            "update participants_participant set baseline_completed_at = now() where id = %s", [participant.pk]
        )
        thread = threading.Thread(target=lock)
        thread.start()
        time.sleep(0.5)
        assert not locked.is_set(), "the lock went past a write that had begun"
        writer.commit()
        thread.join(20)
        assert locked.is_set()
    with pytest.raises(DatabaseError, match="the database is locked"):
        as_blinded("update participants_screeningentry set reason = reason where id = %s", participant.screening_id)


def test_no_lock_while_a_randomization_waits_and_a_late_one_is_refused() -> None:
    with world.at_work(world.SETUP):
        participant = world.ready_to_randomize(world.SETUP, team())
        request = way_in.request_randomization(participant=participant, by=world.SETUP)
    insert = "insert into participants_databaselock(id, \"only\", locked_at, locked_by, signature) values (gen_random_uuid(), true, now(), 'x', '{}')"
    with pytest.raises(DatabaseError, match="waits for its answer"):
        as_blinded(insert)
    with psycopg.connect(os.environ["OWNER_DATABASE_URL"], autocommit=True) as owner, owner.transaction():
        owner.execute("set local session_replication_role = replica")  # as if it had slipped past
        owner.execute(insert)
    world.randomize(request)
    with side.opened(), db.unit_of_work(by=world.SETUP):
        request.refresh_from_db()
        assert (request.state, request.refusal) == ("refused", "locked")


def test_a_snapshot_says_truly_whether_the_database_was_locked() -> None:
    with world.at_work(world.SETUP):
        made = make_snapshot(by=world.SETUP)
    with pytest.raises(DatabaseError, match="after the lock exactly"):
        as_blinded(
            "insert into snapshots_snapshot select gen_random_uuid(), made_at, made_by, content, 'x', dictionary, participants, rows, true,"
            " protocol_version_id from snapshots_snapshot"
        )
    assert not made.after_lock


def test_how_a_run_ended_is_final(database: psycopg.Connection[Any]) -> None:
    statistician = world.person(world.make_user("stan", "statistician"))
    with world.at_work(statistician):
        snapshot = make_snapshot(by=statistician)
        run = start_run(snapshot=snapshot, kind=PooledRun.Kind.POOLED, by=statistician)
        PooledRun.objects.filter(pk=run.pk).update(state="running")
        PooledRun.objects.filter(pk=run.pk).update(
            state="succeeded", result={"n": 1}, result_sha256="a" * 64, finished_at="2026-01-01T00:00Z"
        )
    for change in ("result = '{}'", "state = 'queued', result = null, result_sha256 = ''"):
        with pytest.raises(DatabaseError, match="has ended does not change"):
            as_blinded(f"update pooled_pooledrun set {change}")
    with pytest.raises(DatabaseError, match="a run begins waiting"), world.at_work(statistician):
        PooledRun(
            **{f.attname: getattr(run, f.attname) for f in PooledRun._meta.fields if f.name != "id"}
            | {"state": "running"}
        ).save(force_insert=True)


def test_the_history_behind_the_wall_keeps_to_the_site(database: psycopg.Connection[Any]) -> None:
    randomized()
    for scope, expected in ((",rotterdam,", 1), (",dordrecht,", 0)):
        with psycopg.connect(os.environ["UNBLINDED_DATABASE_URL"], autocommit=True) as login:
            login.execute("select set_config('equipoise.sites', %s, false)", [scope])
            found = login.execute("select count(*) from unblinded_history where table_name = 'unblinded_allocation'")
            assert found.fetchone() == (expected,)


def test_one_release_of_one_content(database: psycopg.Connection[Any]) -> None:
    with psycopg.connect(os.environ["OWNER_DATABASE_URL"]) as owner:
        owner.execute("set local session_replication_role = replica")
        insert = (
            "insert into participants_release(id, released_at, title, kind, payload, sha256)"
            " values (gen_random_uuid(), now(), '', '', '{}', 'same')"
        )
        owner.execute(insert)
        with pytest.raises(psycopg.errors.UniqueViolation):
            owner.execute(insert)
