"""The database refuses what the actions refuse: each fault is planted once, past the actions, on the unblinded login."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from tests import world
from tests.records import AFTER_BOTH, T1, T2, look_up_everybody, stay
from tests.treatment import Treatment
from trial.core import clock, db
from trial.participants.actions import lock_database
from trial.participants.course.actions import withdraw
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.records import actions
from trial.unblinded.records.models import Admission, LookUp

DAY = dt.timedelta(days=1)


class Standing:
    """One person with an admission in a window that is signed off; one who withdrew; one with nothing."""

    def __init__(self, trial: Treatment) -> None:
        self.one, self.two = sorted(trial.of_arm("imr") + trial.of_arm("cau"), key=lambda a: a.participant.number)
        trial.on(AFTER_BOTH)
        with trial.at_work("ada") as by:
            actions.look_up(
                allocation=self.one, window="before", admissions=[stay(T1 - 20 * DAY, T1 - 11 * DAY)], by=by
            )
            actions.record_admission(allocation=self.one, window="after", found=stay(T2, T2 + 9 * DAY), by=by)
            self.old = Admission.objects.get(window="before")
            self.open = Admission.objects.get(window="after")
        with world.at_work(world.SETUP):
            withdraw(participant=self.two.participant, part="records", day=T1, by=world.SETUP)

    def admission(self, allocation: Allocation | None = None, **given: Any) -> Admission:
        one = allocation or self.one
        values = {
            "site": one.site, "window": "after", "admitted_on": T2 + 50 * DAY, "discharged_on": T2 + 60 * DAY, "ward": "open", "source": "file",
        }  # fmt: skip
        return Admission(allocation=one, recorded_by="x", **{**values, **given})

    def look_up(self, allocation: Allocation | None = None, **given: Any) -> LookUp:
        one = allocation or self.one
        values = {"site": one.site, "window": "after", "admissions": 1, "sha256": "x"}
        return LookUp(allocation=one, looked_up_by="x", **{**values, **given})


def add(row: Any) -> None:
    row.save(force_insert=True)


BEFORE = {"window": "before", "admitted_on": T1 - 9 * DAY, "discharged_on": T1 - 8 * DAY}

FAULTS: list[tuple[str, Callable[[Standing], Any]]] = [
    ("admission_site", lambda s: add(s.admission(site="elsewhere"))),
    ("admission_window", lambda s: add(s.admission(admitted_on=T2 - 9 * DAY, discharged_on=T2 - 2 * DAY))),
    ("admission_window", lambda s: add(s.admission(admitted_on=T2 + 367 * DAY, discharged_on=None))),
    ("admission_window", lambda s: add(s.admission(discharged_on=AFTER_BOTH + 9 * DAY))),
    ("admission_window", lambda s: add(s.admission(window="between"))),
    ("admission_consent", lambda s: add(s.admission(s.two))),
    ("admission_overlap", lambda s: add(s.admission(admitted_on=T2 + 8 * DAY))),
    ("admission_overlap", lambda s: add(s.admission(admitted_on=T2, discharged_on=T2 + 9 * DAY))),
    ("admission_after_sign_off", lambda s: add(s.admission(**BEFORE))),
    ("admission_replaces", lambda s: add(s.admission(replaces=s.old, reason="x"))),
    ("unblinded_admission_discharged_after", lambda s: add(s.admission(discharged_on=T2 + 49 * DAY))),
    ("unblinded_admission_codes", lambda s: add(s.admission(ward="hotel"))),
    ("unblinded_admission_codes", lambda s: add(s.admission(source="hearsay"))),
    ("unblinded_admission_replaces_why", lambda s: add(s.admission(replaces=s.open))),
    ("unblinded_admission_replaces_why", lambda s: add(s.admission(void=True, reason="x"))),
    ("replaces_id", lambda s: (add(s.admission(replaces=s.open, reason="x")), add(s.admission(replaces=s.open, reason="x", void=True)))),
    ("lookup_site", lambda s: add(s.look_up(site="elsewhere"))),
    ("lookup_window", lambda s: add(s.look_up(window="between"))),
    ("lookup_consent", lambda s: add(s.look_up(s.two))),
    ("unblinded_lookup_once", lambda s: add(s.look_up(window="before"))),
]  # fmt: skip


class NotRefused(Exception):
    """The fault was planted and stood."""


def test_every_planted_fault_is_refused(trial: Treatment) -> None:
    """In one trial, since each fault is rolled back."""
    s = Standing(trial)
    passed = []
    for constraint, plant in FAULTS:
        try:
            with trial.at_work():
                plant(s)
                raise NotRefused
        except DatabaseError as error:
            if constraint not in str(error) and constraint != getattr(
                getattr(error.__cause__, "diag", None), "constraint_name", ""
            ):
                passed.append(f"{constraint}: {error}")
        except NotRefused:
            passed.append(f"{constraint}: nothing was refused")
    assert passed == []


def test_a_window_is_not_signed_off_early_by_anybody(trial: Treatment) -> None:
    s = Standing(trial)
    trial_begins = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
    with clock.frozen(trial_begins), pytest.raises(DatabaseError, match="when its days have passed"), trial.at_work():
        add(s.look_up())


def test_what_is_right_is_not_refused(trial: Treatment) -> None:
    s = Standing(trial)
    with trial.at_work():
        add(s.admission())
        add(s.admission(admitted_on=T2 + 60 * DAY, discharged_on=None))
        add(s.admission(replaces=s.open, reason="x", admitted_on=T2 + DAY, discharged_on=T2 + 2 * DAY))
        add(s.admission(**BEFORE, reason="found later"))
        add(s.look_up())


@pytest.mark.parametrize("table", ["admission", "lookup"])
def test_rows_are_only_added(trial: Treatment, database: psycopg.Connection[Any], table: str) -> None:
    Standing(trial)
    with database.transaction(), pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
        database.execute("select set_config('equipoise.actor', 'system:test', true)")
        database.execute(f"update unblinded_{table} set site = 'elsewhere'")
    for statement in (f"update unblinded_{table} set site = 'x'", f"delete from unblinded_{table}"):
        with trial.at_work(), db.cursor() as c, pytest.raises(DatabaseError, match="permission denied"):
            c.execute(statement)
    with world.at_work(world.SETUP), db.cursor() as c, pytest.raises(DatabaseError, match="permission denied"):
        c.execute(f"select count(id) from unblinded_{table}")


def test_the_lock_stops_records(trial: Treatment) -> None:
    s = Standing(trial)
    look_up_everybody()
    with world.at_work(trial.people["dana"]) as by:
        lock_database(password=world.PASSWORD, by=by)
    for row in (s.admission(reason="x"), s.look_up()):
        with trial.at_work(), pytest.raises(DatabaseError, match="database is locked"):
            add(row)
