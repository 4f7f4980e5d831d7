"""A site with one person: its coordinator sees the allocations, and does the day's work behind the wall."""

import re
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client

from tests import world
from trial.core import clock, db, side
from trial.core.access import Person
from trial.core.access import actions as accounts
from trial.core.declassified import SITE_STAFF
from trial.core.errors import NotAllowed, Refused
from trial.core.models import History, Membership, User
from trial.core.ui.tables import grouped
from trial.participants import actions as way_in
from trial.participants.models import Participant, RandomizationRequest, ScreeningEntry
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.models import ProtocolVersion, Team
from trial.protocol.queries import current
from trial.unblinded.disclosure.models import UnblindedHistory

SEEN, OTHER = "dordrecht", "rotterdam"


@dataclass
class OnePerson:
    """A trial of two sites, at the first of which one person does everything."""

    one: Person
    other: Person
    here: Team
    there: Team


@pytest.fixture
def trial(database: psycopg.Connection[Any], settings: Any) -> OnePerson:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    world.open_trial(seen_at=(SEEN,))
    with world.at_work(world.SETUP):
        here, there = (Team.objects.filter(site=site).order_by("code")[0] for site in (SEEN, OTHER))
    one = world.person(world.make_user("one", "coordinator_unblinded", SEEN))
    other = world.person(world.make_user("other", "coordinator", OTHER))
    return OnePerson(one, other, here, there)


def signed_in(username: str, form: str = "/unblinded/login/") -> Client:
    client = Client()
    assert client.post(form, {"username": username, "password": world.PASSWORD}).status_code == 302
    return client


def a_ready_person(trial: OnePerson) -> Participant:
    with world.at_work(trial.one):
        participant = world.register(trial.one, trial.here)
    with world.at_work(world.SETUP):
        ready: Participant = way_in.record_baseline(participant=participant, by=world.SETUP)
    return ready


def a_randomized_person(trial: OnePerson) -> Participant:
    participant = a_ready_person(trial)
    with world.at_work(trial.one):
        request = way_in.request_randomization(participant=participant, by=trial.one)
    world.randomize(request)
    return participant


def test_the_whole_day_below_the_wall(trial: OnePerson) -> None:
    """From screening to the allocation, by the pages."""
    client = signed_in("one")
    home = client.get("/unblinded/").content.decode()
    assert "Screening" in home
    assert "Allocations" in home
    month = clock.today().replace(day=1).isoformat()
    person = {"team": trial.here.code, "month": month, "age_band": "40-49", "sex": "female"}
    entry = client.post("/unblinded/participants/screening/new/", person)["Location"]
    assert entry.startswith("/unblinded/participants/screening/")
    with world.at_work(world.SETUP):
        protocol = current()
    day = clock.today()
    consent = {f"part_{code}": "yes" for code in protocol.consent_version.parts}
    signed = {"signed_on_day": day.day, "signed_on_month": day.month, "signed_on_year": day.year}
    assert client.post(entry, {"step": "consent", **consent, **signed}).status_code == 302
    criteria = {f"criterion_{c.code}": "yes" if c.kind == "inclusion" else "no" for c in protocol.criteria}
    assert client.post(entry, {"step": "eligibility", **criteria})["Location"] == entry
    assert "Register the person" in client.get("/unblinded/").content.decode()
    page = client.post(f"{entry}register/")["Location"]
    with world.at_work(world.SETUP):
        participant = Participant.objects.get()
        way_in.record_baseline(participant=participant, by=world.SETUP)
    assert page == f"/unblinded/participants/{participant.number}/"
    assert "Randomize participant" in client.get("/unblinded/").content.decode()
    confirm = client.get(f"{page}randomize/").content.decode()
    assert "stands under Allocations" in confirm
    assert client.post(f"{page}randomize/")["Location"] == page
    assert "was asked for" in client.get(f"{page}randomization/").content.decode()
    with world.at_work(world.SETUP):
        request = RandomizationRequest.objects.get()
    world.randomize(request)
    shown = client.get(page).content.decode()
    assert "See the allocation" in shown
    assert f'href="/participants/{participant.number}' not in shown
    assert grouped(participant.number) in client.get("/unblinded/allocations/").content.decode()
    for list_page in ("/unblinded/participants/", "/unblinded/participants/screening/", entry):
        assert client.get(list_page).status_code == 200


def test_the_open_side_sees_site_staff_and_the_author_stands_behind_the_wall(trial: OnePerson) -> None:
    participant = a_randomized_person(trial)
    tables = (
        "participants_screeningentry",
        "participants_consent",
        "participants_participant",
        "participants_randomizationrequest",
    )
    with world.at_work(world.SETUP):
        request = RandomizationRequest.objects.get()
        assert request.requested_by == SITE_STAFF
        rows = History.objects.filter(table_name__in=tables, operation="INSERT")
        assert {(row.table_name, row.actor, row.login) for row in rows} == {(t, SITE_STAFF, SITE_STAFF) for t in tables}
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        mine = UnblindedHistory.objects.filter(table_name__in=tables, operation="INSERT")
        assert {(row.table_name, row.actor) for row in mine} == {(t, trial.one.actor_id) for t in tables}
    world.make_user("monitor", "monitor")
    page = signed_in("monitor", "/login/").get(f"/participants/{participant.number}/").content.decode()
    assert "site staff" in page
    assert not re.search(r"\bOne\b", page)


def test_nothing_is_written_of_who_has_an_arm(trial: OnePerson) -> None:
    """Neither by the action nor around it; and a participant is never changed, only held."""
    participant = a_randomized_person(trial)
    entry_of = ScreeningEntry.objects.filter(pk=participant.screening_id)
    with world.at_work(trial.one), pytest.raises(Refused, match="has been randomized"):
        way_in.record_consent(entry=entry_of.get(), given={"records": False}, signed_on=clock.today(), by=trial.one)
    with (
        world.at_work(trial.one),
        db.acting(by=trial.one, action="trial.participants.actions.close_screening"),
        pytest.raises(DatabaseError, match="has an arm"),
    ):
        entry_of.update(reason="")
    with (
        world.at_work(trial.one),
        db.acting(by=trial.one, action="trial.participants.actions.register"),
        pytest.raises(DatabaseError, match="never change one"),
    ):
        Participant.objects.filter(pk=participant.pk).update(baseline_completed_at=None)


def test_an_author_of_that_side_is_not_named_in_an_open_row(trial: OnePerson) -> None:
    participant = a_ready_person(trial)
    request = RandomizationRequest(
        participant=participant, site_id=participant.site_id, requested_by=trial.one.actor_id
    )
    with (
        world.at_work(trial.one),
        db.acting(by=trial.one, action="trial.participants.actions.request_randomization"),
        pytest.raises(DatabaseError, match="author of an open row is site staff"),
    ):
        request.save(force_insert=True)


def test_other_sites_are_refused(trial: OnePerson) -> None:
    """By the role, by the row policy, and for whoever sees every site by the guard."""
    person = {"month": clock.today().replace(day=1), "age_band": "30-39", "sex": "male"}
    with world.at_work(trial.one), pytest.raises(NotAllowed):
        way_in.open_screening(team=trial.there, by=trial.one, **person)
    with world.at_work(world.SETUP, on=side.UNBLINDED), pytest.raises(DatabaseError, match="works on the open side"):
        way_in.open_screening(team=trial.there, by=world.SETUP, **person)
    with world.at_work(trial.other):
        participant = world.register(trial.other, trial.there)
    client = signed_in("one")
    for page in (
        f"/unblinded/participants/{participant.number}/",
        f"/unblinded/participants/{participant.number}/randomize/",
        f"/unblinded/participants/screening/{participant.screening_id}/",
    ):
        assert client.get(page).status_code == 404
    assert grouped(participant.number) not in client.get("/unblinded/participants/").content.decode()


def test_outcomes_assignment_and_the_vault_stay_closed(trial: OnePerson) -> None:
    participant = a_ready_person(trial)
    client = signed_in("one")
    for page in (
        "/participants/", f"/participants/{participant.number}/contact/", f"/assessments/{participant.number}/",
        f"/assessments/{participant.number}/interviewer/", f"/participants/{participant.number}/transfer/",
    ):  # fmt: skip
        assert client.get(page).status_code == 403
    assert client.get(f"/unblinded/people/{participant.number}/").status_code == 403


def test_what_a_blind_coordinator_does_later_the_data_manager_does_there(trial: OnePerson) -> None:
    with world.at_work(trial.one):
        participant = world.register(trial.one, trial.here)
    with world.at_work(trial.other):
        elsewhere = world.register(trial.other, trial.there)
    ines = world.make_user("ines", "interviewer", SEEN)
    world.make_user("dana", "datamanager")
    client = signed_in("dana", "/login/")
    assert f"Assign an interviewer to participant {grouped(participant.number)}" in client.get("/").content.decode()
    assert "Assign an interviewer" in client.get(f"/assessments/{participant.number}/").content.decode()
    assert client.post(f"/assessments/{participant.number}/interviewer/", {"interviewer": ines.pk}).status_code == 302
    assert "Assign an interviewer" not in client.get("/").content.decode()
    assert client.get(f"/participants/{participant.number}/transfer/").status_code == 200
    for page in (
        f"/assessments/{elsewhere.number}/interviewer/",
        f"/participants/{elsewhere.number}/transfer/",
    ):
        assert client.get(page).status_code == 404


def test_each_site_has_the_coordinator_that_the_protocol_says(trial: OnePerson) -> None:
    anna, bob = (world.person(world.make_user(name, "admin")) for name in ("anna", "bob"))
    with world.at_work(anna):
        user = accounts.create_account(username="novice", full_name="New", password="a long password 123", by=anna)
        with pytest.raises(Refused, match="coordinator is blind"):
            accounts.give_role(user=user, role="coordinator_unblinded", site=OTHER, by=anna)
        with pytest.raises(Refused, match="sees allocations, as the protocol says"):
            accounts.give_role(user=user, role="coordinator", site=SEEN, by=anna)
        given = accounts.give_role(user=user, role="coordinator_unblinded", site=SEEN, by=anna)
    with world.at_work(bob):
        accounts.confirm_role(membership=given, by=bob)
    for role, site in (("coordinator", SEEN), ("coordinator_unblinded", OTHER)):
        stranger = world.make_user(f"x_{role}", "sponsor" if role == "coordinator" else "dmc")
        with world.at_work(anna), pytest.raises(DatabaseError, match="on which side the coordinator"):
            Membership(user=stranger, role=role, site=site, granted_by="x").save(force_insert=True)
    with world.at_work(bob):
        accounts.end_role(membership=given, by=bob)
    with world.at_work(anna), pytest.raises(Refused, match="holds or has held a role of another side"):
        accounts.give_role(user=User.objects.get(username="novice"), role="interviewer", site=SEEN, by=anna)


def test_no_new_protocol_leaves_a_coordinator_on_the_wrong_side(trial: OnePerson) -> None:
    from trial.config.worlds.used import protocol_used

    without = world.seeing(world.read("imr"))
    with world.at_work(world.SETUP), pytest.raises(Refused, match="end that role first"):
        load_version(protocol=without, used=protocol_used(), by=world.SETUP)
    with world.at_work(world.SETUP), pytest.raises(DatabaseError, match="wrong side of the wall"):
        load_version(protocol=without, used=Used(), by=world.SETUP)
    anna = world.person(world.make_user("anna", "admin"))
    with world.at_work(anna):
        accounts.end_role(membership=Membership.objects.get(user_id=trial.one.user_id), by=anna)
    with world.at_work(world.SETUP):
        load_version(protocol=without, used=protocol_used(), by=world.SETUP)
        assert ProtocolVersion.objects.count() == 2


def test_who_loads_such_a_protocol_reads_its_price(tmp_path: Any, capsys: Any) -> None:
    import shutil

    folder = tmp_path / "imr"
    shutil.copytree(world.ROOT / "protocols" / "imr", folder)
    call_command("load_protocol", str(folder), check=True)
    assert "price" not in capsys.readouterr().out
    sites = folder / "sites.toml"
    sites.write_text(
        sites.read_text().replace('code = "dordrecht"', 'code = "dordrecht"\ncoordinator_sees_allocation = true', 1)
    )
    call_command("load_protocol", str(folder), check=True)
    said = capsys.readouterr().out
    assert "30% of the next allocations there are certain" in said
    assert "72%" in said
    assert "against 60%" in said
