"""Reading forms, answers and scores. Row policies keep other sites' rows away."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet

from assessments.entry.models import Answer, Form, Score
from trial.participants.queries import CLINICIAN, INTERVIEWS, RECORDS
from trial.protocol.definition import Instrument, Protocol
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


def definition_of(form: Form) -> tuple[Protocol, Instrument]:
    """The protocol and the instrument under which the form was opened: a later version does not change what was asked."""
    protocol = protocol_of(form.protocol_version)
    return protocol, protocol.instrument(form.instrument)


def answers_of(form: Form) -> dict[str, Answer]:
    """The answers of a form by item code."""
    return {answer.item: answer for answer in form.answers.all()}


def scores_of(form: Form) -> dict[str, Score]:
    """The scores of a signed form by scale code."""
    return {score.scale: score for score in form.scores.all()}


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
    score = Score.objects.filter(form=form, scale=protocol.primary_scale.code).first()
    return score.value if score else None
