"""The allocator's tasks."""

import logging
import uuid

from trial.core import db
from trial.core.errors import Refused
from trial.core.tasks import task
from trial.unblinded.randomization import actions

log = logging.getLogger(__name__)


@task(queue="allocation", time_limit=60)
def allocate(request_id: str) -> None:
    """Answer the request ``request_id``; a request that was answered already is left as it is."""
    with db.unit_of_work(by=actions.ALLOCATOR):
        if not actions.allocate(request_id=uuid.UUID(request_id), by=actions.ALLOCATOR):
            log.warning("Request %s waits: no sequence is sealed, or its stratum is used up.", request_id)


@task(queue="allocation", time_limit=600)
def verify() -> None:
    """Answer the orders to verify the allocation, if there are any."""
    try:
        with db.unit_of_work(by=actions.ALLOCATOR):
            actions.answer_orders(by=actions.ALLOCATOR)
    except Refused as refusal:
        log.warning("An order to verify the allocation waits: %s.", refusal.code)
