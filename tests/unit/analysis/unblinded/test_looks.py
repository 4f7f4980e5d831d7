"""Looks: begun when they are due, one at a time, by the right person; what they spend is kept by the database and never taken back."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError
from django.test import Client

from analysis.plans.definition import Look as Planned
from analysis.runs import looks as pure
from analysis.snapshots.actions import make_snapshot
from analysis.snapshots.models import Snapshot
from analysis.unblinded.looks import actions as looks
from analysis.unblinded.models import ComparativeRun, Look, LookRequest, LookResult, Recommendation
from tests import world
from tests.unit.analysis.looks_world import BY_CALENDAR, compute, plan_with, put_into_force, who
from trial.core import db, ids, side
from trial.core.access import Person
from trial.core.errors import NotAllowed, Refused
from trial.participants.models import Release
from trial.unblinded.disclosure.models import LedgerEntry


@pytest.fixture(autouse=True)
def _quiet(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    monkeypatch.setattr(pure, "FEWEST", 2)


@pytest.fixture
def trial(played: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Twelve patients, a snapshot, and a plan with looks by the calendar."""
    put_into_force(plan_with())
    with world.at_work(world.SETUP):
        make_snapshot(by=world.SETUP)
    return played


def begin(code: str) -> ComparativeRun:
    irma = who("independent")
    with world.at_work(irma):
        run: ComparativeRun = looks.begin_planned(code=code, by=irma)
    return run


def test_planned_looks_spend_by_actual_information(trial: psycopg.Connection[Any]) -> None:
    first = begin("early")
    assert begin("early").pk == first.pk, "a second press changes nothing"
    with pytest.raises(Refused, match="Another look is running"):
        begin("late")
    done = compute(first)
    assert (done.state, done.failure) == ("succeeded", []), done.failure
    with pytest.raises(Refused, match="has been held"):
        begin("early")
    with pytest.raises(Refused, match="not due"):
        begin("never")
    with pytest.raises(Refused, match="no look of this name"):
        begin("other")
    with world.at_work(who("independent")):
        row = LookResult.objects.get()
        found = done.result["look"]
        assert (row.look.number, row.look.code, row.run_id) == (1, "early", done.pk)
        assert (row.information, row.alpha, row.z) == (found["information"], found["cumulative_alpha"], found["z"])
        noted = list(LedgerEntry.objects.filter(what="look begun").values_list("subject", flat=True))
        assert noted == ["1"]
    again = compute(begin("late"))
    assert again.state == "failed"
    assert "must rise" in again.failure[0], "the same data hold no second look"
    with world.at_work(who("independent")):
        assert (Look.objects.count(), LookResult.objects.count()) == (2, 1)


def test_a_look_by_information_is_due_by_what_no_arm_tells(played: psycopg.Connection[Any]) -> None:
    by_information = replace(BY_CALENDAR, timing="information", looks=(Planned("near", 0.3), Planned("far", 0.99)))
    put_into_force(plan_with(by_information))
    irma = who("independent")
    with world.at_work(irma), pytest.raises(Refused, match="needs frozen data"):
        looks.begin_planned(code="near", by=irma)
    with world.at_work(world.SETUP):
        make_snapshot(by=world.SETUP)
    with pytest.raises(
        Refused, match=r"Information reached, without arms: 0\.\d\d of the maximum, planned at 0\.99; 8 people"
    ):
        begin("far")
    with played.transaction():  # whoever is in which arm, the trigger is the same
        played.execute("set local session_replication_role = replica")
        played.execute("update unblinded_allocation set arm = 'TAU'")
    with pytest.raises(Refused, match=r"planned at 0\.99; 8 people"):
        begin("far")
    assert begin("near").kind == "look"


def ask(by: Person, *, blind: bool = True) -> LookRequest:
    with world.at_work(by):
        request: LookRequest = looks.ask_for_look(
            asked_for="committee", blind_timing=blind, words="Three deaths in a week.", by=by
        )
    return request


def begin_asked(request: LookRequest) -> ComparativeRun:
    irma = who("independent")
    with world.at_work(irma):
        run: ComparativeRun = looks.begin_requested(request=request, by=irma)
    return run


@pytest.mark.parametrize("blind", [True, False])
def test_an_unplanned_look_takes_two_people_and_its_price(trial: psycopg.Connection[Any], blind: bool) -> None:
    with pytest.raises(NotAllowed):
        ask(who("independent"))
    coen = who("dmc")
    with world.at_work(coen), pytest.raises(NotAllowed):
        looks.begin_requested(request=ask(coen), by=coen)
    request = ask(coen, blind=blind)
    done = compute(begin_asked(request))
    assert (done.state, done.failure) == ("succeeded", []), done.failure
    found = done.result["look"]
    assert (found["planned"], found["code"]) == (False, "")
    if not blind:
        assert found["spent"] == pytest.approx(0.001)
    assert found["without"]["final_bound_with"] >= found["without"]["final_bound_without"]
    with world.at_work(who("independent")):
        assert LookResult.objects.get().look.request_id == request.pk


def test_a_plan_without_looks_has_unplanned_ones_at_their_price(played: psycopg.Connection[Any]) -> None:
    put_into_force(plan_with(None))
    with world.at_work(world.SETUP):
        make_snapshot(by=world.SETUP)
    with pytest.raises(Refused, match="no look of this name"):
        begin("early")
    found = compute(begin_asked(ask(who("chair")))).result["look"]
    assert (found["fraction"], found["ahead"], found["without"]) == (None, None, None)
    assert found["cumulative_alpha"] == pytest.approx(0.001)


def recommend(name: str, look: Look, word: str = "continue") -> Recommendation:
    by = who(name)
    with world.at_work(by):
        row: Recommendation = looks.recommend(look=look, word=word, words="The bound was not crossed.", by=by)
    return row


def sign(name: str, row: Recommendation) -> None:
    by = who(name)
    with world.at_work(by):
        looks.sign_recommendation(recommendation=row, password=world.PASSWORD, by=by)


def test_the_committee_recommends_and_the_team_hears_one_word(trial: psycopg.Connection[Any]) -> None:
    compute(begin("early"))
    with world.at_work(who("dmc")):
        look = Look.objects.get()
    with pytest.raises(NotAllowed):
        recommend("independent", look)
    old, row = recommend("dmc", look, "change"), recommend("dmc", look)
    with pytest.raises(Refused, match="taken the place"):
        sign("dmc", old)
    with pytest.raises(Refused, match="chair signs last"):
        sign("chair", row)
    chair = who("chair")
    with world.at_work(chair), pytest.raises(Refused, match="all have signed"):
        looks.tell_team(look=look, by=chair)
    sign("dmc", row)
    sign("dmc", row)
    sign("chair", row)
    with pytest.raises(Refused, match="stands as it is"):
        recommend("dmc", look, "change")
    with world.at_work(chair):
        told = looks.tell_team(look=look, by=chair)
        assert looks.tell_team(look=look, by=chair).pk == told.pk
    with world.at_work(who("statistician")):
        seen = Release.objects.get()
        assert set(seen.payload) == {"recommendation", "day"}
        assert (seen.title, seen.kind, seen.payload["recommendation"]) == (
            "recommendation",
            "recommendation",
            "continue",
        )


# --- the pages


def signed_in(name: str) -> Client:
    client = Client()
    address = "/unblinded/login/" if name in ("independent", "dmc", "chair") else "/login/"
    assert client.post(address, {"username": name, "password": world.PASSWORD}).status_code == 302
    return client


def text(client: Client, address: str) -> str:
    response = client.get(address, follow=True)
    assert response.status_code == 200, address
    return response.content.decode()


def test_from_the_first_look_to_what_the_team_hears(trial: psycopg.Connection[Any]) -> None:
    base = "/unblinded/analysis/looks/"
    irma, coen, cora, stan = (signed_in(name) for name in ("independent", "dmc", "chair", "statistician"))
    assert "Begin the planned look: early" in text(irma, "/unblinded/")
    assert "by the date of the first participant" in text(irma, base)
    assert "Outcomes are joined to the real arms" in text(irma, f"{base}planned/early/")
    assert irma.post(f"{base}planned/early/").headers["Location"] == f"{base}1/"
    assert "Waiting" in text(coen, f"{base}1/")
    with world.at_work(who("independent")):
        run = ComparativeRun.objects.get()
    compute(run)
    page = text(coen, f"{base}1/")
    for words in (
        "Look 1 (early): Z is",
        "What stopping could still save",
        "Conditional power under the planned difference",
        "Line of futility",
    ):
        assert words in page, words
    assert coen.get(f"{base}1/", {"format": "csv"}).status_code == 200
    assert "Read Look 1 (early) and recommend" in text(coen, "/unblinded/")
    empty = coen.post(f"{base}1/recommend/", {"word": "continue", "words": " "})
    assert empty.status_code == 422
    assert (
        coen.post(f"{base}1/recommend/", {"word": "continue", "words": "Nothing speaks against it."}).status_code == 302
    )
    page = text(cora, f"{base}1/")
    assert "Nothing speaks against it." in page
    assert "Coen Maas" in page.partition("Readers")[2]
    assert "Planned for" in text(stan, "/analysis/plan/"), "the open side knows the planned day"
    assert "signs last" in cora.post(f"{base}1/sign/", {"password": world.PASSWORD}).content.decode()
    for client in (coen, cora):
        assert client.post(f"{base}1/sign/", {"password": world.PASSWORD}).status_code == 302
    assert "Recommendation of the data monitoring" not in text(stan, "/")
    assert "Continue as planned" in text(cora, f"{base}1/tell/")
    assert "The team was told on" not in text(cora, f"{base}1/")
    assert cora.post(f"{base}1/tell/").status_code == 302
    assert "The team was told on" in text(coen, f"{base}1/")
    home = text(stan, "/")
    assert "Recommendation of the data monitoring committee" in home
    assert "Continue as planned" in home
    assert "Nothing speaks against it." not in home
    assert "Results appear here" in text(stan, "/analysis/results/"), "a recommendation is no result"
    with world.at_work(who("independent")):
        readers = LedgerEntry.objects.filter(what="look opened").values_list("actor", flat=True)
        assert {who("dmc").actor_id, who("chair").actor_id} <= set(readers)


def test_a_request_goes_from_the_committee_to_somebody_else(trial: psycopg.Connection[Any]) -> None:
    base = "/unblinded/analysis/looks/"
    irma, coen = signed_in("independent"), signed_in("dmc")
    assert irma.get(f"{base}ask/").status_code in (403, 404)
    typed = {"asked_for": "steering", "blind_timing": "no", "words": ""}
    assert coen.post(f"{base}ask/", typed).status_code == 422
    assert coen.post(f"{base}ask/", typed | {"words": "Three deaths in a week."}).status_code == 302
    with world.at_work(who("independent")):
        key = LookRequest.objects.get().pk
    assert coen.get(f"{base}requests/{key}/").status_code in (403, 404)
    assert "Three deaths in a week." in text(irma, f"{base}requests/{key}/")
    assert "Confirm a request for a look" in text(irma, "/unblinded/")
    assert irma.post(f"{base}requests/{key}/").headers["Location"] == f"{base}1/"


# --- the database refuses what the actions would


def raw(by: Person, statement: str, *values: Any) -> None:
    with world.at_work(by), db.cursor() as cursor:
        cursor.execute(statement, values)


LOOK = (
    "insert into unblinded_look(id, number, plan_id, code, request_id, begun_by, begun_at)"
    " values (%s, %s, (select id from plans_planversion order by number desc limit 1), %s, %s, %s, now())"
)
RUN = (
    "insert into unblinded_comparative_run(id, spec, seed, code_version, environment_hash, created_at, created_by, state, stage, progress,"
    " attempt, failure, result_sha256, snapshot_id, snapshot_sha256, kind, look_id, extract_sha256)"
    " values (%s, '{}', 1, 'x', 'x', now(), 'x', 'queued', '', 0, 0, '[]', '', %s, 'x', %s, %s, '')"
)
ASKED = (
    "insert into unblinded_look_request(id, number, asked_for, blind_timing, words, requested_by, requested_at)"
    " values (%s, %s, 'committee', true, 'x', %s, now())"
)
WRITTEN = (
    "insert into unblinded_recommendation(id, look_id, number, word, words, written_by, written_at)"
    " values (%s, %s, %s, 'change', 'x', %s, now())"
)
SIGNED = (
    "insert into unblinded_recommendation_signature(id, recommendation_id, capacity, signed_by, signed_at, signature)"
    " values (%s, %s, %s, %s, now(), '{}')"
)
PASSED = (
    "insert into participants_release(id, released_at, title, kind, payload, sha256) values (%s, now(), %s, %s, %s, %s)"
)


def test_the_database_refuses_looks_that_are_none(trial: psycopg.Connection[Any]) -> None:
    irma, coen = who("independent"), who("dmc")
    request = ask(coen)
    me = irma.actor_id

    def refused(words: str, statement: str, *values: Any, by: Person = irma) -> None:
        with pytest.raises(DatabaseError, match=words):
            raw(by, statement, *values)

    refused("begins a look", LOOK, ids.new(), 1, "early", None, coen.actor_id, by=coen)
    refused("numbered in turn", LOOK, ids.new(), 2, "early", None, me)
    refused("no look of this code", LOOK, ids.new(), 1, "other", None, me)
    refused("look_planned_or_asked_for", LOOK, ids.new(), 1, "early", request.pk, me)
    refused("look_planned_or_asked_for", LOOK, ids.new(), 1, "", None, me)
    refused("asks for a look", ASKED, ids.new(), 2, me)
    refused("in turn", ASKED, ids.new(), 7, coen.actor_id, by=coen)
    with world.at_work(irma):
        key = Snapshot.objects.get().pk
    refused("follows planned unblinding", RUN, ids.new(), key, "plan", None)
    refused("comparativerun_of_a_look", RUN, ids.new(), key, "look", None)
    refused("permission denied", "insert into unblinded_look_result select * from unblinded_look_result")
    compute(begin("early"))
    with world.at_work(irma):
        look = Look.objects.get()
    refused("one look runs at a time", RUN, ids.new(), key, "look", look.pk)
    refused("look_planned_once", LOOK, ids.new(), 2, "early", None, me)
    for table in ("unblinded_look", "unblinded_look_result", "unblinded_look_request"):
        refused("permission denied", f"update {table} set id = id")
    begin("late")
    raw(irma, "update unblinded_comparative_run set state = 'running' where state = 'queued'")
    refused(
        "takes nothing back",
        "update unblinded_comparative_run set (state, finished_at, result_sha256, result) = ('succeeded', now(), 'x', %s) where state = 'running'",
        '{"look": {"information": 99, "cumulative_alpha": 0, "z": 1}}',
    )


def test_the_database_refuses_what_the_committee_does_not_do(trial: psycopg.Connection[Any]) -> None:
    coen, cora, irma = who("dmc"), who("chair"), who("independent")
    compute(begin("early"))
    with world.at_work(coen):
        look = Look.objects.get()
    row = recommend("dmc", look)
    word = '{"recommendation": "continue", "day": "2026-01-01"}'

    def refused(words: str, by: Person, statement: str, *values: Any) -> None:
        with pytest.raises(DatabaseError, match=words):
            raw(by, statement, *values)

    refused("a member of the committee recommends", irma, WRITTEN, ids.new(), look.pk, 2, irma.actor_id)
    refused("follow each other", coen, WRITTEN, ids.new(), look.pk, 5, coen.actor_id)
    refused("in their own name", coen, SIGNED, ids.new(), row.pk, "chair", coen.actor_id)
    refused("chair signs last", cora, SIGNED, ids.new(), row.pk, "chair", cora.actor_id)
    with pytest.raises(DatabaseError, match="sealed recommendation"):
        release_raw(cora, PASSED, "recommendation", "recommendation", word)
    sign("dmc", row)
    sign("chair", row)
    refused("chair signs last", coen, SIGNED, ids.new(), row.pk, "member", coen.actor_id)
    refused("until one is sealed", coen, WRITTEN, ids.new(), look.pk, 2, coen.actor_id)
    for title, kind, payload in (
        ("He told me", "recommendation", word),
        ("recommendation", "recommendation", '{"recommendation": "continue", "day": "2026-01-01", "z": 3}'),
        ("recommendation", "recommendation", '{"recommendation": "stop_efficacy", "day": "2026-01-01"}'),
        ("recommendation", "recommendation", '{"recommendation": "continue", "day": "soon"}'),
    ):
        with pytest.raises(DatabaseError, match="sealed recommendation"):
            release_raw(cora, PASSED, title, kind, payload)
    with pytest.raises(DatabaseError, match="before lock and planned unblinding"):
        release_raw(cora, PASSED, "recommendation", "result", word)


def release_raw(by: Person, statement: str, title: str, kind: str, payload: str) -> None:
    """An insert under the name of the declared action: the guard alone is asked."""
    name = "trial.unblinded.disclosure.actions.release_recommendation"
    with (
        world.at_work(by),
        side.writing_open(True),
        db.acting(by=by, action=name, reason=""),
        db.atomic(),
        db.cursor() as cursor,
    ):
        cursor.execute(statement, [ids.new(), title, kind, payload, ids.new().hex * 2])
