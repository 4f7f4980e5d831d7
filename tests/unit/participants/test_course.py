"""Withdrawal by part, transfer, death: what each stops, who may do it, and what the database refuses."""

import datetime as dt
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from tests import world
from tests.unit.participants.conftest import Staffed
from tests.unit.participants.test_contact import assign, name_of, randomize
from trial.core import clock, ids, side
from trial.core.errors import NotAllowed, Refused
from trial.core.models import History
from trial.participants import actions as way_in
from trial.participants import queries
from trial.participants.course import actions as course
from trial.participants.models import Consent, Death, Participant, RandomizationRequest, Transfer
from trial.protocol.models import Team
from trial.protocol.queries import current


def withdraw(staffed: Staffed, part: str = "interviews", name: str = "coordinator", **given: Any) -> Consent:
    with world.at_work(staffed.people[name]) as by:
        row: Consent = course.withdraw(
            participant=staffed.participant, part=part, day=given.pop("day", clock.today()), by=by, **given
        )
    return row


def in_force(staffed: Staffed) -> frozenset[str]:
    with world.at_work(world.SETUP):
        return queries.parts_in_force([staffed.participant.pk])[staffed.participant.pk]


def report(staffed: Staffed, name: str = "coordinator") -> Death:
    with world.at_work(staffed.people[name]) as by:
        row: Death = course.report_death(participant=staffed.participant, by=by)
    return row


def decide(staffed: Staffed, name: str, confirmed: bool) -> Death:
    with world.at_work(staffed.people[name]) as by:
        row: Death = course.decide_death(participant=staffed.participant, confirmed=confirmed, by=by)
    return row


# --- withdrawal


def test_a_part_stops_and_no_other(staffed: Staffed) -> None:
    everything = in_force(staffed)
    withdraw(staffed, "records", reason_code="privacy")
    withdraw(staffed, "records")  # twice is once
    assert in_force(staffed) == everything - {"records"}
    with world.at_work(world.SETUP):
        key = staffed.participant.pk
        assert queries.consent_in_force([key], "interviews") == {key}
        assert queries.consent_in_force([key], "records") == set()
        assert queries.stopped_parts([key], current()) == {key: frozenset({"records"})}
        assert Consent.objects.filter(part="records").count() == 2
    with world.at_work(staffed.people["coordinator"]) as by:
        course.consent_again(participant=staffed.participant, part="records", signed_on=clock.today(), by=by)
    assert in_force(staffed) == everything


def test_what_cannot_be_a_withdrawal(staffed: Staffed) -> None:
    for given, words in (
        ({"reason_code": "the group"}, "from the list"),
        ({"part": "everything"}, "never given"),
        ({"day": clock.today() + dt.timedelta(days=1)}, "future"),
        ({"day": clock.today() - dt.timedelta(days=1)}, "signed after"),
    ):
        with pytest.raises(Refused, match=words):
            withdraw(staffed, **given)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        withdraw(staffed, name="interviewer")
    assign(staffed)
    withdraw(staffed, name="interviewer")


def test_a_reason_belongs_to_a_withdrawal(staffed: Staffed) -> None:
    with (
        world.at_work(staffed.people["coordinator"]),
        pytest.raises(DatabaseError, match="participants_consent_reason_of_withdrawal"),
    ):
        Consent(
            site_id=staffed.participant.site_id, screening_id=staffed.participant.screening_id, version="v1",
            part="records", given=True, signed_on=clock.today(), reason="privacy", recorded_by="x",
        ).save(force_insert=True)  # fmt: skip


def test_who_withdrew_from_interviews_is_not_randomized(staffed: Staffed) -> None:
    with world.at_work(staffed.people["coordinator"]):
        way_in.record_baseline(participant=staffed.participant, by=world.SETUP)
    client = staffed.client("coordinator")
    assert b"Randomize participant" in client.get("/").content
    withdraw(staffed)
    assert b"Randomize participant" not in client.get("/").content
    with world.at_work(staffed.people["coordinator"]) as by, pytest.raises(Refused, match="withdrawn"):
        way_in.request_randomization(participant=staffed.participant, by=by)


def test_after_the_lock_people_withdraw_and_nobody_consents(staffed: Staffed) -> None:
    with world.at_work(staffed.people["datamanager"]) as by:
        way_in.lock_database(password=world.PASSWORD, by=by)
    withdraw(staffed, "sharing")
    assert "sharing" not in in_force(staffed)
    with world.at_work(staffed.people["coordinator"]) as by, pytest.raises(Refused, match="locked"):
        course.consent_again(participant=staffed.participant, part="sharing", signed_on=clock.today(), by=by)
    with world.at_work(staffed.people["coordinator"]), pytest.raises(DatabaseError, match="never given"):
        Consent(
            site_id=staffed.participant.site_id, screening_id=staffed.participant.screening_id, version="v1",
            part="sharing", given=True, signed_on=clock.today(), recorded_by="x",
        ).save(force_insert=True)  # fmt: skip


def test_the_pages_of_withdrawal(staffed: Staffed) -> None:
    client = staffed.client("coordinator")
    assert b"nobody is called" in client.get(staffed.address("consent")).content
    address = staffed.address("consent", "clinician")
    assert b"No reason given" in client.get(address).content
    today = clock.today()
    day = {"day_day": today.day, "day_month": today.month, "day_year": today.year}
    assert client.post(address, {"reason": "burden"}).status_code == 422
    assert client.post(address, {"reason": "none", **day}).status_code == 302
    page = client.get(staffed.address("consent")).content.decode()
    assert "Withdrawn" in page
    assert "Consents again" in page
    assert client.post(address, day).status_code == 302
    assert "Given again" in client.get(staffed.address("consent")).content.decode()
    assert client.get(staffed.address("consent", "nothing")).status_code == 404
    monitor = staffed.client("monitor")
    assert b"Withdraw</a>" not in monitor.get(staffed.address("consent")).content
    assert monitor.get(address).status_code == 403


# --- transfer


def test_a_transfer_is_dated_and_moves_no_rows(staffed: Staffed) -> None:
    randomize(staffed)
    with world.at_work(staffed.people["coordinator"]) as by:
        participant = Participant.objects.get(pk=staffed.participant.pk)
        course.transfer(participant=participant, team=staffed.there, effective_on=clock.today(), by=by)
        assert queries.teams_at([participant])[participant.pk] == staffed.there
        yesterday = clock.today() - dt.timedelta(days=1)
        assert queries.teams_at([participant], yesterday)[participant.pk] == staffed.here
        participant.refresh_from_db()
        assert participant.stratum == staffed.here.pk
        assert participant.site_id == staffed.here.site_id
    with world.at_work(staffed.people["coordinator2"]):
        assert queries.participant_numbered(staffed.participant.number) is None
        assert not Transfer.objects.exists()
    page = staffed.client("coordinator").get(staffed.address()).content.decode()
    assert staffed.there.name in page


def test_transfers_run_forward(staffed: Staffed) -> None:
    with world.at_work(staffed.people["coordinator"]) as by:
        for team, day, words in (
            (staffed.here, clock.today(), "already"),
            (staffed.there, clock.today() + dt.timedelta(days=1), "future"),
            (staffed.there, clock.today() - dt.timedelta(days=9), "before the registration"),
        ):
            with pytest.raises(Refused, match=words):
                course.transfer(participant=staffed.participant, team=team, effective_on=day, by=by)
        course.transfer(participant=staffed.participant, team=staffed.there, effective_on=clock.today(), by=by)
    for given, words in (
        ({"number": 2, "effective_on": clock.today() - dt.timedelta(days=1)}, "run forward"),
        ({"number": 3, "effective_on": clock.today()}, "run forward"),
        ({"number": 2, "effective_on": clock.today(), "site_id": staffed.there.site_id}, "stays with the institution"),
    ):
        values = {"site_id": staffed.here.site_id} | given
        with world.at_work(world.SETUP), pytest.raises(DatabaseError, match=words):
            Transfer(
                participant=staffed.participant, team=staffed.here, recorded_by="x", **values
            ).save(force_insert=True)  # fmt: skip


def test_an_interviewer_of_both_institutions_follows_whom_they_are_assigned_to(staffed: Staffed) -> None:
    from assessments.visits.actions import assign_interviewer
    from trial.core.access import actions as accounts
    from trial.core.models import User

    with world.at_work(world.SETUP, on=side.UNBLINDED):
        user = User.objects.get(username="interviewer2")
        accounts.give_role(user=user, role="interviewer", site=staffed.here.site_id, by=world.SETUP)
    with world.at_work(staffed.people["coordinator"]) as by:
        other = world.register(by, staffed.here)
        assign_interviewer(participant=staffed.participant, interviewer=user, by=by)
    client = staffed.client("interviewer2")
    assert name_of(staffed).encode() in client.get(staffed.address("contact")).content
    assert client.get(f"/participants/{other.number}/contact/").status_code == 404


# --- death


def names_the_person(staffed: Staffed, role: str, *addresses: str) -> list[str]:
    client = staffed.client(role)
    shown = (
        staffed.participant.number,
        f"{staffed.participant.number[:4]}\N{NO-BREAK SPACE}{staffed.participant.number[4:]}",
    )
    pages = {address: client.get(address).content.decode() for address in addresses}
    return [address for address, text in pages.items() if any(form in text for form in (*shown, name_of(staffed)))]


LISTS = {
    "coordinator": ("/", "/participants/", "/participants/?format=csv", "/assessments/visits/", "/assessments/visits/?format=csv"),
    "interviewer": ("/", "/assessments/"),
    "datamanager": ("/participants/", "/assessments/visits/"),
    "treatment": ("/unblinded/", "/unblinded/people/"),
}  # fmt: skip


def test_a_report_silences_every_list_at_once(staffed: Staffed) -> None:
    assign(staffed)
    randomize(staffed)
    lists = {role: names_the_person(staffed, role, *addresses) for role, addresses in LISTS.items()}
    assert all(names for role, names in lists.items() if role != "interviewer"), lists  # no interview is near now
    client = staffed.client("rater")
    address = staffed.address("death")
    assert b"Report the death" in client.get(address).content
    assert client.post(address, {})["Location"] == "/"
    assert {role: names_the_person(staffed, role, *LISTS[role]) for role in LISTS} == {
        "coordinator": ["/"],  # a second person is asked to confirm, by study number
        "interviewer": ["/"],
        "datamanager": [],
        "treatment": ["/unblinded/"],
    }
    with world.at_work(staffed.people["treatment"]):
        assert queries.names_of([staffed.participant.pk]) == {}
    contact = staffed.client("coordinator").get(staffed.address("contact")).content
    assert b"A death was reported" in contact
    assert name_of(staffed).encode() not in contact
    assert staffed.client("treatment").get(f"/unblinded/people/{staffed.participant.number}/").status_code == 404
    assert names_the_person(staffed, "datamanager", "/participants/?state=died") == ["/participants/?state=died"]
    decide(staffed, "second", confirmed=True)
    assert not any(names_the_person(staffed, role, *LISTS[role]) for role in LISTS)


def test_a_wrong_report_is_taken_back_by_a_second_person(staffed: Staffed) -> None:
    report(staffed)
    with pytest.raises(Refused, match="yourself"):
        decide(staffed, "coordinator", confirmed=False)
    page = staffed.client("second").get("/").content
    assert b"Confirm the death" in page
    assert b"Confirm the death" not in staffed.client("coordinator").get("/").content
    answer = staffed.client("second").post(staffed.address("death", "decide"), {"confirmed": "no"})
    assert answer.status_code == 302
    assert names_the_person(staffed, "coordinator", "/participants/") == ["/participants/"]
    assert report(staffed, "second").number == 3  # it may be reported anew
    decide(staffed, "coordinator", confirmed=True)
    with pytest.raises(Refused, match="no report"):
        decide(staffed, "second", confirmed=False)
    assert report(staffed).step == "confirmed"


def test_twice_is_once(staffed: Staffed) -> None:
    assert report(staffed).pk == report(staffed, "rater").pk
    assert decide(staffed, "second", True).pk == decide(staffed, "datamanager", True).pk


def test_the_unblinded_side_reports_as_site_staff(staffed: Staffed) -> None:
    randomize(staffed)
    address = f"/unblinded/people/{staffed.participant.number}/death/"
    client = staffed.client("treatment")
    assert client.post(address, {})["Location"] == "/unblinded/"
    actor = staffed.people["treatment"].actor_id
    with world.at_work(world.SETUP):
        row = Death.objects.get()
        assert row.recorded_by == "site staff"
        assert list(History.objects.filter(table_name="participants_death").values_list("actor", flat=True)) == [
            "site staff"
        ]
    page = staffed.client("coordinator").get(staffed.address()).content.decode()
    assert "site staff" in page
    assert staffed.people["treatment"].name not in page
    assert actor not in page
    assert b"Confirm the death" not in client.get("/unblinded/").content
    refused = client.post(address + "decide/", {"confirmed": "yes"})
    assert refused.status_code == 422
    assert b"yourself" in refused.content
    colleague = staffed.client("treatment_too")
    assert b"Confirm the death" in colleague.get("/unblinded/").content
    assert colleague.post(address + "decide/", {"confirmed": "yes"}).status_code == 302


def test_nobody_who_died_is_randomized(staffed: Staffed) -> None:
    with world.at_work(staffed.people["coordinator"]) as by:
        way_in.record_baseline(participant=staffed.participant, by=world.SETUP)
        request = way_in.request_randomization(participant=staffed.participant, by=by)
    report(staffed)
    world.randomize(request)
    with world.at_work(staffed.people["coordinator"]) as by:
        request.refresh_from_db()
        assert (request.state, request.refusal) == ("refused", "died")
        other = world.ready_to_randomize(by, staffed.here)
        course.report_death(participant=other, by=by)
        with pytest.raises(Refused, match="Nobody who died"):
            way_in.request_randomization(participant=other, by=by)
    with world.at_work(staffed.people["coordinator"]), pytest.raises(DatabaseError, match="a death was reported"):
        RandomizationRequest(participant=other, site_id=other.site_id, requested_by="x").save(force_insert=True)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([("confirmed", "coordinator", 1)], "no report of death"),
        ([("reported", "coordinator", 2)], "follows the one before"),
        ([("reported", "coordinator", 1), ("reported", "second", 2)], "reported already"),
        ([("reported", "coordinator", 1), ("confirmed", "coordinator", 2)], "another person"),
        ([("reported", "coordinator", 1), ("confirmed", "second", 2), ("rejected", "second", 3)], "no report of death"),
    ],
)
def test_the_database_refuses_a_planted_step(staffed: Staffed, steps: list[tuple[str, str, int]], words: str) -> None:
    def plant(step: str, name: str, number: int) -> None:
        with world.at_work(staffed.people[name]) as by:
            Death(
                id=ids.derived(staffed.participant.pk, "death", number), participant=staffed.participant, step=step,
                site_id=staffed.participant.site_id, number=number, recorded_by=by.actor_id,
            ).save(force_insert=True)  # fmt: skip

    *before, last = steps
    for step in before:
        plant(*step)
    with pytest.raises(DatabaseError, match=words):
        plant(*last)


def test_a_forged_author_is_refused(staffed: Staffed) -> None:
    with world.at_work(staffed.people["coordinator"]), pytest.raises(DatabaseError, match="names its own author"):
        Death(
            participant=staffed.participant, site_id=staffed.participant.site_id, number=1, step="reported",
            recorded_by="site staff",
        ).save(force_insert=True)  # fmt: skip


def test_deaths_and_transfers_are_append_only(staffed: Staffed, database: psycopg.Connection[Any]) -> None:
    report(staffed)
    database.execute("select set_config('equipoise.actor', 'system:test', false)")
    with pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
        database.execute("update participants_death set step = 'rejected'")


# --- screening


def test_screening_again_is_linked_both_ways_and_once(staffed: Staffed) -> None:
    with world.at_work(staffed.people["coordinator"]) as by:
        values = {"team": staffed.here, "month": clock.today(), "age_band": "40-49", "sex": "male", "by": by}
        first = way_in.open_screening(**values)
        with pytest.raises(Refused, match="still in screening"):
            way_in.open_screening(**values, previous=first)
        first = way_in.close_screening(entry=first, declined=False, reason_code="not_contacted", by=by)
        second = way_in.open_screening(**values, previous=first)
        with pytest.raises(Refused, match="screened again already"):
            way_in.open_screening(**values, previous=first)
        counts = queries.screening_counts()
        assert counts == {("in_screening", ""): 1, ("registered", ""): 1}
    client = staffed.client("coordinator")
    assert (
        f"/participants/screening/{second.pk}/".encode() in client.get(f"/participants/screening/{first.pk}/").content
    )
    assert (
        f"/participants/screening/{first.pk}/".encode() in client.get(f"/participants/screening/{second.pk}/").content
    )
    log = client.get("/participants/screening/?outcome=excluded").content.decode()
    assert "Could not be contacted" in log
    assert "later entry" in log
    assert "In screening</td>" not in log
    csv = client.get("/participants/screening/?outcome=excluded&format=csv").content.decode()
    assert len(csv.strip().splitlines()) == 2
    month = f"{clock.today():%Y-%m}"
    assert client.get(f"/participants/screening/?month={month}&team={staffed.here.pk}").content.count(b">Open</a>") == 3
    assert client.get("/participants/screening/?month=1999-01").content.count(b">Open</a>") == 0
    reasons = client.get("/participants/screening/?format=reasons").content.decode()
    assert "Registered,,1" in reasons


def test_no_column_of_the_screening_log_can_hold_an_identifier() -> None:
    from trial.participants.models import ScreeningEntry

    assert {f.column for f in ScreeningEntry._meta.concrete_fields} == {
        "id", "site_id", "team_id", "month", "age_band", "sex", "outcome", "reason", "previous_id", "criteria",
        "created_at", "assessed_at",
    }  # fmt: skip


@pytest.mark.parametrize("role", ["coordinator", "datamanager", "sponsor", "monitor"])
def test_the_dashboards_open(staffed: Staffed, role: str) -> None:
    randomize(staffed)
    client = staffed.client(role)
    page = client.get("/participants/recruitment/").content.decode()
    assert ("1 of 200" in page) == (role != "coordinator")
    assert "Persons by outcome and reason" in page
    for form in ("sites", "reasons"):
        answer = client.get(f"/participants/recruitment/?format={form}")
        assert answer["Content-Type"].startswith("text/csv")
    flow = client.get("/assessments/flow/").content.decode()
    assert "Of 1 persons assessed, 1 were registered and 1 randomized." in flow
    assert client.get("/assessments/flow/?format=csv")["Content-Type"].startswith("text/csv")
    assert client.get("/assessments/flow/?format=waiting")["Content-Type"].startswith("text/csv")


def test_teams_at_reads_what_the_team_filter_shows(staffed: Staffed) -> None:
    with world.at_work(staffed.people["coordinator"]) as by:
        course.transfer(participant=staffed.participant, team=staffed.there, effective_on=clock.today(), by=by)
        assert Team.objects.count() > 2
    client = staffed.client("coordinator")
    assert (
        staffed.participant.number[:4].encode()
        not in client.get(f"/participants/?team={staffed.here.pk}&format=csv").content
    )
    assert (
        staffed.participant.number[:4].encode()
        in client.get(f"/participants/?team={staffed.there.pk}&format=csv").content
    )
