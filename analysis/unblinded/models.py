"""Comparative runs, looks before the end, and what the committee makes of them. That one exists is itself behind the wall."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from analysis.runs.models import Execution, Part, Run
from trial.core import clock
from trial.core.models import Base


class LookRequest(Base):
    """A member of the committee asks in writing for a comparison that no plan has. Somebody else starts it, or nobody.

    ``asked_for``: the committee itself, or the steering committee, in whose name it asks. ``blind_timing``: the time was chosen without
    knowledge of comparative data, so that the spending function says what the look costs.
    """

    class AskedFor(models.TextChoices):
        COMMITTEE = "committee"
        STEERING = "steering"

    number = models.PositiveSmallIntegerField(unique=True)
    asked_for = models.CharField(max_length=10, choices=AskedFor)
    blind_timing = models.BooleanField()
    words = models.TextField()
    requested_by = models.CharField(max_length=60)
    requested_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "unblinded_look_request"
        constraints = [
            models.CheckConstraint(condition=~Q(words=""), name="look_request_says_why"),
            models.CheckConstraint(condition=Q(asked_for__in=["committee", "steering"]), name="look_request_asked_for"),
        ]


class Look(Base):
    """One comparison before the end, under the version of the plan that was in force. ``code``: of the planned look; empty for one on request."""

    number = models.PositiveSmallIntegerField(unique=True)
    plan_id: uuid.UUID = models.UUIDField()  # type: ignore[assignment]
    code = models.CharField(max_length=30, blank=True)
    request = models.OneToOneField(LookRequest, models.PROTECT, null=True, related_name="look")
    begun_by = models.CharField(max_length=60)
    begun_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "unblinded_look"
        constraints = [
            models.CheckConstraint(
                condition=(Q(request=None) & ~Q(code="")) | Q(request__isnull=False, code=""),
                name="look_planned_or_asked_for",
            ),
            models.UniqueConstraint(fields=["code"], condition=~Q(code=""), name="look_planned_once"),
        ]


class ComparativeRun(Run):
    """A run on the real arms. It keeps its own extract (who was in which arm) and that extract's hash.

    ``look``: the look that it computes; every other kind follows planned unblinding.
    """

    class Kind(models.TextChoices):
        PLAN = "plan"
        PRIMARY = "primary"
        SCALES = "scales"
        PUBLISHED = "published"
        LOOK = "look"

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PRIMARY)
    look = models.ForeignKey(Look, models.PROTECT, null=True, related_name="runs")
    extract = models.BinaryField(null=True)
    extract_sha256 = models.CharField(max_length=64, blank=True)

    class Meta(Run.Meta):
        abstract = False
        db_table = "unblinded_comparative_run"
        constraints = [
            *Run.Meta.constraints,
            models.CheckConstraint(
                condition=Q(kind__in=["plan", "primary", "scales", "published", "look"]), name="comparativerun_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind="look", look__isnull=False) | (~Q(kind="look") & Q(look=None)),
                name="comparativerun_of_a_look",
            ),
        ]


class LookResult(Base):
    """What a look found and spent, in numbers: written by the database itself when the run of the look succeeds, and by nobody else.

    ``alpha``: all that is spent up to here, two-sided where the test is. ``z``: + in favor of the experimental arm. ``bound``: none where
    the look had no alpha to spend. ``fraction``: none for a plan that fixes no maximum information.
    """

    look = models.OneToOneField(Look, models.PROTECT, related_name="result")
    run = models.OneToOneField(ComparativeRun, models.PROTECT, related_name="+")
    information = models.FloatField()
    fraction = models.FloatField(null=True)
    z = models.FloatField()
    bound = models.FloatField(null=True)
    alpha = models.FloatField()
    held_at = models.DateTimeField()

    class Meta:
        db_table = "unblinded_look_result"
        constraints = [
            models.CheckConstraint(condition=Q(information__gt=0), name="look_result_information"),
            models.CheckConstraint(condition=Q(alpha__gte=0, alpha__lt=1), name="look_result_alpha"),
        ]


class Recommendation(Base):
    """What the committee recommends after a look, with its reasons. A later version takes the place of one that is not sealed.

    It is sealed by the chair's signature, which is the last.
    """

    class Word(models.TextChoices):
        CONTINUE = "continue"
        STOP_EFFICACY = "stop_efficacy"
        STOP_FUTILITY = "stop_futility"
        CHANGE = "change"

    look = models.ForeignKey(Look, models.PROTECT, related_name="recommendations")
    number = models.PositiveSmallIntegerField()
    word = models.CharField(max_length=13, choices=Word)
    words = models.TextField()
    written_by = models.CharField(max_length=60)
    written_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "unblinded_recommendation"
        constraints = [
            models.UniqueConstraint(fields=["look", "number"], name="recommendation_in_turn"),
            models.CheckConstraint(
                condition=Q(word__in=["continue", "stop_efficacy", "stop_futility", "change"]),
                name="recommendation_word",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="recommendation_says_why"),
        ]


class RecommendationSignature(Base):
    """Somebody of the committee signed a recommendation; the chair after the members."""

    class Capacity(models.TextChoices):
        MEMBER = "member"
        CHAIR = "chair"

    recommendation = models.ForeignKey(Recommendation, models.PROTECT, related_name="signatures")
    capacity = models.CharField(max_length=6, choices=Capacity)
    signed_by = models.CharField(max_length=60)
    signed_at = models.DateTimeField(default=clock.now)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        db_table = "unblinded_recommendation_signature"
        constraints = [
            models.UniqueConstraint(fields=["recommendation", "signed_by"], name="recommendation_signed_once"),
            models.UniqueConstraint(
                fields=["recommendation"], condition=Q(capacity="chair"), name="recommendation_one_chair"
            ),
            models.CheckConstraint(condition=Q(capacity__in=["member", "chair"]), name="recommendation_capacity"),
        ]


class ComparativePart(Part):
    """A part of a comparative run."""

    run = models.ForeignKey(ComparativeRun, models.PROTECT, related_name="parts")

    class Meta(Part.Meta):
        abstract = False
        db_table = "unblinded_comparative_part"


class LooksSignature(Base):
    """The independent statistician countersigned the looks of a version of the plan. ``plan_id`` and the hash say what was signed."""

    plan_id: uuid.UUID = models.UUIDField(unique=True)  # type: ignore[assignment]
    looks_sha256 = models.CharField(max_length=64)
    signed_at = models.DateTimeField(default=clock.now)
    signed_by = models.CharField(max_length=60)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        db_table = "unblinded_looks_signature"
        constraints = [
            models.CheckConstraint(condition=Q(looks_sha256__regex=r"^[0-9a-f]{64}$"), name="looks_signature_sha256")
        ]


class ForecastRun(Execution):
    """Simulated trials under candidate schemes of allocation, before anybody is randomized."""

    class Meta(Execution.Meta):
        abstract = False
        db_table = "unblinded_forecast_run"
