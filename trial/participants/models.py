"""Screening, consent, registration, contact, what becomes of a participant, and the facts that close a trial. All on the open side.

Histories of a participant (contact, transfer, death) are append-only: the row with the highest number counts. Drop boxes
(``dropbox_*``) have no foreign key and are write-only for the open side.
"""

from typing import Any

from django.db import models
from django.db.models import F, Q

from trial.core import clock, ids
from trial.core.models import Base
from trial.protocol.models import Site, Team


class ScreeningEntry(Base):
    """One person considered for the trial, without identifiers. Re-screening makes a new row linked to the old one, once."""

    class Outcome(models.TextChoices):
        IN_SCREENING = "in_screening"
        ELIGIBLE = "eligible"
        EXCLUDED = "excluded"
        DECLINED = "declined"
        REGISTERED = "registered"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, related_name="+")
    month = models.DateField(help_text="first day of the month")
    age_band = models.CharField(max_length=10)
    sex = models.CharField(max_length=10)
    outcome = models.CharField(max_length=20, choices=Outcome, default=Outcome.IN_SCREENING)
    reason = models.CharField(max_length=40, blank=True, help_text="code of the exclusion or decline reason")
    previous = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    criteria: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, help_text="criterion code: whether it is met"
    )
    created_at = models.DateTimeField(default=clock.now)
    assessed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=["in_screening", "eligible", "excluded", "declined", "registered"]),
                name="participants_screening_outcome_known",
            ),
            models.CheckConstraint(
                condition=(Q(outcome__in=["excluded", "declined"]) & ~Q(reason=""))
                | (~Q(outcome__in=["excluded", "declined"]) & Q(reason="")),
                name="participants_screening_reason_iff_out",
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="participants_screening_month_only"),
            models.UniqueConstraint(fields=["previous"], name="participants_screening_again_once"),
        ]
        indexes = [models.Index(fields=["site", "outcome"], name="participants_screening_state")]


class Participant(Base):
    """Somebody who consented and was registered. ``randomized_at`` is a public fact, the same for every arm."""

    number = models.CharField(max_length=8, unique=True)
    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, related_name="+")
    screening = models.OneToOneField(ScreeningEntry, models.PROTECT, related_name="+")
    registered_at = models.DateTimeField(default=clock.now)
    baseline_completed_at = models.DateTimeField(null=True)
    randomized_at = models.DateTimeField(null=True)
    stratum = models.CharField(max_length=60, blank=True, help_text="as randomized; never changes")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(number__regex=r"^[0-9]{8}$"), name="participants_participant_number"),
            models.CheckConstraint(
                condition=Q(randomized_at=None, stratum="")
                | (Q(randomized_at__isnull=False, baseline_completed_at__isnull=False) & ~Q(stratum="")),
                name="participants_randomized_after_baseline",
            ),
            models.CheckConstraint(
                condition=Q(randomized_at=None) | Q(randomized_at__gte=F("baseline_completed_at")),
                name="participants_baseline_then_randomized",
            ),
        ]
        indexes = [models.Index(fields=["site", "registered_at"], name="participants_by_site")]

    def __str__(self) -> str:
        return f"{self.number[:4]} {self.number[4:]}"


class Consent(Base):
    """One consent decision, by version and part. Append-only: the latest row of a part counts; a later "no" is a withdrawal.

    Given before registration, so that it belongs to the screening entry. ``signed_on``: the day of the decision.
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    screening = models.ForeignKey(ScreeningEntry, models.PROTECT, related_name="consents")
    version = models.CharField(max_length=20)
    part = models.CharField(max_length=20)
    given = models.BooleanField()
    signed_on = models.DateField()
    reason = models.CharField(
        max_length=40, blank=True, help_text="code of the reason of a withdrawal; nobody has to give one"
    )
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["screening", "part", "recorded_at"], name="participants_consent_once"),
            models.CheckConstraint(
                condition=Q(given=False) | Q(reason=""), name="participants_consent_reason_of_withdrawal"
            ),
        ]


class Contact(Base):
    """Who a participant is and how to reach them: one version; the highest number counts. Stays out of every history.

    Way and time are coded: words about "the group on Tuesday" would be the arm itself.
    """

    class Way(models.TextChoices):
        PHONE = "phone"
        LETTER = "letter"
        VISIT = "visit"
        EMAIL = "email"

    class Time(models.TextChoices):
        MORNING = "morning"
        AFTERNOON = "afternoon"
        EVENING = "evening"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField(help_text="1 for the first version")
    name = models.CharField(max_length=120)
    phone = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    address = models.TextField(blank=True)
    birth_date = models.DateField(null=True)
    contact_person = models.CharField(max_length=120, blank=True)
    contact_phone = models.CharField(max_length=40, blank=True)
    preferred_way = models.CharField(max_length=10, choices=Way, blank=True)
    best_time = models.CharField(max_length=10, choices=Time, blank=True)
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant", "number"], name="participants_contact_in_turn"),
            models.CheckConstraint(condition=Q(number__gte=1) & ~Q(name=""), name="participants_contact_named"),
            models.CheckConstraint(
                condition=Q(preferred_way__in=["", "phone", "letter", "visit", "email"])
                & Q(best_time__in=["", "morning", "afternoon", "evening"]),
                name="participants_contact_coded",
            ),
        ]


class ContactReading(Base):
    """Somebody of the open side opened the contact data of a participant. Written before the page is shown; no identifiers."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="+")
    page = models.CharField(max_length=30)
    at = models.DateTimeField(default=clock.now)
    reader = models.CharField(max_length=60)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="participants_readings")]


class ContactAttempt(Base):
    """One attempt to reach a participant for a visit: coded, append-only. ``next_on``: when to try again, or the appointment."""

    class Outcome(models.TextChoices):
        REACHED = "reached"
        NO_ANSWER = "no_answer"
        APPOINTMENT = "appointment"
        REFUSED_TODAY = "refused_today"
        WRONG_NUMBER = "wrong_number"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="+")
    visit = models.CharField(max_length=30)
    number = models.PositiveSmallIntegerField(help_text="1 for the first attempt for this visit")
    day = models.DateField()
    way = models.CharField(max_length=10, choices=Contact.Way)
    outcome = models.CharField(max_length=15, choices=Outcome)
    next_on = models.DateField(null=True)
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant", "visit", "number"], name="participants_attempt_in_turn"),
            models.CheckConstraint(
                condition=Q(way__in=["phone", "letter", "visit", "email"])
                & Q(outcome__in=["reached", "no_answer", "appointment", "refused_today", "wrong_number"]),
                name="participants_attempt_coded",
            ),
            models.CheckConstraint(
                condition=Q(next_on=None) | Q(next_on__gte=F("day")), name="participants_attempt_next_later"
            ),
            models.CheckConstraint(
                condition=~Q(outcome="appointment") | Q(next_on__isnull=False),
                name="participants_appointment_has_a_day",
            ),
        ]


class Transfer(Base):
    """From ``effective_on`` on, this team treats the participant. ``site`` is the institution that included them, for ever.

    The stratum as randomized never changes, and neither does who may read the rows (ADR 6).
    """

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField(help_text="1 for the first transfer")
    team = models.ForeignKey(Team, models.PROTECT, related_name="+")
    effective_on = models.DateField()
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant", "number"], name="participants_transfer_in_turn"),
        ]


class Death(Base):
    """A step of a report of death: reported, then confirmed or rejected by a second person. The highest number counts.

    Reported already, nobody is reminded of this person any more. ``recorded_by`` is "site staff" for an author of the unblinded side.
    """

    class Step(models.TextChoices):
        REPORTED = "reported"
        CONFIRMED = "confirmed"
        REJECTED = "rejected"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField(help_text="1 for the first report")
    step = models.CharField(max_length=10, choices=Step)
    day = models.DateField(null=True, help_text="of death, if it is known")
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant", "number"], name="participants_death_in_turn"),
            models.CheckConstraint(
                condition=Q(step__in=["reported", "confirmed", "rejected"]), name="participants_death_step_known"
            ),
        ]


class RandomizationRequest(Base):
    """*Randomize* was pressed. The allocator answers; what the answer was stands behind the wall."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        REFUSED = "refused"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.OneToOneField(Participant, models.PROTECT, related_name="randomization_request")
    requested_at = models.DateTimeField(default=clock.now)
    requested_by = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    answered_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=40, blank=True, help_text="code; open facts only")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "done", "refused"]), name="participants_request_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", answered_at=None, refusal="")
                | Q(state="done", answered_at__isnull=False, refusal="")
                | (Q(state="refused", answered_at__isnull=False) & ~Q(refusal="")),
                name="participants_request_answer_complete",
            ),
        ]


class UnblindingReport(models.Model):
    """A drop box: "I was told the arm". Written by the open side, read behind the wall only. No foreign key."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    site = models.CharField(max_length=30)
    participant_id = models.UUIDField()
    visit = models.CharField(max_length=30, blank=True)
    source = models.CharField(max_length=30)
    believed_arm = models.CharField(max_length=30, blank=True)
    certainty = models.PositiveSmallIntegerField(null=True)
    words = models.TextField(blank=True)
    reported_by = models.CharField(max_length=60)
    reported_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "dropbox_unblinding_report"
        constraints = [
            models.CheckConstraint(
                condition=Q(certainty=None) | Q(certainty__range=(1, 5)), name="dropbox_certainty_range"
            ),
        ]


class Guess(models.Model):
    """A drop box: which arm an assessor guesses at the end of follow-up, when the forms are signed. No foreign key.

    Nothing is unique here: a refusal would tell that somebody has guessed. The first guess of a participant counts.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    site = models.CharField(max_length=30)
    participant_id = models.UUIDField()
    visit = models.CharField(max_length=30)
    rater = models.CharField(max_length=20)
    guess = models.CharField(max_length=30, blank=True, help_text="code of an arm; empty: does not know")
    certainty = models.PositiveSmallIntegerField(null=True)
    guessed_by = models.CharField(max_length=60)
    guessed_at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "dropbox_guess"
        constraints = [
            models.CheckConstraint(
                condition=Q(certainty=None) | Q(certainty__range=(1, 5)), name="dropbox_guess_certainty_range"
            ),
            models.CheckConstraint(condition=Q(rater__in=["interviewer"]), name="dropbox_guess_rater"),
        ]


class RecordsState(models.Model):
    """Whether hospital records have been looked up: one fact for the whole trial, pushed from behind the wall. At most one row.

    ``people``: how many were randomized when it was written; somebody randomized since is not covered. The key is fixed: a drawn one
    would tell what else that side has written.
    """

    only = models.BooleanField(default=True, primary_key=True)
    complete = models.BooleanField()
    people = models.PositiveIntegerField()
    day = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(only=True), name="participants_one_records_state")]


class DatabaseLock(Base):
    """The data manager locked the database: no open trial datum changes any more. At most one."""

    only = models.BooleanField(default=True, unique=True)
    locked_at = models.DateTimeField(default=clock.now)
    locked_by = models.CharField(max_length=60)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(only=True), name="participants_one_lock")]


class UnblindingRequest(Base):
    """The sponsor's signed request for planned unblinding; possible after the lock only. At most one."""

    only = models.BooleanField(default=True, unique=True)
    lock = models.OneToOneField(DatabaseLock, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=clock.now)
    requested_by = models.CharField(max_length=60)
    signature: "models.JSONField[Any, Any]" = models.JSONField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(only=True), name="participants_one_unblinding_request")]


class Release(Base):
    """What came through the gate: a result that everybody may see, or the committee's recommendation. Written behind the wall, append-only."""

    RESULT, RECOMMENDATION = "result", "recommendation"

    released_at = models.DateTimeField(default=clock.now)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=30, default=RESULT)
    payload: "models.JSONField[Any, Any]" = models.JSONField()
    sha256 = models.CharField(max_length=64, unique=True)
