"""Runs that blinded staff may see: pooled figures, and rehearsals on fake arms."""

from django.db import models
from django.db.models import Q

from analysis.runs.models import Part, Run


class PooledRun(Run):
    """A run of the open side: ``pooled`` figures, or a rehearsal on arms that are drawn from study numbers and this run's own seed.

    Rehearsals: ``plan`` of the primary outcome as planned, ``fake`` of it by each way of estimation, ``scales`` of all outcomes,
    ``published`` of the published comparisons, ``look`` of every look of the plan and the final analysis.
    """

    class Kind(models.TextChoices):
        POOLED = "pooled"
        FAKE = "fake"
        PLAN = "plan"
        SCALES = "scales"
        PUBLISHED = "published"
        LOOK = "look"

    kind = models.CharField(max_length=10, choices=Kind)

    class Meta(Run.Meta):
        abstract = False
        constraints = [
            *Run.Meta.constraints,
            models.CheckConstraint(
                condition=Q(kind__in=["pooled", "fake", "plan", "scales", "published", "look"]), name="pooledrun_kind"
            ),
        ]

    @property
    def is_rehearsal(self) -> bool:
        """Whether its arms are fake."""
        return self.kind != self.Kind.POOLED


class PooledPart(Part):
    """A part of a rehearsal."""

    run = models.ForeignKey(PooledRun, models.PROTECT, related_name="parts")

    class Meta(Part.Meta):
        abstract = False
