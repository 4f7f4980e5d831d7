"""Celery: one application a process, its broker chosen by the queue that the process works on.

The queue ``unblinded`` has its own broker user and key prefix, which blinded processes cannot read. There is no result backend.
"""

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_process_init, worker_process_shutdown
from django.conf import settings

from trial.config.alive import WorkerLives

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trial.config.settings")

VISIBILITY_TIMEOUT = 2 * 3600
PREFIX = {"open": "open:", "unblinded": "unblinded:"}
BROKER_OF_QUEUE = {"default": "open", "allocation": "open", "unblinded": "unblinded"}

TASK_MODULES = {
    "default": [
        "trial.participants.tasks",
        "analysis.pooled.tasks",
        "analysis.pooled.papers.tasks",
        "analysis.snapshots.tasks",
        "trial.core.history.tasks",
    ],
    "allocation": ["trial.unblinded.randomization.tasks", "trial.core.history.tasks"],
    "unblinded": [
        "analysis.unblinded.tasks",
        "analysis.unblinded.papers.tasks",
        "trial.unblinded.sessions.tasks",
        "trial.unblinded.records.tasks",
        "trial.unblinded.disclosure.handover.tasks",
        "trial.core.history.tasks",
    ],
}

BEAT: dict[str, dict[str, dict[str, Any]]] = {
    "default": {
        "sweep-runs": {"task": "analysis.pooled.tasks.sweep", "schedule": 20.0},
        "sweep-reports": {"task": "analysis.pooled.papers.tasks.sweep", "schedule": 20.0},
        "snapshot": {"task": "analysis.snapshots.tasks.nightly", "schedule": crontab(hour=1, minute=40)},
        "sweep-requests": {"task": "trial.participants.tasks.sweep_requests", "schedule": 15.0},
        "seal-history": {"task": "trial.core.history.tasks.seal_open", "schedule": crontab(minute="*/10")},
        # the allocator has no beat of its own; that its history is sealed tells nothing
        "seal-concealed": {
            "task": "trial.core.history.tasks.seal_concealed",
            "schedule": crontab(minute=30, hour="*"),
            "options": {"queue": "allocation"},
        },
    },
    "unblinded": {
        "sweep-runs": {"task": "analysis.unblinded.tasks.sweep", "schedule": 20.0},
        "sweep-reports": {"task": "analysis.unblinded.papers.tasks.sweep", "schedule": 20.0},
        "records": {"task": "trial.unblinded.records.tasks.sweep", "schedule": crontab(hour=2, minute=20)},
        "hand-overs": {
            "task": "trial.unblinded.disclosure.handover.tasks.sweep",
            "schedule": crontab(hour=2, minute=40),
        },
        "seal-history": {"task": "trial.core.history.tasks.seal_unblinded", "schedule": crontab(minute="5-59/10")},
        "fix-completions": {"task": "trial.unblinded.sessions.tasks.sweep", "schedule": crontab(hour=2, minute=10)},
    },
    "allocation": {},
}


def transport_options(broker: str) -> dict[str, Any]:
    """Options of the Redis transport. A killed worker's job is delivered again within seconds, not after the time-out."""
    return {
        "visibility_timeout": VISIBILITY_TIMEOUT,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "global_keyprefix": PREFIX[broker],
        "socket_keepalive": True,
        "socket_connect_timeout": 3,
        "max_retries": 1,
        "interval_start": 0,
        "interval_max": 0.2,
    }


def application(queue: str) -> Celery:
    """The Celery application of a process that works on ``queue`` or sends to it."""
    broker = BROKER_OF_QUEUE[queue]
    celery = Celery("equipoise", broker=settings.BROKERS[broker] or "memory://", set_as_current=False)
    celery.conf.update(
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_default_queue=queue,
        worker_prefetch_multiplier=1,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_track_started=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_transport_options=transport_options(broker),
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=3,
        timezone="UTC",
        enable_utc=True,
        imports=[module for module in TASK_MODULES[queue] if _exists(module)],
        beat_schedule={
            name: {"options": {"queue": queue}} | entry
            for name, entry in BEAT[queue].items()
            if _exists(str(entry["task"]).rpartition(".")[0])
        },
        beat_max_loop_interval=5,
        beat_scheduler="trial.config.alive:Scheduler",
    )
    return celery


def _exists(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


app = application(settings.WORKER_QUEUE)
app.set_default()
app.steps["consumer"].add(WorkerLives)


@cache
def _sender(queue: str) -> Celery:
    return app if queue == settings.WORKER_QUEUE else application(queue)


def send(queue: str, name: str, args: Sequence[str]) -> None:
    """Put the task ``name`` on ``queue``; raises what the broker raises, within seconds."""
    _sender(queue).send_task(name, args=list(args), queue=queue, retry=False)


@worker_process_init.connect
def _forget_connections(**_: object) -> None:
    """A forked worker opens its own connections."""
    from trial.core import db

    db.close_all()


@worker_process_shutdown.connect
def _close_connections(**_: object) -> None:
    from trial.core import db

    db.close_all()
