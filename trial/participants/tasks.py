"""Tasks of the open side: the sweep of waiting requests."""

import datetime as dt

from trial.core import clock, db
from trial.core.tasks import enqueue, task
from trial.participants.actions import ALLOCATE_TASK
from trial.participants.queries import unblinding_request, waiting_requests

SWEEP = db.System("sweep")
VERIFY_TASK = "trial.unblinded.randomization.tasks.verify"


@task(queue="default", time_limit=60)
def sweep_requests() -> None:
    """Send requests again that have waited for ten seconds: the broker or the allocator may have been away.

    After the request for planned unblinding the allocator is also asked, each time, whether somebody ordered a verification: what is
    asked always tells nothing of what was ordered behind the wall.
    """
    with db.unit_of_work(by=SWEEP):
        if unblinding_request() is not None:
            enqueue("allocation", VERIFY_TASK)
        for request in waiting_requests().filter(requested_at__lt=clock.now() - dt.timedelta(seconds=10))[:500]:
            enqueue("allocation", ALLOCATE_TASK, str(request.pk))
