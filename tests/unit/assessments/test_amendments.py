"""A signed form is never changed; an amendment is a version beside it. Each refusal by the action and by the database."""

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from analysis.plans.definition import Plan, Subgroup
from analysis.plans.plain import plain_plan
from analysis.snapshots.extract import extract
from assessments.entry import actions as entry
from assessments.entry import queries
from assessments.entry.models import AmendedAnswer, Amendment, Answer, Confirmation, Form, Score
from assessments.visits import actions as visits
from assessments.visits.models import VisitOutcome
from tests import world
from tests.unit.assessments.small_trial import START, TODAY, Trial
from trial.core import clock
from trial.core.access.signing import content_sha256
from trial.core.errors import NotAllowed, Refused
from trial.participants import actions as way_in
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.definition import Bounds, Check, Item, Protocol
from trial.protocol.models import Site

CHANGED = {"value": "28", "missing": ""}


@pytest.fixture
def signed(trial: Trial) -> Form:
    return trial.sign(trial.save(trial.open("bdi"), 0, bdi_total="29"), 1)


def amend(trial: Trial, form: Form, name: str = "anna", **given: Any) -> Amendment:
    asked = {"answers": {"bdi_total": "28"}, "reason_code": "typed_wrong", "password": world.PASSWORD, **given}
    with trial.at_work(name) as by:
        made: Amendment = entry.amend_form(form=form, by=by, **asked)
    return made


def test_an_amendment_is_a_version_beside_what_was_signed(trial: Trial, signed: Form) -> None:
    amendment = amend(trial, signed)
    assert (amendment.number, amendment.reason, amendment.held_on) == (1, "typed_wrong", TODAY)
    with trial.at_work("anna"):
        form = Form.objects.get()
        assert (form.content_sha256, form.signature) == (signed.content_sha256, signed.signature)
        assert Answer.objects.get().value == "29"
        assert queries.answers_in_force(form)["bdi_total"].value == "28"
        rows = Score.objects.order_by("version").values_list("version", "value")
        assert list(rows) == [(0, Decimal(29)), (1, Decimal(28))]
        assert queries.scores_of(form)["bdi"].value == 28
        assert [one.value for one in queries.scores_in_force()] == [Decimal(28)]
        protocol, _instrument = queries.definition_of(form)
        content = entry.content_of(form, protocol, queries.answers_in_force(form), 1)
        assert amendment.content_sha256 == content_sha256(content) == amendment.signature["sha256"]
        assert content["answers"] == {"bdi_total": CHANGED}
    assert amendment.signature["meaning"] == "amendment of a signed form"
    second = amend(trial, signed, answers={}, missing={"bdi_total": "declined"}, reason_code="source_differs")
    assert second.number == 2
    with trial.at_work("anna"):
        score = queries.scores_of(signed)["bdi"]
        assert (score.version, score.value, score.reason) == (2, None, "too_few_answers")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"answers": {"bdi_total": "29"}}, "nothing_changed"),
        ({"answers": {}}, "nothing_changed"),
        ({"answers": {"bdi_total": "64"}}, "answer_invalid"),
        ({"answers": {"other": "1"}}, "item_unknown"),
        ({"answers": {"bdi_total": ""}}, "items_open"),
        ({"answers": {}, "missing": {"bdi_total": "tired"}}, "reason_unknown"),
        ({"reason_code": "because"}, "reason_unknown"),
        ({"password": "guess"}, "password_wrong"),
        ({"username": "ben"}, "name_wrong"),
        ({"held_on": TODAY + dt.timedelta(days=1)}, "day_future"),
    ],
)
def test_what_is_refused(trial: Trial, signed: Form, given: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as caught:
        amend(trial, signed, **given)
    assert caught.value.code == code
    with trial.at_work("anna"):
        assert not Amendment.objects.exists()


def test_only_who_fills_in_the_form_amends_it(trial: Trial, signed: Form) -> None:
    world.make_user("manager", "datamanager")
    trial.people["manager"] = world.person(world.make_user("manager2", "datamanager"))
    for name in ("ben", "coordinator", "rater", "manager"):
        with pytest.raises(NotAllowed):
            amend(trial, signed, name)


def test_a_draft_is_corrected_and_not_amended(trial: Trial) -> None:
    form = trial.save(trial.open("bdi"), 0, bdi_total="29")
    with pytest.raises(Refused, match="not signed yet"):
        amend(trial, form)


def test_the_day_is_amended_and_the_visit_moves(trial: Trial) -> None:
    trial.baseline()
    trial.randomize()
    clock.move_to(START + dt.timedelta(days=70))
    day = TODAY + dt.timedelta(days=62)
    form = trial.sign(trial.save(trial.open("bdi", "M2"), 0, bdi_total="12"), 1, held_on=day)
    with trial.at_work("anna") as by:
        visits.close_visit(participant=trial.participant, visit="M2", by=by)
    moved = day - dt.timedelta(days=2)
    amend(trial, form, answers={}, held_on=moved)
    with trial.at_work("anna"):
        outcomes = VisitOutcome.objects.filter(visit="M2").order_by("number").values_list("outcome", "day")
        assert list(outcomes) == [("attended", day), ("attended", moved)]
        assert queries.day_in_force(form) == moved
        assert Form.objects.get(visit="M2").held_on == day
    with pytest.raises(Refused, match="before randomization"):
        amend(trial, form, answers={}, held_on=TODAY - dt.timedelta(days=1))


def test_an_amendment_can_complete_the_baseline(trial: Trial) -> None:
    form = trial.open("bdi")
    with trial.at_work("anna") as by:
        form = entry.save_answers(form=form, answers={}, missing={"bdi_total": "declined"}, revision=0, by=by)
    form = trial.sign(form, 1)
    trial.sign(trial.save(trial.open("background"), 0, drug="1", length="0"), 1)
    amend(trial, form, reason_code="found_later")
    with trial.at_work("coordinator"):
        trial.participant.refresh_from_db()
        assert trial.participant.baseline_completed_at is not None


def test_nothing_is_amended_after_the_lock(trial: Trial, signed: Form) -> None:
    manager = world.person(world.make_user("manager", "datamanager"))
    with world.at_work(manager):
        way_in.lock_database(password=world.PASSWORD, by=manager)
    with pytest.raises(Refused, match="locked"):
        amend(trial, signed)
    with trial.at_work("anna"), pytest.raises(DatabaseError, match="locked"):
        Amendment(**row(signed, held_on=TODAY - dt.timedelta(days=1))).save(force_insert=True)


def row(form: Form, **more: Any) -> dict[str, Any]:
    """An amendment as somebody would forge it."""
    given = {"form_id": form.pk, "site_id": form.site_id, "number": 1, "reason": "typed_wrong", "held_on": TODAY}
    return {**given, "amended_by": "x", "content_sha256": "a" * 64, "signature": {}, **more}


def answer(form: Form, amendment: Amendment, item: str = "bdi_total") -> AmendedAnswer:
    return AmendedAnswer(amendment=amendment, site_id=form.site_id, item=item, value="1", number=Decimal(1))


def test_the_database_holds_against_forged_amendments(trial: Trial, signed: Form) -> None:
    made = amend(trial, signed)
    tomorrow = TODAY + dt.timedelta(days=1)
    for forged, words in (
        (lambda: Amendment(**row(signed)).save(force_insert=True), "in turn"),
        (lambda: Amendment(**row(signed, number=3, held_on=tomorrow)).save(force_insert=True), "in turn"),
        (lambda: Amendment(**row(signed, number=2)).save(force_insert=True), "changes something"),
        (lambda: Amendment(**row(signed, number=2, held_on=tomorrow, reason="x")).save(force_insert=True), "reason"),
        (lambda: answer(signed, made, "other").save(force_insert=True), "signed and does not change"),
        (lambda: Amendment.objects.update(reason="found_later"), "permission denied"),
        (lambda: AmendedAnswer.objects.update(value="2"), "permission denied"),
        (lambda: Answer.objects.update(value="3"), "do not change"),
    ):
        with trial.at_work("anna"), pytest.raises(DatabaseError, match=words):
            forged()
    draft = trial.open("background")
    with trial.at_work("anna"), pytest.raises(DatabaseError, match="only a signed form"):
        Amendment(**row(draft, held_on=tomorrow)).save(force_insert=True)
    for version, form, words in ((2, signed, "needs that amendment"), (0, draft, "signed form")):
        score = Score(
            form=form, site_id=form.site_id, scale="other", value=1, answered=1, items=1, rater="participant",
            rater_blind=False, version=version,
        )  # fmt: skip
        with trial.at_work("anna"), pytest.raises(DatabaseError, match=words):
            score.save(force_insert=True)


def test_the_owner_cannot_change_an_amendment_either(
    trial: Trial, signed: Form, database: psycopg.Connection[Any]
) -> None:
    amend(trial, signed)
    database.execute("select set_config('equipoise.actor', 'system:test', false)")
    for table in ("entry_amendment", "entry_amendedanswer", "entry_score"):
        with pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
            database.execute(f"delete from {table}")  # type: ignore[arg-type]


def test_an_answer_without_its_amendment_is_not_kept(trial: Trial, signed: Form) -> None:
    orphan = answer(signed, Amendment(**row(signed)))
    with pytest.raises(DatabaseError, match="foreign key"), trial.at_work("anna"):
        orphan.save(force_insert=True)
    with trial.at_work("anna"):
        assert not AmendedAnswer.objects.exists()


def test_the_answers_of_an_amendment_are_of_its_site(imr: Trial) -> None:
    begun = imr.save(imr.open("asi", "T1"), 0, asi_24="3")
    form = imr.sign(begun, begun.revision)
    with world.at_work(world.SETUP):
        forged = Amendment(**row(form))
        astray = answer(form, forged, "asi_24")
        astray.site = Site.objects.exclude(pk=form.site_id).order_by("code").first()
        astray.save(force_insert=True)
        with pytest.raises(DatabaseError, match="of different sites"):
            forged.save(force_insert=True)


def test_the_extract_takes_the_version_in_force(trial: Trial) -> None:
    trial.baseline()
    trial.randomize()
    with trial.at_work("coordinator"):
        bdi = Form.objects.get(instrument="bdi")
        background = Form.objects.get(instrument="background")

    def at_baseline(protocol: Protocol = trial.protocol, plan: Plan | None = None) -> dict[str, str]:
        with world.at_work(world.SETUP):
            lines = io.StringIO(extract(protocol, plan).content.decode()).read().splitlines()
        return dict(zip(lines[0].split(","), lines[1].split(","), strict=True))

    before = at_baseline()
    covariates = {c.item: c.code for c in trial.protocol.analysis.covariates}
    assert (before["bdi"], before["bdi_baseline"], before[covariates["drug"]]) == ("29", "29", "1")
    amend(trial, bdi, answers={"bdi_total": "28"})
    amend(trial, bdi, answers={"bdi_total": "27"})
    amend(trial, background, answers={"drug": "0"})
    after = at_baseline()
    assert (after["bdi"], after["bdi_baseline"], after[covariates["drug"]]) == ("27", "27", "0")
    # without covariates the answer is there where the plan divides by it, and only there
    bare = replace(trial.protocol, analysis=replace(trial.protocol.analysis, covariates=()))
    divided = replace(plain_plan(bare), subgroups=(Subgroup("drug", "Drug", "drug", "Because."),))
    assert at_baseline(bare, divided)["drug"] == "0"
    assert "drug" not in at_baseline(bare)


@pytest.fixture
def imr(database: psycopg.Connection[Any]) -> Iterator[Trial]:
    with clock.frozen(START):
        yield Trial("imr")


def test_odd_answers_are_confirmed_before_they_are_signed(imr: Trial) -> None:
    form = imr.open("sers", "T1")
    alike = {item.code: "7" for item in imr.protocol.instrument("sers").items}
    form = imr.save(form, 0, **alike)
    with imr.at_work("anna") as by:
        with pytest.raises(Refused, match="Look again") as caught:
            entry.sign_form(form=form, revision=1, held_on=TODAY, password=world.PASSWORD, by=by)
        assert caught.value.code == "check_open"
        with pytest.raises(Refused, match="nothing to confirm"):
            entry.confirm_checks(form=form, checks=["other"], by=by)
        entry.confirm_checks(form=form, checks=["sers_all_alike"], by=by)
        assert entry.confirm_checks(form=form, checks=["sers_all_alike"], by=by) == []
        assert Confirmation.objects.get().seen == alike
        # other answers that are odd too were not confirmed
        form = entry.save_answers(form=form, answers=dict.fromkeys(alike, "6"), revision=1, by=by)
        with pytest.raises(Refused, match="Look again"):
            entry.sign_form(form=form, revision=2, held_on=TODAY, password=world.PASSWORD, by=by)
        entry.confirm_checks(form=form, checks=["sers_all_alike"], by=by)
        form = entry.sign_form(form=form, revision=2, held_on=TODAY, password=world.PASSWORD, by=by)
        assert form.is_signed
        with pytest.raises(Refused, match="signed"):
            entry.confirm_checks(form=form, checks=["sers_all_alike"], by=by)
        # an amendment that makes the answers odd again asks again
        entry.amend_form(
            form=form, answers={"sers_pos_01": "1"}, reason_code="typed_wrong", password=world.PASSWORD, by=by
        )
        back = {"form": form, "answers": {"sers_pos_01": "6"}, "reason_code": "typed_wrong", "by": by}
        entry.amend_form(**back, password=world.PASSWORD)  # these answers were confirmed before


def test_a_whole_form_was_not_asked(imr: Trial) -> None:
    form = imr.open("bsi", "T1")
    with imr.at_work("anna") as by:
        with pytest.raises(Refused, match="reason from the list"):
            entry.skip_form(form=form, reason_code="tired", by=by)
        form = entry.skip_form(form=form, reason_code="not_asked", by=by)
        assert set(form.answers.values_list("missing", flat=True)) == {"not_asked"}
        assert form.answers.count() == 53
        assert entry.skip_form(form=form, reason_code="not_asked", by=by).revision == form.revision
    signed = imr.sign(form, form.revision)
    with imr.at_work("anna"):
        assert {score.reason for score in signed.scores.all()} == {"too_few_answers"}
    begun = imr.save(imr.open("asi", "T1"), 0, asi_24="3")
    with imr.at_work("anna") as by, pytest.raises(Refused, match="has answers"):
        entry.skip_form(form=begun, reason_code="not_asked", by=by)


def test_one_proof_signs_the_complete_forms_of_a_visit(imr: Trial) -> None:
    forms = {
        "asi": imr.save(imr.open("asi", "T1"), 0, asi_24="3"),
        "mspss": imr.save(imr.open("mspss", "T1"), 0, mspss_01="3"),
    }
    asked = {"participant": imr.participant, "visit": "T1", "held_on": TODAY, "password": world.PASSWORD}
    with imr.at_work("anna") as by:
        for revisions, words in (
            ({}, "No form"),
            ({"asi": 1, "mspss": 1}, "neither an answer nor a reason"),
            ({"asi": 0}, "was changed"),
            ({"bsi": 1}, "no form bsi"),
        ):
            with pytest.raises(Refused, match=words):
                entry.sign_visit(**asked, revisions=revisions, by=by)
            assert not Form.objects.filter(state="signed").exists(), "all of them, or none"
        one = entry.sign_visit(**asked, revisions={"asi": 1}, username=" Anna ", by=by)[0]
        assert one.signature["components"] == "user name and password"
        assert one.signature["meaning"] == "form complete and true"
    with imr.at_work("rater") as by, pytest.raises(NotAllowed):
        entry.sign_visit(**asked, revisions={"mspss": forms["mspss"].revision}, by=by)


def test_answers_that_cannot_be_together_are_signed_by_nobody(trial: Trial) -> None:
    bdi = trial.protocol.instrument("bdi")
    never = Check("never_13", "Thirteen is no score of this form.", "hard", expect=(Bounds("bdi_total", 14, 63),))
    forms = tuple(replace(one, checks=(never,)) if one.code == "bdi" else one for one in trial.protocol.instruments)
    with world.at_work(world.SETUP) as by:
        load_version(protocol=replace(trial.protocol, instruments=forms), used=Used(), by=by)
    assert bdi.checks == ()
    form = trial.save(trial.open("bdi"), 0, bdi_total="13")
    with world.at_work(world.SETUP) as by:
        for refused in (
            lambda: entry.sign_form(form=form, revision=1, held_on=TODAY, by=by),
            lambda: entry.confirm_checks(form=form, checks=["never_13"], by=by),
        ):
            with pytest.raises(Refused, match=r"Thirteen|nothing to confirm"):
                refused()
        another = world.register(by, trial.team)
        with pytest.raises(Refused, match="Thirteen"):
            entry.record_form(
                participant=another, visit="M0", instrument="bdi", answers={"bdi_total": "13"}, held_on=TODAY, by=by
            )
    signed = trial.sign(trial.save(form, 1, bdi_total="14"), 2)
    with pytest.raises(Refused, match="Thirteen"):
        amend(trial, signed, answers={"bdi_total": "13"})


def test_words_are_amended_until_randomization_only(trial: Trial) -> None:
    """Later they could name the arm, and the data manager reads them. The other answers of the form are amended as before."""
    protocol = world.read("btheb")
    remark = Item("remark", "Remark", "text", max=50, optional=True)
    forms = tuple(
        replace(one, items=(*one.items, remark)) if one.code == "background" else one for one in protocol.instruments
    )
    with world.at_work(world.SETUP):
        load_version(protocol=replace(protocol, instruments=forms), used=Used(), by=world.SETUP)
    form = trial.open("background")
    form = trial.sign(trial.save(form, 0, drug="1", length="0", remark="one"), 1)
    amend(trial, form, answers={"remark": "two"})
    trial.sign(trial.save(trial.open("bdi"), 0, bdi_total="29"), 1)
    trial.randomize()
    with pytest.raises(Refused, match="Free text does not change after randomization: Remark"):
        amend(trial, form, answers={"remark": "she is in the group"})
    assert amend(trial, form, answers={"drug": "0"}).number == 2
