"""Reading forms, answers and scores. Row policies keep other sites' rows away."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, prefetch_related_objects

from assessments.entry.models import AmendedAnswer, Amendment, Answer, Form, Score
from assessments.entry.wanted import Held
from assessments.instruments.answers import open_items, read
from assessments.instruments.checks import failed, looked_at
from trial.participants.queries import CLINICIAN, INTERVIEWS, RECORDS
from trial.protocol.definition import Check, Instrument, Item, Protocol
from trial.protocol.queries import protocol_of

OWN = ("participant", "interviewer")
"""Raters whose forms are filled in during the interview; the others' forms come from somebody else."""

PART_OF = {"participant": INTERVIEWS, "interviewer": INTERVIEWS, "clinician": CLINICIAN, "record": RECORDS}
"""The part of the consent that each rater's forms need."""


@dataclass(frozen=True)
class FormCounts:
    """How many forms of a visit are drafts and how many are signed; ``interview`` of these belong to the interview."""

    drafts: int = 0
    signed: int = 0
    interview: int = 0


def form_counts(people: Iterable[uuid.UUID]) -> dict[tuple[uuid.UUID, str], FormCounts]:
    """The forms of each participant and visit. One query."""
    rows = (
        Form.objects.filter(participant_id__in=list(people))
        .values_list("participant_id", "visit")
        .annotate(
            drafts=Count("id", filter=Q(state=Form.State.DRAFT)),
            signed=Count("id", filter=Q(state=Form.State.SIGNED)),
            interview=Count("id", filter=Q(state=Form.State.SIGNED, rater__in=OWN)),
        )
    )
    return {(person, visit): FormCounts(*counts) for person, visit, *counts in rows}


def find(participant_id: uuid.UUID, visit: str, instrument: str) -> Form | None:
    """The form of this instrument at this visit, with its protocol version."""
    rows = Form.objects.filter(participant_id=participant_id, visit=visit, instrument=instrument)
    return rows.select_related("protocol_version", "participant").first()


def forms_of(participant_id: uuid.UUID, visit: str) -> dict[str, Form]:
    """The forms of a visit by instrument code."""
    return {form.instrument: form for form in Form.objects.filter(participant_id=participant_id, visit=visit)}


def signed_instruments(participant_id: uuid.UUID, visit: str) -> set[str]:
    """The instruments of a visit whose form is signed."""
    here = Form.objects.filter(participant_id=participant_id, visit=visit, state=Form.State.SIGNED)
    return set(here.values_list("instrument", flat=True))


def exists(participant_id: uuid.UUID, visit: str, instrument: str) -> bool:
    """Whether there is a form of this instrument at this visit."""
    return Form.objects.filter(participant_id=participant_id, visit=visit, instrument=instrument).exists()


def definition_of(form: Form) -> tuple[Protocol, Instrument]:
    """The protocol and the instrument under which the form was opened: a later version does not change what was asked."""
    protocol = protocol_of(form.protocol_version)
    return protocol, protocol.instrument(form.instrument)


def answers_of(form: Form) -> dict[str, Answer]:
    """The answers of a form by item code: of a draft as they are, of a signed form as they were signed."""
    return {answer.item: answer for answer in form.answers.all()}


def amendments_of(form: Form) -> list[Amendment]:
    """The amendments of a form with their answers, the first one first."""
    return list(form.amendments.order_by("number").prefetch_related("answers"))


def last_amendment(form: Form) -> Amendment | None:
    """The amendment in force; None while the form is as it was signed."""
    return form.amendments.order_by("-number").first()


def answers_in_force(form: Form) -> dict[str, Held]:
    """The answers of a form by item code, as amended."""
    found: dict[str, Held] = {**answers_of(form)}
    for one in AmendedAnswer.objects.filter(amendment__form=form).order_by("amendment__number"):
        found[one.item] = one
    return found


def day_in_force(form: Form) -> dt.date:
    """The day of the assessment of a signed form, as amended."""
    last = last_amendment(form)
    day = last.held_on if last else form.held_on
    assert day is not None  # noqa: S101 - a signed form has a day: a constraint says so
    return day


def days_in_force(participant_id: uuid.UUID, visit: str) -> list[dt.date]:
    """The days on which the signed forms of a visit were held, as amended. Two queries."""
    here = {"participant_id": participant_id, "visit": visit}
    days = dict(Form.objects.filter(**here, held_on__isnull=False).values_list("pk", "held_on"))
    days |= dict(Amendment.objects.filter(form_id__in=days).order_by("number").values_list("form_id", "held_on"))
    return sorted(day for day in days.values() if day is not None)


def scores_in_force(scores: QuerySet[Score] | None = None) -> QuerySet[Score]:
    """Of every form and scale the score of the version in force."""
    found = Score.objects.all() if scores is None else scores
    return found.order_by("form_id", "scale", "-version").distinct("form_id", "scale")


def scores_of(form: Form) -> dict[str, Score]:
    """The scores in force of a signed form by scale code."""
    return {score.scale: score for score in form.scores.order_by("version")}


def numbers(answers: Mapping[str, Held]) -> dict[str, Decimal]:
    """The numeric answers by item code; what is missing is not in it."""
    return {code: answer.number for code, answer in answers.items() if answer.number is not None}


def numbers_with(
    form: Form, instrument: Instrument, answers: Mapping[str, str], missing: Mapping[str, str]
) -> dict[str, Decimal]:
    """The numeric answers of a signed form as they would be with these changes. Raises InvalidAnswer for one that can't be."""
    changed = {code: read(instrument.item(code), text).number if text else None for code, text in answers.items()}
    after = {**numbers(answers_in_force(form)), **changed, **dict.fromkeys(missing)}
    return {code: number for code, number in after.items() if number is not None}


def unconfirmed(form: Form, instrument: Instrument, given: Mapping[str, Decimal]) -> tuple[Check, ...]:
    """The checks that fail for these answers, without the soft ones that somebody confirmed for just these answers."""
    failing = failed(instrument, given)
    if not failing:
        return ()
    seen = [(one.check_code, one.seen) for one in form.confirmations.all()]
    return tuple(c for c in failing if c.strength == "hard" or (c.code, looked_at(c, given)) not in seen)


@dataclass(frozen=True)
class Readiness:
    """What stands between a draft and its signature: items without answer or reason, and checks that nobody confirmed."""

    open: tuple[Item, ...]
    checks: tuple[Check, ...]

    @property
    def is_complete(self) -> bool:
        """Whether the form can be signed."""
        return not self.open and not self.checks


def readiness(forms: Iterable[Form]) -> dict[str, Readiness]:
    """Of each draft among these forms what is left to do, by instrument. Two queries, however many forms."""
    drafts = [one for one in forms if not one.is_signed]
    prefetch_related_objects(drafts, "answers", "confirmations", "protocol_version")
    found = {}
    for one in drafts:
        _protocol, instrument = definition_of(one)
        answers = answers_of(one)
        left = open_items(instrument, {code for code, a in answers.items() if a.value or a.missing})
        found[one.instrument] = Readiness(left, unconfirmed(one, instrument, numbers(answers)))
    return found


def interview_instruments(protocol: Protocol, visit: str) -> tuple[Instrument, ...]:
    """The instruments of a visit that the interview fills in."""
    return tuple(one for one in protocol.instruments_at(visit) if one.rater in OWN)


def unsigned(instruments: Iterable[Instrument], forms: dict[str, Form]) -> tuple[Instrument, ...]:
    """Those of ``instruments`` whose form is not signed yet, in their order."""
    return tuple(one for one in instruments if one.code not in forms or not forms[one.code].is_signed)


def records() -> QuerySet[Form]:
    """Every form, by participant and visit, for reading."""
    return Form.objects.select_related("participant", "site").order_by("participant__number", "visit", "instrument")


def primary_value(protocol: Protocol, forms: dict[str, Form]) -> Decimal | None:
    """The primary score among these forms of one visit; None while it is not computable."""
    form = forms.get(protocol.instrument_of(protocol.primary_scale.code).code)
    if form is None:
        return None
    score = Score.objects.filter(form=form, scale=protocol.primary_scale.code).order_by("-version").first()
    return score.value if score else None
