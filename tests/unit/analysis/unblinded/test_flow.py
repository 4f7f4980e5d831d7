"""The flow by arm: everybody counted once, who may open it and when, and that it goes into the ledger."""

import datetime as dt
from typing import Any

import psycopg
import pytest
from django.test import Client

from analysis.runs.joined import Joined
from analysis.unblinded.assembly import courses, joined
from analysis.unblinded.flow import Course, Standing, flow_of
from analysis.unblinded.flow_presenters import flow_chart, flow_sentence, flow_table
from assessments.visits.actions import record_missed, reopen_visit
from tests import world
from tests.records import look_up_everybody
from trial.core import clock
from trial.participants.actions import lock_database, request_randomization, request_unblinding
from trial.participants.models import Participant
from trial.participants.queries import Recruitment
from trial.protocol.models import Team
from trial.unblinded.disclosure.actions import confirm_planned_unblinding
from trial.unblinded.disclosure.models import LedgerEntry
from trial.unblinded.randomization.models import Allocation

DONE, PENDING = Standing("done"), Standing("pending")


def course(arm: str, t2: Standing, t3: Standing, attended: int | None = None, completed: bool | None = None) -> Course:
    return Course(arm, {"T2": t2, "T3": t3}, t2 is DONE or t3 is DONE, attended, completed)


COURSES = [
    course("imr", DONE, DONE, 30, True),
    course("imr", Standing("missed", "declined"), DONE, 0, False),
    course("imr", Standing("missed", "psychiatric"), PENDING, 5, False),
    course("cau", DONE, Standing("missed", "not_located")),
    course("cau", Standing("missed", "declined"), Standing("missed", "declined")),
]


def test_everybody_is_counted_once_at_each_visit() -> None:
    imr, cau = flow_of(COURSES, world.read("imr"))
    assert (imr.allocated, cau.allocated) == (3, 2)
    assert (imr.sessions, cau.sessions) == ((1, 2, 1), None)
    assert (imr.analyzed, cau.analyzed) == (2, 1)
    for arm in (imr, cau):
        for visit in arm.visits:
            assert visit.done + visit.missed_in_all + visit.pending == arm.allocated
    assert dict(imr.visits[0].missed) == {
        "Declined this visit": 1,
        "Not located": 0,
        "Psychiatric state": 1,
        "Other": 0,
    }
    assert (cau.visits[1].done, cau.visits[1].missed_in_all) == (0, 2)


def test_the_table_says_what_the_figure_says() -> None:
    arms = flow_of(COURSES, world.read("imr"))
    rows = {row[0]: row[1:] for row in flow_table(arms).rows}
    assert rows["Allocated"] == [3, 2, 5]
    assert rows["Attended no session"] == [1, None, 1]
    assert rows["T2, 12 months: missed, declined this visit"] == [1, 1, 2]
    assert rows["Analyzed: a value of the primary outcome"] == [2, 1, 3]
    drawn = flow_chart(arms, Recruitment(9, 2, 1, 0, 6, 6, 5))
    lines = [line["text"] for layer in drawn.spec["layer"] for line in layer["data"]["values"] if "text" in line]
    assert "Allocated: 3" in lines
    assert "Considered: 9" in lines
    assert "Not randomized: 4 (excluded 2, declined 1)" in lines
    assert flow_sentence(arms).startswith("IMR and care as usual: 3 allocated, 2 done at T3, 18 months, 2 analyzed; ")
    assert drawn.light.startswith("data:image/svg+xml")


def test_what_is_not_known_of_a_person_is_none_and_never_zero() -> None:
    class Sessions:
        group, attended, completed = "g1", 12, None

    class Fidelity:
        band = "high"

    assert joined("cau", None, {}, None) == Joined("cau")
    known = joined("imr", Sessions(), {"g1": Fidelity()}, None)
    assert known == Joined("imr", "g1", 12, None, "high")
    assert joined("imr", Sessions(), {}, None).fidelity_band is None


# --- the real one


@pytest.fixture
def trial(database: psycopg.Connection[Any], settings: Any) -> dict[str, str]:
    """Six randomized people, the first of whom missed a visit, the second too and came back; their arms by number."""
    settings.TASK_SENDER = "tests.unit.analysis.runs.test_runs.nowhere"
    start = dt.datetime(2025, 1, 6, 9, 0, tzinfo=dt.UTC)
    with clock.frozen(start):
        world.open_trial()
        with world.at_work(world.SETUP):
            team = Team.objects.order_by("code").first()
            assert team is not None
        for n in range(6):
            clock.move_to(start + dt.timedelta(days=n + 1))
            with world.at_work(world.SETUP):
                person = world.ready_to_randomize(world.SETUP, team)
                request = request_randomization(participant=person, by=world.SETUP)
            clock.move_to(start + dt.timedelta(days=n + 1, minutes=1))  # each side has its own stream of instants
            world.randomize(request)
        clock.move_to(start + dt.timedelta(days=400))
        with world.at_work(world.SETUP):
            first, second = Participant.objects.order_by("registered_at")[:2]
            for person in (first, second):
                record_missed(participant=person, visit="T2", reason_code="declined", by=world.SETUP)
            reopen_visit(participant=second, visit="T2", by=world.SETUP)
    with world.at_work(world.SETUP, "unblinded"):
        return dict(Allocation.objects.values_list("participant__number", "arm"))


def test_the_join_has_the_arm_of_everybody_and_the_visits_as_recorded(trial: dict[str, str]) -> None:
    with world.at_work(world.SETUP, "unblinded"):
        found = courses(world.read("imr"))
        arms = flow_of(found, world.read("imr"))
    assert sorted(c.arm for c in found) == sorted(trial.values())
    assert sum(arm.allocated for arm in arms) == 6
    assert sum(arm.visits[0].missed_in_all for arm in arms) == 1
    assert sum(arm.visits[0].pending for arm in arms) == 5
    assert [arm.analyzed for arm in arms] == [0, 0]


def entered(role: str) -> Client:
    world.make_user(f"a_{role}", role)
    client = Client()
    answer = client.post("/unblinded/login/", {"username": f"a_{role}", "password": world.PASSWORD})
    assert answer.status_code == 302
    return client


def opened() -> int:
    with world.at_work(world.SETUP, "unblinded"):
        return LedgerEntry.objects.filter(what="flow by arm opened").count()


def test_the_unblinded_data_manager_opens_it_and_the_ledger_says_so(trial: dict[str, str]) -> None:
    client = entered("datamanager_unblinded")
    page = client.get("/unblinded/analysis/flow/")
    assert page.status_code == 200
    assert "Allocated" in page.content.decode()
    assert opened() == 1
    assert client.get("/unblinded/analysis/flow/?format=csv")["Content-Type"].startswith("text/csv")
    assert opened() == 2


def test_the_treatment_coordinator_may_not_open_it(trial: dict[str, str]) -> None:
    world.make_user("theo", "treatment", "rotterdam")
    client = Client(raise_request_exception=False)
    client.post("/unblinded/login/", {"username": "theo", "password": world.PASSWORD})
    assert client.get("/unblinded/analysis/flow/").status_code == 403
    assert opened() == 0


def test_the_independent_statistician_opens_it_after_planned_unblinding_only(trial: dict[str, str]) -> None:
    client = entered("independent")
    for address in ("/unblinded/analysis/flow/", "/unblinded/analysis/flow/?format=csv"):
        page = client.get(address)
        assert "appears here after planned unblinding" in page.content.decode()
        assert "Allocated" not in page.content.decode()
    assert opened() == 0
    manager, sponsor = (world.person(world.make_user(role, role)) for role in ("datamanager", "sponsor"))
    independent = world.person(world.make_user("confirms", "independent"))
    look_up_everybody()
    with world.at_work(manager):
        lock_database(password=world.PASSWORD, by=manager)
    with world.at_work(sponsor):
        request_unblinding(password=world.PASSWORD, by=sponsor)
    with world.at_work(independent):
        confirm_planned_unblinding(password=world.PASSWORD, by=independent)
    assert "Allocated" in client.get("/unblinded/analysis/flow/").content.decode()
    assert opened() == 1
