"""Amending a signed form: a new version beside it. Nothing that was signed changes."""

import datetime as dt
from collections.abc import Collection, Mapping

from django.utils.translation import gettext as _

from assessments.entry import queries
from assessments.entry.actions.filling import add_confirmations, lock_form
from assessments.entry.actions.signing import (
    check_day,
    complete_baseline,
    content_of,
    must_be_complete,
    must_go_together,
    proof_of,
    signature,
    store_scores,
)
from assessments.entry.models import AmendedAnswer, Amendment, Form
from assessments.entry.wanted import New, as_stored, wanted_answers
from assessments.instruments.scoring import score_form
from assessments.visits.actions import redate_attended
from assessments.visits.rules import must_enter
from trial.core import db
from trial.core.access.signing import content_sha256
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants.actions import refuse_if_locked
from trial.protocol.definition import Instrument

MEANING = "amendment of a signed form"


@action
def amend_form(
    *,
    form: Form,
    answers: Mapping[str, str],
    reason_code: str,
    by: db.Actor,
    missing: Mapping[str, str] | None = None,
    held_on: dt.date | None = None,
    confirm: Collection[str] = (),
    password: str = "",
    username: str | None = None,
) -> Amendment:
    """A new version of a signed form: changed answers (or reasons in their place, or the day), why, and a new signature.

    The signed answers and scores stay as they are; the scores of the new version are added. By whoever may fill in the form: the
    data manager asks, and does not change data. Refuses a draft, an unknown reason, a change that changes nothing, and what
    signing refuses; ``confirm`` names soft checks that were looked at again. After randomization free text stays as it was signed.
    """
    refuse_if_locked()
    form = lock_form(form)
    protocol, instrument = queries.definition_of(form)
    must_enter(by, form.participant, instrument)
    if not form.is_signed:
        raise Refused("form_draft", _("This form is not signed yet: correct it as it is filled in."))
    if reason_code not in Amendment.Reason.values:
        raise Refused("reason_unknown", _("Choose a reason from the list."))
    last = queries.last_amendment(form)
    before = queries.answers_in_force(form)
    wanted = wanted_answers(protocol, instrument, answers, missing or {})
    changes = {code: new for code, new in wanted.items() if new != as_stored(before.get(code))}
    _refuse_words(form, instrument, changes)
    day = queries.day_in_force(form)
    form.held_on = held_on or day
    if not changes and form.held_on == day:
        raise Refused("nothing_changed", _("This is what the form holds already: there is nothing to amend."))
    check_day(protocol, form, form.held_on)
    amendment = Amendment(
        form=form, site_id=form.site_id, number=last.number + 1 if last else 1, reason=reason_code,
        held_on=form.held_on, amended_by=by.actor_id,
    )  # fmt: skip
    rows = {code: _row(amendment, code, new) for code, new in changes.items()}
    after = {**before, **rows}
    must_be_complete(instrument, after)
    numbers = queries.numbers(after)
    add_confirmations(form, instrument, numbers, confirm, by)
    must_go_together(queries.unconfirmed(form, instrument, numbers), by)
    content = content_of(form, protocol, after, amendment.number)
    amendment.content_sha256 = content_sha256(content)
    amendment.signature = signature(proof_of(by, password, username), by, MEANING, content)
    AmendedAnswer.objects.bulk_create(rows.values())  # before the row that closes their version
    amendment.save(force_insert=True)
    store_scores(form, score_form(instrument, numbers), amendment.number)
    if amendment.held_on != day:
        redate_attended(participant=form.participant, visit=form.visit, by=by)
    complete_baseline(form.participant, form.visit, by)
    return amendment


def _refuse_words(form: Form, instrument: Instrument, changes: Mapping[str, New]) -> None:
    """Words typed after randomization could name the arm, and blinded people read them."""
    texts = [item.topic for item in instrument.items if item.kind == "text" and item.code in changes]
    if texts and form.participant.randomized_at is not None:
        raise Refused(
            "words_later",
            _("Free text does not change after randomization: %(items)s. Amend the other answers.")
            % {"items": ", ".join(texts)},
        )


def _row(amendment: Amendment, code: str, new: New) -> AmendedAnswer:
    return AmendedAnswer(
        amendment=amendment,
        site_id=amendment.site_id,
        item=code,
        value=new.text,
        number=new.number,
        missing=new.missing,
    )
