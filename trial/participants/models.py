"""Screening, consent, registration, the request to randomize, and the facts that close a trial. All of it on the open side.

Drop boxes (``dropbox_*``) have no foreign key and are write-only for the open side.
"""

from typing import Any

from django.db import models
from django.db.models import F, Q

from trial.core import clock, ids
from trial.core.models import Base
from trial.protocol.models import Site, Team


class ScreeningEntry(Base):
    """One person considered for the trial, without identifiers. Re-screening makes a new row linked to the old one."""

    class Outcome(models.TextChoices):
        IN_SCREENING = "in_screening"
        ELIGIBLE = "eligible"
        EXCLUDED = "excluded"
        DECLINED = "declined"
        REGISTERED = "registered"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, related_name="+")
    month = models.DateField(help_text="first day of the month")
    age_band = models.CharField(max_length=10)
    sex = models.CharField(max_length=10)
    outcome = models.CharField(max_length=20, choices=Outcome, default=Outcome.IN_SCREENING)
    reason = models.CharField(max_length=40, blank=True, help_text="code of the exclusion or decline reason")
    previous = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    criteria: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, help_text="criterion code: whether it is met"
    )
    created_at = models.DateTimeField(default=clock.now)
    assessed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["in_screening", "eligible", "excluded", "declined", "registered"]),
                name="participants_screening_outcome_known",
            ),
            models.CheckConstraint(
                condition=(Q(outcome__in=["excluded", "declined"]) & ~Q(reason=""))
                | (~Q(outcome__in=["excluded", "declined"]) & Q(reason="")),
                name="participants_screening_reason_iff_out",
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="participants_screening_month_only"),
        ]
        indexes = [models.Index(fields=["site", "outcome"], name="participants_screening_state")]


class Participant(Base):
    """Somebody who consented and was registered. ``randomized_at`` is a public fact, the same for every arm."""

    number = models.CharField(max_length=8, unique=True)
    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, related_name="+")
    screening = models.OneToOneField(ScreeningEntry, models.PROTECT, related_name="+")
    registered_at = models.DateTimeField(default=clock.now)
    baseline_completed_at = models.DateTimeField(null=True)
    randomized_at = models.DateTimeField(null=True)
    stratum = models.CharField(max_length=60, blank=True, help_text="as randomized; never changes")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(number__regex=r"^[0-9]{8}$"), name="participants_participant_number"),
            models.CheckConstraint(
                condition=Q(randomized_at=None, stratum="")
                | (Q(randomized_at__isnull=False, baseline_completed_at__isnull=False) & ~Q(stratum="")),
                name="participants_randomized_after_baseline",
            ),
            models.CheckConstraint(
                condition=Q(randomized_at=None) | Q(randomized_at__gte=F("baseline_completed_at")),
                name="participants_baseline_then_randomized",
            ),
        ]
        indexes = [models.Index(fields=["site", "registered_at"], name="participants_by_site")]

    def __str__(self) -> str:
        return f"{self.number[:4]} {self.number[4:]}"


class Consent(Base):
    """One consent decision, by version and part. Append-only: the latest row of a part counts.

    Given before registration, so that it belongs to the screening entry.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    screening = models.ForeignKey(ScreeningEntry, models.PROTECT, related_name="consents")
    version = models.CharField(max_length=20)
    part = models.CharField(max_length=20)
    given = models.BooleanField()
    signed_on = models.DateField()
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["screening", "part", "recorded_at"], name="participants_consent_once"),
        ]


class RandomizationRequest(Base):
    """*Randomize* was pressed. The allocator answers; what the answer was stands behind the wall."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        REFUSED = "refused"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.OneToOneField(Participant, models.PROTECT, related_name="randomization_request")
    requested_at = models.DateTimeField(default=clock.now)
    requested_by = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    answered_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=40, blank=True, help_text="code; open facts only")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "done", "refused"]), name="participants_request_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", answered_at=None, refusal="")
                | Q(state="done", answered_at__isnull=False, refusal="")
                | (Q(state="refused", answered_at__isnull=False) & ~Q(refusal="")),
                name="participants_request_answer_complete",
            ),
        ]


class UnblindingReport(models.Model):
    """A drop box: "I was told the arm". Written by the open side, read behind the wall only. No foreign key."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    participant_id = models.UUIDField()
    visit = models.CharField(max_length=30, blank=True)
    source = models.CharField(max_length=30)
    believed_arm = models.CharField(max_length=30, blank=True)
    certainty = models.PositiveSmallIntegerField(null=True)
    words = models.TextField(blank=True)
    reported_by = models.CharField(max_length=60)
    reported_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "dropbox_unblinding_report"
        constraints = [
            models.CheckConstraint(
                condition=Q(certainty=None) | Q(certainty__range=(1, 5)), name="dropbox_certainty_range"
            ),
        ]


class DatabaseLock(Base):
    """The data manager locked the database: no open trial datum changes any more. At most one."""

    only = models.BooleanField(default=True, unique=True)
    locked_at = models.DateTimeField(default=clock.now)
    locked_by = models.CharField(max_length=60)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(only=True), name="participants_one_lock")]


class UnblindingRequest(Base):
    """The sponsor's signed request for planned unblinding; possible after the lock only. At most one."""

    only = models.BooleanField(default=True, unique=True)
    lock = models.OneToOneField(DatabaseLock, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=clock.now)
    requested_by = models.CharField(max_length=60)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(only=True), name="participants_one_unblinding_request")]


class Release(Base):
    """What came through the gate: a result that everybody may see. Written behind the wall, append-only."""

    released_at = models.DateTimeField(default=clock.now)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=30, default="result")
    payload: "models.JSONField[Any, Any]" = models.JSONField()
    sha256 = models.CharField(max_length=64, unique=True)
