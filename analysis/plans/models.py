"""The statistical analysis plan in the database: its versions, and who signed which."""

from typing import Any

from django.db import models
from django.db.models import Q

from trial.core import clock
from trial.core.models import Base, VersionBase


class PlanVersion(VersionBase):
    """One version of the plan; why it changed stands in the document."""

    class Meta(VersionBase.Meta):
        abstract = False


class PlanSignature(Base):
    """Somebody signed a version of the plan in one of the two capacities that it needs."""

    class Capacity(models.TextChoices):
        STATISTICIAN = "statistician"
        INVESTIGATOR = "investigator"

    plan = models.ForeignKey(PlanVersion, models.PROTECT, related_name="signatures")
    capacity = models.CharField(max_length=12, choices=Capacity)
    signed_at = models.DateTimeField(default=clock.now)
    signed_by = models.CharField(max_length=60)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "capacity"], name="plans_one_signature_each"),
            models.CheckConstraint(
                condition=Q(capacity__in=["statistician", "investigator"]), name="plans_signature_capacity"
            ),
        ]
