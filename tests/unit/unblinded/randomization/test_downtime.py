"""A contingency slot: two people, one participant, the next slot, never twice; the allocator writes it when it is back."""

import datetime as dt
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from tests import world
from tests.unit.unblinded.randomization.allocated import allocations, ask, opened, unblind
from tests.unit.unblinded.randomization.test_pages import AT, shown, signed_in
from tests.unit.unblinded.randomization.test_verification import outside, verified
from trial.core import clock, db, side
from trial.core.access import Person
from trial.core.errors import NotAllowed, Refused
from trial.core.ui.tables import grouped
from trial.participants.models import Participant, RandomizationRequest
from trial.protocol.models import Team
from trial.unblinded.randomization import actions
from trial.unblinded.randomization.models import Allocation, ContingencyRelease, ContingencyRequest

START = dt.datetime(2025, 1, 6, 9, 0, tzinfo=dt.UTC)
LATER = dt.timedelta(minutes=20)


class Down:
    """Everything stands, and the allocator does not answer."""

    def __init__(self) -> None:
        opened(world.blocks(5))
        for site in ("rotterdam", "dordrecht"):
            world.seal(world.blocks(5), length=5, for_site=site)
        with world.at_work(world.SETUP):
            self.place = [t.site_id for t in Team.objects.order_by("code")].index("rotterdam")
        self.thea = world.person(world.make_user("thea", "treatment", "rotterdam"))
        self.tom = world.person(world.make_user("tom", "treatment", "dordrecht"))
        self.irma = world.person(world.make_user("irma", "independent"))

    def waiting(self) -> Participant:
        participant = ask(self.place)
        clock.move_to(clock.frozen_at() + LATER)  # type: ignore[operator]
        return participant

    def ask(self, participant: Participant, by: Person | None = None) -> ContingencyRequest:
        who = by or self.thea
        with world.at_work(who):
            asked: ContingencyRequest = actions.ask_contingency(
                participant=participant, reason_code="allocator", by=who
            )
        return asked

    def release(self, asked: ContingencyRequest, by: Person | None = None) -> ContingencyRelease:
        who = by or self.irma
        with world.at_work(who):
            made: ContingencyRelease = actions.release_contingency(request=asked, password=world.PASSWORD, by=who)
        return made

    def answer(self, participant: Participant) -> None:
        with world.at_work(world.SETUP):
            request = RandomizationRequest.objects.get(participant_id=participant.pk)
        world.randomize(request)


@pytest.fixture
def down(database: psycopg.Connection[Any]) -> Iterator[Down]:
    with clock.frozen(START):
        yield Down()


def test_the_slot_becomes_the_allocation_once_and_for_all(
    down: Down, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    first, second = down.waiting(), down.waiting()
    given = [down.release(down.ask(one)) for one in (second, first)]
    assert [one.position for one in given] == [1, 2]
    assert down.release(down.ask(second)).pk == given[0].pk
    slots = database.execute(
        "select s.arm from concealed_slot s join concealed_sequence q on q.id = s.sequence_id where q.for_site = 'rotterdam' order by s.position"
    ).fetchall()
    assert [one.arm for one in given] == [slots[0][0], slots[1][0]]
    with world.at_work(world.SETUP):
        assert Participant.objects.get(pk=first.pk).randomized_at is None
    for one in (first, second, first):
        down.answer(one)
    made = allocations()
    assert [(one.participant_id, one.position, one.arm) for one in made] == [
        (first.pk, 2, given[1].arm),
        (second.pk, 1, given[0].arm),
    ]
    assert {one.slot_stratum for one in made} == {"contingency/rotterdam"}
    assert made[0].stratum == made[0].participant.stratum != made[0].slot_stratum
    assert made[0].allocated_at == made[0].participant.randomized_at == given[1].released_at
    with pytest.raises(Refused, match="No request to randomize waits"):
        down.ask(Participant(pk=uuid.uuid4(), site_id="rotterdam", screening_id=first.screening_id))


def test_the_slots_are_verified_with_the_rest(down: Down, database: psycopg.Connection[Any], tmp_path: Path) -> None:
    participant = down.waiting()
    down.answer(participant)
    participant = down.waiting()
    down.release(down.ask(participant))
    down.answer(participant)
    database.execute("select set_config('equipoise.actor', 'system:test', false)")
    unblind_without_irma(database)
    export = tmp_path / "allocation.json"
    said, status = verified(export)
    assert status == 0, said
    for version in (1, 2, 3):
        assert outside(str(tmp_path / f"allocation-{version}.json"))[1] == 0
    assert "1 allocations agree" in said


def unblind_without_irma(owner: psycopg.Connection[Any]) -> None:
    owner.execute("update core_user set username = 'irma_the_first' where username = 'irma'")
    unblind(owner)


def test_it_takes_two_people_a_long_wait_and_the_own_site(down: Down) -> None:
    participant = ask(down.place)
    with pytest.raises(Refused, match="15 minutes"):
        down.ask(participant)
    clock.move_to(START + LATER)
    with pytest.raises(NotAllowed):
        down.ask(participant, by=down.tom)
    asked = down.ask(participant)
    with pytest.raises(NotAllowed):
        down.release(asked, by=down.thea)
    with world.at_work(down.irma), pytest.raises(Refused, match="not your password"):
        actions.release_contingency(request=asked, password="no", by=down.irma)
    down.answer(participant)
    with pytest.raises(Refused, match="answered meanwhile"):
        down.release(asked)


def test_a_used_up_list_says_so_and_is_replaced_before_its_first_slot_only(down: Down) -> None:
    for _n in range(5):
        down.release(down.ask(down.waiting()))
    with pytest.raises(Refused, match="No contingency slot is left"):
        down.release(down.ask(down.waiting()))
    with pytest.raises(Refused, match="has been used"):
        world.seal(world.blocks(5), length=5, for_site="rotterdam")
    world.seal(world.blocks(5), length=5, for_site="dordrecht")


@pytest.fixture
def unblinded(down: Down) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(os.environ["UNBLINDED_DATABASE_URL"], autocommit=True) as login:
        login.execute("select set_config('equipoise.sites', '*', false)")
        login.execute("select set_config('equipoise.now', %s, false)", [(START + LATER).isoformat()])
        yield login


def as_actor(login: psycopg.Connection[Any], who: Person) -> None:
    login.execute("select set_config('equipoise.actor', %s, false)", [who.actor_id])


ASK = (
    "insert into unblinded_contingency_request(id, participant_id, site, reason, asked_at, asked_by)"
    " values (gen_random_uuid(), %s, %s, 'allocator', now(), %s)"
)
RELEASE = (
    "insert into unblinded_contingency_release(id, request_id, participant_id, site, sequence_version, slot_stratum, position, arm,"
    " released_at, released_by) values (gen_random_uuid(), %s, %s, 'rotterdam', 99, 'mine', 4, 'imr', now(), %s)"
)


def test_the_database_refuses_what_the_actions_refuse(down: Down, unblinded: psycopg.Connection[Any]) -> None:
    participant = ask(down.place)
    as_actor(unblinded, down.tom)
    with pytest.raises(psycopg.errors.CheckViolation, match="treatment coordinator of the site"):
        unblinded.execute(ASK, [participant.pk, "rotterdam", down.tom.actor_id])
    as_actor(unblinded, down.thea)
    unblinded.execute("select set_config('equipoise.now', %s, false)", [START.isoformat()])
    with pytest.raises(psycopg.errors.CheckViolation, match="waited for 15 minutes"):
        unblinded.execute(ASK, [participant.pk, "rotterdam", down.thea.actor_id])
    clock.move_to(START + LATER)
    asked = down.ask(participant)
    with pytest.raises(psycopg.errors.CheckViolation, match="another person"):
        unblinded.execute(RELEASE, [asked.pk, participant.pk, down.thea.actor_id])
    as_actor(unblinded, down.irma)
    with pytest.raises(psycopg.errors.CheckViolation, match="answers the request"):
        unblinded.execute(RELEASE, [asked.pk, uuid.uuid4(), down.irma.actor_id])
    unblinded.execute(RELEASE, [asked.pk, participant.pk, down.irma.actor_id])
    row = unblinded.execute("select sequence_version <> 99, slot_stratum, position from unblinded_contingency_release")
    assert row.fetchall() == [(True, "contingency/rotterdam", 1)], "the slot is the database's choice, not the caller's"


def test_the_allocator_gives_nobody_else_that_slot(down: Down, database: psycopg.Connection[Any]) -> None:
    """Neither another slot to whom one was let go, nor a contingency slot to anybody else."""
    lucky, other = down.waiting(), down.waiting()
    given = down.release(down.ask(lucky))
    for participant, version, stratum, position in (
        (lucky, 1, lucky.team_id, 1),
        (other, given.sequence_version, given.slot_stratum, 1),
    ):
        arm = database.execute(
            "select s.arm from concealed_slot s join concealed_sequence q on q.id = s.sequence_id"
            " where q.version = %s and s.stratum = %s and s.position = %s",
            [version, stratum, position],
        ).fetchone()
        with (
            side.allocator(),
            db.unit_of_work(by=actions.ALLOCATOR),
            pytest.raises(DatabaseError, match="belongs to the person"),
        ):
            Allocation(
                participant=participant, site="rotterdam", number=1, stratum=participant.team_id, slot_stratum=stratum,
                position=position, sequence_version=version, arm=arm[0],  # type: ignore[index]
            ).save(force_insert=True)  # fmt: skip


def test_the_pages_of_the_two_people(down: Down) -> None:
    participant = down.waiting()
    thea, irma = signed_in("thea"), signed_in("irma")
    number = grouped(participant.number)
    assert f"Ask for a contingency slot for participant {number}" in shown(thea, "/unblinded/")
    at = f"{AT}downtime/{participant.number}/ask/"
    assert irma.get(at).status_code == 403
    assert thea.post(at, {}).status_code == 422
    assert thea.post(at, {"reason": "allocator"})["Location"] == f"{AT}downtime/"
    assert f"Let a contingency slot go for participant {number}" in shown(irma, "/unblinded/")
    with world.at_work(down.irma):
        key = ContingencyRequest.objects.get().pk
    release = f"{AT}downtime/{key}/release/"
    assert irma.post(release, {"password": "no"}).status_code == 422
    assert irma.post(release, {"password": world.PASSWORD})["Location"] == f"{AT}downtime/"
    assert irma.get(release).status_code == 404
    assert "Let go; the allocator will write it" in shown(thea, f"{AT}downtime/")
    tom = signed_in("tom")
    assert number not in shown(tom, f"{AT}downtime/")
