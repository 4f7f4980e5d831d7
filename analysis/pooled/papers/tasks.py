"""Making open reports, on the open side's queue."""

import uuid
from typing import Any

from analysis.methods.progress import Watch
from analysis.pooled.papers.actions import keep_pdf, requeue_stale
from analysis.pooled.papers.contents import open_report
from analysis.reports.models import Report
from analysis.reports.papers.asked import finished
from analysis.runs import executor
from trial.core import db
from trial.core.tasks import task

SWEEP = db.System("sweep")


@task(queue="default", time_limit=600)
def make(report_id: str) -> None:
    """Make one report. Delivered twice it is made once."""
    executor.execute(Report, uuid.UUID(report_id), compute_report)


@task(queue="default", time_limit=60)
def sweep() -> None:
    """Every twenty seconds: reports whose worker died begin anew."""
    with db.unit_of_work(by=SWEEP):
        requeue_stale(by=SWEEP)


def compute_report(report: Report, watch: Watch) -> dict[str, Any]:
    """Read everything at one moment, write it down, set it."""
    with db.unit_of_work(by=executor.EXECUTOR):
        document = open_report(report)

    def keep(content: bytes, sha256: str) -> None:
        with db.unit_of_work(by=executor.EXECUTOR):
            keep_pdf(report_id=report.pk, content=content, sha256=sha256, by=executor.EXECUTOR)

    return finished(report, document, keep)
