"""Serious events as the open side may know them: coded, dated, without a word of text. What happened is told behind the wall."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from trial.core import clock, ids
from trial.core.models import Base
from trial.participants.models import Participant
from trial.protocol.models import Site


class Kind(models.TextChoices):
    """Why an event is serious. Source: ICH E2A, II.B; its first criterion, death, has a station of its own."""

    ADMISSION = "admission", _("Unplanned admission to hospital")
    LIFE_THREATENING = "life_threatening", _("Life-threatening")
    DISABILITY = "disability", _("Lasting disability")
    OTHER = "other", _("Other serious event")


class Outcome(models.TextChoices):
    """What became of it. OURS, after the outcomes of ICH E2B."""

    UNKNOWN = "unknown", _("Not known yet")
    ONGOING = "ongoing", _("Ongoing")
    RECOVERED = "recovered", _("Recovered")
    SEQUELAE = "sequelae", _("Recovered with lasting consequences")


def key_of(participant_id: uuid.UUID, event: int, number: int = 1) -> uuid.UUID:
    """The key of a row: derived, so that it tells nothing of the side that wrote it. An event is known by the key of its first row."""
    return ids.derived(participant_id, "serious event", event, number)


class SeriousEvent(Base):
    """A row about a serious event of one participant; of each event the row with the highest number counts.

    ``void``: it was reported by mistake. ``recorded_by`` is "site staff" for an author of the unblinded side.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="+")
    event = models.PositiveSmallIntegerField(help_text="1 for the first event of the participant")
    number = models.PositiveSmallIntegerField(help_text="1 for the report, then its corrections")
    void = models.BooleanField(default=False)
    kind = models.CharField(max_length=20, choices=Kind)
    began_on = models.DateField()
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.UNKNOWN)
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        db_table = "participants_seriousevent"
        constraints = [
            models.UniqueConstraint(fields=["participant", "event", "number"], name="participants_event_in_turn"),
            models.CheckConstraint(
                condition=Q(kind__in=Kind.values, outcome__in=Outcome.values), name="participants_event_coded"
            ),
            models.CheckConstraint(
                condition=~Q(number=1) | Q(void=False, outcome="unknown"), name="participants_event_reported_first"
            ),
        ]

    @property
    def key(self) -> uuid.UUID:
        """The key under which the event is known."""
        return key_of(self.participant_id, self.event)
