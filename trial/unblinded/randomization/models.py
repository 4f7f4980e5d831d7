"""Allocations, and the concealed sequence that only the allocator's login can read."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from trial.core import clock
from trial.core.models import Base, HistoryBase, SealBase
from trial.participants.models import Participant


class Sequence(Base):
    """A sealed sequence: algorithm, parameters, shares and salt, or an imported list. Concealed. Versions are only added.

    ``commitment`` is public from the beginning; it is blank for what was sealed before there were commitments.
    """

    class Origin(models.TextChoices):
        SEALED = "sealed"
        IMPORTED = "imported"

    class Purpose(models.TextChoices):
        MAIN = "main"
        CONTINGENCY = "contingency"

    version = models.PositiveIntegerField(unique=True)
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.MAIN)
    for_site = models.CharField(max_length=30, blank=True, help_text="of a contingency sequence: the site it is for")
    origin = models.CharField(max_length=10, choices=Origin)
    algorithm = models.CharField(max_length=60)
    parameters: "models.JSONField[Any, Any]" = models.JSONField()
    seed = models.CharField(max_length=128, blank=True, help_text="of what was sealed before there were commitments")
    shares: "models.JSONField[Any, Any]" = models.JSONField(default=list, help_text="of the seed, in order")
    salt = models.CharField(max_length=64, blank=True)
    commitment = models.CharField(max_length=64, blank=True)
    sealed_at = models.DateTimeField(default=clock.now)
    sealed_by = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64, help_text="of the whole list")

    class Meta:
        db_table = "concealed_sequence"
        constraints = [
            models.CheckConstraint(condition=Q(origin__in=["sealed", "imported"]), name="concealed_sequence_origin"),
            models.CheckConstraint(
                condition=Q(purpose="main", for_site="") | (Q(purpose="contingency") & ~Q(for_site="")),
                name="concealed_sequence_purpose",
            ),
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


class Draw(Base):
    """What minimization drew for one participant: the place that stands for an arm. Concealed; later draws depend on it."""

    sequence = models.ForeignKey(Sequence, models.PROTECT, related_name="draws")
    number = models.PositiveIntegerField(help_text="1 for the first draw of the sequence")
    place = models.PositiveIntegerField()
    arm = models.CharField(max_length=30)
    levels: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        db_table = "concealed_draw"
        constraints = [models.UniqueConstraint(fields=["sequence", "number"], name="concealed_draw_once")]


class Allocation(Base):
    """The arm of one participant. Exactly one row for each randomized person of either arm; the only foreign key across the wall.

    ``number`` counts all allocations of the trial in their order. ``slot_stratum`` is the list that the slot was taken from: the
    stratum itself, except for a contingency slot. ``levels`` are those of the factors when the person was randomized.
    """

    participant = models.OneToOneField(Participant, models.PROTECT, related_name="+")
    site = models.CharField(max_length=30)
    number = models.PositiveIntegerField(unique=True)
    stratum = models.CharField(max_length=60)
    slot_stratum = models.CharField(max_length=60)
    position = models.PositiveIntegerField()
    sequence_version = models.PositiveIntegerField()
    arm = models.CharField(max_length=30)
    levels: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    allocated_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "unblinded_allocation"
        constraints = [
            models.UniqueConstraint(
                fields=["sequence_version", "slot_stratum", "position"], name="unblinded_allocation_slot_once"
            ),
        ]


class VerificationOrder(Base):
    """The independent statistician asks the allocator to reveal the sequences and to replay every allocation."""

    ordered_at = models.DateTimeField(default=clock.now)
    ordered_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_verification_order"


class Reveal(Base):
    """What the allocator answered for one sequence, after planned unblinding: the reveal, the allocations, and what does not agree."""

    order_id: uuid.UUID = models.UUIDField()  # type: ignore[assignment]
    version = models.PositiveIntegerField()
    at = models.DateTimeField(default=clock.now)
    allocations = models.PositiveIntegerField()
    differences: "models.JSONField[Any, Any]" = models.JSONField()
    content: "models.JSONField[Any, Any]" = models.JSONField(help_text="the export, as verifier.py reads it")
    sha256 = models.CharField(max_length=64)

    class Meta:
        db_table = "unblinded_reveal"
        constraints = [models.UniqueConstraint(fields=["order_id", "version"], name="unblinded_reveal_once")]


class WrongTreatment(Base):
    """A participant was given another treatment than allocated. Append-only; the allocation stands.

    ``void`` takes the row before it back: it was recorded by mistake.
    """

    class Reason(models.TextChoices):
        MIXED_UP = "mixed_up"
        TOLD_WRONG = "told_wrong"
        WISH = "wish"
        OTHER = "other"

    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="+")
    site = models.CharField(max_length=30)
    number = models.PositiveSmallIntegerField(help_text="1 for the first event")
    void = models.BooleanField(default=False)
    given_arm = models.CharField(max_length=30)
    day = models.DateField(help_text="of the first time")
    reason = models.CharField(max_length=20, choices=Reason)
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_wrong_treatment"
        constraints = [
            models.UniqueConstraint(fields=["allocation", "number"], name="unblinded_wrong_treatment_in_turn"),
            models.CheckConstraint(
                condition=Q(reason__in=["mixed_up", "told_wrong", "wish", "other"]),
                name="unblinded_wrong_treatment_coded",
            ),
        ]


class ContingencyRequest(Base):
    """The treatment coordinator asks for the next contingency slot for one waiting participant. The way through the allocator is shut.

    No foreign key: exactly one crosses the wall, and it is the allocation's.
    """

    class Reason(models.TextChoices):
        ALLOCATOR = "allocator"
        BROKER = "broker"
        SEQUENCE = "sequence"

    participant_id: uuid.UUID = models.UUIDField(unique=True)  # type: ignore[assignment]
    site = models.CharField(max_length=30)
    reason = models.CharField(max_length=20, choices=Reason)
    asked_at = models.DateTimeField(default=clock.now)
    asked_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_contingency_request"
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=["allocator", "broker", "sequence"]), name="unblinded_contingency_coded"
            ),
        ]


class ContingencyRelease(Base):
    """A second person let the slot go. Which slot it is fills in the database: the next one of the site. Never taken back."""

    request = models.OneToOneField(ContingencyRequest, models.PROTECT, related_name="release")
    participant_id: uuid.UUID = models.UUIDField(unique=True)  # type: ignore[assignment]
    site = models.CharField(max_length=30)
    sequence_version = models.PositiveIntegerField(default=0)
    slot_stratum = models.CharField(max_length=60, blank=True)
    position = models.PositiveIntegerField(default=0)
    arm = models.CharField(max_length=30, blank=True)
    released_at = models.DateTimeField(default=clock.now)
    released_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_contingency_release"
        constraints = [
            models.UniqueConstraint(fields=["sequence_version", "position"], name="unblinded_contingency_slot_once"),
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
