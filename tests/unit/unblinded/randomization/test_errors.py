"""Errors of randomization are events: the allocation and the stratum stand, and the secret kind stays behind the wall."""

import datetime as dt
import os
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from tests import world
from tests.unit.unblinded.randomization.allocated import opened, randomized
from tests.unit.unblinded.randomization.test_pages import AT, shown, signed_in
from trial.core import clock
from trial.core.errors import NotAllowed, Refused
from trial.participants.models import Participant
from trial.participants.randomization import actions as open_errors
from trial.participants.randomization.models import RandomizationError
from trial.participants.randomization.queries import open_flags
from trial.unblinded.randomization import actions
from trial.unblinded.randomization.models import Allocation, WrongTreatment
from trial.unblinded.randomization.queries import wrongly_treated


@pytest.fixture
def made(database: psycopg.Connection[Any]) -> list[Allocation]:
    opened(world.blocks(5))
    return randomized(2, teams=1)


def record(participant: Participant, kind: str, **given: Any) -> RandomizationError:
    with world.at_work(world.SETUP):
        row: RandomizationError = open_errors.record_error(
            participant=participant, kind=kind, day=given.pop("day", clock.today()), reason_code="typing", by=world.SETUP, **given
        )  # fmt: skip
    return row


def test_every_kind_stands_until_it_is_taken_back(made: list[Allocation], database: psycopg.Connection[Any]) -> None:
    one, other = (allocation.participant for allocation in made)
    before = database.execute("select stratum, arm, position from unblinded_allocation order by number").fetchall()
    record(one, "wrong_stratum", corrected_stratum="R1")
    assert record(one, "wrong_stratum", corrected_stratum="R1").number == 1
    record(one, "wrong_stratum", corrected_stratum="R2")
    record(one, "too_early")
    record(other, "duplicate", other_number=one.number)
    record(other, "ineligible")
    with world.at_work(world.SETUP):
        assert open_flags() == {one.pk: ["too_early", "wrong_stratum"], other.pk: ["duplicate", "ineligible"]}
        open_errors.void_error(participant=one, kind="too_early", by=world.SETUP)
        open_errors.void_error(participant=one, kind="wrong_stratum", by=world.SETUP)
        assert set(open_flags()) == {other.pk}
        with pytest.raises(Refused, match="No error of this kind"):
            open_errors.void_error(participant=one, kind="wrong_stratum", by=world.SETUP)
    assert (
        database.execute("select stratum, arm, position from unblinded_allocation order by number").fetchall() == before
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
        database.execute("update participants_randomizationerror set void = true")


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("wrong_stratum", {"corrected_stratum": "D1"}, "another one than as randomized"),
        ("wrong_stratum", {"corrected_stratum": "X9"}, "another one than as randomized"),
        ("duplicate", {"other_number": "00000000"}, "no such participant"),
        ("misprint", {}, "from the lists"),
        ("too_early", {"day": dt.date(2999, 1, 1)}, "in the future"),
    ],
)
def test_what_cannot_be_is_refused(made: list[Allocation], kind: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        record(made[0].participant, kind, **given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "misprint"}, "error_coded"),
        ({"kind": "wrong_stratum", "corrected_stratum": ""}, "error_stratum"),
        ({"kind": "wrong_stratum", "corrected_stratum": "D1"}, "another one than as randomized"),
        ({"kind": "too_early", "corrected_stratum": "R1"}, "error_stratum"),
        ({"kind": "duplicate", "other_number": "11111111"}, "another participant"),
        ({"kind": "too_early", "number": 2}, "in turn"),
        ({"kind": "too_early", "void": True}, "only an error that was recorded"),
        ({"kind": "too_early", "day": dt.date(2999, 1, 1)}, "found in the past"),
    ],
)
def test_the_database_refuses_it_too(made: list[Allocation], change: dict[str, Any], message: str) -> None:
    one = made[0].participant
    fields = {"number": 1, "day": clock.today(), "reason": "typing", "recorded_by": "x", **change}
    with world.at_work(world.SETUP), pytest.raises(DatabaseError, match=message):
        RandomizationError(site_id=one.site_id, participant=one, **fields).save(force_insert=True)


def test_nobody_who_is_not_randomized_has_an_error(made: list[Allocation]) -> None:
    from trial.protocol.models import Team

    with world.at_work(world.SETUP):
        team = Team.objects.order_by("code").first()
        assert team is not None
        new = world.register(world.SETUP, team)
        with pytest.raises(DatabaseError, match="somebody who was randomized"):
            RandomizationError(
                site_id=new.site_id, participant=new, number=1, kind="too_early", day=clock.today(), reason="typing", recorded_by="x"
            ).save(force_insert=True)  # fmt: skip
    with pytest.raises(Refused, match="has not been randomized"):
        record(new, "too_early")


def test_the_wrong_treatment_stays_behind_the_wall(made: list[Allocation], database: psycopg.Connection[Any]) -> None:
    one = made[0]
    other = {"imr": "cau", "cau": "imr"}[one.arm]
    thea = world.person(world.make_user("thea", "treatment", one.site))
    tom = world.person(world.make_user("tom", "treatment", "elsewhere"))
    given = {"allocation": one, "day": clock.today(), "reason_code": "mixed_up"}
    with world.at_work(tom), pytest.raises(NotAllowed):
        actions.record_wrong_treatment(given_arm=other, by=tom, **given)
    with world.at_work(thea):
        with pytest.raises(Refused, match="another arm"):
            actions.record_wrong_treatment(given_arm=one.arm, by=thea, **given)
        with pytest.raises(Refused, match="between the allocation and today"):
            actions.record_wrong_treatment(given_arm=other, by=thea, **{**given, "day": dt.date(2000, 1, 1)})
        first = actions.record_wrong_treatment(given_arm=other, by=thea, **given)
        assert actions.record_wrong_treatment(given_arm=other, by=thea, **given).pk == first.pk
        assert wrongly_treated() == {one.participant_id}
        actions.void_wrong_treatment(allocation=one, by=thea)
        assert wrongly_treated() == set()
        with pytest.raises(Refused, match="No wrong treatment"):
            actions.void_wrong_treatment(allocation=one, by=thea)
    assert database.execute("select count(*) from core_history where table_name like '%wrong%'").fetchone() == (0,)
    with psycopg.connect(os.environ["DATABASE_URL"]) as login, pytest.raises(psycopg.errors.InsufficientPrivilege):
        login.execute("select 1 from unblinded_wrong_treatment")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"same": True}, "another arm"),
        ({"given_arm": "placebo"}, "another arm"),
        ({"number": 2}, "follow each other"),
        ({"site": "elsewhere"}, "row-level security|follow each other"),
        ({"void": True}, "only an event that was recorded"),
        ({"day": dt.date(2000, 1, 1)}, "since the allocation"),
        ({"reason": "why"}, "wrong_treatment_coded"),
    ],
)
def test_the_database_refuses_a_wrong_treatment_that_cannot_be(
    made: list[Allocation], change: dict[str, Any], message: str
) -> None:
    one = made[0]
    other = {"imr": "cau", "cau": "imr"}[one.arm]
    fields = {
        "number": 1,
        "site": one.site,
        "given_arm": other,
        "day": clock.today(),
        "reason": "other",
        "recorded_by": "x",
        **change,
    }
    if fields.pop("same", False):
        fields["given_arm"] = one.arm
    with world.at_work(world.SETUP, on="unblinded"), pytest.raises(DatabaseError, match=message):
        WrongTreatment(allocation=one, **fields).save(force_insert=True)


def test_pages_of_both_sides(made: list[Allocation]) -> None:
    one, number = made[0], made[0].participant.number
    world.make_user("carla", "coordinator", one.site)
    world.make_user("thea", "treatment", one.site)
    carla, thea = signed_in("carla", "/login/"), signed_in("thea")
    today = clock.today()
    day = {"day_day": today.day, "day_month": today.month, "day_year": today.year}
    assert "Errors of randomization" in shown(carla, f"/participants/{number}/")
    at = f"/participants/{number}/errors/"
    wrong = carla.post(f"{at}record/", {"kind": "wrong_stratum", "reason": "typing", **day})
    assert wrong.status_code == 422
    assert b"Choose the stratum" in wrong.content
    sent = {"kind": "wrong_stratum", "corrected_stratum": "R1", "reason": "typing", **day}
    assert carla.post(f"{at}record/", sent)["Location"] == at
    assert "take back" in shown(carla, at)
    assert carla.get(f"{at}ineligible/void/").status_code == 404
    mine = f"{AT}{number}/"
    assert "wrong stratum" in shown(thea, mine)
    assert carla.post(f"{at}wrong_stratum/void/")["Location"] == at
    assert "Taken back" in shown(carla, at)
    other = {"imr": "cau", "cau": "imr"}[one.arm]
    assert thea.post(f"{mine}wrong-treatment/", {}).status_code == 422
    sent = {"given_arm": other, "reason": "mixed_up", **day}
    assert thea.post(f"{mine}wrong-treatment/", sent)["Location"] == mine
    assert "Two participants were mixed up" in shown(thea, mine)
    assert thea.post(f"{mine}wrong-treatment/void/")["Location"] == mine
    assert "Taken back" in shown(thea, mine)


def test_the_concealment_monitor(made: list[Allocation]) -> None:
    world.make_user("irma", "independent")
    page = shown(signed_in("irma"), f"{AT}concealment/")
    assert "Days from screening to randomization" in page
    assert "All, in the order of the trial" in page
