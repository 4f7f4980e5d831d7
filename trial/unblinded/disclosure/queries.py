"""What the gates say."""

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

from django.conf import settings

from trial.core import clock
from trial.core.history.queries import Change, history_of
from trial.protocol.definition import Protocol
from trial.protocol.queries import NoProtocol, current
from trial.unblinded.disclosure.models import PlannedUnblinding, Reentry, UnblindedHistory


def has_reentered(user_id: uuid.UUID, session: str) -> bool:
    """Whether this session (its hashed key) was begun by this person at the form of the unblinded side, and still counts."""
    since = clock.now() - dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return Reentry.objects.filter(session=session, user_id=user_id, ended_at=None, at__gt=since).exists()


def planned_unblinding() -> PlannedUnblinding | None:
    """The confirmed planned unblinding, or None before it."""
    return PlannedUnblinding.objects.first()


def true_history(*rows: tuple[str, Any], without: Collection[str] = ()) -> list[Change]:
    """The history of rows of open tables with the true authors: of what this side wrote its own lines, the open ones of the rest."""
    own = history_of(*rows, source=UnblindedHistory, without=without)
    told = {(one.at, one.table, one.row) for one in own}  # the trigger writes both lines of a change at one instant
    rest = [one for one in history_of(*rows, without=without) if (one.at, one.table, one.row) not in told]
    return sorted([*own, *rest], key=lambda one: one.at)


def protocol_or_none() -> Protocol | None:
    """The protocol in force: its names stand for the codes. Pages of the ledger open before there is one."""
    try:
        return current()
    except NoProtocol:
        return None
