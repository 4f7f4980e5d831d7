"""Comparative runs. That one exists is itself behind the wall."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from analysis.runs.models import Execution, Part, Run
from trial.core import clock
from trial.core.models import Base


class ComparativeRun(Run):
    """A run on the real arms. It keeps its own extract (who was in which arm) and that extract's hash."""

    class Kind(models.TextChoices):
        PLAN = "plan"
        PRIMARY = "primary"
        SCALES = "scales"
        PUBLISHED = "published"

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PRIMARY)
    extract = models.BinaryField(null=True)
    extract_sha256 = models.CharField(max_length=64, blank=True)

    class Meta(Run.Meta):
        abstract = False
        db_table = "unblinded_comparative_run"
        constraints = [
            *Run.Meta.constraints,
            models.CheckConstraint(
                condition=Q(kind__in=["plan", "primary", "scales", "published"]), name="comparativerun_kind"
            ),
        ]


class ComparativePart(Part):
    """A part of a comparative run."""

    run = models.ForeignKey(ComparativeRun, models.PROTECT, related_name="parts")

    class Meta(Part.Meta):
        abstract = False
        db_table = "unblinded_comparative_part"


class LooksSignature(Base):
    """The independent statistician countersigned the looks of a version of the plan. ``plan_id`` and the hash say what was signed."""

    plan_id: uuid.UUID = models.UUIDField(unique=True)  # type: ignore[assignment]
    looks_sha256 = models.CharField(max_length=64)
    signed_at = models.DateTimeField(default=clock.now)
    signed_by = models.CharField(max_length=60)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        db_table = "unblinded_looks_signature"
        constraints = [
            models.CheckConstraint(condition=Q(looks_sha256__regex=r"^[0-9a-f]{64}$"), name="looks_signature_sha256")
        ]


class ForecastRun(Execution):
    """Simulated trials under candidate schemes of allocation, before anybody is randomized."""

    class Meta(Execution.Meta):
        abstract = False
        db_table = "unblinded_forecast_run"
