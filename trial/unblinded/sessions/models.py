"""Groups, sessions, attendance, the end of the program, and fidelity. All of it behind the wall.

Every row about a person refers to the allocation, never to the participant: a foreign key would change what the open side can read of
that row. Whoever acts is named by key, without a foreign key, for the same reason.
"""

import uuid
from typing import Any

from django.db import models
from django.db.models import ExpressionWrapper, F, Q
from django.utils.translation import gettext_lazy as _

from trial.core import clock
from trial.core.models import Base
from trial.unblinded.randomization.models import Allocation


class AbsenceReason(models.TextChoices):
    """Why somebody who was asked did not come."""

    ILL = "ill", _("Ill")
    ELSEWHERE = "elsewhere", _("Had to be elsewhere")
    UNWILLING = "unwilling", _("Did not want to come")
    NO_NOTICE = "no_notice", _("Without notice")
    OTHER = "other", _("Other reason")


class CancelReason(models.TextChoices):
    """Why a session was not held. ``mistake``: there was never to be one; the row was made by mistake."""

    TRAINER = "trainer", _("A trainer was not available")
    TOO_FEW = "too_few", _("Too few people could come")
    HOLIDAY = "holiday", _("Holiday")
    PLACE = "place", _("The place was not available")
    OTHER = "other", _("Other reason")
    MISTAKE = "mistake", _("Recorded by mistake")


class WithdrawalReason(models.TextChoices):
    """Why somebody stopped treatment; the person's own reason where it is known."""

    NO_BENEFIT = "no_benefit", _("Expects or finds no benefit")
    BURDEN = "burden", _("Too much of a burden")
    GROUP = "group", _("Does not feel at home in a group")
    HEALTH = "health", _("State of health")
    OTHER_CARE = "other_care", _("Other treatment or moved away")
    NOT_REACHED = "not_reached", _("Could not be reached any more")
    OTHER = "other", _("Other reason")
    UNKNOWN = "unknown", _("Reason not known")


class TherapyGroup(Base):
    """A group of a site that follows the program, from the day it opens to the day it closes."""

    site = models.CharField(max_length=30)
    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120)
    opened_on = models.DateField(help_text="planned or real first day")
    closed_on = models.DateField(null=True, help_text="last day")
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_group"
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[A-Za-z0-9-]+$"), name="unblinded_group_code_plain"),
            models.CheckConstraint(
                condition=Q(closed_on=None) | Q(closed_on__gte=F("opened_on")), name="unblinded_group_closes_after"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class GroupTrainer(Base):
    """A therapist who trains a group, from a day on, until another does."""

    site = models.CharField(max_length=30)
    group = models.ForeignKey(TherapyGroup, models.PROTECT, related_name="trainers")
    trainer_id: uuid.UUID = models.UUIDField()  # type: ignore[assignment]
    since = models.DateField()
    until = models.DateField(null=True)

    class Meta:
        db_table = "unblinded_group_trainer"
        constraints = [
            models.UniqueConstraint(
                fields=["group", "trainer_id"], condition=Q(until=None), name="unblinded_trainer_once"
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("since")), name="unblinded_trainer_until_after"
            ),
        ]
        indexes = [models.Index(fields=["trainer_id"], name="unblinded_trainer_person")]


class Told(Base):
    """The treatment coordinator told the participant and the care team. One row a person, append-only."""

    site = models.CharField(max_length=30)
    allocation = models.OneToOneField(Allocation, models.PROTECT, related_name="+")
    told_on = models.DateField()
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_told"


class Member(Base):
    """Somebody's place in a group: entry at any time, until the day they leave. ``deviates``: their arm is not offered the program."""

    site = models.CharField(max_length=30)
    group = models.ForeignKey(TherapyGroup, models.PROTECT, related_name="members")
    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="+")
    entered_on = models.DateField()
    left_on = models.DateField(null=True, help_text="last day in the group")
    deviates = models.BooleanField()
    placed_at = models.DateTimeField(default=clock.now)
    placed_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_member"
        constraints = [
            models.UniqueConstraint(
                fields=["allocation"], condition=Q(left_on=None), name="unblinded_member_one_group"
            ),
            models.CheckConstraint(
                condition=Q(left_on=None) | Q(left_on__gte=F("entered_on")), name="unblinded_member_leaves_after"
            ),
        ]


class GroupSession(Base):
    """One session of a group: held, or canceled with a reason. At most one a day."""

    class State(models.TextChoices):
        HELD = "held", _("Held")
        CANCELED = "canceled", _("Canceled")

    site = models.CharField(max_length=30)
    group = models.ForeignKey(TherapyGroup, models.PROTECT, related_name="sessions")
    day = models.DateField()
    state = models.CharField(max_length=10, choices=State)
    cancel_reason = models.CharField(max_length=20, choices=CancelReason, blank=True)
    modules: "models.JSONField[Any, Any]" = models.JSONField(default=list, help_text="codes of the protocol")
    minutes = models.PositiveSmallIntegerField(null=True)
    led_by: "models.JSONField[Any, Any]" = models.JSONField(default=list, help_text="keys of persons")
    revision = models.PositiveIntegerField(default=1)
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_session"
        constraints = [
            models.UniqueConstraint(fields=["group", "day"], name="unblinded_session_once_a_day"),
            models.CheckConstraint(
                condition=Q(state="held", cancel_reason="", minutes__range=(1, 1440))
                | (Q(state="canceled", minutes=None, cancel_reason__in=CancelReason.values)),
                name="unblinded_session_held_or_canceled",
            ),
            models.CheckConstraint(
                condition=(Q(state="held") & ~Q(modules=[]) & ~Q(led_by=[]))
                | Q(state="canceled", modules=[], led_by=[]),
                name="unblinded_session_content",
            ),
        ]


class Attendance(Base):
    """What became of one person at one session. ``guest``: not a member of the group on that day."""

    class Mark(models.TextChoices):
        ATTENDED = "attended", _("Attended")
        ABSENT = "absent", _("Absent")
        NOT_OFFERED = "not_offered", _("Not offered")

    site = models.CharField(max_length=30)
    session = models.ForeignKey(GroupSession, models.PROTECT, related_name="attendance")
    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="+")
    mark = models.CharField(max_length=12, choices=Mark)
    reason = models.CharField(max_length=20, choices=AbsenceReason, blank=True)
    guest = models.BooleanField()
    deviates = models.BooleanField()
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_attendance"
        constraints = [
            models.UniqueConstraint(fields=["session", "allocation"], name="unblinded_attendance_once"),
            models.CheckConstraint(
                condition=Q(mark="absent", reason__in=AbsenceReason.values)
                | Q(mark__in=["attended", "not_offered"], reason=""),
                name="unblinded_attendance_mark",
            ),
        ]


class TreatmentWithdrawal(Base):
    """Somebody withdrew from treatment, and from nothing else. One row a person, append-only."""

    site = models.CharField(max_length=30)
    allocation = models.OneToOneField(Allocation, models.PROTECT, related_name="+")
    day = models.DateField(help_text="last day of treatment")
    reason = models.CharField(max_length=20, choices=WithdrawalReason)
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_withdrawal"
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=WithdrawalReason.values), name="unblinded_withdrawal_reason_known"
            )
        ]


def _required() -> "ExpressionWrapper[Any]":
    return ExpressionWrapper(F("share") * F("counted"), output_field=models.DecimalField())


class Completion(Base):
    """The program ended for somebody: exposure and completion as they were then, with the denominator named. Append-only."""

    site = models.CharField(max_length=30)
    allocation = models.OneToOneField(Allocation, models.PROTECT, related_name="+")
    group = models.ForeignKey(TherapyGroup, models.PROTECT, null=True, related_name="+")
    ended_on = models.DateField()
    ended_by = models.CharField(max_length=20)
    planned = models.PositiveSmallIntegerField()
    offered = models.PositiveSmallIntegerField()
    attended = models.PositiveSmallIntegerField()
    held = models.PositiveSmallIntegerField()
    denominator = models.CharField(max_length=10)
    counted = models.PositiveSmallIntegerField(help_text="sessions that the share is taken of")
    share = models.DecimalField(max_digits=8, decimal_places=6)
    completed = models.BooleanField()
    fixed_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "unblinded_completion"
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_by__in=["withdrawn", "group_closed", "target_day"]),
                name="unblinded_completion_ending",
            ),
            models.CheckConstraint(
                condition=Q(attended__lte=F("offered")), name="unblinded_completion_attended_offered"
            ),
            models.CheckConstraint(
                condition=Q(denominator="offered", counted=F("offered"))
                | Q(denominator="planned", counted=F("planned"))
                | Q(denominator="held", counted=F("held")),
                name="unblinded_completion_denominator",
            ),
            models.CheckConstraint(
                condition=Q(completed=True, counted__gt=0, attended__gte=_required())
                | (Q(completed=False) & (Q(counted=0) | Q(attended__lt=_required()))),
                name="unblinded_completion_follows_rule",
            ),
        ]


class FidelityRating(Base):
    """One rater's view of one group on one scale. A draft, then signed; signed, it is closed."""

    site = models.CharField(max_length=30)
    group = models.ForeignKey(TherapyGroup, models.PROTECT, related_name="+")
    scale = models.CharField(max_length=30)
    rater = models.CharField(max_length=60)
    visited_on = models.DateField(help_text="day of the observed session or interviews")
    scores: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, help_text="item code: value, null if left out"
    )
    saved_at = models.DateTimeField(default=clock.now)
    signed_at = models.DateTimeField(null=True)
    signature: "models.JSONField[Any, Any]" = models.JSONField(null=True)

    class Meta:
        db_table = "unblinded_fidelity_rating"
        constraints = [
            models.UniqueConstraint(fields=["group", "scale", "rater"], name="unblinded_rating_once"),
            models.CheckConstraint(
                condition=Q(signed_at=None, signature=None) | Q(signed_at__isnull=False, signature__isnull=False),
                name="unblinded_rating_signature",
            ),
        ]


class FidelityConsensus(Base):
    """What two raters agree on, with score and band. Follows their signed ratings; append-only."""

    site = models.CharField(max_length=30)
    group = models.ForeignKey(TherapyGroup, models.PROTECT, related_name="+")
    scale = models.CharField(max_length=30)
    scores: "models.JSONField[Any, Any]" = models.JSONField()
    score = models.DecimalField(max_digits=8, decimal_places=4)
    band = models.CharField(max_length=30)
    reached_at = models.DateTimeField(default=clock.now)
    reached_by = models.CharField(max_length=60)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        db_table = "unblinded_fidelity_consensus"
        constraints = [models.UniqueConstraint(fields=["group", "scale"], name="unblinded_consensus_once")]
