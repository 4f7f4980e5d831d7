"""How a token is made and recognized: a key to its row, and a secret that is kept as a keyed hash only.

The hash is keyed with the secret of the installation, and covers row, person, last day and password: whoever can write rows of the table
can make no token with it, neither for themself nor for somebody else.
"""

import datetime as dt
import re
import uuid

from django.utils.crypto import constant_time_compare, salted_hmac

from trial.core import ids
from trial.core.tokens.models import TokenBase

TOKEN = re.compile(r"eqp_([0-9a-f]{32})_([0-9a-f]{40})")


def new_secret() -> str:
    """The secret part of a new token: 160 bits."""
    return ids.token()


def written(key: uuid.UUID, secret: str) -> str:
    """The token as the person keeps it."""
    return f"eqp_{key.hex}_{secret}"


def parts(text: str) -> tuple[uuid.UUID, str] | None:
    """Key and secret of a token; None for anything else."""
    found = TOKEN.fullmatch(text.strip())
    return (uuid.UUID(found[1]), found[2]) if found else None


def password_mark(password: str) -> str:
    """What tells that the password (its stored hash) is still the one that the token was made under."""
    return salted_hmac("equipoise.token.password", password, algorithm="sha256").hexdigest()


def digest(*, key: uuid.UUID, user: uuid.UUID, last_day: dt.date, password: str, secret: str) -> str:
    """What stands in the table for a token."""
    text = "\n".join((key.hex, user.hex, last_day.isoformat(), password, secret))
    return salted_hmac("equipoise.token", text, algorithm="sha256").hexdigest()


def fits(row: TokenBase, secret: str, password: str) -> bool:
    """Whether the secret is that of the row, as it was made, under the password of today."""
    made = digest(key=row.pk, user=row.user_id, last_day=row.last_day, password=password, secret=secret)
    return constant_time_compare(made, row.digest)
