"""The page of a participant leads each role to its own steps, to nobody else's, and to none that would be refused."""

import pytest
from django.test import Client

from assessments.visits.actions import assign_interviewer
from tests import world
from tests.crawl import links_of, name_of
from tests.unit.participants.conftest import Staffed
from trial.core.models import User
from trial.participants.actions import lock_database, record_baseline, request_randomization
from trial.participants.course.actions import report_death

COURSE = {"contact", "withdrawals", "transfer", "death"}
LISTS = {"records", "data_queries", "readings"}
EXPECTED = {
    "coordinator": {"participant_visits", *COURSE, "participant_events", "data_queries", "screening_entry"},
    "datamanager": {"participant_visits", "withdrawals", "participant_events", *LISTS, "screening_entry"},
    "monitor": {"participant_visits", "withdrawals", "participant_events", *LISTS, "screening_entry"},
}
AT_VISITS = {
    "coordinator": {
        "participant", *COURSE, "participant_events", "data_queries", "assign_interviewer", "visit_attempt", "unblinding_report", "visit",
    },
    "interviewer": {"contact", "withdrawals", "death", "participant_events", "visit_attempt", "unblinding_report", "visit"},
    "rater": {"death", "visit"},
    "datamanager": {"participant", "withdrawals", "participant_events", *LISTS, "visit"},
    "monitor": {"participant", "withdrawals", "participant_events", *LISTS, "visit"},
}  # fmt: skip


@pytest.fixture
def followed(staffed: Staffed) -> Staffed:
    """The interviewer is assigned."""
    with world.at_work(staffed.people["coordinator"]) as by:
        interviewer = User.objects.get(username="interviewer")
        assign_interviewer(participant=staffed.participant, interviewer=interviewer, by=by)
    return staffed


def leads_to(client: Client, address: str) -> set[str]:
    """The names of the addresses that the content of a page leads to; each answers."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    _before, _tag, content = answer.content.decode().partition('<div class="page-head">')
    links = [link for link in links_of(address, content) if name_of(link)]
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)
    return {name_of(link) for link in links}


@pytest.mark.parametrize("role", EXPECTED)
def test_the_page_of_a_participant(followed: Staffed, role: str) -> None:
    assert leads_to(followed.client(role), followed.address()) == EXPECTED[role]


@pytest.mark.parametrize("role", AT_VISITS)
def test_the_visits_of_a_participant(followed: Staffed, role: str) -> None:
    assert leads_to(followed.client(role), f"/assessments/{followed.participant.number}/") == AT_VISITS[role]


def test_the_treatment_coordinator_goes_from_the_name_to_the_arm_and_back(followed: Staffed) -> None:
    with world.at_work(world.SETUP):
        record_baseline(participant=followed.participant, by=world.SETUP)
        request = request_randomization(participant=followed.participant, by=world.SETUP)
    world.randomize(request)
    client, number = followed.client("treatment"), followed.participant.number
    assert leads_to(client, f"/unblinded/people/{number}/") == {
        "treatment_person", "unblinded_death", "unblinded_serious_event_new",
    }  # fmt: skip
    assert "person" in leads_to(client, f"/unblinded/treatment/people/{number}/")
    assert leads_to(client, "/unblinded/allocations/") == {"treatment_person", "allocation", "downtime"}


def test_of_who_died_what_was_collected_stays_readable(followed: Staffed) -> None:
    with world.at_work(followed.people["coordinator"]) as by:
        report_death(participant=followed.participant, by=by)
    found = leads_to(followed.client("coordinator"), followed.address())
    assert found == {"participant_visits", "withdrawals", "participant_events", "data_queries", "screening_entry"}


def test_without_a_required_consent_there_is_no_button_to_randomize(followed: Staffed) -> None:
    from trial.core import clock
    from trial.participants.course.actions import withdraw

    with world.at_work(world.SETUP):
        record_baseline(participant=followed.participant, by=world.SETUP)
    client = followed.client("coordinator")
    assert "randomize" in leads_to(client, followed.address())
    with world.at_work(followed.people["coordinator"]) as by:
        withdraw(participant=followed.participant, part="interviews", day=clock.today(), by=by)
    assert "randomize" not in leads_to(client, followed.address())


def test_after_the_lock(followed: Staffed) -> None:
    with world.at_work(followed.people["datamanager"]) as by:
        lock_database(password=world.PASSWORD, by=by)
    found = leads_to(followed.client("coordinator"), followed.address())
    assert found == EXPECTED["coordinator"] - {"transfer"}


def test_the_screening_page_leads_to_the_consent_of_the_participant(followed: Staffed) -> None:
    entry = f"/participants/screening/{followed.participant.screening_id}/"
    assert {"participant", "withdrawals"} <= leads_to(followed.client("coordinator"), entry)
