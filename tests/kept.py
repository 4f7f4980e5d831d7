"""Worlds that many tests begin with: played once a process, then put back row by row.

Playing takes seconds, putting back some milliseconds. What is put back is what was played, in every table and sequence, with the frozen
clock and the seeded identifiers where the play had left them; what the test holds of it (people, accounts) is a copy of its own. Where the
trial is not empty, or the process has turned to another database than the test's own, the world is played as ever.
"""

import copy
import dataclasses
import datetime as dt
import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import psycopg
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string
from psycopg import sql
from psycopg.pq import TransactionStatus

from trial.core import clock, ids

T = TypeVar("T")

STAYS = {
    "core_login", "core_rolesiderow", "django_migrations", "django_content_type", "auth_permission", "auth_group",
}  # fmt: skip
"""What setup wrote: the same for every test."""


def trial_tables() -> list[str]:
    """Every table that a test may write into."""
    return [name for name in import_string(settings.RIGHTS) if name not in STAYS]


@dataclass(frozen=True)
class _World:
    rows: dict[str, bytes]
    sequences: dict[str, int]
    clock: tuple[dt.datetime, dict[str, int]] | None
    streams: dict[str, Any] | None
    held: Any


_kept: dict[Hashable, _World] = {}
_owner: psycopg.Connection[Any] | None = None


def begin(owner: psycopg.Connection[Any]) -> None:
    """A test begins: nothing is there."""
    global _owner
    _owner = owner
    left = filled(owner, trial_tables())
    assert left == [], f"An earlier test left rows behind: {left}"


def once(name: str, *given: Hashable, play: Callable[[], T]) -> T:
    """What ``play()`` returns, and what it leaves in the database: played once, then put back. ``given`` is what the play depends on."""
    owner = _owner
    if owner is None or not _begins_with_nothing(owner):
        return play()
    seed = None if ids._streams is None else ids._seed
    key = (
        name,
        given,
        clock.frozen_at() or clock.today(),
        seed,
        tuple(settings.PASSWORD_HASHERS),
        settings.TASK_SENDER,
    )
    if key in _kept:
        _put_back(owner, _kept[key])
    else:
        held = play()
        _kept[key] = _World(_rows(owner), _sequences(owner), _clock(), _streams(), _copy(held))
        return held
    return cast("T", _copy(_kept[key].held))


def _begins_with_nothing(owner: psycopg.Connection[Any]) -> bool:
    if ids._streams or (clock._frozen is not None and clock._frozen.ticks):  # something was drawn already
        return False
    if connections.settings["default"]["NAME"] != owner.info.dbname:  # turned to another database, as leakcheck is
        return False
    return not filled(owner, trial_tables())


def filled(owner: psycopg.Connection[Any], tables: list[str]) -> list[str]:
    """Those of the tables that hold a row."""
    asked = sql.SQL(" union all ").join(
        sql.SQL("select {} where exists (select from {})").format(sql.Literal(name), sql.Identifier(name))
        for name in tables
    )
    return [name for (name,) in owner.execute(asked).fetchall()]


def clean(owner: psycopg.Connection[Any]) -> None:
    """Delete whatever was written, with triggers off (2 ms; TRUNCATE takes 150), and leave the logins as they were."""
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        owner.execute(
            sql.SQL("; ").join(sql.SQL("delete from {}").format(sql.Identifier(name)) for name in trial_tables())
        )
    owner.execute("reset all")
    _settle(owner)


def _settle(owner: psycopg.Connection[Any]) -> None:
    """Leave each connection as new, but with what it learned: a new one would plan every statement of every trigger again."""
    locked = {pid for (pid,) in owner.execute("select pid from pg_locks where locktype = 'advisory'").fetchall()}
    for connection in connections.all(initialized_only=True):
        raw = connection.connection
        if raw is None:
            continue
        busy = connection.in_atomic_block or raw.closed or raw.info.transaction_status != TransactionStatus.IDLE
        if (
            busy
            or raw.info.backend_pid in locked
            or raw.info.dbname != owner.info.dbname
            or connection.alias == "owner"
        ):
            connection.close()
        else:
            raw.execute("close all; reset all; unlisten *; discard temp; discard sequences")


def _rows(owner: psycopg.Connection[Any]) -> dict[str, bytes]:
    found = {}
    for name in filled(owner, trial_tables()):
        with owner.cursor().copy(sql.SQL("copy {} to stdout").format(sql.Identifier(name))) as out:
            found[name] = b"".join(bytes(part) for part in out)
    return found


def _sequences(owner: psycopg.Connection[Any]) -> dict[str, int]:
    asked = "select sequencename, last_value from pg_sequences where schemaname = 'public' and last_value is not null"
    return dict(owner.execute(asked).fetchall())


def _clock() -> tuple[dt.datetime, dict[str, int]] | None:
    return None if clock._frozen is None else (clock._frozen.at, dict(clock._frozen.ticks))


def _streams() -> dict[str, Any] | None:
    return None if ids._streams is None else {name: stream.getstate() for name, stream in ids._streams.items()}


def _put_back(owner: psycopg.Connection[Any], world: _World) -> None:
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        for name, content in world.rows.items():
            with owner.cursor().copy(sql.SQL("copy {} from stdin").format(sql.Identifier(name))) as into:
                into.write(content)
        to = [
            sql.SQL("setval({}, {})").format(sql.Literal(name), sql.Literal(at)) for name, at in world.sequences.items()
        ]
        owner.execute(sql.SQL("select ") + sql.SQL(", ").join(to))
    if world.clock is not None and clock._frozen is not None:
        clock._frozen.at, clock._frozen.ticks = world.clock[0], dict(world.clock[1])
    if world.streams is not None and ids._streams is not None:
        for name, state in world.streams.items():
            ids._streams[name] = random.Random()
            ids._streams[name].setstate(state)


def _copy(held: T) -> T:
    """A copy to change at will. What can't be changed (the protocol) is the same thing: copying it takes longer than the rows."""
    parts = held.values() if isinstance(held, dict) else vars(held).values() if hasattr(held, "__dict__") else ()
    return copy.deepcopy(held, {id(part): part for part in parts if _is_frozen(part)})


def _is_frozen(part: object) -> bool:
    return dataclasses.is_dataclass(part) and part.__dataclass_params__.frozen  # type: ignore[attr-defined, no-any-return]
