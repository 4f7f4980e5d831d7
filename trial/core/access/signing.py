"""Electronic signatures: the password again, the printed name, the meaning, the time, and the hash of what is signed.

Source: 21 CFR Part 11, 11.50 (what a signature shows) and 11.70 (that it is bound to its record).
"""

import hashlib
import json
from typing import Any

from django.contrib.auth.hashers import check_password
from django.utils.translation import gettext as _

from trial.core import clock
from trial.core.access.person import Person
from trial.core.errors import Refused
from trial.core.models import User


def content_sha256(content: Any) -> str:
    """SHA-256 of ``content`` as canonical JSON (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def prove(*, person: Person, password: str) -> None:
    """Refuse unless ``password`` is the person's own."""
    user = User.objects.get(pk=person.user_id)
    if not check_password(password, user.password):
        raise Refused("password_wrong", _("This is not your password. Nothing was signed; type it again."))


def sign(*, person: Person, password: str, meaning: str, content: Any) -> dict[str, str]:
    """A signature as it is stored and printed. Refuses a wrong password."""
    prove(person=person, password=password)
    return {
        "name": person.name,
        "username": person.username,
        "person": person.actor_id,
        "meaning": meaning,
        "at": clock.now().isoformat(timespec="seconds"),
        "sha256": content_sha256(content),
    }
