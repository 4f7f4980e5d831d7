"""The abstract run, and the work that a run is: a fact in the database. Celery carries its id and nothing else."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from trial.core import clock
from trial.core.models import Base


class Execution(Base):
    """Long work of a worker. What was asked is frozen at creation; the terminal state is written once, in a commit of its own.

    specification + code version + environment hash + seed -> the same result bytes.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        CANCELLING = "cancelling"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    spec: "models.JSONField[Any, Any]" = models.JSONField()
    seed = models.PositiveBigIntegerField()
    code_version = models.CharField(max_length=64)
    environment_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)
    created_by = models.CharField(max_length=60)
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    stage = models.CharField(max_length=30, blank=True)
    progress = models.FloatField(default=0.0)
    attempt = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    failure: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    result: "models.JSONField[Any, Any]" = models.JSONField(null=True)
    result_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "cancelling", "succeeded", "failed", "cancelled"]),
                name="%(class)s_state",
            ),
            models.CheckConstraint(
                condition=(Q(state="succeeded", result__isnull=False, finished_at__isnull=False) & ~Q(result_sha256=""))
                | (~Q(state="succeeded") & Q(result__isnull=True, result_sha256="")),
                name="%(class)s_result_iff_done",
            ),
            models.CheckConstraint(condition=Q(progress__range=(0, 1)), name="%(class)s_progress"),
        ]
        indexes = [models.Index(fields=["state"], name="%(class)s_state_i")]

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, in whatever way."""
        return self.state in (self.State.SUCCEEDED, self.State.FAILED, self.State.CANCELLED)


class Run(Execution):
    """One run of an analysis, on a snapshot: its hash is part of what makes the result."""

    snapshot_id: uuid.UUID = models.UUIDField()  # type: ignore[assignment]
    snapshot_sha256 = models.CharField(max_length=64)
    resumes_id: uuid.UUID | None = models.UUIDField(
        null=True, unique=True, help_text="a run whose parts it goes on from"
    )  # type: ignore[assignment]

    class Meta(Execution.Meta):
        abstract = True


class Part(Base):
    """A part of a run that one worker computes while others compute others. Claimed once, ended once; its result is never changed.

    ``run`` is added by the kind of run of each side; ``number`` is the part's place in the order of the whole.
    """

    State = Execution.State

    name = models.CharField(max_length=60)
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    heartbeat_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    result: "models.JSONField[Any, Any]" = models.JSONField(null=True)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="%(class)s_once"),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "succeeded", "failed", "cancelled"]), name="%(class)s_state"
            ),
            models.CheckConstraint(
                condition=Q(state="succeeded", result__isnull=False, finished_at__isnull=False)
                | (~Q(state="succeeded") & Q(result__isnull=True)),
                name="%(class)s_result_iff_done",
            ),
        ]
