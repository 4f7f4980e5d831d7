"""Signs of life of workers and beats: a key in the broker that expires, below the prefix of its side.

A worker renews its key from its own event loop, a beat with each tick, so that a process that hangs stops being counted. The web
process reads the keys of the brokers that it holds. Nothing but "it runs" is told: the loop goes on while a task is being worked on.
"""

from functools import cache
from typing import Any

import redis
from celery import bootsteps
from celery.beat import PersistentScheduler
from django.conf import settings

from trial.config import env

RENEWED_EVERY = 3.0
EXPIRES_AFTER = 15

EXPECTED = {
    "open": ("worker-default", "worker-allocation", "beat-default"),
    "unblinded": ("worker-unblinded", "beat-unblinded"),
}
"""By broker: the processes without which /healthz is not ready."""


def mark(broker: str, name: str) -> None:
    """Note that ``name`` runs. A broker that is away is no reason to stop: the sign just expires."""
    try:
        _client(settings.BROKERS[broker]).set(_key(broker, name), "1", ex=EXPIRES_AFTER)
    except redis.RedisError:
        return


def missing(broker: str) -> list[str]:
    """The expected processes of ``broker`` without a recent sign of life. Raises redis.RedisError when it is away."""
    names = EXPECTED[broker]
    found: list[Any] = list(_client(settings.BROKERS[broker]).mget([_key(broker, name) for name in names]))
    return [name for name, value in zip(names, found, strict=True) if value is None]


class WorkerLives(bootsteps.StartStopStep):
    """Renews the worker's sign from the loop that fetches tasks."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        from trial.config.celery import BROKER_OF_QUEUE

        broker, name = BROKER_OF_QUEUE[settings.WORKER_QUEUE], f"worker-{settings.WORKER_QUEUE}"
        mark(broker, name)
        self.timer = parent.timer.call_repeatedly(RENEWED_EVERY, mark, (broker, name))

    def stop(self, parent: Any) -> None:
        if timer := getattr(self, "timer", None):
            timer.cancel()


class Scheduler(PersistentScheduler):
    """The usual scheduler of beat, which also shows that it runs."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        from trial.config.celery import BROKER_OF_QUEUE

        mark(BROKER_OF_QUEUE[settings.WORKER_QUEUE], f"beat-{settings.WORKER_QUEUE}")
        return float(super().tick(*args, **kwargs))


def _key(broker: str, name: str) -> str:
    from trial.config.celery import PREFIX

    return f"{PREFIX[broker]}alive:{env.get('START_ID')}:{name}"


@cache
def _client(url: str) -> Any:
    # kombu writes a socket's address as redis+socket://, the client library as unix://
    return redis.Redis.from_url(
        url.replace("redis+socket://", "unix://", 1), socket_timeout=2, socket_connect_timeout=2
    )
