"""Frozen extracts of the open side. There is no arm in here."""

from typing import Any

from django.db import models
from django.db.models import Q

from trial.core import clock
from trial.core.models import Base
from trial.protocol.models import ProtocolVersion


class Snapshot(Base):
    """The analysis table as it was at one moment: CSV with one row per randomized participant and visit, and its dictionary.

    ``sha256`` is of ``content``. Append-only: an analysis names a snapshot and finds the same bytes for ever. It names what was in force when it was
    made: the plan (none is number None), and the last seal of the open history, whose head fixes every change up to it.
    """

    made_at = models.DateTimeField(default=clock.now)
    made_by = models.CharField(max_length=60)
    protocol_version = models.ForeignKey(ProtocolVersion, models.PROTECT, related_name="+")
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    dictionary: "models.JSONField[Any, Any]" = models.JSONField()
    participants = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    after_lock = models.BooleanField()
    plan_number = models.PositiveIntegerField(null=True)
    plan_sha256 = models.CharField(max_length=64, blank=True)
    seal_number = models.PositiveIntegerField(null=True)
    seal_head = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="snapshots_sha256")]
        indexes = [models.Index(fields=["made_at"], name="snapshots_by_time")]
