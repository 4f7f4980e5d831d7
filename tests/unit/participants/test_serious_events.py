"""Serious events on the open side: who reports, what is refused, what is put right, and what the database holds."""

import datetime as dt
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError
from django.test import Client

from assessments.visits.actions import assign_interviewer
from tests import world
from tests.unit.participants.conftest import Staffed
from trial.core import clock, db, side
from trial.core.declassified import SITE_STAFF
from trial.core.errors import NotAllowed, Refused
from trial.core.models import History, User
from trial.core.ui.tables import grouped
from trial.participants.actions import lock_database
from trial.participants.course.actions import report_death
from trial.participants.events import actions, queries
from trial.participants.events.models import SeriousEvent, key_of
from trial.protocol.models import Team
from trial.unblinded.disclosure.models import UnblindedHistory

COLUMNS = "id, site_id, participant_id, event, number, void, kind, began_on, outcome, recorded_at, recorded_by"


@pytest.fixture
def followed(staffed: Staffed) -> Staffed:
    """The interviewer is assigned."""
    with world.at_work(staffed.people["coordinator"]) as by:
        assign_interviewer(participant=staffed.participant, interviewer=User.objects.get(username="interviewer"), by=by)
    return staffed


def report(staffed: Staffed, who: str, kind: str = "admission", began_on: dt.date | None = None) -> SeriousEvent:
    with world.at_work(staffed.people[who]) as by:
        made: SeriousEvent = actions.report_event(
            participant=staffed.participant, kind=kind, began_on=began_on or clock.today(), by=by
        )
    return made


def in_force() -> list[SeriousEvent]:
    with world.at_work(world.SETUP):
        return list(queries.in_force())


@pytest.mark.parametrize("who", ["coordinator", "interviewer", "treatment"])
def test_people_of_the_site_report_and_twice_is_once(followed: Staffed, who: str) -> None:
    one = report(followed, who)
    assert report(followed, "second").pk == one.pk == key_of(followed.participant.pk, 1)
    assert (one.event, one.number, one.outcome) == (1, 1, "unknown")
    assert report(followed, who, "other").event == 2
    assert len(in_force()) == 2


def test_nobody_else_reports(staffed: Staffed) -> None:
    """The interviewer of the site neither, to whom this participant is not assigned."""
    for who in ("interviewer", "rater", "datamanager", "monitor", "coordinator2", "interviewer2", "treatment2"):
        with pytest.raises(NotAllowed):
            report(staffed, who)


def test_a_day_lies_between_consent_and_today(followed: Staffed) -> None:
    day = dt.timedelta(days=1)
    for wrong, code in ((clock.today() + day, "day_future"), (clock.today() - 400 * day, "day_early")):
        with pytest.raises(Refused) as refusal:
            report(followed, "coordinator", began_on=wrong)
        assert refusal.value.code == code
    with pytest.raises(Refused):
        report(followed, "coordinator", kind="death")


def test_the_author_behind_the_wall_is_site_staff(followed: Staffed) -> None:
    one = report(followed, "treatment")
    with world.at_work(followed.people["coordinator"]):
        assert SeriousEvent.objects.get().recorded_by == SITE_STAFF
        line = History.objects.get(table_name="participants_seriousevent")
        assert (line.actor, line.row_id) == (SITE_STAFF, str(one.pk))
    with world.at_work(followed.people["datamanager_unblinded"]) as by:
        true = UnblindedHistory.objects.get(table_name="participants_seriousevent")
        assert true.actor == followed.people["treatment"].actor_id != by.actor_id


def test_a_correction_is_a_row_in_force_and_nothing_is_lost(followed: Staffed) -> None:
    one = report(followed, "treatment")
    given: dict[str, Any] = {"kind": "admission", "began_on": clock.today(), "outcome": "recovered"}
    with world.at_work(followed.people["interviewer"]) as by:
        put_right = actions.correct_event(event=one, **given, by=by)
        assert actions.correct_event(event=one, **given, by=by).pk == put_right.pk
    assert [(row.number, row.outcome) for row in in_force()] == [(2, "recovered")]
    with world.at_work(followed.people["coordinator"]) as by:
        actions.correct_event(event=one, **given, void=True, by=by)
        with pytest.raises(Refused, match="taken back"):
            actions.correct_event(event=one, **given, by=by)
        assert len(queries.rows_of(followed.participant.pk)) == 3
    assert in_force() == []
    assert report(followed, "coordinator").event == 2  # there was one after all


def test_nobody_of_the_unblinded_side_puts_a_report_right(followed: Staffed) -> None:
    one = report(followed, "coordinator")
    with pytest.raises(NotAllowed), world.at_work(followed.people["treatment"]) as by:
        actions.correct_event(event=one, kind="other", began_on=clock.today(), outcome="unknown", by=by)


def test_the_lock_stops_reports_on_both_sides(followed: Staffed) -> None:
    with world.at_work(followed.people["datamanager"]) as by:
        lock_database(password=world.PASSWORD, by=by)
    for who in ("coordinator", "treatment"):
        with pytest.raises(Refused, match="locked"):
            report(followed, who)


def planted(staffed: Staffed, on: side.Side = side.OPEN, **changed: Any) -> None:
    """A row by SQL: a report of today by the program, with what is ``changed``."""
    row = {
        "id": key_of(staffed.participant.pk, 9), "site_id": staffed.here.site_id, "participant_id": staffed.participant.pk,
        "event": 1, "number": 1, "void": False, "kind": "other", "began_on": clock.today(), "outcome": "unknown",
        "recorded_at": clock.now(), "recorded_by": world.SETUP.actor_id if on == side.OPEN else SITE_STAFF, **changed,
    }  # fmt: skip
    marks = ", ".join(["%s"] * len(row))
    action = "trial.participants.events.actions.report_event"
    with world.at_work(world.SETUP, on=on), db.cursor() as c:
        c.execute("select set_config('equipoise.action', %s, true)", [action])
        c.execute(f"insert into participants_seriousevent({COLUMNS}) values ({marks})", list(row.values()))


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"recorded_by": "somebody"}, "names its own author"),
    ({"began_on": dt.date(1999, 1, 1)}, "between the consent and today"),
    ({"began_on": dt.date(2999, 1, 1)}, "between the consent and today"),
    ({"event": 2}, "follow each other"),
    ({"number": 2}, "follow each other"),
    ({"outcome": "recovered"}, "participants_event_reported_first"),
    ({"kind": "death"}, "participants_event_coded"),
]


def test_the_database_refuses_it_too(followed: Staffed) -> None:
    for changed, match in FAULTS:
        with pytest.raises(DatabaseError, match=match):
            planted(followed, **changed)
    planted(followed)  # and takes it without the fault


def test_the_database_refuses_another_site_and_a_correction_from_behind_the_wall(followed: Staffed) -> None:
    with pytest.raises(DatabaseError, match="of different sites"):
        planted(followed, site_id=followed.there.site_id)
    report(followed, "coordinator")
    with pytest.raises(DatabaseError, match="put right on the open side"):
        planted(followed, on=side.UNBLINDED, number=2)
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        world.at_work(world.SETUP),
        db.cursor() as c,
    ):
        c.execute("update participants_seriousevent set kind = 'other'")


def test_what_was_taken_back_stays_so_in_the_database(followed: Staffed) -> None:
    one = report(followed, "coordinator")
    with world.at_work(followed.people["coordinator"]) as by:
        actions.correct_event(event=one, kind=one.kind, began_on=one.began_on, outcome="unknown", void=True, by=by)
    with pytest.raises(DatabaseError, match="taken back stays so"):
        planted(followed, number=3)


def posted(day: dt.date, **given: Any) -> dict[str, Any]:
    return {"began_on_day": day.day, "began_on_month": day.month, "began_on_year": day.year, **given}


def test_pages_of_the_open_side(followed: Staffed) -> None:
    client = followed.client("coordinator")
    new = followed.address("events", "new")
    refused = client.post(new, posted(clock.today() + dt.timedelta(days=3), kind="disability"))
    assert refused.status_code == 422
    assert b"checked" in refused.content  # what was typed stays
    assert client.post(new, posted(clock.today(), kind="disability")).status_code == 302
    for address in (followed.address("events"), followed.address(), "/participants/events/"):
        assert "Lasting disability" in client.get(address).content.decode()
    one = in_force()[0]
    right = f"/participants/events/{one.key}/"
    answer = client.post(right, posted(clock.today(), kind="disability", outcome="sequelae"))
    assert answer.status_code == 302
    listed = followed.client("monitor").get("/participants/events/?outcome=sequelae&format=csv").content.decode()
    assert grouped(followed.participant.number) in listed
    assert "All kinds,1,1" in client.get("/participants/events/?format=kinds").content.decode()
    stranger = followed.client("coordinator2")
    assert [stranger.get(address).status_code for address in (followed.address("events"), new, right)] == [404] * 3
    assert followed.client("rater").get("/participants/events/").status_code in (403, 404)


def test_of_who_died_the_list_is_silent_and_the_count_is_not(followed: Staffed) -> None:
    report(followed, "coordinator")
    with world.at_work(followed.people["coordinator"]) as by:
        report_death(participant=followed.participant, by=by)
    page = followed.client("coordinator").get("/participants/events/")
    number = followed.participant.number
    assert f"/participants/{number}/" not in page.content.decode()
    assert "All kinds,1,1" in followed.client("coordinator").get("/participants/events/?format=kinds").content.decode()


def test_where_the_coordinator_sees_allocations_somebody_blind_puts_it_right(
    database: psycopg.Connection[Any], settings: Any
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    world.open_trial(seen_at=("rotterdam",))
    with world.at_work(world.SETUP):
        team = Team.objects.filter(site="rotterdam").order_by("code")[0]
    vera = world.person(world.make_user("vera", "coordinator_unblinded", "rotterdam"))
    dana = world.person(world.make_user("dana", "datamanager"))
    with world.at_work(vera) as by:
        participant = world.register(by, team)
        event = actions.report_event(participant=participant, kind="other", began_on=clock.today(), by=by)
        assert event.recorded_by == SITE_STAFF
    given: dict[str, Any] = {"event": event, "kind": "other", "began_on": clock.today(), "outcome": "ongoing"}
    with pytest.raises(NotAllowed), world.at_work(vera) as by:
        actions.correct_event(**given, by=by)
    with world.at_work(dana) as by:
        assert actions.correct_event(**given, by=by).number == 2
    client = Client()
    client.post("/unblinded/login/", {"username": "vera", "password": world.PASSWORD})
    page = client.get(f"/unblinded/participants/{participant.number}/").content.decode()
    assert "Other serious event" in page
    assert f"/unblinded/people/{participant.number}/events/new/" in page
