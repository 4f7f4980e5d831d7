"""The nightly snapshot."""

from analysis.snapshots.actions import make_snapshot
from trial.core import db
from trial.core.tasks import task
from trial.participants.queries import recruitment
from trial.protocol.queries import NoProtocol, current

SWEEP = db.System("sweep")


@task(queue="default", time_limit=600)
def nightly() -> None:
    """Freeze the data as they are; where nothing has changed since the last snapshot, nothing happens. Delivered twice it is once."""
    with db.unit_of_work(by=SWEEP):
        try:
            current()
        except NoProtocol:
            return
        if recruitment().randomized:
            make_snapshot(by=SWEEP)
