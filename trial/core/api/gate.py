"""Who asks the API: the token is checked, and what is refused is refused, before anything of the address is looked at."""

import math
from typing import Any

from axes.helpers import get_client_ip_address
from django.contrib.messages.storage.base import BaseStorage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from trial.core import db, side
from trial.core.access.pages import Access
from trial.core.access.person import Person, person_of
from trial.core.api.pace import Pace
from trial.core.sessions import SessionStore
from trial.core.tokens.actions import note_use
from trial.core.tokens.models import TokenBase
from trial.core.tokens.queries import holder_of, use_is_noted

PER_TOKEN = Pace(limit=300, seconds=60)
WRONG_TOKENS = Pace(limit=20, seconds=300)
"""By address. A right token is served all the same: colleagues behind one address do not shut each other out."""


class NoMessages(BaseStorage):
    """What a page says to its next reader is said to nobody: a program keeps no cookie."""

    def _get(self, *args: Any, **kwargs: Any) -> tuple[list[Any], bool]:
        return [], True

    def _store(self, messages: Any, response: HttpResponse, *args: Any, **kwargs: Any) -> list[Any]:
        return []


class NoSession(SessionStore):
    """No session, which is nevertheless not an empty one: for an empty one the browser would be told to forget its cookie."""

    def is_empty(self) -> bool:
        return False


def person_of_token(request: HttpRequest) -> Person | None:
    """The person of the token that the request shows, with the roles in force now; None for a token that is not known on this side.

    The session of a browser counts for nothing here, and leaves nothing behind.
    """
    request.session = NoSession()
    request._messages = NoMessages(request)  # type: ignore[attr-defined]
    scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    found = holder_of(text) if scheme.lower() == "bearer" else None
    if found is None:
        return None
    token, user = found
    person = person_of(user)
    if person.must_change_password:
        return None
    request.token = token  # type: ignore[attr-defined]
    return person


def refusal(request: HttpRequest, person: Person | None, access: Access) -> HttpResponse | None:
    """Why the request is not answered, or None. Which token was wrong in which way is not said."""
    here = side.current()
    if person is None:
        wait = WRONG_TOKENS.wait(f"{here} {get_client_ip_address(request)}")
        return _too_often(wait) if wait else _unknown()
    token: TokenBase = request.token  # type: ignore[attr-defined]
    wait = PER_TOKEN.wait(f"{here} {token.pk}")
    if wait:
        return _too_often(wait)
    if not use_is_noted(token):
        db.after_end(lambda: _note(token, person))
    if person.side != here or not person.holds(*access.roles):
        return refused("role", _("Your roles do not open this address."), 403)
    return None


def _note(token: TokenBase, person: Person) -> None:
    """After the answer, in a transaction of its own: that a token is used is noted of refused requests too."""
    with db.unit_of_work(by=person):
        note_use(token=token, by=person)


def refused(code: str, message: str, status: int, **more: Any) -> HttpResponse:
    """A refusal as every address of the API words it."""
    return JsonResponse({"code": code, "message": message, **more}, status=status)


def _unknown() -> HttpResponse:
    words = _("Show a token of this side: “Authorization: Bearer …”. You make one under My account.")
    response = refused("token", words, 401)
    response["WWW-Authenticate"] = "Bearer"
    return response


def _too_often(wait: float) -> HttpResponse:
    seconds = math.ceil(wait)
    words = _("Too many requests. Ask again in %(n)d seconds.") % {"n": seconds}
    response = refused("too_often", words, 429)
    response["Retry-After"] = str(seconds)
    return response
