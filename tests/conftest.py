"""Fixtures for everybody: the database with its four logins, cleaned after each test that used it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from tests import database as server


@pytest.fixture(scope="session", autouse=True)
def _database_is_ours(django_db_blocker: Any) -> Iterator[None]:
    """pytest-django keeps its hands off: the clone was made by the real setup, and tests commit for real."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="session")
def owner() -> Iterator[psycopg.Connection[Any]]:
    """The owner's own connection, outside Django."""
    import os

    with psycopg.connect(os.environ["OWNER_DATABASE_URL"], autocommit=True) as connection:
        yield connection


def _trial_tables() -> list[str]:
    from django.utils.module_loading import import_string

    tables = import_string(settings.RIGHTS)
    keep = {
        "core_login",
        "core_rolesiderow",
        "django_migrations",
        "django_content_type",
        "auth_permission",
        "auth_group",
    }
    return [name for name in tables if name not in keep]


@pytest.fixture
def database(owner: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """The database; whatever the test wrote is deleted afterwards with triggers off (2 ms; TRUNCATE takes 150)."""
    from trial.core.api import gate

    for pace in (gate.PER_TOKEN, gate.WRONG_TOKENS):  # counted in this process's memory, which all tests share
        pace.clear()
    yield owner
    from trial.core import db

    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        owner.execute(sql.SQL("; ").join(sql.SQL("delete from {}").format(sql.Identifier(t)) for t in _trial_tables()))
    db.close_all()


@pytest.fixture(scope="session", autouse=True)
def _drop_clone() -> Iterator[None]:
    yield
    from trial.core import db

    db.close_all()
    import os

    server.drop(f"equipoise_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")
