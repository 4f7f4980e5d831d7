"""A small measured trial, played once and copied back before each test: playing it takes seconds, copying milliseconds."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.utils.module_loading import import_string
from psycopg import sql

from tests import world
from tests.blinding.one_database import reset
from trial.config.worlds import btheb

_saved: dict[str, bytes] = {}
HISTORIES = ("core_history", "unblinded_history", "concealed_history")


class Measured(btheb.Import):
    """The published trial up to its last visit: nothing is locked, unblinded or analyzed yet."""

    def _last_days(self, last: dt.datetime) -> list[tuple[dt.datetime, int, Callable[[], None]]]:
        return [(last + dt.timedelta(days=7), 90_000, self._finish)]


@pytest.fixture
def played(database: psycopg.Connection[Any], tmp_path: Path) -> psycopg.Connection[Any]:
    """Twelve patients of Beat the Blues after their last visit; the owner's connection."""
    reset(database)
    if _saved:
        _copy_back(database)
    else:
        _play(tmp_path / "btheb")
        _saved.update(_copied(database))
    return database


def _play(folder: Path) -> None:
    source = world.ROOT / "protocols" / "btheb"
    for path in source.rglob("*.toml"):
        (folder / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
        (folder / path.relative_to(source)).write_text(path.read_text())
    (folder / "data.csv").write_text("\n".join((source / "data.csv").read_text().splitlines()[:13]) + "\n")
    Measured(folder, lambda _line: None).run()


def _copied(owner: psycopg.Connection[Any]) -> dict[str, bytes]:
    found = {}
    for name, table in import_string(settings.RIGHTS).items():
        if table.side == "owner" or name.startswith(("core_login", "core_role")):
            continue
        with owner.cursor().copy(sql.SQL("copy {} to stdout").format(sql.Identifier(name))) as out:
            found[name] = b"".join(bytes(part) for part in out)
    return found


def _copy_back(owner: psycopg.Connection[Any]) -> None:
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        for name, content in _saved.items():
            with owner.cursor().copy(sql.SQL("copy {} from stdin").format(sql.Identifier(name))) as into:
                into.write(content)
        for name in HISTORIES:
            owner.execute(
                sql.SQL(
                    "select setval(pg_get_serial_sequence({}, 'id'), (select coalesce(max(id), 1) from {}))"
                ).format(sql.Literal(name), sql.Identifier(name))
            )
