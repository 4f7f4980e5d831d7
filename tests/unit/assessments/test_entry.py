"""Forms on the real database: autosave, conflicts, signing, the baseline gate; each refusal by the action and by the database."""

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from assessments.entry import actions as entry
from assessments.entry import queries
from assessments.entry.models import Answer, Form, Score
from assessments.visits import actions as visits
from assessments.visits.models import VisitOutcome
from tests import world
from tests.unit.assessments.small_trial import START, TODAY, Trial
from trial.core import clock
from trial.core.access.signing import content_sha256
from trial.core.errors import Conflict, NotAllowed, Refused
from trial.core.models import History
from trial.participants import actions as way_in


def test_each_answer_is_one_row_and_saving_the_same_changes_nothing(trial: Trial) -> None:
    form = trial.open("background")
    form = trial.save(form, 0, drug="1")
    assert form.revision == 1
    form = trial.save(form, 1, drug="1", length=" 0.0 ")
    assert form.revision == 2
    form = trial.save(form, 2, drug="1", length="0")
    assert form.revision == 2
    with trial.at_work("anna"):
        rows = Answer.objects.order_by("item").values_list("item", "value", "number", "revision")
        assert list(rows) == [("drug", "1", Decimal(1), 1), ("length", "0", Decimal(0), 2)]
        writes = History.objects.filter(table_name="entry_answer").values_list("operation", "action", "actor", "site")
        assert (
            list(writes)
            == [
                (
                    "INSERT",
                    "assessments.entry.actions.filling.save_answers",
                    trial.people["anna"].actor_id,
                    form.site_id,
                )
            ]
            * 2
        )


def test_answers_that_do_not_touch_each_other_merge(trial: Trial) -> None:
    form = trial.open("background")
    trial.save(form, 0, drug="1")
    form = trial.save(form, 0, length="1")  # a page that was opened before: it leaves `drug` open
    with trial.at_work("anna"):
        assert {a.item: a.value for a in form.answers.all()} == {"drug": "1", "length": "1"}
    form = trial.save(form, 0, drug="", length="")  # a page that never showed them does not take them back
    assert form.revision == 2
    assert trial.save(form, 2, drug="").revision == 3  # whoever saw it may


def test_an_answer_changed_elsewhere_is_a_conflict_and_nothing_is_saved(trial: Trial) -> None:
    form = trial.open("background")
    trial.save(form, 0, drug="1")
    with pytest.raises(entry.AnswersConflict) as caught:
        trial.save(form, 0, drug="0", length="1")
    assert caught.value.clashes == (entry.Clash("drug", "1", "0"),)
    assert caught.value.revision == 1
    with trial.at_work("anna"):
        assert {a.item: a.value for a in form.answers.all()} == {"drug": "1"}
    form = trial.save(form, caught.value.revision, drug="0", length="1")  # compared, and meant
    with trial.at_work("anna"):
        assert {a.item: a.value for a in form.answers.all()} == {"drug": "0", "length": "1"}


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"bdi_total": "64"}, "answer_invalid"),
        ({"bdi_total": "-1"}, "answer_invalid"),
        ({"bdi_total": "12.5"}, "answer_invalid"),
        ({"bdi_total": "NaN"}, "answer_invalid"),
        ({"bdi_total": "twelve"}, "answer_invalid"),
        ({"other": "1"}, "item_unknown"),
    ],
)
def test_no_such_answer(trial: Trial, answers: dict[str, str], code: str) -> None:
    form = trial.open("bdi")
    with pytest.raises(Refused) as caught:
        trial.save(form, 0, **answers)
    assert caught.value.code == code


def test_only_the_assigned_interviewer_fills_in_the_interview(trial: Trial) -> None:
    for name in ("ben", "coordinator", "rater"):
        with pytest.raises(NotAllowed):
            trial.open("background", name=name)
    form = trial.open("background")
    with trial.at_work("coordinator") as by:
        visits.assign_interviewer(participant=trial.participant, interviewer=trial.users["ben"], by=by)
    with pytest.raises(NotAllowed):
        trial.save(form, 0, drug="1")
    assert trial.save(form, 0, name="ben", drug="1").revision == 1


def test_opening_twice_is_one_form(trial: Trial) -> None:
    assert trial.open("background").pk == trial.open("background").pk


def test_signing_closes_the_form_for_everybody(trial: Trial, database: psycopg.Connection[Any]) -> None:
    form = trial.save(trial.open("bdi"), 0, bdi_total="29")
    form = trial.sign(form, 1)
    with trial.at_work("anna"):
        protocol, _instrument = queries.definition_of(form)
        content = entry.content_of(form, protocol, queries.answers_of(form))
        assert form.content_sha256 == content_sha256(content) == form.signature["sha256"]
        assert content["answers"] == {"bdi_total": {"value": "29", "missing": ""}}
        score = Score.objects.get()
        assert (score.scale, score.value, score.rater, score.rater_blind) == ("bdi", Decimal(29), "participant", False)
    for attempt in (lambda: trial.save(form, 1, bdi_total="3"), lambda: trial.sign(form, 1)):
        with pytest.raises(Refused, match="signed"):
            attempt()
    with trial.at_work("anna"), pytest.raises(DatabaseError, match="do not change"):
        Answer.objects.update(value="3")
    with trial.at_work("anna"), pytest.raises(DatabaseError, match="signed"):
        Form.objects.update(revision=9)
    with trial.at_work("anna"), pytest.raises(DatabaseError, match="do not change"):
        Answer(form=form, site_id=form.site_id, item="bdi_extra", value="x", revision=9).save(force_insert=True)
    database.execute("select set_config('equipoise.actor', 'system:test', false)")
    for statement in ("update entry_answer set value = '3'", "update entry_form set state = 'draft'"):
        with pytest.raises(psycopg.errors.CheckViolation):
            database.execute(statement)
    with pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
        database.execute("update entry_score set value = 3")


def test_signing_needs_password_every_item_and_what_was_checked(trial: Trial) -> None:
    form = trial.save(trial.open("background"), 0, drug="1")
    with pytest.raises(Refused, match="neither an answer nor a reason: Length"):
        trial.sign(form, 1)
    with trial.at_work("anna") as by:
        with pytest.raises(Refused, match="reason from the list"):
            entry.save_answers(form=form, answers={}, missing={"length": "tired"}, revision=1, by=by)
        form = entry.save_answers(form=form, answers={}, missing={"length": "declined"}, revision=1, by=by)
    with pytest.raises(Conflict):
        trial.sign(form, 1)
    with trial.at_work("anna") as by, pytest.raises(Refused, match="not your password"):
        entry.sign_form(form=form, revision=2, held_on=TODAY, password="guess", by=by)
    with pytest.raises(Refused, match="future"):
        trial.sign(form, 2, held_on=TODAY + dt.timedelta(days=1))
    assert trial.sign(form, 2).is_signed


def test_a_reason_gives_way_to_an_answer(trial: Trial) -> None:
    form = trial.open("bdi")
    with trial.at_work("anna") as by:
        form = entry.save_answers(form=form, answers={}, missing={"bdi_total": "declined"}, revision=0, by=by)
        form = entry.save_answers(form=form, answers={"bdi_total": "7"}, revision=1, by=by)
        answer = form.answers.get()
        assert (answer.value, answer.missing) == ("7", "")


def test_the_baseline_is_complete_when_all_forms_are_signed(trial: Trial) -> None:
    trial.sign(trial.save(trial.open("background"), 0, drug="1", length="0"), 1)
    with trial.at_work("coordinator"):
        trial.participant.refresh_from_db()
        assert trial.participant.baseline_completed_at is None
    trial.sign(trial.save(trial.open("bdi"), 0, bdi_total="29"), 1)
    with trial.at_work("coordinator"):
        trial.participant.refresh_from_db()
        assert trial.participant.baseline_completed_at is not None
        assert VisitOutcome.objects.get().outcome == "attended"


def test_no_primary_score_no_baseline(trial: Trial) -> None:
    form = trial.open("bdi")
    with trial.at_work("anna") as by:
        form = entry.save_answers(form=form, answers={}, missing={"bdi_total": "declined"}, revision=0, by=by)
    trial.sign(form, 1)
    trial.sign(trial.save(trial.open("background"), 0, drug="1", length="0"), 1)
    with trial.at_work("coordinator"):
        trial.participant.refresh_from_db()
        assert trial.participant.baseline_completed_at is None
        score = Score.objects.get()
        assert (score.value, score.reason, score.answered) == (None, "too_few_answers", 0)


def test_follow_up_begins_with_randomization(trial: Trial) -> None:
    with pytest.raises(Refused, match="randomization"):
        trial.open("bdi", "M2")
    trial.baseline()
    trial.randomize()
    form = trial.save(trial.open("bdi", "M2"), 0, bdi_total="12")
    with pytest.raises(Refused, match="before randomization"):
        trial.sign(form, 1, held_on=TODAY - dt.timedelta(days=1))
    with trial.at_work("anna") as by, pytest.raises(Refused, match="Sign these forms first"):
        visits.close_visit(participant=trial.participant, visit="M2", by=by)
    trial.sign(form, 1)
    with trial.at_work("anna") as by:
        outcome = visits.close_visit(participant=trial.participant, visit="M2", by=by)
        assert (outcome.outcome, outcome.day) == ("attended", TODAY)
        assert visits.close_visit(participant=trial.participant, visit="M2", by=by).pk == outcome.pk
        with pytest.raises(Refused, match="took place"):
            visits.record_missed(participant=trial.participant, visit="M2", reason_code="declined", by=by)


def test_a_missed_visit_comes_back(trial: Trial) -> None:
    trial.baseline()
    trial.randomize()
    reason = trial.protocol.reasons.missed_visit[0].code
    with trial.at_work("anna") as by:
        with pytest.raises(Refused, match="nothing to reopen"):
            visits.reopen_visit(participant=trial.participant, visit="M3", by=by)
        visits.record_missed(participant=trial.participant, visit="M3", reason_code=reason, by=by)
        with pytest.raises(Refused, match="already"):
            visits.record_missed(participant=trial.participant, visit="M3", reason_code=reason, by=by)
        with pytest.raises(Refused, match="Reopen it first"):
            entry.open_form(participant=trial.participant, visit="M3", instrument="bdi", by=by)
        visits.reopen_visit(participant=trial.participant, visit="M3", by=by)
    assert trial.open("bdi", "M3").visit == "M3"
    with trial.at_work("anna"):
        outcomes = VisitOutcome.objects.filter(visit="M3").order_by("number").values_list("number", "outcome", "reason")
        assert list(outcomes) == [(1, "missed", reason), (2, "reopened", "")]


def test_clinician_forms_belong_to_the_rater_and_gate_the_baseline(database: psycopg.Connection[Any]) -> None:
    with clock.frozen(START):
        imr = Trial("imr")
        with pytest.raises(NotAllowed):
            imr.open("ses", "T1")
        form = imr.open("ses", "T1", "rater")
        assert (form.rater, form.rater_blind) == ("clinician", False)
        assert imr.open("ses", "T1", "coordinator").pk == form.pk
        instruments = imr.protocol.instruments_at("T1")
        # the clinician's form last: it is the one that completes the baseline
        for instrument in sorted(instruments, key=lambda one: one.rater == "clinician"):
            name = "rater" if instrument.rater == "clinician" else "anna"
            lowest = {i.code: str(i.limits[0]) if i.is_numeric else "x" for i in instrument.items}
            form = imr.open(instrument.code, "T1", name)
            with imr.at_work("coordinator"):
                imr.participant.refresh_from_db()
                assert imr.participant.baseline_completed_at is None
            imr.sign(imr.save(form, 0, name, **lowest), 1, name)
        with imr.at_work("coordinator"):
            imr.participant.refresh_from_db()
            assert imr.participant.baseline_completed_at is not None


def test_a_clinician_rates_although_the_interview_was_missed(database: psycopg.Connection[Any]) -> None:
    with clock.frozen(START):
        imr = Trial("imr")
        with imr.at_work("anna") as by:
            visits.record_missed(participant=imr.participant, visit="T1", reason_code="declined", by=by)
        with pytest.raises(Refused, match="Reopen it first"):
            imr.open("imrs_client", "T1")
        assert imr.open("ses", "T1", "rater").state == "draft"


def test_an_import_signs_as_itself(trial: Trial) -> None:
    form = trial.open("bdi")
    with world.at_work(world.SETUP) as by:
        form = entry.save_answers(form=form, answers={"bdi_total": "20"}, revision=0, by=by)
        form = entry.sign_form(form=form, revision=1, held_on=TODAY, by=by)
    assert form.signature["person"] == "system:setup"
    assert form.signed_by == "system:setup"


def test_the_other_site_sees_no_form(trial: Trial) -> None:
    trial.save(trial.open("background"), 0, drug="1")
    stranger = world.person(world.make_user("stranger", "interviewer", "elsewhere"))
    with world.at_work(stranger):
        assert not Form.objects.exists()
        assert not Answer.objects.exists()


def test_nothing_changes_after_the_lock(trial: Trial) -> None:
    form = trial.open("background")
    manager = world.person(world.make_user("manager", "datamanager"))
    with world.at_work(manager):
        way_in.lock_database(password=world.PASSWORD, by=manager)
    with pytest.raises(Refused, match="locked"):
        trial.save(form, 0, drug="1")
    with trial.at_work("anna"), pytest.raises(DatabaseError, match="locked"):
        Answer(form=form, site_id=form.site_id, item="drug", value="1", revision=1).save(force_insert=True)


def test_the_visit_of_a_participant_without_randomization_is_not_closed(trial: Trial) -> None:
    with trial.at_work("anna") as by, pytest.raises(Refused, match="randomization"):
        visits.record_missed(participant=trial.participant, visit="M2", reason_code="declined", by=by)
