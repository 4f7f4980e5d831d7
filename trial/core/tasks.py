"""The one task decorator: late acknowledgement, a time limit, queue = side, one unit of work inside each action.

A task takes ids and calls one action. It may be delivered twice and killed at any moment: the truth is in the database, and a sweep
delivers again what is still waiting. There is no result backend: that a task ran is nobody's business on the other side.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from celery import shared_task
from django.conf import settings
from django.utils.module_loading import import_string

from trial.core import db, side

Queue = Literal["default", "unblinded", "allocation"]

SIDE_OF_QUEUE: dict[str, side.Side] = {"default": side.OPEN, "unblinded": side.UNBLINDED, "allocation": side.ALLOCATOR}

TIME_LIMIT = 3600
"""Seconds; the broker's visibility time-out lies above it, or a long task would be delivered twice for nothing."""

F = TypeVar("F", bound=Callable[..., Any])

log = logging.getLogger(__name__)


def task(*, queue: Queue, name: str | None = None, time_limit: int = TIME_LIMIT) -> Callable[[F], F]:
    """Register ``function`` as a task of ``queue``. The worker of the queue holds the login of its side and no other."""

    def register(function: F) -> F:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> None:
            with side.on(SIDE_OF_QUEUE[queue]):
                function(*args, **kwargs)

        full_name = name or f"{function.__module__}.{function.__name__}"
        shared_task(
            name=full_name,
            queue=queue,
            acks_late=True,
            reject_on_worker_lost=True,
            ignore_result=True,
            time_limit=time_limit,
        )(run)
        run.task_name = full_name  # type: ignore[attr-defined]
        run.queue = queue  # type: ignore[attr-defined]
        return run  # type: ignore[return-value]

    return register


def enqueue(queue: Queue, name: str, *args: str) -> None:
    """Send the task ``name`` when the unit of work commits. By name, so that a caller below need not import the task.

    The broker being away changes nothing for the caller: the row waits, and the sweep of the queue sends it again.
    """

    def send() -> None:
        try:
            sender = import_string(settings.TASK_SENDER)
            sender(queue, name, args)
        except Exception as error:
            # The truth is the row that waits; the sweep will send it.
            log.warning("The broker did not take %s (%s); the sweep will send it again.", name, type(error).__name__)

    db.on_commit(send)
