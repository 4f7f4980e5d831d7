"""The API of assessments: fill in a form, say that it was not asked, confirm odd answers, sign a visit, amend what was signed.

Each address calls the action of its page. A signed form shows no answer here either: who fills in forms sees nothing earlier.
"""

import uuid
from typing import Any

from django.http import Http404
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.entry import actions, queries
from assessments.entry.actions import AnswersConflict
from assessments.entry.models import Amendment, Form
from assessments.entry.views.amending import find_signed
from assessments.entry.views.filling import FILLERS, Place, find_place
from assessments.visits import rules
from assessments.visits.views.places import find_participant, find_visit
from trial.core.access import endpoint
from trial.core.api.components import TEXT, TEXT_OR_NONE, listed, thing
from trial.core.api.endpoints import Endpoint, Given, asked, refusal
from trial.protocol.definition import Instrument, Item, Protocol

NUMBER = {"type": "integer"}
CODED = thing(code=TEXT, text=TEXT)
ITEM = thing(
    code=TEXT, topic=TEXT, kind=TEXT, unit=TEXT, optional={"type": "boolean"}, min={}, max={},
    levels=listed(thing(value=NUMBER, label=TEXT)),
)  # fmt: skip
FORM = thing(
    "A form as it stands. `revision` goes back with what is saved next. A signed form shows no answers.",
    participant=TEXT, visit=TEXT, instrument=TEXT, name=TEXT, key=TEXT_OR_NONE,
    state={"enum": ["not_begun", "draft", "signed"]}, revision=NUMBER, items=listed(ITEM),
    answers={"type": "object", "additionalProperties": thing(value=TEXT, missing=TEXT)},
    open=listed(TEXT), checks=listed(thing(code=TEXT, text=TEXT, strength=TEXT)), reasons_for_missing=listed(CODED),
)  # fmt: skip
SIGNED = thing(signed=listed(thing(instrument=TEXT, signed_at=TEXT, sha256=TEXT)))
READY = thing(
    forms=listed(thing(instrument=TEXT, name=TEXT, state=TEXT, revision=NUMBER, complete={"type": "boolean"}))
)
AMENDED = thing(number=NUMBER, amended_at=TEXT, sha256=TEXT)


class Answers(Given):
    """Answers by item code, "" to take one back; reasons for items without one; the revision of the form that was seen."""

    answers = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False, default=dict)
    missing = serializers.DictField(child=serializers.CharField(), required=False, default=dict)
    revision = serializers.IntegerField(min_value=0, required=False, default=0)


class Reason(Given):
    """The code of a reason why items are missing."""

    reason = serializers.CharField()


class Checks(Given):
    """The codes of checks whose odd answers were looked at again."""

    checks = serializers.ListField(child=serializers.CharField(), allow_empty=False)


class VisitSignature(Given):
    """The forms to be signed with the revision that was checked, the day of the assessment, and who signs."""

    forms = serializers.DictField(child=serializers.IntegerField(min_value=0), allow_empty=False)
    held_on = serializers.DateField()
    username = serializers.CharField()
    password = serializers.CharField(trim_whitespace=False)


class Changes(Given):
    """What a signed form should have said, why it did not, and who signs."""

    answers = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False, default=dict)
    missing = serializers.DictField(child=serializers.CharField(), required=False, default=dict)
    held_on = serializers.DateField(required=False, default=None, allow_null=True)
    reason = serializers.ChoiceField(choices=Amendment.Reason.choices)
    confirm = serializers.ListField(child=serializers.CharField(), required=False, default=list)
    username = serializers.CharField()
    password = serializers.CharField(trim_whitespace=False)


@endpoint(roles=FILLERS)
class FormEntry(Endpoint):
    """One form of one visit."""

    takes = Answers
    gives = {"get": FORM, "post": FORM}

    def get(self, request: Request, number: str, code: str, instrument: str) -> Response:
        """The form: its items, what a draft holds, and what is left to do before it can be signed."""
        return Response(form_as_data(find_place(asked(request), number, code, instrument)))

    def post(self, request: Request, number: str, code: str, instrument: str) -> Response:
        """Save answers and reasons; the first ones begin the form. What equals what is stored changes nothing.

        409 with `clashes` when somebody else changed one of these answers since `revision`: compare, then send again with the new one.
        """
        place = find_place(asked(request), number, code, instrument)
        given = self.given(request)
        try:
            place.form = actions.save_answers(form=place.opened(asked(request)), by=asked(request).person, **given)
        except AnswersConflict as conflict:
            clashes = [{"item": one.item, "stored": one.stored, "given": one.given} for one in conflict.clashes]
            return refusal(conflict, 409, clashes=clashes, revision=conflict.revision)
        return Response(form_as_data(place))


@endpoint(roles=FILLERS)
class NotAsked(Endpoint):
    """A form that was not asked."""

    http_method_names = ["post"]
    takes = Reason
    gives = {"post": FORM}

    def post(self, request: Request, number: str, code: str, instrument: str) -> Response:
        """The whole form was not asked, and why. It is complete with that, and signed like the others."""
        place = find_place(asked(request), number, code, instrument)
        given = self.given(request)
        opened = place.opened(asked(request))
        place.form = actions.skip_form(form=opened, reason_code=given["reason"], by=asked(request).person)
        return Response(form_as_data(place))


@endpoint(roles=FILLERS)
class Confirmed(Endpoint):
    """Odd answers that are meant."""

    http_method_names = ["post"]
    takes = Checks
    gives = {"post": FORM}

    def post(self, request: Request, number: str, code: str, instrument: str) -> Response:
        """Confirm that the odd answers which these checks name were looked at again. Twice is once."""
        place = find_place(asked(request), number, code, instrument)
        if place.form is None:
            raise Http404
        given = self.given(request)
        actions.confirm_checks(form=place.form, checks=given["checks"], by=asked(request).person)
        return Response(form_as_data(place))


@endpoint(roles=FILLERS)
class VisitSign(Endpoint):
    """Signing the forms of a visit."""

    takes = VisitSignature
    gives = {"get": READY, "post": SIGNED}

    def get(self, request: Request, number: str, code: str) -> Response:
        """The forms of this visit that you fill in, and which of them are complete."""
        participant = find_participant(asked(request), number)
        protocol = find_visit(participant, code)[0]
        forms = queries.forms_of(participant.pk, code)
        left = queries.readiness(forms.values())
        mine = [
            one for one in protocol.instruments_at(code) if rules.may_enter(asked(request).person, participant, one)
        ]
        listed_ = [
            {
                "instrument": one.code,
                "name": one.name,
                "state": _state(forms.get(one.code)),
                "revision": forms[one.code].revision if one.code in forms else 0,
                "complete": one.code in left and left[one.code].is_complete,
            }
            for one in mine
        ]
        return Response({"forms": listed_})

    def post(self, request: Request, number: str, code: str) -> Response:
        """Sign complete forms of the visit with one proof of who signs: user name and password. All of them, or none.

        A program has no session, so that both components are asked each time.
        """
        participant = find_participant(asked(request), number)
        find_visit(participant, code)
        given = self.given(request)
        revisions = given.pop("forms")
        done = actions.sign_visit(
            participant=participant, visit=code, revisions=revisions, by=asked(request).person, **given
        )
        signed = [
            {"instrument": one.instrument, "signed_at": _instant(one.signed_at), "sha256": one.content_sha256}
            for one in done
        ]
        return Response({"signed": signed})


@endpoint(roles=FILLERS)
class Amend(Endpoint):
    """Amending a signed form."""

    http_method_names = ["post"]
    takes = Changes
    gives = {"post": AMENDED}

    def post(self, request: Request, key: uuid.UUID) -> Response:
        """Amend a signed form: changed answers, reasons or day, why, and a new signature beside the first."""
        form, _protocol, _instrument = find_signed(asked(request), key)
        given = self.given(request)
        reason = given.pop("reason")
        made = actions.amend_form(form=form, reason_code=reason, by=asked(request).person, **given)
        return Response({"number": made.number, "amended_at": made.signature["at"], "sha256": made.content_sha256}, 201)


def _state(form: Form | None) -> str:
    if form is None:
        return "not_begun"
    return "signed" if form.is_signed else "draft"


def _instant(at: Any) -> str | None:
    return at.isoformat() if at else None


def form_as_data(place: Place) -> dict[str, Any]:
    """A form with codes: what its page asks, what a draft holds, and what is left to do."""
    form, instrument = place.form, place.instrument
    is_signed = form is not None and form.is_signed
    left = None if is_signed else place.left()
    return {
        "participant": place.participant.number,
        "visit": place.line.visit.code,
        "instrument": instrument.code,
        "name": instrument.name,
        "key": str(form.pk) if form else None,
        "state": _state(form),
        "revision": form.revision if form else 0,
        "items": [_item(item) for item in instrument.items],
        "answers": {} if is_signed or form is None else _answers(form, instrument),
        "open": [item.code for item in left.open] if left else [],
        "checks": [{"code": one.code, "text": one.text, "strength": one.strength} for one in left.checks]
        if left
        else [],
        "reasons_for_missing": _reasons(place.protocol),
    }


def _answers(form: Form, instrument: Instrument) -> dict[str, dict[str, str]]:
    fresh = queries.find(form.participant_id, form.visit, instrument.code)
    held = queries.answers_of(fresh or form)
    return {
        code: {"value": one.value, "missing": one.missing}
        for code, one in sorted(held.items())
        if one.value or one.missing
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "code": item.code,
        "topic": item.topic,
        "kind": item.kind,
        "unit": item.unit,
        "optional": item.optional,
        "min": item.min,
        "max": item.max,
        "levels": [{"value": value, "label": label} for value, label in item.levels],
    }


def _reasons(protocol: Protocol) -> list[dict[str, str]]:
    return [{"code": one.code, "text": one.text} for one in protocol.reasons.missing_item]


FORM_OF_VISIT = "<str:number>/visits/<slug:code>/forms/<slug:instrument>/"

urlpatterns = [
    path("forms/<uuid:key>/amend/", Amend.as_view(), name="api_amend_form"),
    path(FORM_OF_VISIT, FormEntry.as_view(), name="api_assessment"),
    path(f"{FORM_OF_VISIT}check/", Confirmed.as_view(), name="api_assessment_check"),
    path(f"{FORM_OF_VISIT}not-asked/", NotAsked.as_view(), name="api_assessment_not_asked"),
    path("<str:number>/visits/<slug:code>/sign/", VisitSign.as_view(), name="api_visit_sign"),
]
