"""Which processes there are, and which credentials each one gets: its own and no other."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trial.config.supervisor.errors import SupervisorError

OWNER_URL = "OWNER_DATABASE_URL"
BLINDED_URL = "DATABASE_URL"
UNBLINDED_URL = "UNBLINDED_DATABASE_URL"
ALLOCATOR_URL = "ALLOCATOR_DATABASE_URL"
BROKER_URL = "REDIS_URL"
UNBLINDED_BROKER_URL = "UNBLINDED_REDIS_URL"
ADDRESSES = (OWNER_URL, BLINDED_URL, UNBLINDED_URL, ALLOCATOR_URL, BROKER_URL, UNBLINDED_BROKER_URL)

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Matrices here are small, and workers share the cores already: threads of linear algebra would only wait for each other."""

_CONFIDENTIAL = (*ADDRESSES, "SECRET_KEY", "BACKUP_KEY")


@dataclass(frozen=True)
class Service:
    """A process that runs for as long as Equipoise does.

    `credentials` are names from ADDRESSES. Services with a higher `stage` start later and, but for the web server,
    which is the first to go, stop earlier. `patience` is how many seconds it has to end by itself.
    """

    name: str
    command: tuple[str, ...]
    credentials: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    stage: int = 2
    patience: float = 3.0


@dataclass(frozen=True)
class Programs:
    """The commands themselves, so that tests of the supervisor can put small ones in their place."""

    manage: tuple[str, ...]
    web: tuple[str, ...]
    celery: tuple[str, ...]

    @classmethod
    def of_equipoise(cls) -> Programs:
        """Return the commands of the real application."""
        gunicorn = str(Path(__file__).with_name("gunicorn_settings.py"))
        return cls(
            manage=(sys.executable, "manage.py"),
            web=(sys.executable, "-m", "gunicorn", "trial.config.wsgi:application", "--config", gunicorn),
            celery=(sys.executable, "-m", "celery", "-A", "trial.config.celery:app"),
        )


def all_services(programs: Programs, folder: Path, listener: int) -> list[Service]:
    """Return the services of one world. `listener` is the number of the open socket for the web server."""
    web = Service(
        "web",
        (*programs.web, "--bind", f"fd://{listener}"),
        (BLINDED_URL, UNBLINDED_URL, BROKER_URL, UNBLINDED_BROKER_URL),
        stage=1,
    )
    return [
        web,
        _worker(programs, "default", (BLINDED_URL, BROKER_URL), "--concurrency", "2"),
        _worker(programs, "unblinded", (UNBLINDED_URL, UNBLINDED_BROKER_URL), "--concurrency", "2"),
        _worker(programs, "allocation", (ALLOCATOR_URL, BROKER_URL), "--pool", "solo"),
        _beat(programs, folder, "default", (BLINDED_URL, BROKER_URL)),
        _beat(programs, folder, "unblinded", (UNBLINDED_URL, UNBLINDED_BROKER_URL)),
    ]


def _worker(programs: Programs, queue: str, credentials: tuple[str, ...], *extra: str) -> Service:
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING")
    command = (*programs.celery, "worker", "-Q", queue, "-n", f"{queue}@equipoise", *quiet, *extra)
    return Service(f"worker-{queue}", command, credentials, {"WORKER_QUEUE": queue})


def _beat(programs: Programs, folder: Path, queue: str, credentials: tuple[str, ...]) -> Service:
    schedule = str(folder / "beat" / f"{queue}.schedule")
    command = (*programs.celery, "beat", "--schedule", schedule, "--pidfile", "", "--loglevel", "WARNING")
    return Service(f"beat-{queue}", command, credentials, {"WORKER_QUEUE": queue}, stage=3, patience=0.5)


def given_addresses(environment: Mapping[str, str]) -> dict[str, str] | None:
    """Return the six addresses when the operator runs the servers, or None when we are to start them.

    Each may be given as NAME_FILE too. Raises SupervisorError when some are given and some are not.
    """
    found: dict[str, str] = {}
    for name in ADDRESSES:
        if environment.get(name):
            found[name] = environment[name]
        elif environment.get(f"{name}_FILE"):
            try:
                found[name] = Path(environment[f"{name}_FILE"]).read_text().strip()
            except OSError as error:
                raise SupervisorError(f"Cannot read {error.filename} ({name}_FILE): {error.strerror}.") from error
    if not found:
        return None
    missing = [name for name in ADDRESSES if not found.get(name)]
    if missing:
        raise SupervisorError(
            f"Some addresses of servers are set, but not {', '.join(missing)}.\n"
            "Set all six to use your own servers, or none to have them started here."
        )
    return found


def environment_for(
    credentials: tuple[str, ...],
    addresses: Mapping[str, str],
    common: Mapping[str, str],
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the environment of one process: ours without anything confidential, and the credentials named."""
    hidden = {*_CONFIDENTIAL, *(f"{name}_FILE" for name in _CONFIDENTIAL)}
    # A machine that keeps Python from writing compiled modules would pay seconds at each start of each process.
    hidden.add("PYTHONDONTWRITEBYTECODE")
    base = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**ONE_THREAD, **base, **common, **(extra or {}), **{name: addresses[name] for name in credentials}}
