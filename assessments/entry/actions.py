"""Filling in forms: open, save answers, sign.

Answers are saved as they are typed. Whoever saves names the revision of the form that they saw; an answer that somebody else changed
since is never overwritten without a word (:class:`AnswersConflict`), and answers that do not touch each other merge.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assessments.entry import queries
from assessments.entry.models import Answer, Form, Score
from assessments.instruments.answers import InvalidAnswer, Value, open_items, read
from assessments.instruments.scoring import ScaleScore, score_form
from assessments.visits.actions import record_attended
from assessments.visits.models import VisitOutcome
from assessments.visits.queries import outcome_in_force
from assessments.visits.rules import must_be_asked, must_enter
from trial.core import clock, db
from trial.core.access import Person
from trial.core.access.signing import content_sha256, sign
from trial.core.actions import action
from trial.core.errors import Conflict, Refused
from trial.participants.actions import record_baseline, refuse_if_locked
from trial.participants.models import Participant
from trial.participants.queries import INTERVIEWS, stopped_parts
from trial.protocol.definition import Instrument, Item, Protocol
from trial.protocol.queries import current, version

MEANING = "form complete and true"


@dataclass(frozen=True)
class Clash:
    """An answer that was changed since it was seen: what is stored now, and what was about to replace it. Texts or codes."""

    item: str
    stored: str
    given: str


class AnswersConflict(Conflict):
    """Answers were changed since the caller saw them; nothing of the call was saved.

    ``clashes`` names them; whoever has compared them saves again with ``revision``.
    """

    def __init__(self, clashes: tuple[Clash, ...], form: Form) -> None:
        message = ngettext(
            "%(n)d answer was changed elsewhere since you saw it. Your answers are still on this page; nothing was saved.",
            "%(n)d answers were changed elsewhere since you saw them. Your answers are still on this page; nothing was"
            " saved.",
            len(clashes),
        ) % {"n": len(clashes)}
        super().__init__("answers_conflict", message)
        self.clashes, self.revision = clashes, form.revision
        self.saved_at, self.saved_by = form.saved_at, form.saved_by


@action
def open_form(*, participant: Participant, visit: str, instrument: str, by: db.Actor) -> Form:
    """The form of this instrument at this visit, made as a draft if there is none yet.

    Refuses a form that the protocol does not have, a follow-up form before randomization, and a form of the
    interview at a visit recorded as missed (a clinician can rate without it), and one whose part of the consent is not in force.
    """
    refuse_if_locked()
    protocol = current()
    asked = _asked(protocol, visit, instrument)
    must_enter(by, participant, asked)
    if not protocol.visit(visit).is_baseline and participant.randomized_at is None:
        raise Refused(
            "not_randomized", _("Visits after the baseline begin with randomization; it has not taken place yet.")
        )
    known = queries.find(participant.pk, visit, instrument)
    if known is not None:
        return known
    must_be_asked(protocol, participant, asked)
    outcome = outcome_in_force(participant.pk, visit)
    if asked.rater in queries.OWN and outcome is not None and outcome.outcome == VisitOutcome.Outcome.MISSED:
        raise Refused("visit_missed", _("This visit is recorded as missed. Reopen it first."))
    form = Form(
        site_id=participant.site_id,
        participant=participant,
        visit=visit,
        instrument=instrument,
        protocol_version=version(),
        rater=asked.rater,
        rater_blind=asked.rater_blind,
        opened_by=by.actor_id,
    )
    try:
        with db.atomic():
            form.save(force_insert=True)
    except IntegrityError as error:
        if "entry_form_once" not in str(error):
            raise
        made = queries.find(participant.pk, visit, instrument)
        if made is None:  # pragma: no cover - the constraint says that it exists
            raise
        return made
    return form


@action
def save_answers(
    *,
    form: Form,
    answers: Mapping[str, str],
    revision: int,
    by: db.Actor,
    missing: Mapping[str, str] | None = None,
) -> Form:
    """Save answers by item code: a text, or "" to take the answer back. ``missing`` gives reasons (codes) in place of answers.

    What equals what is stored changes nothing, not even the revision. Refuses a signed form, an item that the form does not have, a
    value that the item can't hold and an unknown reason (Refused), and answers changed since ``revision`` (AnswersConflict).
    """
    refuse_if_locked()
    form = _lock(form)
    protocol, instrument = queries.definition_of(form)
    must_enter(by, form.participant, instrument)
    _must_be_draft(form)
    wanted = _wanted(protocol, instrument, answers, missing or {})
    stored = queries.answers_of(form)
    changes = {code: new for code, new in wanted.items() if new != _as_stored(stored.get(code))}
    newer = {code for code in changes if code in stored and stored[code].revision > revision}
    # A page that never showed an answer does not take it back.
    changes = {code: new for code, new in changes.items() if not (code in newer and new == _NOTHING)}
    clashes = tuple(
        Clash(code, stored[code].value or stored[code].missing, changes[code].text or changes[code].missing)
        for code in (item.code for item in instrument.items)
        if code in newer and code in changes
    )
    if clashes:
        raise AnswersConflict(clashes, form)
    if not changes:
        return form
    form.revision += 1
    form.saved_at, form.saved_by = clock.now(), by.actor_id
    _write(form, stored, changes)
    form.save(update_fields=["revision", "saved_at", "saved_by"])
    return form


@action
def sign_form(*, form: Form, revision: int, held_on: dt.date, by: db.Actor, password: str = "") -> Form:
    """Sign a form: it is closed for good, its scores are computed, and the baseline is complete when all its forms are signed.

    A person proves the signature with the password; a part of the system (an import) has none, and the signature says so.
    ``held_on``: the day of the assessment. Refuses a form with open items (each needs an answer or a reason), one that was changed
    since ``revision``, and a day in the future or before randomization.
    """
    refuse_if_locked()
    form = _lock(form)
    protocol, instrument = queries.definition_of(form)
    must_enter(by, form.participant, instrument)
    _must_be_draft(form)
    if form.revision != revision:
        raise Conflict(
            "form_changed", _("The form was changed since you checked it. Nothing was signed; check it again.")
        )
    _check_day(protocol, form, held_on)
    answers = queries.answers_of(form)
    left = open_items(instrument, {code for code, answer in answers.items() if answer.value or answer.missing})
    if left:
        raise Refused(
            "items_open",
            ngettext(
                "%(n)d item has neither an answer nor a reason: %(items)s.",
                "%(n)d items have neither an answer nor a reason: %(items)s.",
                len(left),
            )
            % {"n": len(left), "items": ", ".join(item.topic for item in left[:5]) + (" …" if len(left) > 5 else "")},
        )
    form.held_on = held_on
    content = content_of(form, protocol, answers)
    form.content_sha256 = content_sha256(content)
    form.signature = _signature(by, password, content)
    form.state, form.signed_at, form.signed_by = Form.State.SIGNED, clock.now(), by.actor_id
    form.save(update_fields=["state", "held_on", "signed_at", "signed_by", "content_sha256", "signature"])
    scores = score_form(instrument, {code: a.number for code, a in answers.items() if a.number is not None})
    _store(form, scores)
    if protocol.visit(form.visit).is_baseline:
        _complete_baseline(form, by)
    return form


def content_of(form: Form, protocol: Protocol, answers: Mapping[str, Answer]) -> dict[str, Any]:
    """What a signature signs: whose form it is, under which protocol, of which day, and every answer."""
    return {
        "participant": form.participant.number,
        "visit": form.visit,
        "instrument": form.instrument,
        "protocol": protocol.sha256,
        "rater": form.rater,
        "held_on": form.held_on.isoformat() if form.held_on else "",
        "answers": {
            code: {"value": answer.value, "missing": answer.missing}
            for code, answer in sorted(answers.items())
            if answer.value or answer.missing
        },
    }


@dataclass(frozen=True)
class _New:
    """What an item is to hold; ``number`` follows from ``text``."""

    text: str = ""
    missing: str = ""
    number: Decimal | None = field(default=None, compare=False)


_NOTHING = _New()


def _as_stored(answer: Answer | None) -> _New:
    return _New(text=answer.value, missing=answer.missing) if answer else _NOTHING


def _wanted(
    protocol: Protocol, instrument: Instrument, answers: Mapping[str, str], missing: Mapping[str, str]
) -> dict[str, _New]:
    known = {item.code: item for item in instrument.items}
    unknown = sorted({*answers, *missing} - set(known))
    if unknown:
        raise Refused("item_unknown", _("This form has no item %(item)s.") % {"item": ", ".join(unknown)})
    reasons = {reason.code for reason in protocol.reasons.missing_item}
    wanted: dict[str, _New] = {}
    for code, text in answers.items():
        if text.strip() == "":
            wanted[code] = _NOTHING
        else:
            value = _read(known[code], text)
            wanted[code] = _New(value.text, number=value.number)
    for code, reason_code in missing.items():
        if reason_code not in reasons:
            raise Refused("reason_unknown", _("Choose a reason from the list of the protocol."))
        if wanted.get(code, _NOTHING) == _NOTHING:
            wanted[code] = _New(missing=reason_code)
    return wanted


def _read(item: Item, text: str) -> Value:
    try:
        return read(item, text)
    except InvalidAnswer as error:
        raise Refused(
            "answer_invalid", _("%(topic)s: “%(text)s” is no valid answer.") % {"topic": item.topic, "text": text[:40]}
        ) from error


def _write(form: Form, stored: Mapping[str, Answer], changes: Mapping[str, _New]) -> None:
    made = []
    for code, new in changes.items():
        answer = stored.get(code) or Answer(form=form, site_id=form.site_id, item=code)
        answer.value, answer.missing, answer.number, answer.revision = new.text, new.missing, new.number, form.revision
        if code in stored:
            answer.save(update_fields=["value", "number", "missing", "revision"])
        else:
            made.append(answer)
    Answer.objects.bulk_create(made)


def _lock(form: Form) -> Form:
    held = Form.objects.select_for_update(no_key=True, of=("self",))
    return held.select_related("protocol_version", "participant").get(pk=form.pk)


def _must_be_draft(form: Form) -> None:
    if form.is_signed:
        raise Refused("form_signed", _("This form is signed and does not change any more."))


def _asked(protocol: Protocol, visit: str, instrument: str) -> Instrument:
    for one in protocol.instruments_at(visit):
        if one.code == instrument:
            return one
    raise Refused("form_unknown", _("The protocol has no form %(form)s at this visit.") % {"form": instrument})


def _check_day(protocol: Protocol, form: Form, held_on: dt.date) -> None:
    if held_on > clock.today():
        raise Refused("day_future", _("The day of the assessment lies in the future. Check the date."))
    randomized = form.participant.randomized_at
    follow_up = not protocol.visit(form.visit).is_baseline
    if follow_up and randomized is not None and held_on < timezone.localtime(randomized).date():
        raise Refused("day_early", _("The day of the assessment lies before randomization. Check the date."))


def _signature(by: db.Actor, password: str, content: dict[str, Any]) -> dict[str, str]:
    if isinstance(by, Person):
        return sign(person=by, password=password, meaning=MEANING, content=content)
    return {
        "name": by.actor_id,
        "person": by.actor_id,
        "meaning": MEANING,
        "at": clock.now().isoformat(timespec="seconds"),
        "sha256": content_sha256(content),
    }


def _store(form: Form, scores: tuple[ScaleScore, ...]) -> None:
    Score.objects.bulk_create(
        Score(
            form=form,
            site_id=form.site_id,
            scale=score.scale,
            value=score.value,
            reason=score.reason.value if score.reason else "",
            answered=score.answered,
            items=score.items,
            rater=form.rater,
            rater_blind=form.rater_blind,
        )
        for score in scores
    )


def _complete_baseline(form: Form, by: db.Actor) -> None:
    """The gate: every baseline form that the consent allows is signed, clinician-rated ones too, and the primary score computable."""
    protocol = current()
    forms = queries.forms_of(form.participant_id, form.visit)
    outcome = outcome_in_force(form.participant_id, form.visit)
    if outcome is not None and outcome.outcome == VisitOutcome.Outcome.MISSED:
        return
    stopped = stopped_parts([form.participant_id], protocol).get(form.participant_id, frozenset())
    asked = [one for one in protocol.instruments_at(form.visit) if queries.PART_OF[one.rater] not in stopped]
    if INTERVIEWS in stopped or queries.unsigned(asked, forms):
        return
    if queries.primary_value(protocol, forms) is None:
        return
    record_attended(participant=form.participant, visit=form.visit, by=by)
    record_baseline(participant=form.participant, by=by)
