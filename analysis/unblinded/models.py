"""Comparative runs. That one exists is itself behind the wall."""

from django.db import models
from django.db.models import Q

from analysis.runs.models import Execution, Run


class ComparativeRun(Run):
    """A run on the real arms. It keeps its own extract (who was in which arm) and that extract's hash."""

    class Kind(models.TextChoices):
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
                condition=Q(kind__in=["primary", "scales", "published"]), name="comparativerun_kind"
            ),
        ]


class ForecastRun(Execution):
    """Simulated trials under candidate schemes of allocation, before anybody is randomized."""

    class Meta(Execution.Meta):
        abstract = False
        db_table = "unblinded_forecast_run"
