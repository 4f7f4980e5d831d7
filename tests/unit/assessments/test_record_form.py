"""A form in one go is the form of the three steps."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.test.utils import CaptureQueriesContext

from assessments.entry import actions as entry
from assessments.entry.models import Form
from assessments.visits import actions as visits
from tests import world
from tests.unit.assessments.small_trial import START, TODAY, Trial
from trial.core import clock
from trial.core.errors import NotAllowed, Refused
from trial.core.models import History

OURS = {"id", "form_id", "opened_at", "saved_at", "signed_at", "revision", "participant_id"}
"""Keys and instants, which are new in every row, and the revision."""


@pytest.fixture
def imr(database: psycopg.Connection[Any]) -> Iterator[Trial]:
    with clock.frozen(START):
        yield Trial("imr")


def given(imr: Trial, instrument: str) -> tuple[dict[str, str], dict[str, str]]:
    """An answer to every item but each seventh, which has a reason."""
    items = imr.protocol.instrument(instrument).items
    answers = {item.code: str(item.limits[1 if n % 3 else 0]) for n, item in enumerate(items) if n % 7}
    return answers, {item.code: "declined" for n, item in enumerate(items) if n % 7 == 0}


def rows(form: Form) -> dict[str, list[dict[str, Any]]]:
    """Everything that was stored of a form, without what is new in every row."""
    found = {
        "form": [vars(Form.objects.get(pk=form.pk))],
        "answers": [vars(one) for one in form.answers.order_by("item")],
        "scores": [vars(one) for one in form.scores.order_by("scale")],
    }
    plain = {
        name: [{key: value for key, value in row.items() if key not in OURS and key != "_state"} for row in listed]
        for name, listed in found.items()
    }
    for one in plain["form"]:
        one["signature"] = {key: value for key, value in one["signature"].items() if key not in ("at", "sha256")}
        del one["content_sha256"]  # of another participant's content
    return plain


@pytest.mark.parametrize("instrument", ["bsi", "mspss", "background", "ses"])
def test_the_rows_are_those_of_the_three_steps(imr: Trial, instrument: str) -> None:
    answers, missing = given(imr, instrument)
    with world.at_work(world.SETUP) as by:
        assert imr.team is not None
        other = world.register(by, imr.team)
        form = entry.open_form(participant=imr.participant, visit="T1", instrument=instrument, by=by)
        form = entry.save_answers(form=form, answers=answers, missing=missing, revision=0, by=by)
        stepwise = entry.sign_form(form=form, revision=1, held_on=TODAY, by=by)
        at_once = entry.record_form(
            participant=other, visit="T1", instrument=instrument, answers=answers, missing=missing, held_on=TODAY, by=by
        )
        assert rows(stepwise) == rows(at_once)
        written = [
            list(History.objects.filter(table_name=table, row_id__in=keys).values_list("operation", flat=True))
            for one in (stepwise, at_once)
            for table, keys in (
                ("entry_form", [str(one.pk)]),
                ("entry_answer", [str(a.pk) for a in one.answers.all()]),
                ("entry_score", [str(s.pk) for s in one.scores.all()]),
            )
        ]
    assert [sorted(ops) for ops in written[1:3]] == [sorted(ops) for ops in written[4:]]


def test_the_same_content_has_the_same_hash(imr: Trial) -> None:
    """The hash covers the participant, so one form is signed in steps, rolled back, and recorded at once."""
    answers, missing = given(imr, "mspss")
    hashes = []
    for at_once in (False, True):
        with world.at_work(world.SETUP) as by:
            if at_once:
                form = entry.record_form(
                    participant=imr.participant, visit="T1", instrument="mspss", answers=answers, missing=missing,
                    held_on=TODAY, by=by,
                )  # fmt: skip
            else:
                form = entry.open_form(participant=imr.participant, visit="T1", instrument="mspss", by=by)
                form = entry.save_answers(form=form, answers=answers, missing=missing, revision=0, by=by)
                form = entry.sign_form(form=form, revision=1, held_on=TODAY, by=by)
            hashes.append((form.content_sha256, form.signature["sha256"]))
            from trial.core import db

            db.rollback_at_end()
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"answers": {"asi_24": "31"}}, "answer_invalid"),
        ({"answers": {}}, "items_open"),
        ({"answers": {"other": "1"}}, "item_unknown"),
        ({"answers": {}, "missing": {"asi_24": "tired"}}, "reason_unknown"),
        ({"visit": "T2"}, "not_randomized"),
        ({"instrument": "nothing"}, "form_unknown"),
        ({"held_on": TODAY.replace(year=2027)}, "day_future"),
    ],
)
def test_it_refuses_what_the_steps_refuse(imr: Trial, change: dict[str, Any], code: str) -> None:
    asked = {"visit": "T1", "instrument": "asi", "answers": {"asi_24": "3"}, "held_on": TODAY, **change}
    with world.at_work(world.SETUP) as by:
        with pytest.raises(Refused) as caught:
            entry.record_form(participant=imr.participant, by=by, **asked)
        assert caught.value.code == code
        assert not Form.objects.exists()


def test_no_person_and_not_twice_and_not_of_a_missed_visit(imr: Trial) -> None:
    asked = {"participant": imr.participant, "visit": "T1", "answers": {"asi_24": "3"}, "held_on": TODAY}
    with imr.at_work("anna") as by, pytest.raises(NotAllowed):
        entry.record_form(**asked, instrument="asi", by=by)
    with world.at_work(world.SETUP) as by:
        entry.record_form(**asked, instrument="asi", by=by)
        with pytest.raises(Refused, match="exists already"):
            entry.record_form(**asked, instrument="asi", by=by)
        visits.record_missed(participant=imr.participant, visit="T1", reason_code="declined", by=by)
        with pytest.raises(Refused, match="Reopen it first"):
            entry.record_form(**{**asked, "answers": {}}, instrument="mspss", by=by)


def test_the_last_form_completes_the_baseline(imr: Trial) -> None:
    with world.at_work(world.SETUP) as by:
        for one in imr.protocol.instruments_at("T1"):
            imr.participant.refresh_from_db()
            assert imr.participant.baseline_completed_at is None
            lowest = {item.code: str(item.limits[0]) for item in one.items}
            entry.record_form(
                participant=imr.participant, visit="T1", instrument=one.code, answers=lowest, held_on=TODAY, by=by
            )
        imr.participant.refresh_from_db()
        assert imr.participant.baseline_completed_at is not None


def test_one_insert_a_table(imr: Trial) -> None:
    from django.db import connections

    answers, missing = given(imr, "bsi")
    with world.at_work(world.SETUP) as by, CaptureQueriesContext(connections["default"]) as captured:
        entry.record_form(
            participant=imr.participant, visit="T1", instrument="bsi", answers=answers, missing=missing,
            held_on=TODAY, by=by,
        )  # fmt: skip
    said = [query["sql"] for query in captured.captured_queries]
    for table in ("entry_form", "entry_answer", "entry_score"):
        assert sum(sql.startswith(f'INSERT INTO "{table}"') for sql in said) == 1, table
