"""Real worker processes on the test's database, with a broker of their own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.database import ROOT
from trial.config.supervisor.valkey import EmbeddedValkey

CREDENTIALS = {
    "default": ("DATABASE_URL", "REDIS_URL"),
    "unblinded": ("UNBLINDED_DATABASE_URL", "UNBLINDED_REDIS_URL"),
    "allocation": ("ALLOCATOR_DATABASE_URL", "REDIS_URL"),
}
ALL = {name for names in CREDENTIALS.values() for name in names} | {"OWNER_DATABASE_URL"}


@contextmanager
def broker(folder: Path) -> Iterator[dict[str, str]]:
    """A broker for one test; what this process enqueues goes there too."""
    server = EmbeddedValkey(folder, blinded_password="blinded-test", unblinded_password="unblinded-test")
    server.start()
    urls = {"REDIS_URL": server.url("blinded"), "UNBLINDED_REDIS_URL": server.url("unblinded")}
    before, settings.BROKERS = settings.BROKERS, {"open": urls["REDIS_URL"], "unblinded": urls["UNBLINDED_REDIS_URL"]}
    sender, settings.TASK_SENDER = settings.TASK_SENDER, "tests.workers.send"
    try:
        yield urls
    finally:
        settings.BROKERS, settings.TASK_SENDER = before, sender
        server.stop()


def send(queue: str, name: str, args: Any) -> None:
    """What ``trial.config.celery.send`` does, with the broker of the test."""
    from trial.config.celery import application

    with application(queue) as app:
        app.send_task(name, args=list(args), queue=queue, retry=False)


class Worker:
    """One worker process with the credentials of its queue and no other; killed with its children."""

    def __init__(self, queue: str, urls: dict[str, str], log: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if k not in ALL}
        environment |= {name: {**os.environ, **urls}[name] for name in CREDENTIALS[queue]}
        environment |= {"WORKER_QUEUE": queue}
        pool = ["--pool", "solo"] if queue == "allocation" else ["--concurrency", "1"]
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "trial.config.celery:app",
            "worker",
            "-Q",
            queue,
            "-n",
            f"{queue}@test",
        ]
        self.log = log
        options = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING", *pool]
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*command, *options],
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """``kill -9`` of the whole process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def worker(queue: str, urls: dict[str, str], log: Path) -> Iterator[Worker]:
    """A worker for the block."""
    started = Worker(queue, urls, log)
    try:
        yield started
    finally:
        started.kill()


def wait_until(true: Callable[[], bool], seconds: float = 60, what: str = "it") -> None:
    """Poll until ``true()``; fails with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.05)
