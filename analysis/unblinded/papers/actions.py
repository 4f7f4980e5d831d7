"""Asking for reports by arm, keeping what a worker made, and letting the final one pass the gate."""

import uuid
from typing import Any

from django.utils.translation import gettext as _

from analysis.methods.canonical import digest, encode
from analysis.plans.queries import version_or_none
from analysis.reports.papers.asked import frozen, snapshot_of, under_way
from analysis.reports.presenters import REPORT
from analysis.runs import actions as runs
from analysis.snapshots.models import Snapshot
from analysis.snapshots.queries import snapshots
from analysis.unblinded.papers.models import ArmLabels, ClosedPaper
from analysis.unblinded.papers.queries import labels_or_none, looks_held, released_runs, run_of
from trial.core import db, ids
from trial.core.access import Person
from trial.core.access.roles import IndependentStatistician
from trial.core.actions import action
from trial.core.errors import Refused
from trial.core.tasks import enqueue
from trial.participants.models import Release
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note, release
from trial.unblinded.disclosure.queries import planned_unblinding

TASK = "analysis.unblinded.papers.tasks.make"


@action
def fix_labels(*, labels: str, by: Person) -> ArmLabels:
    """Fix for the whole trial how closed reports name the arms: ``real`` names, or ``coded`` ones, A drawn by lot. Once fixed they stay."""
    by.must_hold(IndependentStatistician)
    known = labels_or_none()
    if known is not None:
        return known
    if labels not in ArmLabels.Labels.values:
        raise Refused("no_labels", _("Choose how closed reports name the arms, as the charter of the committee says."))
    arms = [arm.code for arm in current().arms]
    row = ArmLabels(labels=labels, first=arms[ids.below(len(arms))], set_by=by.actor_id)
    row.save(force_insert=True)
    return row


@action
def start_closed(*, by: Person, labels: str = "") -> ClosedPaper:
    """Ask for a closed report on the newest snapshot, for the committee. ``labels`` are asked for the first time and fixed then.

    While one waits for its worker, asking again is that one; so it is with the final report.
    """
    by.must_hold(IndependentStatistician)
    fixed: ArmLabels = fix_labels(labels=labels, by=by)
    newest = snapshots().first()
    asked: dict[str, Any] = {
        "labels": {"labels": fixed.labels, "first": fixed.first},
        "snapshot": snapshot_of(newest) if newest else None,
        "looks": [run_of(run) for run in looks_held()],
    }
    return _start(ClosedPaper.Kind.CLOSED, asked, by)


@action
def start_final(*, by: Person) -> ClosedPaper:
    """Ask for the final report on what was released. Refused before planned unblinding, and while no randomized comparison is released."""
    by.must_hold(IndependentStatistician)
    if planned_unblinding() is None:
        raise Refused("not_unblinded", _("The final report follows planned unblinding."))
    found = released_runs()
    randomized = [run for run in found if run.kind != "published"]
    if not randomized:
        raise Refused(
            "nothing_released",
            _("Run the comparative analysis and release its result; the report is made of released results."),
        )
    frozen_data = Snapshot.objects.defer("content", "dictionary").get(pk=randomized[0].snapshot_id)
    asked: dict[str, Any] = {"runs": [run_of(run) for run in found], "snapshot": snapshot_of(frozen_data)}
    return _start(ClosedPaper.Kind.FINAL, asked, by)


def _start(kind: ClosedPaper.Kind, asked: dict[str, Any], by: Person) -> ClosedPaper:
    known = under_way(ClosedPaper, kind)
    if known is not None:
        return known
    report = ClosedPaper(kind=kind, **frozen(asked, version_or_none(), by))
    report.save(force_insert=True)
    note(what="report by arm asked for", subject=str(report.pk), by=by)
    enqueue("unblinded", TASK, str(report.pk))
    return report


@action
def cancel_report(*, report: ClosedPaper, by: Person) -> None:
    """Ask the making of a report to stop. One that has ended stays as it is."""
    by.must_hold(IndependentStatistician)
    runs.ask_to_cancel(run=report, by=by)


@action
def keep_pdf(*, report_id: uuid.UUID, content: bytes, sha256: str, by: db.Actor) -> None:
    """Keep the PDF of a report that is being made. One that has ended does not change: the database refuses it."""
    ClosedPaper.objects.filter(pk=report_id).update(content=content, content_sha256=sha256)


@action
def requeue_stale(*, by: db.Actor) -> None:
    """Put back what a dead worker left, and send again what waits."""
    for key in runs.put_back_stale(model=ClosedPaper, by=by):
        enqueue("unblinded", TASK, str(key))


@action
def release_report(*, report: ClosedPaper, by: Person) -> Release:
    """Let a final report pass the gate: everybody reads the document as it is, from the same bytes. Twice is once.

    Refused for a closed report, whenever: it is for the committee alone.
    """
    by.must_hold(IndependentStatistician)
    if report.kind != ClosedPaper.Kind.FINAL:
        raise Refused("closed_report", _("A closed report is for the committee. The final report is what is released."))
    if report.state != ClosedPaper.State.SUCCEEDED:
        raise Refused("not_finished", _("Only a finished report is released."))
    if digest(encode(report.document)) != report.result_sha256:
        raise Refused(
            "result_changed", _("The stored report is not the one that was made. Tell whoever runs the server.")
        )
    payload = {
        "spec": {"kind": REPORT},
        "result": report.document,
        "result_sha256": report.result_sha256,
        "made_at": report.created_at.isoformat(),
    }
    made: Release = release(title=_("Final report"), payload=payload, by=by)
    return made
