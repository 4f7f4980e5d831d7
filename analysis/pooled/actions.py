"""Starting and stopping runs of the open side."""

from typing import Any

from django.utils.translation import gettext as _

from analysis.pooled.models import PooledPart, PooledRun
from analysis.pooled.queries import PLAN_OF, kinds_offered
from analysis.runs import actions as runs
from analysis.runs.parts import names_of
from analysis.runs.people import EVERYBODY
from analysis.runs.plans import frozen_fields, pooled_information, rehearsal_of_looks
from analysis.snapshots.models import Snapshot
from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import TrialStatistician
from trial.core.actions import action
from trial.core.errors import Refused
from trial.core.tasks import enqueue
from trial.protocol.definition import Protocol
from trial.protocol.queries import protocol_of

TASK = "analysis.pooled.tasks.execute"
PART_TASK = "analysis.pooled.tasks.part"


@action
def start_run(*, snapshot: Snapshot, kind: str, by: db.Actor, people: str = EVERYBODY) -> PooledRun:
    """Freeze what is asked and queue it: ``pooled`` figures, or a rehearsal on fake arms. By the trial statistician.

    ``people``: everybody randomized, or those ``without_errors`` of randomization that the open side knows. Refused for a kind that
    the protocol, or for a look the plan, gives nothing to.
    """
    if isinstance(by, Person):
        by.must_hold(TrialStatistician)
    protocol = protocol_of(snapshot.protocol_version)
    if kind not in kinds_offered(protocol):
        raise Refused("nothing_planned", _("The protocol has nothing for this analysis. Choose another one."))
    run = PooledRun(
        kind=PooledRun.Kind(kind),
        **frozen_fields(snapshot, by, PLAN_OF[PooledRun.Kind(kind)], people, _more(kind, protocol)),
    )
    run.save(force_insert=True)
    enqueue("default", TASK, str(run.pk))
    return run


def _more(kind: str, protocol: Protocol) -> dict[str, Any]:
    """What pooled figures and looks freeze beside what every run of their kind does."""
    if kind == PooledRun.Kind.POOLED:
        return pooled_information(protocol)
    return rehearsal_of_looks() if kind == PooledRun.Kind.LOOK else {}


@action
def cancel_run(*, run: PooledRun, by: db.Actor) -> None:
    """Ask a run to stop. One that has ended stays as it is."""
    if isinstance(by, Person):
        by.must_hold(TrialStatistician)
    runs.ask_to_cancel(run=run, is_divided=bool(names_of(run.spec)), by=by)


@action
def resume_run(*, run: PooledRun, by: db.Actor) -> PooledRun:
    """Go on with a failed or canceled rehearsal, in a new run, from its finished parts: by who started it. Twice is once."""
    if isinstance(by, Person):
        by.must_hold(TrialStatistician)
    made: PooledRun = runs.resume(run=run, more={"kind": run.kind}, by=by)
    enqueue("default", TASK, str(made.pk))
    return made


@action
def requeue_stale(*, by: db.Actor) -> None:
    """Put back what a dead worker left, and send again what waits."""
    for key in runs.put_back_stale(model=PooledRun, by=by):
        enqueue("default", TASK, str(key))
    for run_id, name in runs.put_back_stale_parts(model=PooledPart, by=by):
        enqueue("default", PART_TASK, str(run_id), name)
