"""Forms, their answers and their scores.

A form belongs to one participant, visit and instrument. It is a draft until it is signed; a trigger refuses any change of a
signed form and of its answers, by anybody. What was wrong is amended: a signed row beside it, with new answers and new scores.
"""

from typing import Any

from django.db import models
from django.db.models import Q

from trial.core import clock
from trial.core.models import Base
from trial.participants.models import Participant
from trial.protocol.models import ProtocolVersion, Site


class Form(Base):
    """One instrument at one visit of one participant.

    ``revision`` counts what was saved: whoever saves names the revision that they saw. ``rater`` and ``rater_blind`` are facts of
    the instrument when the form was opened. ``held_on`` is the day of the assessment.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        SIGNED = "signed"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="+")
    visit = models.CharField(max_length=30)
    instrument = models.CharField(max_length=30)
    protocol_version = models.ForeignKey(ProtocolVersion, models.PROTECT, related_name="+")
    rater = models.CharField(max_length=20)
    rater_blind = models.BooleanField()
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    revision = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(default=clock.now)
    opened_by = models.CharField(max_length=60)
    saved_at = models.DateTimeField(null=True)
    saved_by = models.CharField(max_length=60, blank=True)
    held_on = models.DateField(null=True)
    signed_at = models.DateTimeField(null=True)
    signed_by = models.CharField(max_length=60, blank=True)
    content_sha256 = models.CharField(max_length=64, blank=True)
    signature: "models.JSONField[Any, Any]" = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant", "visit", "instrument"], name="entry_form_once"),
            models.CheckConstraint(
                condition=Q(state="draft", signed_at=None, signed_by="", content_sha256="", signature=None)
                | (
                    Q(state="signed", signed_at__isnull=False, held_on__isnull=False, signature__isnull=False)
                    & Q(content_sha256__regex=r"^[0-9a-f]{64}$")
                    & ~Q(signed_by="")
                ),
                name="entry_form_signed_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(rater__in=["participant", "interviewer", "clinician", "record"]), name="entry_form_rater"
            ),
        ]

    @property
    def is_signed(self) -> bool:
        """Whether the form is signed, and so closed for good."""
        return self.state == self.State.SIGNED


class Answer(Base):
    """The answer to one item: a value, or the coded reason why it is missing, or neither (taken back).

    ``value`` is the answer as text (a number, the value of a level, an ISO date, words); ``number`` the same as a number.
    ``revision``: the revision of the form with which it was last changed.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    form = models.ForeignKey(Form, models.PROTECT, related_name="answers")
    item = models.CharField(max_length=30)
    value = models.TextField(blank=True)
    number = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    missing = models.CharField(max_length=40, blank=True, help_text="code of the protocol's reasons for a missing item")
    revision = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form", "item"], name="entry_answer_once"),
            models.CheckConstraint(condition=Q(value="") | Q(missing=""), name="entry_answer_value_or_missing"),
            models.CheckConstraint(condition=Q(number=None) | ~Q(value=""), name="entry_answer_number_of_value"),
        ]


class Confirmation(Base):
    """Somebody was asked whether odd answers are meant (a soft check), and said yes. It holds for the answers ``seen`` alone."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    form = models.ForeignKey(Form, models.PROTECT, related_name="confirmations")
    check_code = models.CharField(max_length=30)
    seen: "models.JSONField[Any, Any]" = models.JSONField(help_text="item code: the answer that was confirmed")
    confirmed_at = models.DateTimeField(default=clock.now)
    confirmed_by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form", "check_code", "seen"], name="entry_confirmation_once"),
        ]


class Amendment(Base):
    """A new version of a signed form: the changed answers, a coded reason, a signature over the whole form as it is now.

    ``number``: 1 for the first; version 0 is the form as it was signed. The row closes its version: its answers are written before
    it, in the same transaction, and a trigger refuses any that come later.
    """

    class Reason(models.TextChoices):
        TYPED_WRONG = "typed_wrong"
        SOURCE_DIFFERS = "source_differs"
        FOUND_LATER = "found_later"
        PERSON_CORRECTED = "person_corrected"
        OTHER_FORM = "other_form"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    form = models.ForeignKey(Form, models.PROTECT, related_name="amendments")
    number = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=20, choices=Reason)
    held_on = models.DateField(help_text="the day of the assessment, as it is now")
    amended_at = models.DateTimeField(default=clock.now)
    amended_by = models.CharField(max_length=60)
    content_sha256 = models.CharField(max_length=64)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form", "number"], name="entry_amendment_in_turn"),
            models.CheckConstraint(condition=Q(number__gte=1), name="entry_amendment_number"),
            models.CheckConstraint(
                condition=Q(
                    reason__in=["typed_wrong", "source_differs", "found_later", "person_corrected", "other_form"]
                ),
                name="entry_amendment_reason",
            ),
            models.CheckConstraint(condition=Q(content_sha256__regex=r"^[0-9a-f]{64}$"), name="entry_amendment_signed"),
        ]


class AmendedAnswer(Base):
    """What one item holds from an amendment on: a value, the reason why it is missing, or neither (an optional item)."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    amendment = models.ForeignKey(Amendment, models.PROTECT, related_name="answers")
    item = models.CharField(max_length=30)
    value = models.TextField(blank=True)
    number = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    missing = models.CharField(max_length=40, blank=True, help_text="code of the protocol's reasons for a missing item")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["amendment", "item"], name="entry_amended_once"),
            models.CheckConstraint(condition=Q(value="") | Q(missing=""), name="entry_amended_value_or_missing"),
            models.CheckConstraint(condition=Q(number=None) | ~Q(value=""), name="entry_amended_number_of_value"),
        ]


class Score(Base):
    """The score of one scale of a signed form: a value, or the reason why there is none.

    Made once, by signing (``version`` 0) or by the amendment of that number; the highest version is in force.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    form = models.ForeignKey(Form, models.PROTECT, related_name="scores")
    scale = models.CharField(max_length=30)
    value = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    reason = models.CharField(max_length=40, blank=True)
    answered = models.PositiveSmallIntegerField()
    items = models.PositiveSmallIntegerField()
    rater = models.CharField(max_length=20)
    rater_blind = models.BooleanField()
    version = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form", "scale", "version"], name="entry_score_once"),
            models.CheckConstraint(
                condition=Q(value__isnull=False, reason="") | (Q(value=None) & ~Q(reason="")),
                name="entry_score_value_or_reason",
            ),
        ]
