"""The one fact that passes the wall, and the database lock that waits for it."""

import datetime as dt
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from tests import world
from tests.records import AFTER_BOTH, T1, look_up_everybody
from tests.treatment import Treatment
from trial.core import clock, side
from trial.core.access import Person
from trial.core.errors import Refused
from trial.core.models import History
from trial.participants.actions import lock_database, record_records_state
from trial.participants.course.actions import decide_death, report_death, withdraw
from trial.participants.models import DatabaseLock, RecordsState
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.randomization.queries import allocations
from trial.unblinded.records import actions
from trial.unblinded.records.tasks import sweep


def everybody(trial: Treatment) -> list[Allocation]:
    with trial.at_work():
        return list(allocations())


def sign_off_all(trial: Treatment, people: list[Allocation]) -> None:
    with trial.at_work("ada") as by:
        for person in people:
            for window in ("before", "after"):
                actions.sign_off(allocation=person, window=window, by=by)


def state() -> RecordsState | None:
    with world.at_work(world.SETUP):
        return RecordsState.objects.first()


def lock(by: Person) -> None:
    with world.at_work(by):
        lock_database(password=world.PASSWORD, by=by)


def test_the_lock_waits_for_every_window_of_everybody(trial: Treatment) -> None:
    one, two = everybody(trial)
    trial.on(AFTER_BOTH)
    with pytest.raises(Refused, match="Hospital records have not all been looked up"):
        lock(trial.people["dana"])
    sign_off_all(trial, [one])
    sweep()
    found = state()
    assert found is not None
    assert not found.complete
    with pytest.raises(Refused, match="Hospital records"):
        lock(trial.people["dana"])
    sign_off_all(trial, [two])
    found = state()
    assert found is not None
    assert not found.complete, "a sign-off itself shows nothing on the open side"
    trial.on(AFTER_BOTH + dt.timedelta(days=1))
    for _night in range(2):
        sweep()
    found = state()
    assert found is not None
    assert (found.complete, found.people, found.day) == (True, 2, clock.today())
    with world.at_work(world.SETUP):
        rows = History.objects.filter(table_name="participants_recordsstate")
        assert {(row.actor, row.reason) for row in rows} == {("site staff", "")}
        assert rows.count() == 2
    lock(trial.people["dana"])
    with trial.at_work("ada") as by, pytest.raises(Refused, match="locked"):
        actions.sign_off(allocation=one, window="before", by=by)
    with trial.at_work():
        assert not actions.record_completeness(by=world.SETUP), "nothing is written after the lock"


def test_who_withdrew_or_died_is_not_waited_for(trial: Treatment) -> None:
    one, two = everybody(trial)
    trial.on(AFTER_BOTH)
    coordinator = world.person(world.make_user("carl", "coordinator", trial.site))
    with world.at_work(coordinator) as by:
        withdraw(participant=one.participant, part="records", day=T1, by=by)
    with trial.at_work("thea") as by:
        report_death(participant=two.participant, by=by)
    sweep()
    found = state()
    assert found is not None
    assert found.complete
    with world.at_work(coordinator) as by:
        decide_death(participant=two.participant, confirmed=False, by=by)
    sweep()
    found = state()
    assert found is not None
    assert not found.complete, "the report was rejected: the person is waited for again"


def test_somebody_randomized_since_is_not_covered(trial: Treatment, database: psycopg.Connection[Any]) -> None:
    look_up_everybody()
    with database.transaction():
        database.execute("set local session_replication_role = replica")
        database.execute("update participants_recordsstate set people = 1")
    with pytest.raises(Refused, match="Hospital records"):
        lock(trial.people["dana"])
    with pytest.raises(DatabaseError, match="not all been looked up"), world.at_work(trial.people["dana"]):
        DatabaseLock(locked_by="x", signature={}).save(force_insert=True)


def test_the_fact_cannot_be_forged(trial: Treatment) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), world.at_work(world.SETUP):
        RecordsState(complete=False, people=2, day=T1).save(force_insert=True)
    for complete, people, why in ((True, 2, "every window"), (False, 7, "everybody randomized")):
        with pytest.raises(DatabaseError, match=why), trial.at_work() as by:
            record_records_state(complete=complete, people=people, by=by)
    with pytest.raises(DatabaseError, match="declared actions only"), trial.at_work():
        RecordsState(complete=False, people=2, day=T1).save(force_insert=True)
    with pytest.raises(DatabaseError, match="not all been looked up"), world.at_work(trial.people["dana"]):
        DatabaseLock(locked_by="x", signature={}).save(force_insert=True)


def test_without_a_records_plan_nothing_is_waited_for(database: psycopg.Connection[Any], settings: Any) -> None:
    world.open_trial("btheb", sizes=(2,))
    manager = world.person(world.make_user("dana", "datamanager"))
    with side.unblinded(), world.at_work(world.SETUP, on=side.UNBLINDED):
        assert not actions.record_completeness(by=world.SETUP)
    lock(manager)
    assert state() is None
