"""Tasks of the records: every night, whether they are complete."""

from trial.core import db
from trial.core.tasks import task
from trial.unblinded.records import actions

SWEEP = db.System("sweep")


@task(queue="unblinded", time_limit=300)
def sweep() -> None:
    """Tell the open side whether records are complete: at night, so that no sign-off of one person shows there."""
    with db.unit_of_work(by=SWEEP):
        actions.record_completeness(by=SWEEP)
