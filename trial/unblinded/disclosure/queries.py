"""What the gates say."""

import datetime as dt
import uuid

from django.conf import settings

from trial.core import clock
from trial.unblinded.disclosure.models import PlannedUnblinding, Reentry


def has_reentered(user_id: uuid.UUID, session: str) -> bool:
    """Whether this session (its hashed key) was begun by this person at the form of the unblinded side, and still counts."""
    since = clock.now() - dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return Reentry.objects.filter(session=session, user_id=user_id, ended_at=None, at__gt=since).exists()


def planned_unblinding() -> PlannedUnblinding | None:
    """The confirmed planned unblinding, or None before it."""
    return PlannedUnblinding.objects.first()
