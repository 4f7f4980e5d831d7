"""Electronic signatures: the password again, the printed name, the meaning, the time, and the hash of what is signed.

Source: 21 CFR Part 11, 11.50 (what a signature shows), 11.70 (that it is bound to its record) and 11.200(a)(1)(i): the first signing
of a session takes both components, user name and password; later ones take the password.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import check_password
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from trial.core import clock, db
from trial.core.access.person import Person
from trial.core.access.refusals import note_refusal
from trial.core.errors import Refused
from trial.core.models import Refusal, User
from trial.core.ui.text import Text

MEANINGS: dict[str, Text] = {
    "database lock": _lazy("Database lock"),
    "request for planned unblinding": _lazy("Request for planned unblinding"),
    "analysis plan": _lazy("Statistical analysis plan"),
    "looks": _lazy("Looks of the analysis plan"),
    "recommendation": _lazy("Recommendation of the data monitoring committee"),
    "planned unblinding": _lazy("Confirmation of planned unblinding"),
}
"""What a signature of its own page means, in words."""

SIGNED = "signed"
"""The mark in the session's data."""


def content_sha256(content: Any) -> str:
    """SHA-256 of ``content`` as canonical JSON (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Proof:
    """Somebody has just proved who they are, for the signatures of one step. ``components``: what was typed."""

    person: Person
    components: str


def prove(*, person: Person, password: str, username: str | None = None, place: str = "") -> Proof:
    """Refuse unless ``password`` is the person's own, and ``username`` too where it was asked for. A refusal is written down.

    ``place``: what was to be signed; the action that is running, if not given.
    """
    user = User.objects.get(pk=person.user_id)
    name_fits = username is None or username.strip().lower() == user.username
    password_fits = check_password(password, user.password)
    if not (name_fits and password_fits):
        note_refusal(Refusal.What.PROOF, place=place or db.acting_in(), by=person)
    if not name_fits:
        raise Refused("name_wrong", _("This is not your user name. Nothing was signed; type it again."))
    if not password_fits:
        raise Refused("password_wrong", _("This is not your password. Nothing was signed; type it again."))
    return Proof(person, "password" if username is None else "user name and password")


def signed(proof: Proof, *, meaning: str, content: Any) -> dict[str, str]:
    """A signature as it is stored and printed, of somebody who has just proved who they are."""
    return {
        "name": proof.person.name,
        "username": proof.person.username,
        "person": proof.person.actor_id,
        "meaning": meaning,
        "components": proof.components,
        "at": clock.now().isoformat(timespec="seconds"),
        "sha256": content_sha256(content),
    }


def sign(*, person: Person, password: str, meaning: str, content: Any) -> dict[str, str]:
    """One signature of its own. Refuses a wrong password."""
    return signed(prove(person=person, password=password), meaning=meaning, content=content)


def shown_signature(signature: dict[str, str] | None) -> dict[str, Any] | None:
    """A stored signature as a page shows it: its meaning in words."""
    if signature is None:
        return None
    return {**signature, "meaning": str(MEANINGS.get(signature["meaning"], signature["meaning"]))}


def is_first_signing(request: HttpRequest) -> bool:
    """Whether this session has not signed yet: then a page asks for the user name beside the password."""
    return not request.session.get(SIGNED)


def note_signing(request: HttpRequest) -> None:
    """This session has signed with both components; from now on the password alone is asked."""
    request.session[SIGNED] = True
