"""The API of the way in: ask for randomization, and follow the request. The rest is read like the pages."""

from typing import Any

from django.urls import path
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from trial.core.access import endpoint
from trial.core.access.roles import Coordinator
from trial.core.api.components import TEXT, TEXT_OR_NONE, thing
from trial.core.api.endpoints import Endpoint, Given, asked
from trial.participants import actions
from trial.participants.models import Participant, RandomizationRequest
from trial.participants.presenters import READERS
from trial.participants.views import find_participant

State = RandomizationRequest.State

RANDOMIZATION = thing(
    "What became of a request, the same for every arm.",
    participant=TEXT,
    state={"enum": ["not_asked", "waiting", "done", "refused"]},
    asked_at=TEXT_OR_NONE,
    randomized_at=TEXT_OR_NONE,
    refusal={"type": "string", "description": "the code of an open reason; empty unless refused"},
    message=TEXT,
)


def _standing(participant: Participant, sent: RandomizationRequest | None) -> dict[str, Any]:
    words = {
        State.WAITING: _("Randomization was asked for. The answer usually comes within seconds."),
        State.DONE: _("Randomized. The treatment coordinator of this site has been told."),
        State.REFUSED: _("Not randomized. Tell the data manager."),
    }
    return {
        "participant": participant.number,
        "state": sent.state if sent else "not_asked",
        "asked_at": sent.requested_at.isoformat() if sent else None,
        "randomized_at": participant.randomized_at.isoformat() if participant.randomized_at else None,
        "refusal": sent.refusal if sent else "",
        "message": words[State(sent.state)] if sent else _("Randomization was not asked for yet."),
    }


@endpoint(roles=READERS)
class Randomization(Endpoint):
    """The state of a request to randomize."""

    http_method_names = ["get"]
    gives = {"get": RANDOMIZATION}

    def get(self, request: Request, number: str) -> Response:
        """Whether this participant has been randomized, and when. No arm is known on this side."""
        participant = find_participant(number)
        return Response(_standing(participant, RandomizationRequest.objects.filter(participant=participant).first()))


@endpoint(roles=(Coordinator,))
class Randomize(Endpoint):
    """Ask the allocator to randomize."""

    http_method_names = ["post"]
    takes = Given
    gives = {"post": RANDOMIZATION}

    def post(self, request: Request, number: str) -> Response:
        """Ask for randomization. Irrevocable; asked twice is asked once, and the answer is the same for every arm.

        202 while the request waits: follow it under `randomization/`. 200 when it has been answered before.
        """
        participant = find_participant(number)
        self.given(request)
        sent = actions.request_randomization(participant=participant, by=asked(request).person)
        return Response(_standing(participant, sent), 202 if sent.state == State.WAITING else 200)


urlpatterns = [
    path("<str:number>/randomization/", Randomization.as_view(), name="api_randomization"),
    path("<str:number>/randomize/", Randomize.as_view(), name="api_randomize"),
]
