"""The API of visits: one that did not take place, and one that comes back after all. Each address calls the action of its page."""

from typing import Any

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.visits import actions
from assessments.visits.models import VisitOutcome
from assessments.visits.views.places import find_participant, find_visit
from assessments.visits.views.visit import AT_VISITS
from trial.core.access import endpoint
from trial.core.api.components import TEXT, thing
from trial.core.api.endpoints import Endpoint, Given, asked

OUTCOME = thing(
    "What became of a visit.",
    participant=TEXT, visit=TEXT, outcome={"enum": ["missed", "reopened"]}, day=TEXT, reason=TEXT,
)  # fmt: skip


class Missing(Given):
    """Why the visit did not take place, a code of the protocol, and the day on which it was given up: today if not said."""

    reason = serializers.CharField()
    day = serializers.DateField(required=False, default=None, allow_null=True)


@endpoint(roles=AT_VISITS)
class Missed(Endpoint):
    """A visit that did not take place."""

    http_method_names = ["post"]
    takes = Missing
    gives = {"post": OUTCOME}

    def post(self, request: Request, number: str, code: str) -> Response:
        """Record that the visit did not take place, and why. It is no withdrawal: a missed visit can be reopened."""
        participant = find_participant(asked(request), number)
        find_visit(participant, code)
        given = self.given(request)
        done = actions.record_missed(
            participant=participant, visit=code, reason_code=given["reason"], day=given["day"], by=asked(request).person
        )
        return Response(_as_data(done, participant.number))


@endpoint(roles=AT_VISITS)
class Reopened(Endpoint):
    """A missed visit that comes back."""

    http_method_names = ["post"]
    gives = {"post": OUTCOME}

    def post(self, request: Request, number: str, code: str) -> Response:
        """The person can be seen after all: the visit is open again. That it was missed before stays on record."""
        participant = find_participant(asked(request), number)
        find_visit(participant, code)
        done = actions.reopen_visit(participant=participant, visit=code, by=asked(request).person)
        return Response(_as_data(done, participant.number))


def _as_data(one: VisitOutcome, number: str) -> dict[str, Any]:
    day = one.day.isoformat()
    return {"participant": number, "visit": one.visit, "outcome": one.outcome, "day": day, "reason": one.reason}


urlpatterns = [
    path("<str:number>/visits/<slug:code>/missed/", Missed.as_view(), name="api_visit_missed"),
    path("<str:number>/visits/<slug:code>/reopen/", Reopened.as_view(), name="api_visit_reopen"),
]
