"""Assessments through the API: the actions of the pages, with codes in place of words."""

import datetime as dt
import re
from typing import Any

import pytest

from assessments.entry.models import Amendment, Answer, Form
from tests import world
from tests.programs import Program, part
from tests.unit.assessments.small_trial import ANSWER, TODAY, Trial
from trial.participants.models import ContactReading

ME = {"username": "anna", "password": world.PASSWORD}


@pytest.fixture
def anna(trial: Trial) -> Program:
    return Program(trial.people["anna"])


def at(trial: Trial, *parts: str) -> str:
    return "/".join(["/api/assessments", trial.participant.number, *parts, ""])


def form(trial: Trial, instrument: str, *more: str, visit: str = "M0") -> str:
    return at(trial, "visits", visit, "forms", instrument, *more)


def sign(trial: Trial, program: Program, **revisions: int) -> Any:
    return program.post(at(trial, "visits", "M0", "sign"), forms=revisions, held_on=TODAY.isoformat(), **ME)


def test_a_form_is_begun_filled_in_and_signed(trial: Trial, anna: Program) -> None:
    address = form(trial, "background")
    empty = anna.get(address).json()
    assert (empty["state"], empty["revision"], empty["answers"]) == ("not_begun", 0, {})
    assert {"drug", "length"} <= {item["code"] for item in empty["items"]}
    with trial.at_work("anna"):
        assert not Form.objects.exists()  # reading opens nothing
    begun = anna.post(address).json()
    assert (begun["state"], begun["revision"]) == ("draft", 0)
    saved = anna.post(address, answers={"drug": 1}, missing={"length": "declined"}, revision=0)
    assert saved.status_code == 200
    assert saved.json()["answers"] == {
        "drug": {"value": "1", "missing": ""},
        "length": {"value": "", "missing": "declined"},
    }
    assert saved.json()["open"] == []
    ready = anna.get(at(trial, "visits", "M0", "sign")).json()["forms"]
    assert {one["instrument"]: one["complete"] for one in ready} == {"background": True, "bdi": False}
    answer = sign(trial, anna, background=1)
    assert answer.status_code == 200, answer.content
    [signed] = answer.json()["signed"]
    assert signed["instrument"] == "background"
    with trial.at_work("anna"):
        stored = Form.objects.get(instrument="background")
        assert stored.signature["components"] == "user name and password"
        assert stored.content_sha256 == signed["sha256"]


def test_the_same_twice_changes_nothing(trial: Trial, anna: Program) -> None:
    address = form(trial, "bdi")
    first = anna.post(address, answers={"bdi_total": "29"}, revision=0)
    again = anna.post(address, answers={"bdi_total": "29"}, revision=0)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    sign(trial, anna, bdi=1)
    with trial.at_work("anna"):
        before = Form.objects.values().get(instrument="bdi")
    for answer in (sign(trial, anna, bdi=1), anna.post(address, answers={"bdi_total": "3"}, revision=1)):
        assert (answer.status_code, answer.json()["code"]) == (422, "form_signed")
    with trial.at_work("anna"):
        assert Form.objects.values().get(instrument="bdi") == before


def test_a_signed_form_shows_no_answer(trial: Trial, anna: Program) -> None:
    anna.post(form(trial, "bdi"), answers={"bdi_total": "29"}, revision=0)
    sign(trial, anna, bdi=1)
    answer = anna.get(form(trial, "bdi"))
    assert (answer.json()["state"], answer.json()["answers"]) == ("signed", {})
    assert not re.search(ANSWER, answer.content)


def test_answers_changed_elsewhere_are_a_conflict_that_names_them(trial: Trial, anna: Program) -> None:
    address = form(trial, "bdi")
    anna.post(address, answers={"bdi_total": "29"}, revision=0)
    answer = anna.post(address, answers={"bdi_total": "12"}, revision=0)
    assert answer.status_code == 409
    assert answer.json()["code"] == "answers_conflict"
    assert answer.json()["clashes"] == [{"item": "bdi_total", "stored": "29", "given": "12"}]
    assert anna.post(address, answers={"bdi_total": "12"}, revision=answer.json()["revision"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"answers": {"bdi_total": "one thousand"}}, 422, "answer_invalid"),
        ({"answers": {"nothing": "1"}}, 422, "item_unknown"),
        ({"missing": {"bdi_total": "because"}}, 422, "reason_unknown"),
        ({"answer": {"bdi_total": "1"}}, 422, "invalid"),
        ({"answers": ["29"]}, 422, "invalid"),
        ({"revision": "first"}, 422, "invalid"),
    ],
)
def test_what_is_refused_is_rolled_back(
    trial: Trial, anna: Program, body: dict[str, Any], status: int, code: str
) -> None:
    answer = anna.post(form(trial, "bdi"), **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert ("fields" in answer.json()) == (code == "invalid")
    with trial.at_work("anna"):
        assert not Form.objects.exists()  # begun by this request, and gone with it


def test_what_is_no_json_is_refused(trial: Trial, anna: Program) -> None:
    answer = anna.client.post(form(trial, "bdi"), "answers=1", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415
    answer = anna.client.post(form(trial, "bdi"), "{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert anna.client.put(form(trial, "bdi")).status_code == 405


def test_a_wrong_password_signs_nothing(trial: Trial, anna: Program) -> None:
    anna.post(form(trial, "bdi"), answers={"bdi_total": "29"}, revision=0)
    address, body = at(trial, "visits", "M0", "sign"), {"forms": {"bdi": 1}, "held_on": TODAY.isoformat()}
    for who, code in (({**ME, "password": "wrong"}, "password_wrong"), ({**ME, "username": "ben"}, "name_wrong")):
        answer = anna.post(address, **body, **who)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    late = (TODAY + dt.timedelta(days=1)).isoformat()
    assert anna.post(address, **{**body, "held_on": late}, **ME).json()["code"] == "day_future"
    assert anna.post(address, **{**body, "forms": {"bdi": 7}}, **ME).status_code == 409
    with trial.at_work("anna"):
        assert not Form.objects.get().is_signed


def test_a_form_that_was_not_asked(trial: Trial, anna: Program) -> None:
    answer = anna.post(form(trial, "bdi", "not-asked"), reason="declined")
    assert answer.status_code == 200
    assert answer.json()["open"] == []
    assert anna.post(form(trial, "bdi", "not-asked"), reason="declined").json() == answer.json()
    anna.post(form(trial, "background"), answers={"drug": "1"})
    assert anna.post(form(trial, "background", "not-asked"), reason="declined").json()["code"] == "form_begun"


def test_a_visit_is_missed_and_comes_back(trial: Trial, anna: Program) -> None:
    missed, reopen = at(trial, "visits", "M0", "missed"), at(trial, "visits", "M0", "reopen")
    assert anna.post(reopen).json()["code"] == "visit_not_missed"
    assert anna.post(missed, reason="because").json()["code"] == "reason_unknown"
    assert anna.post(missed, reason="other", day="yesterday").json()["code"] == "invalid"
    answer = anna.post(missed, reason="other")
    assert answer.status_code == 200, answer.content
    said = {"participant": trial.participant.number, "visit": "M0", "outcome": "missed", "day": TODAY.isoformat()}
    assert answer.json() == {**said, "reason": "other"}
    assert anna.post(missed, reason="other").json()["code"] == "visit_missed"
    assert anna.post(reopen).json()["outcome"] == "reopened"
    assert Program(trial.people["ben"]).post(missed, reason="other").status_code == 404


def test_a_signed_form_is_amended(trial: Trial, anna: Program) -> None:
    anna.post(form(trial, "bdi"), answers={"bdi_total": "29"}, revision=0)
    key = anna.get(form(trial, "bdi")).json()["key"]
    address = f"/api/assessments/forms/{key}/amend/"
    body = {"answers": {"bdi_total": "19"}, "reason": "typed_wrong", **ME}
    assert anna.post(address, **body).status_code == 404  # a draft is corrected as it is
    sign(trial, anna, bdi=1)
    assert anna.post(address, **{**body, "reason": "because"}).json()["code"] == "invalid"
    answer = anna.post(address, **body)
    assert (answer.status_code, answer.json()["number"]) == (201, 1)
    assert anna.post(address, **body).json()["code"] == "nothing_changed"
    with trial.at_work("anna"):
        assert Amendment.objects.get().content_sha256 == answer.json()["sha256"]
        assert Answer.objects.get().value == "29"


def test_somebody_who_is_not_assigned_finds_nothing(trial: Trial) -> None:
    ben = Program(trial.people["ben"])
    assert ben.get(form(trial, "bdi")).status_code == 404
    assert ben.post(form(trial, "bdi"), answers={"bdi_total": "29"}).status_code == 404
    coordinator = Program(trial.people["coordinator"])
    assert coordinator.get(form(trial, "bdi")).status_code == 404


def test_worklist_and_visit_are_read_like_their_pages(trial: Trial, anna: Program) -> None:
    listed = anna.get("/api/assessments/")
    [row] = next(one for one in listed.json()["parts"] if one["kind"] == "table")["rows"]
    addresses = [cell["address"] for cell in row if isinstance(cell, dict) and "address" in cell]
    assert at(trial, "visits", "M0") in addresses
    visit = anna.get(at(trial, "visits", "M0"))
    assert visit.json()["title"]
    assert [row[0] for row in part(visit, "table")["rows"]]


def test_a_reading_of_the_vault_is_written_down(trial: Trial, anna: Program) -> None:
    from trial.participants.contact.actions import record_contact
    from trial.participants.contact.synthetic import synthetic

    with trial.at_work("coordinator") as by:
        record_contact(participant=trial.participant, details=synthetic(trial.participant.number), by=by)
    answer = anna.get(f"/api/participants/{trial.participant.number}/contact/")
    assert answer.status_code == 200
    assert part(answer, "facts")["facts"]
    with trial.at_work("anna"):
        reading = ContactReading.objects.get()
        assert (reading.page, reading.reader) == ("contact", str(trial.people["anna"].user_id))
