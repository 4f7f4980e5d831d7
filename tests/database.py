"""Pytest plugin: a real PostgreSQL with the real logins.

The controller starts one server, and makes one database by the real ``setup_database``: the template. Each worker gets a clone of it
(some 100 ms). Django's own runner never creates or flushes a test database: the blinded login would own the tables, and every test of
the wall would pass falsely. Loaded with ``-p`` before the settings are, since the settings read the addresses from the environment.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import rmtree
from typing import Any

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "equipoise_template"
PASSWORD = "for-tests-only"
LOGINS = {
    "DATABASE_URL": "equipoise_blinded",
    "UNBLINDED_DATABASE_URL": "equipoise_unblinded",
    "ALLOCATOR_DATABASE_URL": "equipoise_allocator",
}
_HANDOVER = "EQUIPOISE_TEST_SERVER"


def addresses(server: Any, database: str) -> dict[str, str]:
    """The four addresses of ``database``, as the environment names them."""
    given = {name: server.url(user, PASSWORD, database) for name, user in LOGINS.items()}
    return {**given, "OWNER_DATABASE_URL": server.owner_url(database)}


def _start_server() -> None:
    from trial.config.supervisor.postgres import EmbeddedPostgres
    from trial.config.supervisor.valkey import EmbeddedValkey

    folder = Path(tempfile.mkdtemp(prefix="equipoise-test-"))
    folder.chmod(0o711)
    speed = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    server = EmbeddedPostgres(folder, owner_password=PASSWORD, extra_settings=speed, max_connections=200)
    server.start()
    broker = EmbeddedValkey(folder, blinded_password="blinded-test", unblinded_password="unblinded-test")
    broker.start()

    def stop() -> None:
        broker.stop()
        server.stop()
        rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    given = addresses(server, "DATABASE")
    given |= {
        "REDIS_URL": broker.url("blinded"),
        "UNBLINDED_REDIS_URL": broker.url("unblinded"),
        "PROGRAMS": str(server.programs),
    }
    os.environ[_HANDOVER] = json.dumps(given)
    with psycopg.connect(server.owner_url("postgres"), autocommit=True) as owner:
        owner.execute(f"create database {TEMPLATE}")
    environment = {**os.environ, **environment_of(TEMPLATE)}
    made = subprocess.run(
        [sys.executable, "manage.py", "setup_database", "--frozen-clock"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise SystemExit(f"setup_database failed:\n{made.stdout}\n{made.stderr}")


def environment_of(database: str) -> dict[str, str]:
    """The environment of a process that may do everything on ``database`` (tests hold all four logins)."""
    given = json.loads(os.environ[_HANDOVER])
    named = {name: url.replace("/DATABASE?", f"/{database}?") for name, url in given.items()}
    return {**named, "SCRATCH": "1", "SECRET_KEY": "a-key-for-tests", "DJANGO_SETTINGS_MODULE": "trial.config.settings"}


def clone(database: str, template: str = TEMPLATE) -> dict[str, str]:
    """Make ``database`` anew as a copy of ``template``; returns its environment."""
    given = environment_of(database)
    maintenance = given["OWNER_DATABASE_URL"].replace(f"/{database}?", "/postgres?")
    name = sql.Identifier(database)
    with psycopg.connect(maintenance, autocommit=True) as owner:
        owner.execute("select pg_advisory_lock(41)")
        owner.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        owner.execute(sql.SQL("create database {} template {}").format(name, sql.Identifier(template)))
        # rights on the database itself are not copied
        owner.execute(sql.SQL("revoke all on database {} from public").format(name))
        for login in LOGINS.values():
            owner.execute(sql.SQL("grant connect on database {} to {}").format(name, sql.Identifier(login)))
    return given


def drop(database: str) -> None:
    """Drop a clone."""
    maintenance = environment_of(database)["OWNER_DATABASE_URL"].replace(f"/{database}?", "/postgres?")
    with psycopg.connect(maintenance, autocommit=True) as owner:
        owner.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


if _HANDOVER not in os.environ:
    _start_server()
os.environ.update(clone(f"equipoise_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"))
