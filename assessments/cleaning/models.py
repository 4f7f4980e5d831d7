"""Data queries: questions about what was entered, and what became of them. Both append-only; a query's last event is its state.

The words of a query are written by blinded people for blinded people; the login of the unblinded side reads none of this. Answers are
coded: what somebody at a site types could be the arm itself.
"""

from django.db import models
from django.db.models import Q

from assessments.entry.models import Amendment, Form
from trial.core import clock
from trial.core.models import Base
from trial.participants.models import Participant
from trial.protocol.models import Site


class DataQuery(Base):
    """A question about a visit, one of its forms, or one item of a form. ``raised_as``: the role in which it was asked."""

    class Kind(models.TextChoices):
        MISSING = "missing"
        IMPLAUSIBLE = "implausible"
        INCONSISTENT = "inconsistent"
        DATE = "date"
        SOURCE = "source"
        OTHER = "other"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="+")
    visit = models.CharField(max_length=30)
    form = models.ForeignKey(Form, models.PROTECT, null=True, related_name="+")
    item = models.CharField(max_length=30, blank=True)
    kind = models.CharField(max_length=20, choices=Kind)
    text = models.TextField(max_length=500)
    raised_as = models.CharField(max_length=30)
    raised_by = models.CharField(max_length=60)
    raised_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["missing", "implausible", "inconsistent", "date", "source", "other"]),
                name="cleaning_query_kind",
            ),
            models.CheckConstraint(condition=Q(item="") | Q(form__isnull=False), name="cleaning_query_item_of_form"),
            models.CheckConstraint(condition=Q(raised_as__in=["datamanager", "monitor"]), name="cleaning_query_raiser"),
            models.CheckConstraint(condition=~Q(text=""), name="cleaning_query_says_something"),
        ]
        indexes = [models.Index(fields=["raised_at"], name="cleaning_query_by_time")]


class QueryEvent(Base):
    """One step of a query. A trigger refuses a step that does not follow from the last one.

    ``code``: of an answer corrected, confirmed or unresolvable; of an acceptance why nobody needs to answer any more.
    ``amendment``: what corrected a signed form.
    """

    class What(models.TextChoices):
        ANSWERED = "answered"
        CLOSED = "closed"
        REOPENED = "reopened"
        ACCEPTED = "accepted"

    class Answer(models.TextChoices):
        CORRECTED = "corrected"
        CONFIRMED = "confirmed"
        UNRESOLVABLE = "unresolvable"

    class Acceptance(models.TextChoices):
        NOBODY_KNOWS = "nobody_knows"
        NO_EFFECT = "no_effect"
        BY_MISTAKE = "by_mistake"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    query = models.ForeignKey(DataQuery, models.PROTECT, related_name="events")
    number = models.PositiveSmallIntegerField(help_text="1 for the first event of the query")
    what = models.CharField(max_length=10, choices=What)
    code = models.CharField(max_length=20, blank=True)
    amendment = models.ForeignKey(Amendment, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["query", "number"], name="cleaning_event_in_turn"),
            models.CheckConstraint(
                condition=Q(what="answered", code__in=["corrected", "confirmed", "unresolvable"])
                | Q(what="accepted", code__in=["nobody_knows", "no_effect", "by_mistake"])
                | Q(what__in=["closed", "reopened"], code=""),
                name="cleaning_event_code",
            ),
            models.CheckConstraint(
                condition=Q(amendment=None) | Q(code="corrected"), name="cleaning_event_amendment_of_correction"
            ),
        ]
