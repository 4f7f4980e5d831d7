"""Tasks of the hand-overs: one batch a night."""

from trial.core import db
from trial.core.tasks import task
from trial.unblinded.disclosure.handover import actions

SWEEP = db.System("sweep")


@task(queue="unblinded", time_limit=600)
def sweep() -> None:
    """Write the hand-overs of tonight, ordered ones among random ones, at the same time of day."""
    with db.unit_of_work(by=SWEEP):
        actions.write_handovers(by=SWEEP)
