"""A world is played into an empty database; a small file keeps the play short."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import world
from tests.blinding.one_database import reset
from tests.unit.config.worlds.shared import played, thin_protocol

ROWS = 12


@pytest.fixture
def empty(database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """The owner's connection to a trial that holds nothing, with its sequences at the beginning."""
    reset(database)
    return database


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The Beat the Blues protocol with the first rows of its file, enough for the analysis to have an answer."""
    folder = tmp_path / "btheb"
    shutil.copytree(world.ROOT / "protocols" / "btheb", folder)
    lines = (folder / "data.csv").read_text().splitlines()[: ROWS + 1]
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def folder_of_worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """VAR: where a played world leaves its clock and its mark."""
    monkeypatch.setenv("VAR", str(tmp_path / "var"))
    return tmp_path / "var"


@pytest.fixture(scope="session")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The IMR protocol with a third of its forms."""
    return thin_protocol(tmp_path_factory.mktemp("protocol"))


@pytest.fixture(scope="session")
def at_month_24(thin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection[Any]]:
    """The owner's connection to the running world, thin, for reading."""
    yield from _read(played("imr", tmp_path_factory.mktemp("var"), thin))


@pytest.fixture(scope="session")
def at_end(thin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection[Any]]:
    """The owner's connection to the world at its end, thin, for reading."""
    yield from _read(played("imr-end", tmp_path_factory.mktemp("var"), thin))


def _read(environment: dict[str, str]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(environment["OWNER_DATABASE_URL"], autocommit=True) as owner:
        owner.execute("set default_transaction_read_only = on")
        yield owner
