"""Reports as rows of their side: the document as plain data, and the PDF that was set from it."""

from typing import Any

from django.db import models
from django.db.models import Q

from analysis.runs.models import Execution


class Paper(Execution):
    """A report is made by a worker, as a run is: what is asked is frozen, the end is written once, and what has ended does not change.

    ``result`` is the document, ``result_sha256`` its digest; ``content`` is the PDF, kept before the end.
    """

    kind = models.CharField(max_length=10)
    content = models.BinaryField(null=True)
    content_sha256 = models.CharField(max_length=64, blank=True)

    class Meta(Execution.Meta):
        abstract = True
        constraints = [
            *Execution.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(state="succeeded")
                | (Q(content__isnull=False) & Q(content_sha256__regex=r"^[0-9a-f]{64}$")),
                name="%(class)s_pdf_iff_done",
            ),
        ]

    @property
    def document(self) -> dict[str, Any]:
        """The report as data."""
        found: dict[str, Any] = self.result
        return found

    @property
    def pdf(self) -> bytes:
        """The PDF of a report that is done; nothing before."""
        return bytes(self.content or b"")


class Report(Paper):
    """A report of the open side: how the trial goes, pooled."""

    class Kind(models.TextChoices):
        OPEN = "open"

    class Meta(Paper.Meta):
        abstract = False
        db_table = "reports_report"
        constraints = [
            *Paper.Meta.constraints,
            models.CheckConstraint(condition=Q(kind__in=["open"]), name="report_kind"),
        ]
