"""What is told of a serious event behind the wall: the narrative, and how it is judged. A narrative names the treatment sooner or later."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from trial.core import clock
from trial.core.models import Base
from trial.unblinded.randomization.models import Allocation


class Relatedness(models.TextChoices):
    """Whether the treatment may have caused it. Source: the categories of causality that WHO-UMC and most sponsors use."""

    NOT_RELATED = "not_related", _("Not related")
    UNLIKELY = "unlikely", _("Unlikely")
    POSSIBLE = "possible", _("Possible")
    PROBABLE = "probable", _("Probable")
    DEFINITE = "definite", _("Definite")


class Expectedness(models.TextChoices):
    """Whether an event of this kind was to be expected by what the protocol says of the treatment."""

    EXPECTED = "expected", _("Expected")
    UNEXPECTED = "unexpected", _("Unexpected")


class EventNarrative(Base):
    """The narrative of one serious event, with its judgment. Rows are only added; of each event the highest number counts.

    ``event``: the key of the report on the open side, a plain value: exactly one foreign key crosses the wall, and it is the allocation's.
    """

    site = models.CharField(max_length=30)
    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="+")
    event = models.UUIDField()
    number = models.PositiveSmallIntegerField(help_text="1 for the first narrative of the event")
    words = models.TextField()
    relatedness = models.CharField(max_length=20, choices=Relatedness)
    expectedness = models.CharField(max_length=20, choices=Expectedness)
    written_at = models.DateTimeField(default=clock.now)
    written_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_event_narrative"
        constraints = [
            models.UniqueConstraint(fields=["event", "number"], name="unblinded_narrative_in_turn"),
            models.CheckConstraint(
                condition=Q(relatedness__in=Relatedness.values, expectedness__in=Expectedness.values),
                name="unblinded_narrative_coded",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="unblinded_narrative_told"),
        ]
