"""Fixtures for everybody: the database with its four logins, cleaned after each test that used it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests import database as server
from tests import kept

LONG = (
    "unit/config/worlds/test_end_world",
    "unit/config/worlds/test_import_trial",
    "blinding/test_two_worlds.",
    "journeys/",
)
"""What takes longest begins first, so that at the end no worker waits for the other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first; each file stays together, with what it plays once."""
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if f"tests/{name}" in item.nodeid), len(LONG)))


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


@pytest.fixture
def database(owner: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """The database, which holds nothing; whatever the test wrote is deleted afterwards (see ``tests.kept``)."""
    from trial.core.api import gate

    for pace in (gate.PER_TOKEN, gate.WRONG_TOKENS):  # counted in this process's memory, which all tests share
        pace.clear()
    kept.begin(owner)
    yield owner
    kept.clean(owner)


@pytest.fixture(scope="session", autouse=True)
def _drop_clone() -> Iterator[None]:
    yield
    from trial.core import db

    db.close_all()
    import os

    server.drop(f"equipoise_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")
