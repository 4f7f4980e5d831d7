"""Hospital admissions from files, and that a window has been looked up. Behind the wall: a file may mention the treatment.

Rows are only added. A correction is a new row that replaces the old one and says why; the old one stays.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from trial.core import clock
from trial.core.models import Base
from trial.unblinded.randomization.models import Allocation


class RecordWindow(models.TextChoices):
    """The two windows of a person: the days before the first visit that the protocol names, and those from the second on."""

    BEFORE = "before", _("Before")
    AFTER = "after", _("After")


class Ward(models.TextChoices):
    """The kind of ward that somebody was admitted to. OURS: the publications say "admission" and no more."""

    CLOSED = "closed", _("Psychiatric ward, closed")
    OPEN = "open", _("Psychiatric ward, open")
    ADDICTION = "addiction", _("Addiction clinic")
    FORENSIC = "forensic", _("Forensic clinic")
    GENERAL = "general", _("Ward of a general hospital")
    OTHER = "other", _("Other ward")


class Source(models.TextChoices):
    """Where the abstractor read it. OURS."""

    FILE = "file", _("File of the institution")
    ADMINISTRATION = "administration", _("Patient administration")
    LETTER = "letter", _("Letter of discharge")
    ELSEWHERE = "elsewhere", _("File of another institution")


class Admission(Base):
    """One admission of one person in one window. ``void``: the row that it replaces was recorded by mistake, there was no admission."""

    site = models.CharField(max_length=30)
    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="+")
    window = models.CharField(max_length=10, choices=RecordWindow)
    admitted_on = models.DateField()
    discharged_on = models.DateField(null=True, help_text="empty: still in")
    ward = models.CharField(max_length=20, choices=Ward)
    source = models.CharField(max_length=20, choices=Source)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="+")
    void = models.BooleanField(default=False)
    reason = models.CharField(
        max_length=200, blank=True, help_text="why it replaces another, or comes after the sign-off"
    )
    recorded_at = models.DateTimeField(default=clock.now)
    recorded_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_admission"
        constraints = [
            models.CheckConstraint(
                condition=Q(discharged_on=None) | Q(discharged_on__gte=F("admitted_on")),
                name="unblinded_admission_discharged_after",
            ),
            models.CheckConstraint(
                condition=Q(window__in=RecordWindow.values, ward__in=Ward.values, source__in=Source.values),
                name="unblinded_admission_codes",
            ),
            models.CheckConstraint(
                condition=Q(replaces=None, void=False) | (Q(replaces__isnull=False) & ~Q(reason="")),
                name="unblinded_admission_replaces_why",
            ),
        ]


class LookUp(Base):
    """Somebody looked a window of a person up and signed it off as complete. One row a window; ``sha256``: of its admissions then."""

    site = models.CharField(max_length=30)
    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="+")
    window = models.CharField(max_length=10, choices=RecordWindow)
    admissions = models.PositiveSmallIntegerField()
    sha256 = models.CharField(max_length=64)
    looked_up_at = models.DateTimeField(default=clock.now)
    looked_up_by = models.CharField(max_length=60)

    class Meta:
        db_table = "unblinded_lookup"
        constraints = [
            models.UniqueConstraint(fields=["allocation", "window"], name="unblinded_lookup_once"),
            models.CheckConstraint(condition=Q(window__in=RecordWindow.values), name="unblinded_lookup_window"),
        ]
