"""Freezing the data for analysis."""

from hashlib import sha256

from analysis.plans.queries import plan_of, version_or_none
from analysis.snapshots.extract import extract
from analysis.snapshots.models import Snapshot
from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import DataManager, TrialStatistician
from trial.core.actions import action
from trial.core.models import HistorySeal
from trial.participants.queries import lock
from trial.protocol.queries import current, version


@action
def make_snapshot(*, by: db.Actor) -> Snapshot:
    """Freeze the analysis table as it is now, naming protocol, plan and head of the sealed history.

    The same table as the newest snapshot's is that snapshot, which names what was in force when it was made.
    """
    if isinstance(by, Person):
        by.must_hold(DataManager, TrialStatistician)
    db.hold_still()  # the table is of one moment, and says truly whether that was before the lock
    plan = version_or_none()
    made = extract(current(), plan_of(plan) if plan else None)
    digest = sha256(made.content).hexdigest()
    locked = lock() is not None
    newest = Snapshot.objects.order_by("-made_at", "id").defer("content").first()
    if newest is not None and newest.sha256 == digest and newest.after_lock == locked:
        return newest
    seal = HistorySeal.objects.order_by("-number").defer("digests").first()
    snapshot = Snapshot(
        made_by=by.actor_id,
        protocol_version=version(),
        content=made.content,
        sha256=digest,
        dictionary=made.dictionary,
        participants=made.participants,
        rows=made.rows,
        after_lock=locked,
        plan_number=plan.number if plan else None,
        plan_sha256=plan.sha256 if plan else "",
        seal_number=seal.number if seal else None,
        seal_head=seal.head if seal else "",
    )
    snapshot.save(force_insert=True)
    return snapshot
