"""The contact vault: who reads it, what is written down of it, and what never leaves it."""

import datetime as dt
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from assessments.visits.actions import assign_interviewer
from tests import world
from tests.unit.participants.conftest import Staffed
from trial.core import clock, side
from trial.core.errors import NotAllowed, Refused
from trial.core.models import History, User
from trial.participants import queries
from trial.participants.contact import actions as vault
from trial.participants.contact.synthetic import synthetic
from trial.participants.models import Contact, ContactAttempt, ContactReading, RandomizationRequest
from trial.unblinded.disclosure.models import Reading


def name_of(staffed: Staffed) -> str:
    return synthetic(staffed.participant.number).name


def assign(staffed: Staffed) -> None:
    with world.at_work(staffed.people["coordinator"]) as by:
        someone = User.objects.get(username="interviewer")
        assign_interviewer(participant=staffed.participant, interviewer=someone, by=by)


def randomize(staffed: Staffed) -> None:
    from trial.participants import actions as way_in

    with world.at_work(staffed.people["coordinator"]) as by:
        way_in.record_baseline(participant=staffed.participant, by=world.SETUP)
        request: RandomizationRequest = way_in.request_randomization(participant=staffed.participant, by=by)
    world.randomize(request)


def test_each_version_is_added_and_the_latest_counts(staffed: Staffed) -> None:
    details = synthetic(staffed.participant.number)
    with world.at_work(staffed.people["coordinator"]) as by:
        same = vault.record_contact(participant=staffed.participant, details=details, by=by)
        assert same.number == 1
        moved = replace(details, address="2 Nowhere Street")
        assert vault.record_contact(participant=staffed.participant, details=moved, seen=1, by=by).number == 2
        with pytest.raises(Refused, match="Somebody else changed"):
            vault.record_contact(participant=staffed.participant, details=details, seen=1, by=by)
        with pytest.raises(Refused, match="name"):
            vault.record_contact(participant=staffed.participant, details=replace(details, name=" "), by=by)
        found = queries.contact_of(staffed.participant.pk)
        assert found is not None
        assert found.address == "2 Nowhere Street"
        assert Contact.objects.count() == 2


def test_no_history_holds_a_name(staffed: Staffed) -> None:
    with world.at_work(staffed.people["coordinator"]):
        rows = list(History.objects.filter(table_name="participants_contact"))
    assert len(rows) == 1
    assert set(rows[0].new) == {"id", "number", "site_id", "participant_id", "recorded_at", "recorded_by"}


def test_who_follows_reads_and_each_reading_is_written_down(staffed: Staffed) -> None:
    name = name_of(staffed).encode()
    assert name in staffed.client("coordinator").get(staffed.address("contact")).content
    interviewer = staffed.client("interviewer")
    assert interviewer.get(staffed.address("contact")).status_code == 404
    assign(staffed)
    assert name in interviewer.get(staffed.address("contact")).content
    assert name in interviewer.get(staffed.address("contact", "edit")).content
    assert staffed.client("coordinator2").get(staffed.address("contact")).status_code == 404
    for role in ("rater", "datamanager", "monitor"):
        assert staffed.client(role).get(staffed.address("contact")).status_code == 403
    with world.at_work(world.SETUP):
        read = list(ContactReading.objects.order_by("at").values_list("reader", "page"))
    by = {role: staffed.people[role].actor_id for role in ("coordinator", "interviewer")}
    assert read == [
        (by["coordinator"], "contact"), (by["interviewer"], "contact"), (by["interviewer"], "contact_edit"),
    ]  # fmt: skip
    page = staffed.client("datamanager").get("/participants/readings/")
    assert page.content.count(b"Contact data, to change them") == 1
    assert name not in page.content
    listed = staffed.client("datamanager").get(
        f"/participants/readings/?participant={staffed.participant.number}&format=csv"
    )
    assert len(listed.content.decode().strip().splitlines()) == 4


def test_contact_data_are_changed_on_a_page(staffed: Staffed) -> None:
    client = staffed.client("coordinator")
    address = staffed.address("contact", "edit")
    wrong = client.post(address, {"name": "", "email": "nobody", "seen": 1})
    assert wrong.status_code == 422
    assert b'value="nobody"' in wrong.content
    fine = {"name": "Synthetic Person New", "email": "new@example.invalid", "best_time": "morning", "seen": 1}
    assert client.post(address, fine).status_code == 302
    assert b"Synthetic Person New" in client.get(staffed.address("contact")).content
    late = client.post(address, {**fine, "name": "Synthetic Person Late"})
    assert late.status_code == 422
    assert b"Somebody else changed" in late.content


def test_the_unblinded_login_reads_name_and_telephone_only(staffed: Staffed) -> None:
    with world.at_work(staffed.people["treatment"]):
        assert queries.names_of([staffed.participant.pk]) == {staffed.participant.pk: name_of(staffed)}
    for column in ("address", "email", "birth_date", "contact_person", "best_time"):
        with (
            world.at_work(staffed.people["treatment"]),
            pytest.raises(DatabaseError, match="permission denied"),
        ):
            list(Contact.objects.values_list(column))
    with world.at_work(staffed.people["treatment2"]):
        assert queries.names_of([staffed.participant.pk]) == {}
    with world.at_work(staffed.people["coordinator"]):
        assert queries.names_of([staffed.participant.pk]) == {staffed.participant.pk: name_of(staffed)}


def test_readings_of_the_unblinded_side_stay_there(staffed: Staffed) -> None:
    randomize(staffed)
    with world.at_work(world.SETUP):
        before = History.objects.count()
    client = staffed.client("treatment")
    listed = client.get("/unblinded/people/").content
    assert name_of(staffed).encode() in listed
    page = client.get(f"/unblinded/people/{staffed.participant.number}/").content
    assert synthetic(staffed.participant.number).phone.encode() in page
    assert synthetic(staffed.participant.number).address.encode() not in page
    assert staffed.client("treatment2").get(f"/unblinded/people/{staffed.participant.number}/").status_code == 404
    with world.at_work(world.SETUP):
        logins = History.objects.filter(table_name="core_user").count()
        assert History.objects.count() - before <= logins  # signing in is an open fact, reading is none
        assert not ContactReading.objects.exists()
    with world.at_work(world.SETUP, on=side.UNBLINDED):
        assert sorted(Reading.objects.values_list("page", flat=True)) == ["people", "person"]
    log = staffed.client("datamanager_unblinded").get("/unblinded/people/readings/").content
    assert b"List of participants" in log
    assert name_of(staffed).encode() not in log


def test_the_vault_is_append_only(staffed: Staffed, database: psycopg.Connection[Any]) -> None:
    with world.at_work(staffed.people["coordinator"]), pytest.raises(DatabaseError, match="permission denied"):
        Contact.objects.update(name="somebody else")
    database.execute("select set_config('equipoise.actor', 'system:test', false)")
    for table, column in (("contact", "name"), ("contactreading", "page"), ("contactattempt", "way")):
        if table == "contact":
            with pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
                database.execute(f"update participants_{table} set {column} = 'x'")


def test_who_does_not_follow_writes_nothing(staffed: Staffed) -> None:
    with world.at_work(staffed.people["interviewer"]) as by, pytest.raises(NotAllowed):
        vault.record_contact(participant=staffed.participant, details=synthetic("00000000"), by=by)
    with world.at_work(staffed.people["interviewer"]) as by, pytest.raises(NotAllowed):
        vault.record_attempt(
            participant=staffed.participant, visit="T1", day=clock.today(), way="phone", outcome="reached", by=by
        )


def attempt(staffed: Staffed, **given: Any) -> ContactAttempt:
    values = {"visit": "T1", "day": clock.today(), "way": "phone", "outcome": "no_answer"} | given
    with world.at_work(staffed.people["coordinator"]) as by:
        row: ContactAttempt = vault.record_attempt(participant=staffed.participant, by=by, **values)
    return row


def test_attempts_are_coded_and_run_on(staffed: Staffed) -> None:
    tomorrow = clock.today() + dt.timedelta(days=1)
    assert [attempt(staffed).number, attempt(staffed, next_on=tomorrow).number] == [1, 2]
    for wrong, words in (
        ({"visit": "T9"}, "no visit"),
        ({"way": "pigeon"}, "from the lists"),
        ({"outcome": "sang"}, "from the lists"),
        ({"day": tomorrow}, "future"),
        ({"outcome": "appointment"}, "has a day"),
        ({"next_on": clock.today() - dt.timedelta(days=1)}, "before the attempt"),
    ):
        with pytest.raises(Refused, match=words):
            attempt(staffed, **wrong)


@pytest.mark.parametrize(
    ("given", "constraint"),
    [
        ({"way": "pigeon"}, "participants_attempt_coded"),
        ({"outcome": "appointment"}, "participants_appointment_has_a_day"),
        ({"next_on": dt.date(2000, 1, 1)}, "participants_attempt_next_later"),
    ],
)
def test_the_database_refuses_a_planted_attempt(staffed: Staffed, given: dict[str, Any], constraint: str) -> None:
    values = {"visit": "T1", "number": 1, "day": clock.today(), "way": "phone", "outcome": "no_answer"} | given
    with world.at_work(staffed.people["coordinator"]), pytest.raises(DatabaseError, match=constraint):
        ContactAttempt(
            participant=staffed.participant, site_id=staffed.participant.site_id, recorded_by="x", **values
        ).save(force_insert=True)


def test_made_up_people_look_made_up() -> None:
    for number in ("00000000", "48210932", "99999999"):
        details = synthetic(number)
        assert details.name.startswith("Synthetic ")
        assert details.contact_person.startswith("Synthetic ")
        assert details.email.endswith("@example.invalid")
        assert details.phone.startswith("000 ")
        assert "Nowhere Street" in details.address
