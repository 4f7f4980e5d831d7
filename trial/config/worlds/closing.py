"""What the statisticians and the last days of a played trial do, as the demo accounts: snapshots, runs, lock, unblinding, release.

So does the nightly sweep of programs that have ended, on the nights that matter.

A run of a played world is executed in this process, by the executor that the workers use. Every step may be cut off and called again.
"""

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Any

from django.core.management.base import CommandError

from analysis.pooled import actions as pooled
from analysis.pooled import tasks as pooled_tasks
from analysis.pooled.models import PooledRun
from analysis.pooled.papers import actions as open_reports
from analysis.pooled.papers import tasks as open_report_tasks
from analysis.pooled.queries import kinds_offered
from analysis.reports.models import Report
from analysis.runs import actions as runs
from analysis.runs import executor
from analysis.runs.models import Execution
from analysis.runs.plans import kinds_of
from analysis.snapshots.actions import make_snapshot
from analysis.snapshots.models import Snapshot
from analysis.unblinded import actions as comparative
from analysis.unblinded import tasks as comparative_tasks
from analysis.unblinded.models import ComparativeRun
from analysis.unblinded.papers import actions as closed_reports
from analysis.unblinded.papers import tasks as closed_report_tasks
from analysis.unblinded.papers.models import ArmLabels, ClosedPaper
from trial.config.worlds import stage
from trial.core import ids, side
from trial.core.access.sign_in import DEMO_PASSWORD
from trial.participants import actions as way_in
from trial.participants import queries as participants
from trial.protocol.queries import current
from trial.unblinded.disclosure import actions as disclosure
from trial.unblinded.randomization import actions as allocation
from trial.unblinded.randomization.queries import latest_reveals
from trial.unblinded.records import actions as records
from trial.unblinded.sessions import actions as treatment
from trial.unblinded.sessions import tasks as treatment_tasks

FINAL_STREAM = 20_290_118
"""Identifiers of the final report are drawn from a stream of its own."""


def own_stream(made: Snapshot, n: int) -> AbstractContextManager[None]:
    """Each run draws its identifiers from a stream of its own: a play that was cut off between two of them draws none twice."""
    return ids.seeded(int(made.sha256[:8], 16) + n)


def snapshot() -> Snapshot:
    """The data manager freezes the data as they are."""
    manager = stage.person("datamanager")
    with stage.working(manager):
        made: Snapshot = make_snapshot(by=manager)
    return made


def rehearse(only: Collection[str] = ()) -> None:
    """The data manager makes a snapshot; the trial statistician looks at pooled figures and rehearses on a fake arm: everything, or ``only`` these
    kinds of run.

    Nothing once the database is locked: a play that was cut off later has rehearsed.
    """
    statistician = stage.person("statistician")
    with stage.working(statistician):
        if participants.lock() is not None:
            return
        kinds = [kind for kind in kinds_offered(current()) if not only or kind in only]
    made = snapshot()
    for n, kind in enumerate(kinds):
        with own_stream(made, n), stage.working(statistician):
            known = PooledRun.objects.filter(snapshot_id=made.pk, kind=kind).first()
            run = known or pooled.start_run(snapshot=made, kind=kind, by=statistician)
        execute(PooledRun, run, pooled_tasks.compute_run, side.OPEN)


def fix_completions() -> None:
    """What the nightly sweep does. Only where both sites have come to the same day: it ends the program by the date, at either site.

    Nothing once the database is locked.
    """
    with stage.working(treatment_tasks.SWEEP, side.UNBLINDED):
        treatment.fix_completions(by=treatment_tasks.SWEEP)


def lock() -> None:
    """The data manager locks the database, when the nightly sweep has said whether hospital records are complete."""
    with stage.working(stage.PLAYER, side.UNBLINDED):
        records.record_completeness(by=stage.PLAYER)
    manager = stage.person("datamanager")
    with stage.working(manager):
        way_in.lock_database(password=DEMO_PASSWORD, by=manager)


def unblind() -> None:
    """The sponsor's representative asks, the independent statistician confirms and has the allocation verified."""
    sponsor, independent = stage.person("sponsor"), stage.person("independent")
    with stage.working(sponsor):
        way_in.request_unblinding(password=DEMO_PASSWORD, by=sponsor)
    with stage.working(independent, side.UNBLINDED):
        disclosure.confirm_planned_unblinding(password=DEMO_PASSWORD, by=independent)
        if not latest_reveals():
            allocation.order_verification(by=independent)
    with stage.working(allocation.ALLOCATOR, side.ALLOCATOR):
        allocation.answer_orders(by=allocation.ALLOCATOR)


def analyze() -> None:
    """A snapshot of the locked database, and every analysis that the protocol has, on the real arms, by the independent statistician."""
    independent = stage.person("independent")
    made = snapshot()
    with stage.working(independent, side.UNBLINDED):
        frozen = Snapshot.objects.get(pk=made.pk)
        kinds = kinds_of(current())
    for n, kind in enumerate(kinds):
        with own_stream(made, n), stage.working(independent, side.UNBLINDED):
            known = ComparativeRun.objects.filter(snapshot_id=frozen.pk, kind=kind).first()
            run = known or comparative.start_run(snapshot=frozen, kind=kind, by=independent)
        execute(ComparativeRun, run, comparative_tasks.compute_run, side.UNBLINDED)


def release() -> None:
    """The independent statistician lets the results pass the gate, the primary one first."""
    independent = stage.person("independent")
    with stage.working(independent, side.UNBLINDED):
        for run in ComparativeRun.objects.filter(look=None).order_by("created_at"):
            comparative.release_result(run=run, by=independent)


def report() -> None:
    """While the trial goes on: the trial statistician reports on all arms together, the independent statistician by arm, to the committee."""
    statistician, independent = stage.person("statistician"), stage.person("independent")
    newest = snapshot()
    with own_stream(newest, 20), stage.working(statistician):
        open_one = Report.objects.first() or open_reports.start_report(by=statistician)
    execute(Report, open_one, open_report_tasks.compute_report, side.OPEN)
    with own_stream(newest, 21), stage.working(independent, side.UNBLINDED):
        of_kind = ClosedPaper.objects.filter(kind=ClosedPaper.Kind.CLOSED)
        closed_one = of_kind.first() or closed_reports.start_closed(labels=ArmLabels.Labels.REAL, by=independent)
    execute(ClosedPaper, closed_one, closed_report_tasks.compute_report, side.UNBLINDED)


def report_final() -> None:
    """The independent statistician makes the final report of what was released, and lets it pass the gate."""
    independent = stage.person("independent")
    with ids.seeded(FINAL_STREAM), stage.working(independent, side.UNBLINDED):
        known = ClosedPaper.objects.filter(kind=ClosedPaper.Kind.FINAL).first()
        made = known or closed_reports.start_final(by=independent)
    execute(ClosedPaper, made, closed_report_tasks.compute_report, side.UNBLINDED)
    with stage.working(independent, side.UNBLINDED):
        closed_reports.release_report(report=ClosedPaper.objects.get(pk=made.pk), by=independent)


def execute(model: type[Execution], run: Execution, compute: Any, on: side.Side) -> None:
    """What a worker does with a run, one that a killed play left behind included. Refuses to go on with a run that failed."""
    with side.on(on):
        with stage.working(stage.PLAYER, on):
            runs.put_back(run=run, by=stage.PLAYER)
        executor.execute(model, run.pk, compute)
        with stage.working(stage.PLAYER, on):
            done = model._default_manager.get(pk=run.pk)
    if done.state != Execution.State.SUCCEEDED:
        raise CommandError(f"The analysis did not succeed ({done.state}): {'; '.join(done.failure)}")
