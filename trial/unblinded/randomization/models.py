"""Allocations, and the concealed sequence that only the allocator's login can read."""

from typing import Any

from django.db import models
from django.db.models import Q

from trial.core import clock
from trial.core.models import Base, HistoryBase, SealBase
from trial.participants.models import Participant


class Sequence(Base):
    """A sealed sequence: algorithm, parameters and seed, or an imported list. Concealed. Versions are only added."""

    class Origin(models.TextChoices):
        SEALED = "sealed"
        IMPORTED = "imported"

    version = models.PositiveIntegerField(unique=True)
    origin = models.CharField(max_length=10, choices=Origin)
    algorithm = models.CharField(max_length=60)
    parameters: "models.JSONField[Any, Any]" = models.JSONField()
    seed = models.CharField(max_length=128, blank=True)
    sealed_at = models.DateTimeField(default=clock.now)
    sealed_by = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64, help_text="of the whole list")

    class Meta:
        db_table = "concealed_sequence"
        constraints = [
            models.CheckConstraint(condition=Q(origin__in=["sealed", "imported"]), name="concealed_sequence_origin")
        ]


class Slot(Base):
    """One place in the sequence of one stratum. Concealed; never changed, never re-used."""

    sequence = models.ForeignKey(Sequence, models.PROTECT, related_name="slots")
    stratum = models.CharField(max_length=60)
    position = models.PositiveIntegerField()
    arm = models.CharField(max_length=30)
    block = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = "concealed_slot"
        constraints = [models.UniqueConstraint(fields=["sequence", "stratum", "position"], name="concealed_slot_once")]


class Allocation(Base):
    """The arm of one participant. Exactly one row for each randomized person of either arm; the only foreign key across the wall."""

    participant = models.OneToOneField(Participant, models.PROTECT, related_name="+")
    site = models.CharField(max_length=30)
    stratum = models.CharField(max_length=60)
    position = models.PositiveIntegerField()
    sequence_version = models.PositiveIntegerField()
    arm = models.CharField(max_length=30)
    allocated_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "unblinded_allocation"
        constraints = [
            models.UniqueConstraint(
                fields=["sequence_version", "stratum", "position"], name="unblinded_allocation_slot_once"
            ),
        ]


class ConcealedHistory(HistoryBase):
    """The history of concealed tables; the allocator alone reads it."""

    class Meta(HistoryBase.Meta):
        abstract = False
        db_table = "concealed_history"


class ConcealedHistorySeal(SealBase):
    """The seals of that history."""

    class Meta(SealBase.Meta):
        abstract = False
        db_table = "concealed_history_seal"
