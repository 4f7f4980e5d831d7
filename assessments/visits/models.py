"""Who interviews whom, and what became of each visit. Both append-only: the row with the highest number counts.

Due dates and windows are not here: they are pure functions of the day of randomization (``schedule``).
"""

from django.db import models
from django.db.models import Q

from trial.core import clock
from trial.core.models import Base, User
from trial.participants.models import Participant
from trial.protocol.models import Site


class AssessorAssignment(Base):
    """From ``starts_at`` on, ``interviewer`` assesses this participant. The reason of a change is never written here."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField(help_text="1 for the first assignment of the participant")
    interviewer = models.ForeignKey(User, models.PROTECT, related_name="+")
    starts_at = models.DateTimeField(default=clock.now)
    assigned_by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant", "number"], name="visits_assignment_in_turn"),
            models.CheckConstraint(condition=Q(number__gte=1), name="visits_assignment_number"),
        ]
        indexes = [models.Index(fields=["interviewer"], name="visits_assignment_of")]


class VisitOutcome(Base):
    """What is known of one visit: missed with a coded reason, reopened because the person came back, or attended.

    ``day``: of a missed visit the day on which it was given up, of an attended one the day of the interview.
    """

    class Outcome(models.TextChoices):
        MISSED = "missed"
        REOPENED = "reopened"
        ATTENDED = "attended"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="+")
    visit = models.CharField(max_length=30)
    number = models.PositiveSmallIntegerField(help_text="1 for the first outcome of the visit")
    outcome = models.CharField(max_length=10, choices=Outcome)
    reason = models.CharField(max_length=40, blank=True, help_text="code of the protocol's reasons for a missed visit")
    day = models.DateField()
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant", "visit", "number"], name="visits_outcome_in_turn"),
            models.CheckConstraint(condition=Q(number__gte=1), name="visits_outcome_number"),
            models.CheckConstraint(
                condition=Q(outcome__in=["missed", "reopened", "attended"]), name="visits_outcome_known"
            ),
            models.CheckConstraint(
                condition=(Q(outcome="missed") & ~Q(reason="")) | (~Q(outcome="missed") & Q(reason="")),
                name="visits_reason_iff_missed",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="reopened") | Q(number__gt=1),
                name="visits_nothing_to_reopen",
            ),
        ]
