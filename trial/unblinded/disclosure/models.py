"""The gates: planned unblinding, and the history of the unblinded side."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from trial.core import clock
from trial.core.models import Base, HistoryBase, RedactedLineBase, RedactionBase, SealBase
from trial.unblinded.randomization.models import Allocation


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


class CodeBreak(Base):
    """The investigator broke the code of one participant in an emergency. Each time a row; nothing of it stands on the open side."""

    at = models.DateTimeField(default=clock.now)
    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="+")
    site = models.CharField(max_length=30)
    broken_by = models.CharField(max_length=60)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        db_table = "unblinded_code_break"


class CodeBreakReason(Base):
    """Why a code was broken, told by whoever broke it, who cannot read it again."""

    code_break = models.ForeignKey(CodeBreak, models.PROTECT, related_name="reasons")
    site = models.CharField(max_length=30)
    words = models.TextField()
    given_by = models.CharField(max_length=60)
    given_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "unblinded_code_break_reason"
        constraints = [models.CheckConstraint(condition=~Q(words=""), name="unblinded_code_break_reason_said")]


class HandoverSeed(Base):
    """From what random hand-overs are drawn. Behind the wall: whoever knew it would know the ordered ones. At most one."""

    only = models.BooleanField(default=True, unique=True)
    seed = models.CharField(max_length=40)
    drawn_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "unblinded_handover_seed"
        constraints = [models.CheckConstraint(condition=Q(only=True), name="unblinded_one_handover_seed")]


class HandoverOrder(Base):
    """The assessor of this participant was told the arm: somebody else is to go on. One order a report; no reason on the open side."""

    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="+")
    site = models.CharField(max_length=30)
    report_id: uuid.UUID = models.UUIDField(unique=True)  # type: ignore[assignment]
    assessor: uuid.UUID | None = models.UUIDField(
        null=True, help_text="who assessed the participant when it was ordered"
    )  # type: ignore[assignment]
    ordered_at = models.DateTimeField(default=clock.now)
    ordered_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_handover_order"


class Handover(Base):
    """What a night made of an order, or of a visit that was drawn at random. Why it was done stands here and nowhere else."""

    class Outcome(models.TextChoices):
        HANDED_OVER = "handed_over"
        NOBODY_LEFT = "nobody_left"
        NOT_NEEDED = "not_needed"

    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="+")
    site = models.CharField(max_length=30)
    order = models.ForeignKey(HandoverOrder, models.PROTECT, null=True, related_name="results")
    visit = models.CharField(max_length=30)
    night = models.DateField()
    outcome = models.CharField(max_length=12, choices=Outcome)
    before: uuid.UUID | None = models.UUIDField(null=True)  # type: ignore[assignment]
    after: uuid.UUID | None = models.UUIDField(null=True)  # type: ignore[assignment]
    done_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "unblinded_handover"
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["handed_over", "nobody_left", "not_needed"]), name="unblinded_handover_outcome"
            ),
            models.CheckConstraint(
                condition=Q(outcome="handed_over", after__isnull=False) | (~Q(outcome="handed_over") & Q(after=None)),
                name="unblinded_handover_to_somebody",
            ),
            models.UniqueConstraint(
                fields=["allocation", "visit"], condition=Q(order=None), name="unblinded_random_once"
            ),
            models.UniqueConstraint(
                fields=["order", "visit", "outcome"], condition=Q(order__isnull=False), name="unblinded_ordered_once"
            ),
        ]


class HandoverNight(Base):
    """The batch of one night was written. At most one a night."""

    night = models.DateField(unique=True)
    done_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "unblinded_handover_night"


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


class UnblindedRedaction(RedactionBase):
    """A redaction behind the wall: the data manager of that side asks, the independent statistician decides."""

    class Meta(RedactionBase.Meta):
        abstract = False
        db_table = "unblinded_redaction"


class UnblindedRedactedLine(RedactedLineBase):
    """A redacted line of that history."""

    redaction = models.ForeignKey(UnblindedRedaction, models.PROTECT, related_name="lines")

    class Meta(RedactedLineBase.Meta):
        abstract = False
        db_table = "unblinded_redactedline"
