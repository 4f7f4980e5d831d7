"""What the open side knows of the allocation: its commitments and its errors; and the drop box for the shares of the seed."""

from django.db import models
from django.db.models import Q

from trial.core import clock, ids
from trial.core.models import Base
from trial.participants.models import Participant
from trial.protocol.models import Site


class Commitment(models.Model):
    """The SHA-256 of a sealed sequence, public before the first participant. Written by the allocator alone; versions are only added.

    The key is the version: a drawn one would tell how many slots were drawn before it.
    """

    version = models.PositiveIntegerField(primary_key=True)
    sha256 = models.CharField(max_length=64)
    purpose = models.CharField(max_length=12)
    for_site = models.CharField(max_length=30, blank=True, help_text="of a contingency sequence: the site it is for")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "participants_commitment"
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="participants_commitment_digest"),
            models.CheckConstraint(
                condition=Q(purpose="main", for_site="") | (Q(purpose="contingency") & ~Q(for_site="")),
                name="participants_commitment_purpose",
            ),
        ]


class SeedShare(models.Model):
    """A drop box: one person's part of the seed. Read by the allocator alone; in no history. One a person."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    contributor = models.CharField(max_length=60, unique=True)
    share = models.CharField(max_length=64)
    receipt = models.CharField(max_length=64, help_text="SHA-256 of the share")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        db_table = "dropbox_seed_share"
        constraints = [
            models.CheckConstraint(
                condition=Q(share__regex=r"^[0-9a-f]{64}$") & Q(receipt__regex=r"^[0-9a-f]{64}$"),
                name="dropbox_seed_share_hex",
            ),
        ]


class RandomizationError(Base):
    """Something went wrong when this participant was randomized: coded, append-only. The allocation and its stratum stand.

    ``void`` takes the latest row of the same kind back: it was recorded by mistake.
    """

    class Kind(models.TextChoices):
        WRONG_STRATUM = "wrong_stratum"
        INELIGIBLE = "ineligible"
        DUPLICATE = "duplicate"
        TOO_EARLY = "too_early"

    class Reason(models.TextChoices):
        TYPING = "typing"
        WRONG_INFORMATION = "wrong_information"
        PROCEDURE = "procedure"
        OTHER = "other"

    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    participant = models.ForeignKey(Participant, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField(help_text="1 for the first event")
    kind = models.CharField(max_length=15, choices=Kind)
    void = models.BooleanField(default=False)
    day = models.DateField(help_text="when it was found")
    corrected_stratum = models.CharField(max_length=60, blank=True, help_text="where this person belonged")
    other_number = models.CharField(max_length=8, blank=True, help_text="the same person's other study number")
    reason = models.CharField(max_length=20, choices=Reason)
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        db_table = "participants_randomizationerror"
        constraints = [
            models.UniqueConstraint(fields=["participant", "number"], name="participants_error_in_turn"),
            models.CheckConstraint(
                condition=Q(kind__in=["wrong_stratum", "ineligible", "duplicate", "too_early"])
                & Q(reason__in=["typing", "wrong_information", "procedure", "other"]),
                name="participants_error_coded",
            ),
            models.CheckConstraint(
                condition=(Q(kind="wrong_stratum") & ~Q(corrected_stratum=""))
                | (~Q(kind="wrong_stratum") & Q(corrected_stratum="")),
                name="participants_error_stratum",
            ),
            models.CheckConstraint(
                condition=(Q(kind="duplicate") & Q(other_number__regex=r"^[0-9]{8}$"))
                | (~Q(kind="duplicate") & Q(other_number="")),
                name="participants_error_other_number",
            ),
        ]
