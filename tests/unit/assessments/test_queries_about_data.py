"""Data queries: who asks, who answers, one state machine held by action and database alike, and what the lock waits for."""

import datetime as dt
import itertools
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from assessments.cleaning import actions as cleaning
from assessments.cleaning import queries
from assessments.cleaning.models import DataQuery, QueryEvent
from assessments.cleaning.states import OVER, STEPS, State, after
from assessments.entry.models import Amendment, Form
from tests import world
from tests.unit.assessments.small_trial import Trial
from trial.core import side
from trial.core.errors import NotAllowed, Refused
from trial.core.models import History
from trial.participants import actions as way_in
from trial.participants.queries import lock

QUESTION = "Twenty-nine at the first visit: is that so?"
EVENT = {
    "answered": {"what": "answered", "code": "confirmed"},
    "closed": {"what": "closed"},
    "reopened": {"what": "reopened"},
    "accepted": {"what": "accepted", "code": "no_effect"},
}


@pytest.fixture
def asking(trial: Trial) -> Trial:
    """The small trial with a data manager, a monitor, and a signed form."""
    for name, role in (("manager", "datamanager"), ("monitor", "monitor")):
        trial.people[name] = world.person(world.make_user(name, role))
    trial.sign(trial.save(trial.open("bdi"), 0, bdi_total="29"), 1)
    return trial


def ask(trial: Trial, name: str = "manager", **given: Any) -> DataQuery:
    with trial.at_work(name) as by:
        form = Form.objects.get(instrument="bdi")
        about = {"participant": trial.participant, "visit": "M0", "form": form, "item": "bdi_total"}
        asked = {**about, "kind": "implausible", "text": QUESTION, **given}
        made: DataQuery = cleaning.raise_query(by=by, **asked)
    return made


def read(trial: Trial, query: DataQuery, name: str = "manager") -> DataQuery:
    with trial.at_work(name) as by:
        return queries.visible_to(by).get(pk=query.pk)


def state(trial: Trial, query: DataQuery) -> State:
    return queries.standing(read(trial, query)).state


def correct(trial: Trial, query: DataQuery, name: str = "anna", **given: Any) -> QueryEvent:
    asked = {"answers": {"bdi_total": "28"}, "reason_code": "typed_wrong", "password": world.PASSWORD, **given}
    with trial.at_work(name) as by:
        event: QueryEvent = cleaning.correct_query(query=read_here(by, query), by=by, **asked)
    return event


def read_here(by: Any, query: DataQuery) -> DataQuery:
    return queries.with_state().get(pk=query.pk)


def test_a_query_is_answered_by_an_amendment_and_closed_by_its_raiser(asking: Trial) -> None:
    query = ask(asking)
    assert (state(asking, query), query.raised_as) == (State.OPEN, "datamanager")
    event = correct(asking, query)
    assert (event.code, event.amendment.number) == ("corrected", 1)
    assert state(asking, query) is State.ANSWERED
    with asking.at_work("monitor") as by, pytest.raises(NotAllowed):
        cleaning.close_query(query=query, by=by)
    with asking.at_work("manager") as by:
        cleaning.close_query(query=query, by=by)
        cleaning.reopen_query(query=query, by=by)
    assert state(asking, query) is State.OPEN
    with asking.at_work("anna") as by:
        cleaning.answer_query(query=read_here(by, query), answer="confirmed", by=by)
    with asking.at_work("manager") as by:
        cleaning.close_query(query=query, by=by)
        events = [(one.number, one.what, one.code) for one in queries.events_of(query)]
    assert events == [
        (1, "answered", "corrected"), (2, "closed", ""), (3, "reopened", ""), (4, "answered", "confirmed"), (5, "closed", ""),
    ]  # fmt: skip


def test_a_correction_that_fails_answers_nothing(asking: Trial) -> None:
    query = ask(asking)
    for wrong in ({"password": "guess"}, {"answers": {"bdi_total": "29"}}, {"reason_code": "because"}):
        with pytest.raises(Refused):
            correct(asking, query, **wrong)
    assert state(asking, query) is State.OPEN
    with asking.at_work("anna"):
        assert not Amendment.objects.exists()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"text": "  "}, "text_length"),
        ({"text": "x" * 501}, "text_length"),
        ({"text": "I hear it is Beat the Blues"}, "names_arm"),
        ({"text": "is this btheb?"}, "names_arm"),
        ({"kind": "gossip"}, "kind_unknown"),
        ({"visit": "M9"}, "visit_unknown"),
        ({"visit": "M2"}, "form_unknown"),
        ({"item": "other"}, "item_unknown"),
        ({"form": None}, "item_unknown"),
    ],
)
def test_what_cannot_be_asked(asking: Trial, given: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as caught:
        ask(asking, **given)
    assert caught.value.code == code


def test_who_asks_and_who_answers(asking: Trial) -> None:
    for name in ("anna", "coordinator", "rater"):
        with pytest.raises(NotAllowed):
            ask(asking, name)
    query = ask(asking, "monitor")
    assert query.raised_as == "monitor"
    for name in ("ben", "rater", "manager", "monitor"):
        with asking.at_work(name) as by, pytest.raises(NotAllowed):
            cleaning.answer_query(query=read_here(by, query), answer="confirmed", by=by)
    with pytest.raises(NotAllowed):
        correct(asking, query, "coordinator")  # who did not fill in the form does not amend it
    with asking.at_work("coordinator") as by:
        with pytest.raises(Refused, match="amendment"):
            cleaning.answer_query(query=read_here(by, query), answer="corrected", by=by)
        cleaning.answer_query(query=read_here(by, query), answer="unresolvable", by=by)
    with asking.at_work("manager") as by, pytest.raises(NotAllowed):
        cleaning.close_query(query=query, by=by)
    with asking.at_work("monitor") as by:
        with pytest.raises(NotAllowed):
            cleaning.accept_queries(queries_=[query], reason_code="no_effect", by=by)
        cleaning.close_query(query=query, by=by)


def test_everybody_sees_what_is_theirs(asking: Trial) -> None:
    on_form = ask(asking)
    on_visit = ask(asking, form=None, item="", text="Why so late?", kind="date")
    for name, expected in (
        ("manager", {on_form.pk, on_visit.pk}),
        ("monitor", {on_form.pk, on_visit.pk}),
        ("coordinator", {on_form.pk, on_visit.pk}),
        ("anna", {on_form.pk, on_visit.pk}),
        ("ben", set()),
        ("rater", set()),
    ):
        with asking.at_work(name) as by:
            assert {one.pk for one in queries.visible_to(by)} == expected, name
    stranger = world.person(world.make_user("stranger", "coordinator", "elsewhere"))
    with world.at_work(stranger) as by:
        assert not queries.visible_to(by).exists()
        assert not DataQuery.objects.exists()


def test_the_unblinded_login_reads_no_query_and_the_history_keeps_no_words(asking: Trial) -> None:
    ask(asking)
    with (
        side.unblinded(),
        world.at_work(world.SETUP, on=side.UNBLINDED),
        pytest.raises(DatabaseError, match="permission"),
    ):
        DataQuery.objects.first()
    with asking.at_work("manager"):
        written = History.objects.get(table_name="cleaning_dataquery")
        assert "text" not in written.new


def test_the_database_takes_just_the_steps_of_the_state_machine(asking: Trial) -> None:
    """Every sequence of up to three events."""
    for path in (path for n in (1, 2, 3) for path in itertools.product(EVENT, repeat=n)):
        query, here = ask(asking), State.OPEN
        for number, what in enumerate(path, 1):
            row = QueryEvent(query=query, site_id=query.site_id, number=number, by="x", **EVENT[what])
            follows = after(here, what)
            if follows is None:
                with asking.at_work("anna"), pytest.raises(DatabaseError, match="is not"):
                    row.save(force_insert=True)
                break
            here = follows
            with asking.at_work("anna"):
                row.save(force_insert=True)
        assert state(asking, query) is here, path


def test_the_action_refuses_what_does_not_follow(asking: Trial) -> None:
    query = ask(asking)
    with asking.at_work("manager") as by:
        for step in (cleaning.close_query, cleaning.reopen_query):
            with pytest.raises(Refused, match="moved on"):
                step(query=query, by=by)
        cleaning.accept_queries(queries_=[query], reason_code="by_mistake", by=by)
        with pytest.raises(Refused, match="moved on"):
            cleaning.accept_queries(queries_=[query], reason_code="by_mistake", by=by)
    with asking.at_work("anna") as by, pytest.raises(Refused, match="moved on"):
        cleaning.answer_query(query=read_here(by, query), answer="confirmed", by=by)
    assert {state for state in STEPS if state in OVER} == set(OVER)


def test_the_database_holds_against_forged_events(asking: Trial) -> None:
    query = ask(asking)

    def event(**given: Any) -> QueryEvent:
        base = {
            "query": query,
            "site_id": query.site_id,
            "number": 1,
            "what": "answered",
            "code": "confirmed",
            "by": "x",
        }
        return QueryEvent(**{**base, **given})

    for forged, words in (
        (event(number=2), "follow each other"),
        (event(code="corrected"), "by an amendment"),
        (event(code="perhaps"), "cleaning_event_code"),
        (event(what="closed"), "cleaning_event_code|is not"),
    ):
        with asking.at_work("anna"), pytest.raises(DatabaseError, match=words):
            forged.save(force_insert=True)
    with asking.at_work("manager"), pytest.raises(DatabaseError, match="of its participant"):
        DataQuery(
            site_id=query.site_id, participant=query.participant, visit="M2", form=query.form, kind="other", text="x",
            raised_as="monitor", raised_by="x",
        ).save(force_insert=True)  # fmt: skip
    with asking.at_work("manager"), pytest.raises(DatabaseError, match="permission denied"):
        DataQuery.objects.update(text="another question")


def test_an_old_amendment_does_not_answer_a_new_query(asking: Trial) -> None:
    first = ask(asking)
    amendment = correct(asking, first).amendment
    second = ask(asking)
    with asking.at_work("anna") as by, pytest.raises(Refused, match="Amend it first"):
        cleaning.answer_query(query=read_here(by, second), answer="corrected", amendment=amendment, by=by)
    forged = QueryEvent(
        query=second, site_id=second.site_id, number=1, what="answered", code="corrected", amendment=amendment, by="x"
    )
    with asking.at_work("anna"), pytest.raises(DatabaseError, match="by an amendment"):
        forged.save(force_insert=True)


def test_the_lock_waits_for_queries(asking: Trial, database: psycopg.Connection[Any]) -> None:
    query = ask(asking)
    manager = asking.people["manager"]
    with world.at_work(manager), pytest.raises(Refused, match="Settle this before the lock: Queries"):
        way_in.lock_database(password=world.PASSWORD, by=manager)
    database.execute("select set_config('equipoise.actor', 'system:test', false)")
    with pytest.raises(psycopg.errors.CheckViolation, match="queries are open"):
        database.execute(
            'insert into participants_databaselock(id, "only", locked_at, locked_by, signature)'
            " values (gen_random_uuid(), true, now(), 'x', '{}')"
        )
    with world.at_work(manager) as by:
        cleaning.accept_queries(queries_=list(queries.unsettled()), reason_code="nobody_knows", by=by)
        way_in.lock_database(password=world.PASSWORD, by=by)
        assert lock() is not None
        with pytest.raises(Refused, match="locked"):
            cleaning.reopen_query(query=query, by=by)
    with pytest.raises(Refused, match="locked"):
        ask(asking)


def test_a_query_on_a_draft_is_corrected_in_the_draft(asking: Trial) -> None:
    draft = asking.open("background")
    query = ask(asking, form=draft, item="drug", kind="missing")
    asking.save(draft, 0, drug="1")
    with asking.at_work("anna") as by:
        event = cleaning.answer_query(query=read_here(by, query), answer="corrected", by=by)
        assert event.amendment_id is None
    assert query.raised_at <= event.at
    assert event.at - query.raised_at < dt.timedelta(days=1)
