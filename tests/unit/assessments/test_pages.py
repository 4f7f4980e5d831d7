"""The pages of visits and forms, through the whole stack of middlewares, on the real logins."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assessments.entry.models import Answer, Form
from assessments.visits import actions as visits
from assessments.visits.models import AssessorAssignment, VisitOutcome
from assessments.visits.schedule import window_of
from tests import world
from tests.unit.assessments.small_trial import START, TODAY, Trial
from trial.core import clock, side
from trial.participants.models import Participant, UnblindingReport

WHEN = {"held_on_day": TODAY.day, "held_on_month": TODAY.month, "held_on_year": TODAY.year}


def signed_in(username: str) -> Client:
    client = Client()
    answer = client.post("/login/", {"username": username, "password": world.PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return client


def at(trial: Trial, *parts: str) -> str:
    return "/".join(["/assessments", trial.participant.number, *parts, ""])


def forms(trial: Trial, visit: str, instrument: str, *more: str) -> str:
    return at(trial, "visits", visit, "forms", instrument, *more)


def fill(client: Client, address: str, **answers: Any) -> Any:
    return client.post(address, {f"item_{item}": value for item, value in answers.items()})


def test_baseline_without_script(trial: Trial) -> None:
    client = signed_in("anna")
    assert trial.participant.number[:4].encode() in client.get("/assessments/").content
    page = client.get(at(trial, "visits", "M0"))
    assert b"Begin Background" in page.content
    with trial.at_work("anna"):
        assert not Form.objects.exists()  # reading opens nothing
    address = forms(trial, "M0", "background")
    assert client.get(address).status_code == 200
    answer = client.post(address, {"revision": 0, "item_drug": "1"})
    assert answer["Location"] == address + "check/"
    page = client.get(address + "check/")
    assert b"Items without an answer" in page.content
    assert client.post(address + "check/", {"missing_length": ""}).status_code == 422
    answer = client.post(address + "check/", {"missing_length": "declined"})
    assert answer["Location"] == forms(trial, "M0", "bdi")
    assert b"Complete, to be signed" in client.get(at(trial, "visits", "M0")).content
    answer = client.post(answer["Location"], {"revision": 0, "item_bdi_total": "29"})
    sign = at(trial, "visits", "M0", "sign")
    assert answer["Location"] == sign
    given = {"revision_background": 2, "revision_bdi": 1, "username": "anna", **WHEN}
    for wrong, words in (({"password": "guess"}, b"not your password"), ({"username": "ben"}, b"not your user name")):
        answer = client.post(sign, {"password": world.PASSWORD, **given, **wrong})
        assert answer.status_code == 422
        assert words in answer.content
    with trial.at_work("anna"):
        assert not Form.objects.filter(state="signed").exists()
    answer = client.post(sign, {**given, "password": world.PASSWORD})
    assert answer["Location"] == at(trial, "visits", "M0")
    assert client.get(address)["Location"] == at(trial, "visits", "M0")  # signed: closed, and shown to nobody here
    with trial.at_work("anna"):
        assert Participant.objects.get().baseline_completed_at is not None
        one, other = Form.objects.order_by("instrument")
        assert one.signature["components"] == other.signature["components"] == "user name and password"
        assert one.signature["sha256"] == one.content_sha256 != other.content_sha256
    assert b">29<" not in client.get(at(trial, "visits", "M0")).content


def test_autosave_saves_what_can_be_read_and_says_what_became_of_it(trial: Trial) -> None:
    client = signed_in("anna")
    address = forms(trial, "M0", "background", "save")
    answer = client.post(address, {"revision": 0, "item_drug": "1"})
    assert (answer.status_code, b"Saved" in answer.content) == (200, True)
    assert b'value="1" hx-swap-oob' in answer.content
    address = forms(trial, "M0", "bdi", "save")
    answer = client.post(address, {"revision": 0, "item_bdi_total": "64"})
    assert answer.status_code == 200
    assert b"Saved, except 1 answer" in answer.content
    with trial.at_work("anna"):
        assert not Answer.objects.filter(item="bdi_total").exists()
    answer = client.post(forms(trial, "M0", "bdi"), {"revision": 0, "item_bdi_total": "64"})
    assert (answer.status_code, b"Error:" in answer.content, b'value="64"' in answer.content) == (200, True, True)


def test_a_conflict_loses_nothing(trial: Trial) -> None:
    client = signed_in("anna")
    address = forms(trial, "M0", "background")
    client.post(address + "save/", {"revision": 0, "item_drug": "1"})
    for where in (address + "save/", address):
        answer = client.post(where, {"revision": 0, "item_drug": "0", "item_length": "1"})
        assert answer.status_code == 409
        assert b"Compare before you save" in answer.content
    assert b'name="item_drug" value="0" id="id_item_drug_1" checked' in answer.content
    with trial.at_work("anna"):
        assert list(Answer.objects.values_list("item", "value")) == [("drug", "1")]
    answer = client.post(address, {"revision": 0, "keep": 1, "item_drug": "0", "item_length": "1"})
    assert answer.status_code == 302
    with trial.at_work("anna"):
        assert dict(Answer.objects.values_list("item", "value")) == {"drug": "0", "length": "1"}


def test_what_is_typed_is_kept_for_later(trial: Trial) -> None:
    """Half a form, by the button: saved, and back at the visit. What cannot be right stays on the page."""
    client = signed_in("anna")
    address = forms(trial, "M0", "background")
    page = client.get(address).content.decode()
    assert "nothing is saved while you type" in page.split("<noscript>")[1].split("</noscript>")[0]
    assert "Save and go on later" in page
    answer = client.post(address, {"revision": 0, "later": 1, "item_drug": "1"})
    assert answer["Location"] == at(trial, "visits", "M0")
    assert b"is saved, to be gone on with" in client.get(answer["Location"]).content
    with trial.at_work("anna"):
        assert dict(Answer.objects.values_list("item", "value")) == {"drug": "1"}
    answer = client.post(forms(trial, "M0", "bdi"), {"revision": 0, "later": 1, "item_bdi_total": "64"})
    assert (answer.status_code, b'value="64"' in answer.content) == (200, True)


def test_not_assigned_is_not_there(trial: Trial) -> None:
    ben = signed_in("ben")
    for address in (
        at(trial), at(trial, "visits", "M0"), at(trial, "report"), forms(trial, "M0", "background"),
        forms(trial, "M0", "background", "check"), forms(trial, "M0", "background", "not-asked"), at(trial, "visits", "M0", "sign"),
    ):  # fmt: skip
        assert ben.get(address).status_code == 404, address
    assert ben.post(forms(trial, "M0", "background", "save"), {"revision": 0}).status_code == 404
    assert ben.get("/assessments/forms/").status_code == 403
    coordinator = signed_in("coordinator")
    assert coordinator.get(at(trial, "visits", "M0")).status_code == 200
    assert coordinator.get(forms(trial, "M0", "background")).status_code == 404


def test_the_coordinator_assigns(trial: Trial) -> None:
    client = signed_in("coordinator")
    assert b"Assign" in client.get(at(trial)).content
    assert client.post(at(trial, "interviewer"), {}).status_code == 422
    answer = client.post(at(trial, "interviewer"), {"interviewer": str(trial.users["ben"].pk)})
    assert answer.status_code == 302
    with trial.at_work("ben"):
        assert list(AssessorAssignment.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert signed_in("ben").get(at(trial)).status_code == 200
    assert client.get("/").status_code == 200


def test_a_follow_up_visit_ends_with_the_question(trial: Trial) -> None:
    trial.baseline()
    trial.randomize()
    client = signed_in("anna")
    address = forms(trial, "M2", "bdi")
    client.post(address, {"revision": 0, "item_bdi_total": "12"})
    given = {"revision_bdi": 1, "username": "anna", "password": world.PASSWORD, **WHEN}
    answer = client.post(at(trial, "visits", "M2", "sign"), given)
    done = at(trial, "visits", "M2", "done")
    assert answer["Location"] == done
    assert client.get(done).status_code == 200
    assert client.post(done, {}).status_code == 422
    assert client.post(done, {"known": "yes"}).status_code == 422
    answer = client.post(done, {"known": "yes", "source": "family", "believed_arm": "", "words": "the canary sang"})
    assert answer.status_code == 302
    with trial.at_work("anna"):
        assert VisitOutcome.objects.get(visit="M2").outcome == "attended"
    with side.unblinded(), world.at_work(world.SETUP, on=side.UNBLINDED):
        assert UnblindingReport.objects.get().words == "the canary sang"
    pages = (at(trial), at(trial, "visits", "M2"), "/assessments/", "/")
    for name in ("anna", "coordinator"):
        reader = signed_in(name)
        for address in pages if name == "anna" else pages[:2]:
            assert b"canary" not in reader.get(address).content


def test_the_reply_is_the_same_for_yes_and_no(trial: Trial) -> None:
    trial.baseline()
    trial.randomize()
    replies = []
    for visit, known in (("M2", {"known": "no"}), ("M3", {"known": "yes", "source": "family"})):
        form = trial.open("bdi", visit)
        trial.sign(trial.save(form, 0, bdi_total="12"), 1)
        client = signed_in("anna")
        answer = client.post(at(trial, "visits", visit, "done"), known)
        replies.append((answer.status_code, answer["Location"].replace(visit, "X"), sorted(answer.headers)))
    assert replies[0] == replies[1]


def test_missed_and_back(trial: Trial) -> None:
    trial.baseline()
    trial.randomize()
    client = signed_in("anna")
    address = at(trial, "visits", "M3", "missed")
    assert client.get(address).status_code == 200
    assert client.post(address, {"reason": "declined"}).status_code == 422
    when = {"day_day": TODAY.day, "day_month": TODAY.month, "day_year": TODAY.year}
    assert client.post(address, {"reason": "declined", **when}).status_code == 302
    assert b"Reopen the visit" in client.get(at(trial, "visits", "M3")).content
    assert client.get(at(trial, "visits", "M3", "reopen")).status_code == 200
    assert client.post(at(trial, "visits", "M3", "reopen")).status_code == 302
    assert b"came back" in client.get(at(trial, "visits", "M3")).content


def test_what_became_of_a_visit_stands_beside_it_but_not_for_the_assessor(trial: Trial) -> None:
    address = at(trial, "visits", "M0")
    watched = signed_in("coordinator").get(address).content.decode()
    assert '<summary class="card-body">History</summary>' in watched
    assert "Interviewer assigned" in watched
    assert "History" not in signed_in("anna").get(address).content.decode()


def test_the_report_is_write_only(trial: Trial) -> None:
    client = signed_in("anna")
    address = at(trial, "report")
    assert client.get(address).status_code == 200
    assert client.post(address, {}).status_code == 422
    answer = client.post(address, {"source": "staff", "certainty": "4", "words": "the canary sang"}, follow=True)
    assert b"<h1" in answer.content
    assert b"Sent" in answer.content
    assert b"canary" not in answer.content
    assert b"canary" not in client.get(address).content


def test_the_data_manager_sees_answers_scores_and_history(trial: Trial) -> None:
    trial.sign(trial.save(trial.save(trial.open("bdi"), 0, bdi_total="29"), 1, bdi_total="28"), 2)
    world.make_user("manager", "datamanager")
    client = signed_in("manager")
    with trial.at_work("anna"):
        form = Form.objects.get()
    page = client.get(f"/assessments/forms/{form.pk}/").content.decode()
    assert form.content_sha256 in page
    assert "28.00" in page
    assert "<del>29</del>" in page
    assert "<ins>28</ins>" in page
    assert page.count("participant, not blind") == 2
    for address in ("forms/", "visits/", "completeness/", "codebook/", "forms/?state=signed&visit=M0"):
        assert client.get(f"/assessments/{address}").status_code == 200, address
        glue = "&" if "?" in address else "?"
        assert client.get(f"/assessments/{address}{glue}format=csv")["Content-Type"].startswith("text/csv")
    home = client.get("/").content.decode()
    assert "Visits by site" in home


def queries_of(trial: Trial, path: str, name: str) -> int:
    from django.db import connections

    client = signed_in(name)
    with CaptureQueriesContext(connections["default"]) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    ("path", "name"), [("/assessments/", "anna"), ("/assessments/visits/", "coordinator"), ("/", "anna")]
)
def test_queries_do_not_grow_with_participants(trial: Trial, path: str, name: str) -> None:
    trial.baseline()
    trial.randomize()
    before = queries_of(trial, path, name)
    with trial.at_work("coordinator") as by:
        for _one in range(4):
            assert trial.team is not None
            more = world.register(by, trial.team)
            visits.assign_interviewer(participant=more, interviewer=trial.users["anna"], by=by)
    assert queries_of(trial, path, name) == before


def test_the_worklist_follows_the_calendar(trial: Trial) -> None:
    trial.baseline()
    trial.randomize()
    with trial.at_work("anna"):
        randomized = Participant.objects.get().randomized_at
    assert randomized is not None
    window = window_of(trial.protocol.visit("M2"), randomized.date())
    for day, words in (
        (window.opens - dt.timedelta(days=1), "Upcoming"),
        (window.target, "Due"),
        (window.closes, "Overdue"),
        (window.closes + dt.timedelta(days=1), "Window closed"),
    ):
        clock.move_to(dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC))
        page = signed_in("anna").get("/assessments/").content.decode()
        row = page[page.index("/visits/M2/") :][:400]
        assert f"<span>{words}</span>" in row, (day, row)


def test_clinicians_forms_wait_for_the_coordinator_too(database: Any) -> None:
    with clock.frozen(START):
        imr = Trial("imr")
        for name in ("rater", "coordinator"):
            client = signed_in(name)
            assert "2 forms to sign" in client.get("/").content.decode()
        form = imr.open("ses", "T1", "rater")
        lowest = {item.code: "0" for item in imr.protocol.instrument("ses").items}
        imr.sign(imr.save(form, 0, "rater", **lowest), 1, "rater")
        assert "1 form to sign" in client.get("/").content.decode()
        assert "Clinician" not in signed_in("anna").get("/").content.decode()
