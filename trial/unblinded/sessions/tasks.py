"""Tasks of the treatment side: the nightly sweep of programs that have ended."""

from trial.core import db
from trial.core.tasks import task
from trial.unblinded.sessions import actions

SWEEP = db.System("sweep")


@task(queue="unblinded", time_limit=300)
def sweep() -> None:
    """Fix the completion of everybody whose program has ended."""
    with db.unit_of_work(by=SWEEP):
        actions.fix_completions(by=SWEEP)
