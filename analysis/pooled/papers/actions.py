"""Asking for open reports, and keeping what a worker made."""

import uuid
from typing import Any

from django.utils.translation import gettext as _

from analysis.plans.queries import version_or_none
from analysis.reports.models import Report
from analysis.reports.papers.asked import frozen, snapshot_of, under_way
from analysis.runs import actions as runs
from analysis.snapshots.queries import snapshots
from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import DataManager, TrialStatistician
from trial.core.actions import action
from trial.core.errors import Refused
from trial.core.tasks import enqueue

TASK = "analysis.pooled.papers.tasks.make"
MAKERS = (TrialStatistician, DataManager)


@action
def start_report(*, by: db.Actor) -> Report:
    """Ask for an open report on the newest snapshot; by trial statistician or data manager. Refused while there is no snapshot.

    While one waits for its worker, asking again is that one.
    """
    if isinstance(by, Person):
        by.must_hold(*MAKERS)
    newest = snapshots().first()
    if newest is None:
        raise Refused("no_snapshot", _("A report needs frozen data: make a snapshot first."))
    known = under_way(Report, Report.Kind.OPEN)
    if known is not None:
        return known
    asked: dict[str, Any] = {"snapshot": snapshot_of(newest)}
    report = Report(kind=Report.Kind.OPEN, **frozen(asked, version_or_none(), by))
    report.save(force_insert=True)
    enqueue("default", TASK, str(report.pk))
    return report


@action
def cancel_report(*, report: Report, by: db.Actor) -> None:
    """Ask the making of a report to stop. One that has ended stays as it is."""
    if isinstance(by, Person):
        by.must_hold(*MAKERS)
    runs.ask_to_cancel(run=report, by=by)


@action
def keep_pdf(*, report_id: uuid.UUID, content: bytes, sha256: str, by: db.Actor) -> None:
    """Keep the PDF of a report that is being made. One that has ended does not change: the database refuses it."""
    Report.objects.filter(pk=report_id).update(content=content, content_sha256=sha256)


@action
def requeue_stale(*, by: db.Actor) -> None:
    """Put back what a dead worker left, and send again what waits."""
    for key in runs.put_back_stale(model=Report, by=by):
        enqueue("default", TASK, str(key))
