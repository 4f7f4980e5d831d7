"""Hand-overs of assessors: ordered behind the wall, written at night among random ones, without a reason on the open side."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError

from assessments.visits.actions import assign_interviewer, hand_over
from assessments.visits.models import AssessorAssignment
from assessments.visits.queries import interviewer_of
from tests import world
from tests.unit.unblinded.gates import NEAR, Gates, frozen, play, signed_in
from trial.core import clock, db, side
from trial.core.errors import NotAllowed, Refused
from trial.core.models import History
from trial.core.ui.tables import grouped
from trial.participants.models import Participant
from trial.unblinded.disclosure.handover import rules
from trial.unblinded.disclosure.handover.actions import order_handover
from trial.unblinded.disclosure.handover.queries import pending_orders
from trial.unblinded.disclosure.handover.tasks import sweep
from trial.unblinded.disclosure.models import Handover, HandoverNight, HandoverSeed


@pytest.fixture(autouse=True)
def _cheap(settings: Any) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.RANDOM_HANDOVERS = 0.0


@pytest.fixture
def gates(database: psycopg.Connection[Any]) -> Iterator[Gates]:
    with frozen():
        yield play(people=2)


def order(gates: Gates, one: Participant) -> None:
    report = gates.report(one)
    with world.at_work(gates.manager) as by:
        order_handover(report=report, by=by)


def assessor(one: Participant) -> AssessorAssignment:
    with world.at_work(world.SETUP):
        found = interviewer_of(one.pk)
    assert found is not None
    return found


def done() -> list[tuple[str, bool]]:
    with world.at_work(world.SETUP, on=side.UNBLINDED):
        rows = Handover.objects.order_by("done_at")
        return [(row.outcome, row.order_id is not None) for row in rows]


def test_an_order_waits_until_the_next_visit_comes_near(gates: Gates) -> None:
    one, other = gates.people
    order(gates, one)
    sweep()
    assert assessor(one).interviewer_id == gates.interviewers[0].pk
    clock.move_to(NEAR)
    sweep()
    assert assessor(one).interviewer_id == gates.interviewers[1].pk
    assert assessor(other).interviewer_id == gates.interviewers[0].pk
    assert done() == [("handed_over", True)]
    clock.move_to(NEAR + dt.timedelta(days=1))
    sweep()
    assert assessor(one).number == 2


def test_twice_a_night_is_once(gates: Gates) -> None:
    clock.move_to(NEAR)
    order(gates, gates.people[0])
    sweep()
    order(gates, gates.people[1])
    sweep()
    assert assessor(gates.people[1]).number == 1
    clock.move_to(NEAR + dt.timedelta(days=1))
    sweep()
    assert assessor(gates.people[1]).number == 2
    with world.at_work(world.SETUP, on=side.UNBLINDED):
        assert HandoverNight.objects.count() == 2
        assert HandoverSeed.objects.count() == 1


def test_the_open_side_reads_site_staff_and_no_reason(gates: Gates) -> None:
    clock.move_to(NEAR)
    order(gates, gates.people[0])
    sweep()
    row = assessor(gates.people[0])
    assert row.assigned_by == "site staff"
    with world.at_work(world.SETUP):
        written = History.objects.get(table_name="visits_assessorassignment", row_id=str(row.pk))
    assert (written.actor, written.login, written.reason) == ("site staff", "site staff", "")
    page = signed_in("udo", "/unblinded/login/").get("/unblinded/disclosure/hand-overs/").content.decode()
    assert "Ordered" in page
    assert "Ida 1" in page


def test_those_who_reported_are_not_in_the_pool(gates: Gates) -> None:
    """Both interviewers know: the visit goes ahead with the one who has it, and that stands behind the wall; later somebody new comes."""
    one = gates.people[0]
    gates.report(one, by=gates.interviewers[1])
    clock.move_to(NEAR)
    order(gates, one)
    sweep()
    assert assessor(one).interviewer_id == gates.interviewers[0].pk
    clock.move_to(NEAR + dt.timedelta(days=1))
    sweep()
    assert done() == [("nobody_left", True)]  # once a visit
    fresh = world.make_user("fresh", "interviewer", one.site_id)
    clock.move_to(NEAR + dt.timedelta(days=2))
    sweep()
    assert assessor(one).interviewer_id == fresh.pk
    assert done() == [("nobody_left", True), ("handed_over", True)]


def test_somebody_else_assigned_meanwhile_settles_the_order(gates: Gates) -> None:
    one = gates.people[0]
    order(gates, one)
    with world.at_work(world.SETUP):
        assign_interviewer(participant=one, interviewer=gates.interviewers[1], by=world.SETUP)
    clock.move_to(NEAR)
    sweep()
    assert done() == [("not_needed", True)]
    assert assessor(one).number == 2
    with world.at_work(world.SETUP, on=side.UNBLINDED):
        assert not pending_orders().exists()


def test_at_random_each_visit_is_drawn_once(gates: Gates, settings: Any) -> None:
    settings.RANDOM_HANDOVERS = 1.0
    for day in range(0, 40, 4):
        clock.move_to(NEAR + dt.timedelta(days=day))
        sweep()
    assert done() == [("handed_over", False)] * 2
    assert {assessor(one).number for one in gates.people} == {2}


def test_a_report_is_ordered_once_by_the_data_manager_behind_the_wall(gates: Gates) -> None:
    one = gates.people[0]
    report = gates.report(one)
    with world.at_work(gates.manager) as by:
        first, second = (order_handover(report=report, by=by) for _time in range(2))
    assert first == second
    independent = world.person(world.make_user("irma", "independent"))
    with pytest.raises(NotAllowed), world.at_work(independent) as by:
        order_handover(report=report, by=by)


def test_the_order_is_given_from_the_report(gates: Gates) -> None:
    report = gates.report(gates.people[0])
    client = signed_in("udo", "/unblinded/login/")
    listed = client.get("/unblinded/disclosure/reports/").content.decode()
    assert "Order a hand-over" in listed
    assert "The participant said it" in listed  # source, belief and certainty are shown
    assert "5 of 5: certain" in listed
    address = f"/unblinded/disclosure/reports/{report.pk}/hand-over/"
    assert client.get(address).status_code == 200
    assert client.post(address)["Location"] == "/unblinded/disclosure/hand-overs/"
    assert "Ordered on" in client.get("/unblinded/disclosure/reports/").content.decode()


def test_it_is_work_when_the_next_visit_comes_near(gates: Gates) -> None:
    one = gates.people[0]
    report = gates.report(one)
    words = f"Order a hand-over of participant {grouped(one.number)}"
    assert words not in signed_in("udo", "/unblinded/login/").get("/unblinded/").content.decode()
    clock.move_to(NEAR)
    client = signed_in("udo", "/unblinded/login/")
    assert words in client.get("/unblinded/").content.decode()
    client.post(f"/unblinded/disclosure/reports/{report.pk}/hand-over/")
    assert words not in client.get("/unblinded/").content.decode()


def test_nobody_without_an_arm_is_handed_over(gates: Gates) -> None:
    assert gates.unrandomized is not None
    report = gates.report(gates.unrandomized)
    with pytest.raises(Refused, match="not been randomized"), world.at_work(gates.manager) as by:
        order_handover(report=report, by=by)


def test_the_database_holds_a_hand_over_to_the_site(gates: Gates) -> None:
    """Planted: somebody who is no interviewer of the site, and a first assignment."""
    one = gates.people[0]
    with pytest.raises(Refused), world.at_work(world.SETUP, on=side.UNBLINDED) as by:
        hand_over(participant=one, interviewer=world_user(gates.manager.user_id), at=clock.now(), by=by)
    for interviewer, number in ((gates.manager.user_id, 2), (gates.interviewers[1].pk, 1)):
        row = AssessorAssignment(
            participant=one,
            site_id=one.site_id,
            number=number,
            interviewer_id=interviewer,
            assigned_by="site staff",
        )
        name = "assessments.visits.actions.hand_over"
        with (
            pytest.raises(DatabaseError, match="a hand-over"),
            world.at_work(world.SETUP, on=side.UNBLINDED) as by,
            db.acting(by=by, action=name),
        ):
            row.save(force_insert=True)


def world_user(key: uuid.UUID) -> Any:
    from trial.core.models import User

    with world.at_work(world.SETUP):
        return User.objects.get(pk=key)


def test_one_batch_a_night_is_a_constraint(gates: Gates) -> None:
    with pytest.raises(IntegrityError), world.at_work(world.SETUP, on=side.UNBLINDED):
        for _time in range(2):
            HandoverNight(night=clock.today()).save(force_insert=True)


# --- the lot


def test_the_lot_keeps_its_share_and_its_nights() -> None:
    people = [uuid.UUID(int=n) for n in range(4000)]
    drawn = [one for one in people if rules.is_drawn("seed", one, "T2", 0.1)]
    assert 330 < len(drawn) < 470
    assert rules.is_drawn("seed", people[0], "T2", 1.0)
    assert not rules.is_drawn("seed", people[0], "T2", 0.0)
    first, last = dt.date(2025, 1, 1), dt.date(2025, 1, 10)
    nights = Counter(rules.night_of("seed", one, "T2", first, last) for one in people)
    assert set(nights) == {first + dt.timedelta(days=n) for n in range(10)}
    assert rules.night_of("seed", people[0], "T2", first, first) == first


def test_another_seed_is_another_lot_and_the_same_seed_the_same() -> None:
    people, night = [uuid.UUID(int=n) for n in range(50)], dt.date(2025, 1, 1)
    assert rules.shuffled("a", night, people) == rules.shuffled("a", night, reversed(people))
    assert rules.shuffled("a", night, people) != rules.shuffled("b", night, people)
    assert {rules.chosen("a", one, night, people[:2]) for one in people} == set(people[:2])
    assert rules.chosen("a", people[0], night, []) is None
