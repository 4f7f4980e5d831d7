"""Reading the environment: each variable may also be given as ``NAME_FILE``, a file that holds the value."""

import os
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

VARIABLES: dict[str, str] = {
    "DATABASE_URL": "login of the open side",
    "UNBLINDED_DATABASE_URL": "login of the unblinded side",
    "ALLOCATOR_DATABASE_URL": "login of the allocator",
    "OWNER_DATABASE_URL": "owner of the tables: setup, backup, demo; never a service",
    "REDIS_URL": "broker user of the queues default and allocation",
    "UNBLINDED_REDIS_URL": "broker user of the queue unblinded",
    "SECRET_KEY": "signs sessions and forms; the same for all web processes",
    "ALLOWED_HOSTS": "host names, separated by commas",
    "TRUSTED_ORIGINS": "origins with scheme, separated by commas, when behind a proxy",
    "HTTPS": "1 behind a proxy that speaks https: secure cookies",
    "DEMO": "1 in a demo world: synthetic data, known password",
    "EQUIPOISE_WORLD": "imr, imr-end, imr-interim, imr-interim-end, btheb or run",
    "PROTOCOL": "folder of the trial's protocol",
    "CLOCK_OFFSET": "seconds that the demo clock is ahead (or behind, negative)",
    "WORKER_QUEUE": "queue of this worker: default, unblinded or allocation",
    "TIME_ZONE": "the trial's time zone",
    "LANGUAGE_CODE": "the language of the pages",
    "VAR": "data folder",
    "PORT": "port of the web server",
    "BACKUP_KEY": "key of the backup; the operator holds it",
    "START_ID": "names one start of the supervisor: signs of life of an earlier one do not count",
    "RANDOM_HANDOVERS": "share of follow-up visits that change hands at random, 0.1 if not given",
    "SCRATCH": "1 in a database for tests and leakcheck: its clock may be frozen",
}


def get(name: str, default: str = "") -> str:
    """The value of ``name``, or of the file that ``name_FILE`` points to, or ``default``."""
    if name not in VARIABLES:
        raise KeyError(f"{name} is not a variable of Equipoise; see trial/config/env.py.")
    value = os.environ.get(name)
    if value is None and (path := os.environ.get(f"{name}_FILE")):
        value = Path(path).read_text(encoding="utf-8").strip()
    return value if value is not None else default


def flag(name: str) -> bool:
    """Whether ``name`` is set to 1, true or yes."""
    return get(name).lower() in {"1", "true", "yes"}


def items(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [item.strip() for item in get(name, default).split(",") if item.strip()]


def database(url: str, *, owner: bool = False) -> dict[str, Any]:
    """Django's settings of one login. ``url`` is a PostgreSQL address; a socket stands in ``?host=/folder``."""
    parts = conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": str(parts.get("dbname", "equipoise")),
        "USER": str(parts.get("user", "")),
        "PASSWORD": str(parts.get("password", "")),
        "HOST": str(parts.get("host", "")),
        "PORT": str(parts.get("port", "")),
        "CONN_MAX_AGE": 0 if owner else 300,
        "CONN_HEALTH_CHECKS": not owner,
        "ATOMIC_REQUESTS": False,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {"connect_timeout": 5, "application_name": "equipoise"},
    }
