"""Filling in forms: open, save answers, say that a form was not asked, confirm odd answers.

Answers are saved as they are typed. Whoever saves names the revision of the form that they saw; an answer that somebody else changed
since is never overwritten without a word (:class:`AnswersConflict`), and answers that do not touch each other merge.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assessments.entry import queries
from assessments.entry.models import Answer, Confirmation, Form
from assessments.entry.wanted import NOTHING, New, as_stored, must_be_reason, wanted_answers
from assessments.instruments.checks import looked_at
from assessments.visits.models import VisitOutcome
from assessments.visits.queries import outcome_in_force
from assessments.visits.rules import must_be_asked, must_enter
from trial.core import clock, db
from trial.core.actions import action, part
from trial.core.errors import Conflict, Refused
from trial.participants.actions import refuse_if_locked
from trial.participants.models import Participant
from trial.protocol.definition import Instrument, Protocol
from trial.protocol.models import ProtocolVersion
from trial.protocol.queries import current, version


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
    asked = asked_at(protocol, visit, instrument)
    must_enter(by, participant, asked)
    must_be_randomized(protocol, participant, visit)
    known = queries.find(participant.pk, visit, instrument)
    if known is not None:
        return known
    must_be_asked(protocol, participant, asked)
    must_not_be_missed(participant, visit, asked)
    form = new_form(participant, visit, asked, version(), by)
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
    form = lock_form(form)
    protocol, instrument = queries.definition_of(form)
    must_enter(by, form.participant, instrument)
    must_be_draft(form)
    wanted = wanted_answers(protocol, instrument, answers, missing or {})
    stored = queries.answers_of(form)
    changes = {code: new for code, new in wanted.items() if new != as_stored(stored.get(code))}
    newer = {code for code in changes if code in stored and stored[code].revision > revision}
    # A page that never showed an answer does not take it back.
    changes = {code: new for code, new in changes.items() if not (code in newer and new == NOTHING)}
    clashes = tuple(
        Clash(code, stored[code].value or stored[code].missing, changes[code].text or changes[code].missing)
        for code in (item.code for item in instrument.items)
        if code in newer and code in changes
    )
    if clashes:
        raise AnswersConflict(clashes, form)
    return _save(form, stored, changes, by)


@action
def skip_form(*, form: Form, reason_code: str, by: db.Actor) -> Form:
    """The whole form was not asked: every item that needs an answer gets this reason. It is signed like any other form.

    Refuses a form that holds an answer already: then each open item has a reason of its own.
    """
    refuse_if_locked()
    form = lock_form(form)
    protocol, instrument = queries.definition_of(form)
    must_enter(by, form.participant, instrument)
    must_be_draft(form)
    must_be_reason(protocol, reason_code)
    stored = queries.answers_of(form)
    if any(answer.value for answer in stored.values()):
        raise Refused("form_begun", _("This form has answers. Give a reason for each item that is still open instead."))
    reason = New(missing=reason_code)
    needed = [item.code for item in instrument.items if not item.optional]
    changes = {code: reason for code in needed if as_stored(stored.get(code)) != reason}
    return _save(form, stored, changes, by)


@action
def confirm_checks(*, form: Form, checks: Collection[str], by: db.Actor) -> list[Confirmation]:
    """The odd answers that these soft checks name have been looked at again, and are meant. Twice is once.

    A confirmation holds for the answers as they are now. Refuses a check that does not fail, and a hard one.
    """
    refuse_if_locked()
    form = lock_form(form)
    _protocol, instrument = queries.definition_of(form)
    must_enter(by, form.participant, instrument)
    must_be_draft(form)
    return add_confirmations(form, instrument, queries.numbers(queries.answers_of(form)), checks, by)


@part
def add_confirmations(
    form: Form, instrument: Instrument, numbers: Mapping[str, Decimal], checks: Collection[str], by: db.Actor
) -> list[Confirmation]:
    """Store that these checks were confirmed, for these answers."""
    left = {check.code: check for check in queries.unconfirmed(form, instrument, numbers) if check.strength == "soft"}
    known = {one.check_code for one in form.confirmations.all()}
    unknown = sorted(set(checks) - set(left) - known)
    if unknown:
        raise Refused("check_unknown", _("There is nothing to confirm: %(checks)s.") % {"checks": ", ".join(unknown)})
    return Confirmation.objects.bulk_create(
        Confirmation(
            form=form, site_id=form.site_id, check_code=code, seen=looked_at(left[code], numbers), confirmed_by=by.actor_id
        )
        for code in checks
        if code in left
    )  # fmt: skip


def _save(form: Form, stored: Mapping[str, Answer], changes: Mapping[str, New], by: db.Actor) -> Form:
    if not changes:
        return form
    form.revision += 1
    form.saved_at, form.saved_by = clock.now(), by.actor_id
    _write(form, stored, changes)
    form.save(update_fields=["revision", "saved_at", "saved_by"])
    return form


def new_form(participant: Participant, visit: str, asked: Instrument, protocol: ProtocolVersion, by: db.Actor) -> Form:
    """A draft that is not saved yet. Rater and blindness are facts of the instrument at this moment."""
    return Form(
        site_id=participant.site_id,
        participant=participant,
        visit=visit,
        instrument=asked.code,
        protocol_version=protocol,
        rater=asked.rater,
        rater_blind=asked.rater_blind,
        opened_by=by.actor_id,
    )


def must_be_randomized(protocol: Protocol, participant: Participant, visit: str) -> None:
    """Refuse a follow-up visit before randomization."""
    if not protocol.visit(visit).is_baseline and participant.randomized_at is None:
        raise Refused(
            "not_randomized", _("Visits after the baseline begin with randomization; it has not taken place yet.")
        )


def must_not_be_missed(participant: Participant, visit: str, asked: Instrument) -> None:
    """Refuse a form of the interview at a visit recorded as missed; a clinician can rate without the interview."""
    outcome = outcome_in_force(participant.pk, visit)
    if asked.rater in queries.OWN and outcome is not None and outcome.outcome == VisitOutcome.Outcome.MISSED:
        raise Refused("visit_missed", _("This visit is recorded as missed. Reopen it first."))


def _write(form: Form, stored: Mapping[str, Answer], changes: Mapping[str, New]) -> None:
    made = []
    for code, new in changes.items():
        answer = stored.get(code) or Answer(form=form, site_id=form.site_id, item=code)
        answer.value, answer.missing, answer.number, answer.revision = new.text, new.missing, new.number, form.revision
        if code in stored:
            answer.save(update_fields=["value", "number", "missing", "revision"])
        else:
            made.append(answer)
    Answer.objects.bulk_create(made)


@part
def lock_form(form: Form) -> Form:
    """The form as it is now, held against a second change until this one is committed."""
    held = Form.objects.select_for_update(no_key=True, of=("self",))
    return held.select_related("protocol_version", "participant").get(pk=form.pk)


def must_be_draft(form: Form) -> None:
    """Refuse a signed form."""
    if form.is_signed:
        raise Refused("form_signed", _("This form is signed and does not change any more."))


def asked_at(protocol: Protocol, visit: str, instrument: str) -> Instrument:
    """The instrument, if the protocol asks it at this visit; else refused."""
    for one in protocol.instruments_at(visit):
        if one.code == instrument:
            return one
    raise Refused("form_unknown", _("The protocol has no form %(form)s at this visit.") % {"form": instrument})
