"""Scratch databases on the server of the trial, made by the real setup and dropped afterwards.

Both worlds are played in copies of one prepared database, one after the other and under the same name: what carries a name or a number
of an object is equal in both, so that nothing needs to be rewritten before it is compared.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from trial.core import db
from trial.core.database.setup import Plan

PREPARED, WORLD = "equipoise_leakcheck_prepared", "equipoise_leakcheck"


def environment(plan: Plan, database: str) -> dict[str, str]:
    """The environment of a process that holds all logins of a scratch database."""
    urls = {"owner": plan.owner, **plan.logins}
    names = {"owner": "OWNER", "unblinded": "UNBLINDED", "allocator": "ALLOCATOR"}
    given = {
        f"{names[alias]}_DATABASE_URL" if alias in names else "DATABASE_URL": make_conninfo(url, dbname=database)
        for alias, url in urls.items()
    }
    # what the running trial was given as a file must not win over this
    kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in given}
    # nothing of a played world reaches the broker of the trial
    return {**kept, **given, "SCRATCH": "1", "DEMO": "", "CLOCK_OFFSET": "", "REDIS_URL": "", "UNBLINDED_REDIS_URL": ""}


@contextmanager
def prepared(plan: Plan) -> Iterator[None]:
    """While the block lasts there is a database that the real setup made; the worlds are copies of it."""
    _drop(plan, WORLD, PREPARED)
    _run(plan, sql.SQL("create database {}").format(sql.Identifier(PREPARED)))
    try:
        made = subprocess.run(
            [sys.executable, "manage.py", "setup_database", "--frozen-clock", "--accept-public-catalog"],
            cwd=settings.BASE_DIR,
            env=environment(plan, PREPARED),
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"The scratch database could not be set up:\n{made.stdout}{made.stderr}")
        yield
    finally:
        _drop(plan, WORLD, PREPARED)


def begin(plan: Plan, template: str = PREPARED, database: str = "") -> None:
    """Make ``database`` (that of the plan when not given) anew, as a copy of ``template``."""
    database = database or str(conninfo_to_dict(plan.owner)["dbname"])
    db.close_all()
    _drop(plan, database)
    name = sql.Identifier(database)
    _run(plan, sql.SQL("create database {} template {}").format(name, sql.Identifier(template)))
    # rights on the database itself are not copied
    _run(plan, sql.SQL("revoke all on database {} from public").format(name))
    for login in plan.names.values():
        _run(plan, sql.SQL("grant connect on database {} to {}").format(name, sql.Identifier(login)))


@contextmanager
def turned_to(database: str) -> Iterator[None]:
    """Every alias of this process leads to another database while the block lasts."""
    before = settings.DATABASES["owner"]["NAME"]
    db.turn_to(database)
    try:
        yield
    finally:
        db.turn_to(before)


def _drop(plan: Plan, *databases: str) -> None:
    for name in databases:
        _run(plan, sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _run(plan: Plan, statement: sql.Composed) -> None:
    """As the owner, from a database that is not concerned."""
    with psycopg.connect(make_conninfo(plan.owner, dbname="postgres"), autocommit=True) as owner:
        owner.execute(statement)
