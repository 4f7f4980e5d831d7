"""The trial definition in the database: its versions, and the sites and teams that other tables refer to."""

from django.db import models
from django.db.models import Q

from trial.core import clock
from trial.core.models import Base, VersionBase


class ProtocolVersion(VersionBase):
    """One version of the protocol."""

    class Meta(VersionBase.Meta):
        abstract = False


class Site(models.Model):
    """An institution. Row policies compare its code."""

    code = models.CharField(max_length=30, primary_key=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^[A-Za-z][A-Za-z0-9_]*$"), name="protocol_site_code_plain"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """A treatment team of a site; usually the stratum. A team stays at its site for ever."""

    code = models.CharField(max_length=30, primary_key=True)
    name = models.CharField(max_length=120)
    site = models.ForeignKey(Site, models.PROTECT, related_name="teams")
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^[A-Za-z][A-Za-z0-9_]*$"), name="protocol_team_code_plain"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ImportState(Base):
    """An import of a published trial. Until it is finished every page says that it is under way. At most one a trial."""

    only = models.BooleanField(default=True, unique=True)
    source = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="protocol_one_import")]
