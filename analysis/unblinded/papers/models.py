"""Reports by arm, and how the closed ones name the arms."""

from django.db import models
from django.db.models import Q

from analysis.reports.models import Paper
from trial.core import clock
from trial.core.models import Base


class ClosedPaper(Paper):
    """A report that names arms: ``closed`` for the committee while the trial goes on, ``final`` after planned unblinding."""

    class Kind(models.TextChoices):
        CLOSED = "closed"
        FINAL = "final"

    class Meta(Paper.Meta):
        abstract = False
        db_table = "unblinded_report"
        constraints = [
            *Paper.Meta.constraints,
            models.CheckConstraint(condition=Q(kind__in=["closed", "final"]), name="closedpaper_kind"),
        ]


class ArmLabels(Base):
    """How closed reports name the arms, by the committee's charter: one row for the whole trial, never changed.

    ``first``: the code of the arm that is called A where labels are coded; drawn by lot.
    """

    class Labels(models.TextChoices):
        REAL = "real"
        CODED = "coded"

    only = models.BooleanField(default=True, unique=True)
    labels = models.CharField(max_length=6, choices=Labels)
    first = models.CharField(max_length=30)
    set_at = models.DateTimeField(default=clock.now)
    set_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_report_labels"
        constraints = [
            models.CheckConstraint(condition=Q(only=True), name="report_labels_once"),
            models.CheckConstraint(condition=Q(labels__in=["real", "coded"]), name="report_labels_known"),
        ]
