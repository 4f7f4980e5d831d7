"""Runs that blinded staff may see: pooled figures, and rehearsals on a fake arm."""

from django.db import models
from django.db.models import Q

from analysis.runs.models import Run


class PooledRun(Run):
    """A run of the open side. ``fake``: the model on an arm that is drawn from study numbers and this run's own seed."""

    class Kind(models.TextChoices):
        POOLED = "pooled"
        FAKE = "fake"

    kind = models.CharField(max_length=10, choices=Kind)

    class Meta(Run.Meta):
        abstract = False
        constraints = [
            *Run.Meta.constraints,
            models.CheckConstraint(condition=Q(kind__in=["pooled", "fake"]), name="pooledrun_kind"),
        ]
