"""The gates: planned unblinding, and the history of the unblinded side."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from trial.core import clock
from trial.core.models import Base, HistoryBase, SealBase


class PlannedUnblinding(Base):
    """The independent statistician confirmed the sponsor's request. At most one; two persons."""

    only = models.BooleanField(default=True, unique=True)
    request_id: uuid.UUID = models.UUIDField(unique=True)  # type: ignore[assignment]
    requested_by = models.CharField(max_length=60)
    confirmed_at = models.DateTimeField(default=clock.now)
    confirmed_by = models.CharField(max_length=60)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        db_table = "unblinded_planned_unblinding"
        constraints = [
            models.CheckConstraint(condition=Q(only=True), name="unblinded_planned_once"),
            models.CheckConstraint(
                condition=~Q(confirmed_by=models.F("requested_by")), name="unblinded_planned_two_persons"
            ),
        ]


class LedgerEntry(Base):
    """Who came to know what behind the wall: an allocation list opened, a comparative result read."""

    at = models.DateTimeField(default=clock.now)
    actor = models.CharField(max_length=60)
    what = models.CharField(max_length=60)
    subject = models.CharField(max_length=120, blank=True)

    class Meta:
        db_table = "unblinded_ledger"


class Reading(Base):
    """Somebody of the unblinded side opened a page with names of participants. Written before the page is shown; no identifiers.

    One row a page and those whom it names. No foreign key: exactly one crosses the wall, and it is the allocation's.
    """

    at = models.DateTimeField(default=clock.now)
    reader = models.CharField(max_length=60)
    participants: "models.JSONField[Any, Any]" = models.JSONField(help_text="keys of the people whose names were shown")
    page = models.CharField(max_length=30)

    class Meta:
        db_table = "unblinded_reading"
        constraints = [
            models.CheckConstraint(condition=~Q(participants=[]), name="unblinded_reading_of_somebody"),
        ]
        indexes = [models.Index(fields=["-at"], name="unblinded_readings")]


class Reentry(Base):
    """An unblinded person proved who they are and began this session. Below ``/unblinded/`` a session without this mark opens nothing.

    A session row can be written with the open side's login; this mark can not. ``session``: the hashed key of the session.
    """

    user_id: uuid.UUID = models.UUIDField()  # type: ignore[assignment]
    session = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "unblinded_reentry"


class UnblindedHistory(HistoryBase):
    """The history of the unblinded side, with the true author of what its login wrote on open tables."""

    class Meta(HistoryBase.Meta):
        abstract = False
        db_table = "unblinded_history"


class UnblindedHistorySeal(SealBase):
    """The seals of that history; neither side's depend on the other's."""

    class Meta(SealBase.Meta):
        abstract = False
        db_table = "unblinded_history_seal"
