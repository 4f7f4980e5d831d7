"""Pages of amendments and data queries; and that nobody who enters answers sees an earlier one."""

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assessments.cleaning.models import DataQuery, QueryEvent
from assessments.entry import actions as entry
from assessments.entry.models import Amendment, Confirmation, Form, Score
from assessments.visits.schedule import window_of
from tests import world
from tests.access.test_every_url import addresses
from tests.unit.assessments.small_trial import ANSWER, START, TODAY, Trial
from tests.unit.assessments.test_pages import WHEN, at, signed_in
from trial.core import clock
from trial.core.access.roles import BY_CODE
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.definition import Bounds, Check
from trial.protocol.models import Team

PROOF = {"username": "anna", "password": world.PASSWORD}


@pytest.fixture
def asking(trial: Trial) -> Trial:
    for name, role in (("manager", "datamanager"), ("monitor", "monitor")):
        trial.people[name] = world.person(world.make_user(name, role))
    trial.sign(trial.save(trial.open("bdi"), 0, bdi_total="29"), 1)
    return trial


def form_key(trial: Trial) -> str:
    with trial.at_work("anna"):
        return str(Form.objects.get(instrument="bdi").pk)


def test_from_query_to_amendment_to_close(asking: Trial) -> None:
    manager, anna, key = signed_in("manager"), signed_in("anna"), form_key(asking)
    ask = f"/assessments/forms/{key}/query/"
    assert b"Never write an arm" in manager.get(f"{ask}?item=bdi_total").content
    for wrong, words in (({"text": ""}, b"Fill this in"), ({"text": "TAU or Beat the Blues"}, b"names an arm")):
        answer = manager.post(ask, {"item": "bdi_total", "kind": "implausible", "text": "Is it so?", **wrong})
        assert (answer.status_code, words in answer.content) == (422, True)
    answer = manager.post(ask, {"item": "bdi_total", "kind": "implausible", "text": "Is it so?"})
    page = answer["Location"]
    assert b"Queries to answer" in anna.get("/").content
    assert b"Is it so?" in anna.get(page).content
    assert not re.search(ANSWER, main(anna.get(page)))
    assert anna.post(page, {}).status_code == 422
    answer = anna.post(page, {"answer": "corrected"})
    correct = answer["Location"]
    assert correct == f"{page}correct/"
    shown = anna.get(correct)
    assert b">29<" not in shown.content
    assert b'value="29"' not in shown.content
    given = {"item_bdi_total": "28", "reason": "typed_wrong", **PROOF}
    for wrong, words in (
        ({"item_bdi_total": ""}, b"Give the right answer, or the reason"),
        ({"item_bdi_total": "99"}, b"63"),
        ({"missing_bdi_total": "declined"}, b"not both"),
        ({"password": "guess"}, b"not your password"),
        ({"reason": ""}, b"Choose one"),
    ):
        answer = anna.post(correct, {**given, **wrong})
        assert (answer.status_code, words in answer.content) == (422, True), wrong
    assert anna.post(correct, given)["Location"] == page
    assert b"amendment 1" in manager.get(page).content
    assert b"Answers to your queries" in manager.get("/").content
    assert manager.post(page, {"step": "accepted"}).status_code == 422
    assert manager.post(page, {"step": "closed"}).status_code == 302
    assert b"Closed" in manager.get(page).content
    record = manager.get(f"/assessments/forms/{key}/").content.decode()
    for words in ("28.00", "29.00", "It was typed wrongly", "amendment 1", "Amended: ", "Amendment 1 signed"):
        assert words in record, words
    second = signed_in("monitor").get("/assessments/queries/?state=closed&format=csv").content.decode()
    assert "Is it so?" in second
    assert signed_in("monitor").get("/assessments/queries/?state=open").content.count(b"Is it so?") == 0


def main(answer: Any) -> bytes:
    """What stands in the main part of a page."""
    found = re.search(rb"<main.*</main>", answer.content, re.DOTALL)
    assert found
    return found[0]


def test_an_amendment_without_a_query(asking: Trial) -> None:
    anna, key = signed_in("anna"), form_key(asking)
    visit = anna.get(at(asking, "visits", "M0")).content.decode()
    choose = f"/assessments/forms/{key}/amend/items/"
    assert choose in visit
    assert anna.post(choose, {}).status_code == 422
    answer = anna.post(choose, {"item_bdi_total": "on", "day": "on"})
    amend = answer["Location"]
    assert amend.endswith("amend/?item=bdi_total&day=1")
    assert anna.get(f"/assessments/forms/{key}/amend/")["Location"] == choose
    answer = anna.post(amend, {"item_bdi_total": "28", "reason": "source_differs", **PROOF, **WHEN})
    assert answer["Location"] == at(asking, "visits", "M0")
    # the second signature of this session takes the password alone
    assert b"Your user name" not in anna.get(amend).content
    answer = anna.post(amend, {"item_bdi_total": "27", "reason": "source_differs", "password": world.PASSWORD, **WHEN})
    assert answer.status_code == 302
    with asking.at_work("anna"):
        signatures = Amendment.objects.order_by("number").values_list("signature__components", flat=True)
        assert list(signatures) == ["user name and password", "password"]
    assert b"Your user name" in signed_in("anna").get(amend).content  # a new session asks for both again
    for name in ("ben", "coordinator", "rater"):
        assert signed_in(name).get(choose).status_code == 404
    assert signed_in("manager").get(choose).status_code == 403


def test_odd_answers_are_asked_again_on_the_page(database: psycopg.Connection[Any]) -> None:
    with clock.frozen(START):
        imr = Trial("imr")
        client = signed_in("anna")
        address = at(imr, "visits", "T1", "forms", "background")
        odd = {"item_admissions": "0", "item_hospital": "2"}
        rest = {f"item_{item.code}": str(item.limits[0]) for item in imr.protocol.instrument("background").items}
        answer = client.post(address, {"revision": 0, **rest, **odd})
        check = answer["Location"]
        assert check == address + "check/"
        assert b"Time in hospital is recorded, but no admission." in client.get(check).content
        assert client.post(check, {}).status_code == 422
        answer = client.post(check, {"check_hospital_without_admission": "on"})
        assert answer.status_code == 302
        with imr.at_work("anna"):
            assert Confirmation.objects.get().seen == {"admissions": "0", "hospital": "2"}
        # not asked, as a whole
        skip = at(imr, "visits", "T1", "forms", "bsi", "not-asked")
        assert client.post(skip, {}).status_code == 422
        assert client.post(skip, {"reason": "not_asked"}).status_code == 302
        page = client.get(at(imr, "visits", "T1")).content.decode()
        assert page.count("Complete, to be signed") == 2
        # amended until it is odd: asked again, and confirmed
        given = {"revision_background": 1, "revision_bsi": 1, "username": "anna", "password": world.PASSWORD, **WHEN}
        assert client.post(at(imr, "visits", "T1", "sign"), given).status_code == 302
        with imr.at_work("anna"):
            key = Form.objects.get(instrument="background").pk
        amend = f"/assessments/forms/{key}/amend/?item=hospital"
        change = {"item_hospital": "1", "reason": "typed_wrong", "password": world.PASSWORD}
        answer = client.post(amend, change)
        assert (answer.status_code, b"Look again" in answer.content) == (422, True)
        assert client.post(amend, {**change, "check_hospital_without_admission": "on"}).status_code == 302
        with imr.at_work("anna"):
            assert Confirmation.objects.count() == 2


def test_the_lock_page_lists_what_it_waits_for(asking: Trial) -> None:
    manager, key = signed_in("manager"), form_key(asking)
    manager.post(f"/assessments/forms/{key}/query/", {"kind": "other", "text": "Is it so?"})
    page = manager.get("/participants/lock/")
    assert b"Queries that are not settled" in page.content
    assert b"Lock the database" not in main(page)
    assert manager.post("/participants/lock/", {"password": world.PASSWORD}).status_code == 422
    accept = "/assessments/queries/accept/"
    assert manager.get(accept).status_code == 200
    assert manager.post(accept, {}).status_code == 422
    assert manager.post(accept, {"reason": "no_effect"})["Location"] == "/participants/lock/"
    assert b"Lock the database" in main(manager.get("/participants/lock/"))
    assert signed_in("monitor").get(accept).status_code == 403


def test_a_query_about_a_visit(asking: Trial) -> None:
    monitor, coordinator = signed_in("monitor"), signed_in("coordinator")
    ask = at(asking, "visits", "M0", "query")
    assert ask in monitor.get(at(asking, "visits", "M0")).content.decode()
    page = monitor.post(ask, {"kind": "date", "text": "Why so late?"})["Location"]
    assert coordinator.post(page, {"answer": "confirmed"}).status_code == 302
    assert monitor.post(page, {"step": "reopened"}).status_code == 302
    with asking.at_work("manager"):
        assert list(QueryEvent.objects.order_by("number").values_list("what", flat=True)) == ["answered", "reopened"]


def test_words_of_a_query_are_for_the_blind(database: psycopg.Connection[Any]) -> None:
    with clock.frozen(START):
        imr = Trial("imr")
        world.make_user("manager", "datamanager")
        lowest = {item.code: "0" for item in imr.protocol.instrument("ses").items}
        form = imr.sign(imr.save(imr.open("ses", "T1", "rater"), 0, "rater", **lowest), 1, "rater")
        manager, rater = signed_in("manager"), signed_in("rater")
        ask = f"/assessments/forms/{form.pk}/query/"
        page = manager.post(ask, {"item": "ses_01", "kind": "source", "text": "Canary words"})["Location"]
        for address in (page, "/assessments/queries/", "/assessments/queries/?format=csv", "/"):
            assert b"Canary" not in rater.get(address).content, address
        assert b"paper or file" in rater.get(page).content
        assert signed_in("coordinator").get(page).content.count(b"Canary words") == 1
        assert rater.post(page, {"answer": "confirmed"}).status_code == 302


def test_a_hard_check_keeps_the_form_open_and_says_why(trial: Trial) -> None:
    never = Check("never_13", "Thirteen is no score of this form.", "hard", expect=(Bounds("bdi_total", 14, 63),))
    forms = tuple(replace(one, checks=(never,)) if one.code == "bdi" else one for one in trial.protocol.instruments)
    with world.at_work(world.SETUP) as by:
        load_version(protocol=replace(trial.protocol, instruments=forms), used=Used(), by=by)
    client, address = signed_in("anna"), at(trial, "visits", "M0", "forms", "bdi")
    answer = client.post(address, {"revision": 0, "item_bdi_total": "13"})
    assert (answer.status_code, b"Thirteen is no score" in answer.content) == (200, True)
    assert b'value="13"' in answer.content
    assert client.get(at(trial, "visits", "M0", "sign"))["Location"] == at(trial, "visits", "M0")


def test_the_rater_has_a_list_of_what_is_to_be_rated(database: psycopg.Connection[Any]) -> None:
    with clock.frozen(START):
        imr = Trial("imr")
        rater = signed_in("rater")
        assert b"0 of 2" in rater.get("/assessments/ratings/").content
        for code in ("ses", "imrs_clinician"):
            lowest = {item.code: str(item.limits[0]) for item in imr.protocol.instrument(code).items}
            imr.sign(imr.save(imr.open(code, "T1", "rater"), 0, "rater", **lowest), 1, "rater")
        assert b"Nothing is to be rated" in rater.get("/assessments/ratings/").content
        assert b"matches this filter" in rater.get("/assessments/ratings/?visit=T2").content
        assert rater.get("/assessments/ratings/?format=csv")["Content-Type"].startswith("text/csv")
        assert signed_in("anna").get("/assessments/ratings/").status_code == 403


def test_the_worklist_is_filtered_by_its_address(trial: Trial) -> None:
    trial.baseline()
    trial.randomize()
    with trial.at_work("anna"):
        trial.participant.refresh_from_db()
    assert trial.participant.randomized_at is not None
    window = window_of(trial.protocol.visit("M2"), trial.participant.randomized_at.date())
    for day, state, words in (
        (window.opens, "due", "open, "),
        (window.target + dt.timedelta(days=1), "overdue", "open, "),
        (window.closes + dt.timedelta(days=3), "window_closed", "closed 3 days ago"),
    ):
        clock.move_to(dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC))
        client = signed_in("anna")
        shown = client.get(f"/assessments/?state={state}&visit=M2").content.decode()
        assert words in shown, state
        assert "/visits/M2/" in shown
        assert "/visits/M2/" not in client.get("/assessments/?state=upcoming").content.decode()
        assert "M2" not in client.get("/assessments/?visit=M3&format=csv").content.decode()


@pytest.mark.parametrize("name", ["anna", "coordinator", "rater"])
def test_who_enters_answers_sees_no_earlier_one(asking: Trial, name: str) -> None:
    """Every address that this person may open, with everything that exists: no answer, no score, no history of a signed form."""
    manager, key = signed_in("manager"), form_key(asking)
    manager.post(f"/assessments/forms/{key}/query/", {"item": "bdi_total", "kind": "other", "text": "Is it so?"})
    with asking.at_work("anna") as by:
        form = Form.objects.get(instrument="bdi")
        entry.amend_form(
            form=form, answers={"bdi_total": "47"}, reason_code="typed_wrong", password=world.PASSWORD, by=by
        )
        assert set(Score.objects.values_list("value", flat=True)) == {29, 47}
        query = DataQuery.objects.get()
    role = BY_CODE[{"anna": "interviewer"}.get(name, name)]
    reader, opened = signed_in(name), 0
    for address in addresses():
        if not address.admits(role) or "logout" in address.route or address.access.is_public:
            continue
        for one in (key, str(query.pk)):
            path = address.path(number=asking.participant.number, code="M0", instrument="bdi", key=one)
            for asked in (path, f"{path}?format=csv", f"{path}?item=bdi_total"):
                answer = reader.get(asked)
                if answer.status_code != 200:
                    continue
                opened += 1
                said = re.sub(rb"<head.*?</head>|csrfmiddlewaretoken.{90}", b"", answer.content, flags=re.DOTALL)
                assert not re.search(ANSWER, said), asked
    assert opened > 10
    record = manager.get(f"/assessments/forms/{key}/")
    assert {found[0] for found in re.findall(ANSWER, record.content)} == {b"29", b"47"}, "it would have been found"


def many(trial: Trial, owner: psycopg.Connection[Any], people: int) -> None:
    """So many more participants, each with an interviewer, a signed form and a query about it, written by the owner at once."""
    assert trial.team is not None
    team: Team = trial.team
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        given = {
            "n": people, "site": team.site_id, "team": team.code, "anna": trial.users["anna"].pk, "model": trial.participant.pk,
        }  # fmt: skip
        for statement in (
            "create temporary table more on commit drop as select gen_random_uuid() id, gen_random_uuid() form, gen_random_uuid() entry,"
            " lpad((g + (select count(*) from participants_participant))::text, 8, '0') number from generate_series(1, %(n)s) g",
            "insert into participants_screeningentry select more.entry, s.month, s.age_band, s.sex, s.outcome, s.reason, s.criteria,"
            " s.created_at, s.assessed_at, s.previous_id, s.site_id, s.team_id from more, participants_screeningentry s"
            " join participants_participant p on p.screening_id = s.id where p.id = %(model)s",
            "insert into participants_participant(id, number, registered_at, stratum, screening_id, site_id, team_id,"
            " baseline_completed_at, randomized_at) select more.id, more.number, p.registered_at, 'all', more.entry, p.site_id, p.team_id,"
            " p.registered_at, p.registered_at from more, participants_participant p where p.id = %(model)s",
            "insert into visits_assessorassignment(id, number, starts_at, assigned_by, interviewer_id, participant_id, site_id)"
            " select gen_random_uuid(), 1, now(), 'x', %(anna)s, more.id, %(site)s from more",
            "insert into entry_form(id, visit, instrument, rater, rater_blind, state, revision, opened_at, opened_by, saved_by, held_on,"
            " signed_at, signed_by, content_sha256, signature, participant_id, protocol_version_id, site_id)"
            " select more.form, f.visit, f.instrument, f.rater, f.rater_blind, f.state, 1, f.opened_at, f.opened_by, '', f.held_on,"
            " f.signed_at, f.signed_by, f.content_sha256, f.signature, more.id, f.protocol_version_id, f.site_id"
            " from more, entry_form f where f.participant_id = %(model)s and f.instrument = 'bdi'",
            "insert into cleaning_dataquery(id, visit, item, kind, text, raised_as, raised_by, raised_at, form_id, participant_id, site_id)"
            " select gen_random_uuid(), 'M0', 'bdi_total', 'other', 'Is it so?', 'datamanager', 'x', now(), more.form, more.id, %(site)s"
            " from more",
        ):
            owner.execute(statement, given)  # type: ignore[arg-type]


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(connections["default"]) as captured:
        assert client.get(path).status_code == 200, path
    return len(captured)


LISTS = {
    "anna": ("/", "/assessments/", "/assessments/?state=due", "/assessments/queries/"),
    "coordinator": ("/", "/assessments/visits/", "/assessments/queries/"),
    "rater": ("/", "/assessments/ratings/", "/assessments/visits/"),
    "manager": (
        "/",
        "/assessments/forms/",
        "/assessments/visits/",
        "/assessments/queries/",
        "/assessments/completeness/",
    ),
}


def test_lists_ask_as_much_for_a_thousand_participants_as_for_ten(
    asking: Trial, database: psycopg.Connection[Any]
) -> None:
    asking.sign(asking.save(asking.open("background"), 0, drug="1", length="0"), 1)
    asking.randomize()
    clients = {name: signed_in(name) for name in LISTS}
    counts = []
    for more in (10, 990):
        many(asking, database, more)
        counts.append({path: queries_of(clients[name], path) for name, paths in LISTS.items() for path in paths})
    assert counts[0] == counts[1]
    assert max(counts[0].values()) < 45


def test_the_day_of_today_is_proposed(asking: Trial) -> None:
    asking.save(asking.open("background"), 0, drug="1", length="0")
    page = signed_in("anna").get(at(asking, "visits", "M0", "sign")).content.decode()
    assert f'value="{TODAY.day}"' in page
