"""Making reports by arm, on the queue ``unblinded``."""

import uuid
from typing import Any

from analysis.methods.progress import Watch
from analysis.reports.papers.asked import finished
from analysis.runs import executor
from analysis.unblinded.papers.actions import keep_pdf, requeue_stale
from analysis.unblinded.papers.closed import closed_report
from analysis.unblinded.papers.final import final_report
from analysis.unblinded.papers.models import ClosedPaper
from trial.core import db
from trial.core.tasks import task

SWEEP = db.System("sweep")
CONTENTS = {ClosedPaper.Kind.CLOSED: closed_report, ClosedPaper.Kind.FINAL: final_report}


@task(queue="unblinded", time_limit=600)
def make(report_id: str) -> None:
    """Make one report. Delivered twice it is made once."""
    executor.execute(ClosedPaper, uuid.UUID(report_id), compute_report)


@task(queue="unblinded", time_limit=60)
def sweep() -> None:
    """Every twenty seconds: reports whose worker died begin anew."""
    with db.unit_of_work(by=SWEEP):
        requeue_stale(by=SWEEP)


def compute_report(report: ClosedPaper, watch: Watch) -> dict[str, Any]:
    """Read everything in one unit of work, write it down, set it."""
    with db.unit_of_work(by=executor.EXECUTOR):
        document = CONTENTS[ClosedPaper.Kind(report.kind)](report)

    def keep(content: bytes, sha256: str) -> None:
        with db.unit_of_work(by=executor.EXECUTOR):
            keep_pdf(report_id=report.pk, content=content, sha256=sha256, by=executor.EXECUTOR)

    return finished(report, document, keep)
