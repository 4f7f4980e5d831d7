"""Reading tokens: the one that a request shows, and those of a person."""

import datetime as dt
import uuid

from django.conf import settings
from django.utils.module_loading import import_string

from trial.core import clock, side
from trial.core.models import User
from trial.core.tokens import sealing
from trial.core.tokens.models import Token, TokenBase

NOTED_AGAIN_AFTER = dt.timedelta(minutes=1)


def table() -> type[TokenBase]:
    """The table of the current side (``settings.TOKENS``)."""
    named: type[TokenBase] = import_string(settings.TOKENS[side.current()])
    return named


def holder_of(text: str) -> tuple[TokenBase, User] | None:
    """The token's row on this side and its person, or None: unknown, of the other side, ended, revoked, or of an older password.

    One query for the row, one for the person.
    """
    found = sealing.parts(text)
    if found is None:
        return None
    key, secret = found
    row = table()._default_manager.filter(pk=key, revoked_at=None, last_day__gte=clock.today()).first()
    user = User.objects.filter(pk=row.user_id, is_active=True).first() if row is not None else None
    if row is None or user is None or not sealing.fits(row, secret, user.password):
        return None
    return row, user


def use_is_noted(token: TokenBase) -> bool:
    """Whether the use of the token was noted within the last minute; then it is not noted again."""
    return token.last_used_at is not None and clock.now() - token.last_used_at < NOTED_AGAIN_AFTER


def tokens_of(user: User) -> list[TokenBase]:
    """The tokens of a person on this side, the newest first."""
    return list(table()._default_manager.filter(user_id=user.pk).defer("digest").order_by("-made_at", "id"))


def every_token_of(user: User) -> list[TokenBase]:
    """The tokens of a person on either side, for administrators, whose login reads both; the newest first."""
    found = [*Token.objects.filter(user_id=user.pk).defer("digest"), *tokens_of(user)]
    return sorted(found, key=lambda row: row.made_at, reverse=True)


def any_token(key: uuid.UUID) -> TokenBase | None:
    """The token with this key on either side, for administrators."""
    for rows in (Token.objects, table()._default_manager):
        found = rows.filter(pk=key).defer("digest").first()
        if found is not None:
            return found
    return None


def own_token(key: uuid.UUID, user_id: uuid.UUID) -> TokenBase | None:
    """The token with this key on this side, if it is this person's."""
    return table()._default_manager.filter(pk=key, user_id=user_id).defer("digest").first()
