"""Signing forms: one by one, or all complete forms of a visit with one proof of who signs. A signed form is closed for good."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assessments.entry import queries
from assessments.entry.actions.filling import lock_form, must_be_draft
from assessments.entry.models import Form, Score
from assessments.entry.wanted import Held
from assessments.instruments.answers import open_items
from assessments.instruments.scoring import ScaleScore, score_form
from assessments.visits.actions import record_attended
from assessments.visits.models import VisitOutcome
from assessments.visits.queries import outcome_in_force
from assessments.visits.rules import must_enter
from trial.core import clock, db
from trial.core.access import Person
from trial.core.access.signing import Proof, content_sha256, prove, signed
from trial.core.actions import action, part
from trial.core.errors import Conflict, Refused
from trial.participants.actions import record_baseline, refuse_if_locked
from trial.participants.models import Participant
from trial.participants.queries import INTERVIEWS, stopped_parts
from trial.protocol.definition import Check, Instrument, Protocol
from trial.protocol.queries import current

MEANING = "form complete and true"


@action
def sign_form(
    *, form: Form, revision: int, held_on: dt.date, by: db.Actor, password: str = "", username: str | None = None
) -> Form:
    """Sign a form: it is closed for good, its scores are computed, and the baseline is complete when all its forms are signed.

    A person proves the signature with the password, and with ``username`` where the page asked for it; a part of the system (an
    import) has none, and the signature says so. ``held_on``: the day of the assessment. Refuses a form with open items (each needs
    an answer or a reason), one with answers that cannot be together or that nobody confirmed, one that was changed since
    ``revision``, and a day in the future or before randomization.
    """
    refuse_if_locked()
    form = _close(form, revision, held_on, by, proof_of(by, password, username))
    complete_baseline(form.participant, form.visit, by)
    return form


@action
def sign_visit(
    *,
    participant: Participant,
    visit: str,
    revisions: Mapping[str, int],
    held_on: dt.date,
    by: db.Actor,
    password: str = "",
    username: str | None = None,
) -> list[Form]:
    """Sign several forms of a visit with one proof; each gets its own signature. All of them, or none.

    ``revisions``: of each form to be signed, by instrument, as it was checked. Refuses what :func:`sign_form` refuses, and no form.
    """
    refuse_if_locked()
    if not revisions:
        raise Refused("nothing_to_sign", _("No form of this visit is complete. Fill one in first."))
    forms = queries.forms_of(participant.pk, visit)
    absent = sorted(set(revisions) - set(forms))
    if absent:
        raise Refused("form_unknown", _("This visit has no form %(form)s.") % {"form": ", ".join(absent)})
    proof = proof_of(by, password, username)
    done = [_close(forms[code], revision, held_on, by, proof) for code, revision in revisions.items()]
    complete_baseline(done[0].participant, visit, by)
    return done


def _close(form: Form, revision: int, held_on: dt.date, by: db.Actor, proof: Proof | None) -> Form:
    form = lock_form(form)
    protocol, instrument = queries.definition_of(form)
    must_enter(by, form.participant, instrument)
    must_be_draft(form)
    if form.revision != revision:
        raise Conflict(
            "form_changed", _("The form was changed since you checked it. Nothing was signed; check it again.")
        )
    check_day(protocol, form, held_on)
    answers = queries.answers_of(form)
    must_be_complete(instrument, answers)
    numbers = queries.numbers(answers)
    must_go_together(queries.unconfirmed(form, instrument, numbers), by)
    form.held_on = held_on
    content = content_of(form, protocol, answers)
    form.content_sha256, form.signature = content_sha256(content), signature(proof, by, MEANING, content)
    form.state, form.signed_at, form.signed_by = Form.State.SIGNED, clock.now(), by.actor_id
    form.save(update_fields=["state", "held_on", "signed_at", "signed_by", "content_sha256", "signature"])
    store_scores(form, score_form(instrument, numbers))
    return form


def content_of(form: Form, protocol: Protocol, answers: Mapping[str, Held], version: int = 0) -> dict[str, Any]:
    """What a signature signs: whose form it is, under which protocol, of which day, and every answer of this version."""
    content: dict[str, Any] = {
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
    return content | ({"version": version} if version else {})


def proof_of(by: db.Actor, password: str, username: str | None) -> Proof | None:
    """The proof of a person; None for a part of the system."""
    return prove(person=by, password=password, username=username) if isinstance(by, Person) else None


def signature(proof: Proof | None, by: db.Actor, meaning: str, content: dict[str, Any]) -> dict[str, str]:
    """The signature of a person, or of a part of the system, which says that no password proved it."""
    if proof is not None:
        return signed(proof, meaning=meaning, content=content)
    return {
        "name": by.actor_id,
        "person": by.actor_id,
        "meaning": meaning,
        "at": clock.now().isoformat(timespec="seconds"),
        "sha256": content_sha256(content),
    }


def check_day(protocol: Protocol, form: Form, held_on: dt.date) -> None:
    """Refuse a day of the assessment in the future, or of a follow-up before randomization."""
    if held_on > clock.today():
        raise Refused("day_future", _("The day of the assessment lies in the future. Check the date."))
    randomized = form.participant.randomized_at
    follow_up = not protocol.visit(form.visit).is_baseline
    if follow_up and randomized is not None and held_on < timezone.localtime(randomized).date():
        raise Refused("day_early", _("The day of the assessment lies before randomization. Check the date."))


def must_be_complete(instrument: Instrument, answers: Mapping[str, Held]) -> None:
    """Refuse a form with an item that has neither an answer nor a reason."""
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


def must_go_together(failing: Collection[Check], by: db.Actor) -> None:
    """Refuse answers that cannot be together, and odd ones that nobody has confirmed; a part of the system confirms nothing."""
    hard = [check.text for check in failing if check.strength == "hard"]
    if hard:
        raise Refused("check_failed", _("These answers cannot be right: %(checks)s") % {"checks": " ".join(hard)})
    if failing and isinstance(by, Person):
        texts = " ".join(check.text for check in failing)
        raise Refused("check_open", _("Look again at these answers and confirm them: %(checks)s") % {"checks": texts})


@part
def store_scores(form: Form, scores: Collection[ScaleScore], version: int = 0) -> None:
    """Add the scores of one version of a form."""
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
            version=version,
        )
        for score in scores
    )


@part
def complete_baseline(participant: Participant, visit: str, by: db.Actor, protocol: Protocol | None = None) -> None:
    """The gate: every baseline form that the consent allows is signed, clinician-rated ones too, and the primary score computable.

    ``protocol``: the one in force, for a caller who has read it already.
    """
    protocol = protocol or current()
    if not protocol.visit(visit).is_baseline:
        return
    done = queries.signed_instruments(participant.pk, visit)
    if any(one.code not in done for one in protocol.instruments_at(visit)):
        stopped = stopped_parts([participant.pk], protocol).get(participant.pk, frozenset())
        asked = [one for one in protocol.instruments_at(visit) if queries.PART_OF[one.rater] not in stopped]
        if INTERVIEWS in stopped or any(one.code not in done for one in asked):
            return
    outcome = outcome_in_force(participant.pk, visit)
    if outcome is not None and outcome.outcome == VisitOutcome.Outcome.MISSED:
        return
    if queries.primary_value(protocol, queries.forms_of(participant.pk, visit)) is None:
        return
    record_attended(participant=participant, visit=visit, by=by)
    record_baseline(participant=participant, by=by)
