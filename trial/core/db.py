"""The only door to the connection: one unit of work, one side.

Nobody else imports ``django.db.transaction`` or ``django.db.connection`` (import-linter): a bare ``atomic()`` would open a transaction
on the wrong login, and a bare ``on_commit()`` would run before the commit.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Protocol

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from trial.core import clock, side

NO_SITE = "-"
EVERY_SITE = "*"


class Actor(Protocol):
    """Whoever acts: a person with memberships, or a part of the system."""

    @property
    def actor_id(self) -> str: ...

    @property
    def scope(self) -> str:
        """Sites as the policy reads them: ``*``, ``-`` for none, or ``,a,b,``."""
        ...


@dataclass(frozen=True)
class System:
    """A part of the system that acts by itself, such as the allocator or a sweep; it sees every site."""

    name: str

    @property
    def actor_id(self) -> str:
        return f"system:{self.name}"

    @property
    def scope(self) -> str:
        return EVERY_SITE


@dataclass(frozen=True)
class _Identity:
    actor: str
    sites: str
    action: str = ""
    reason: str = ""


_identity: ContextVar[_Identity | None] = ContextVar("identity", default=None)
_after_end: ContextVar[list[Callable[[], object]] | None] = ContextVar("after_end", default=None)


def using() -> str:
    """The alias of the current side."""
    return side.current()


def atomic(*, savepoint: bool = True) -> Any:
    """A transaction (or savepoint) on the current side."""
    return transaction.atomic(using=side.current(), savepoint=savepoint)


def on_commit(callback: Callable[[], object]) -> None:
    """Run ``callback`` when the unit of work has been committed; never if it was rolled back."""
    transaction.on_commit(callback, using=side.current())


def rollback_at_end() -> None:
    """Let the current transaction end in a rollback; what it wrote so far is dropped."""
    transaction.set_rollback(True, using=side.current())


@contextmanager
def ending() -> Iterator[None]:
    """Around a unit of work: what :func:`after_end` was given happens when it is over."""
    if _after_end.get() is not None:
        yield  # the outer one ends later
        return
    waiting: list[Callable[[], object]] = []
    token = _after_end.set(waiting)
    try:
        yield
    finally:
        _after_end.reset(token)
        for callback in waiting:
            callback()


def after_end(callback: Callable[[], object]) -> None:
    """Run ``callback`` when the unit of work is over, committed or rolled back, on the same side; it opens one of its own.

    For what must be known of a refusal, which itself leaves nothing.
    """
    waiting = _after_end.get()
    if waiting is None:
        raise RuntimeError("Nothing follows the end of a unit of work that was not opened.")
    waiting.append(callback)


def in_transaction() -> bool:
    """Whether a unit of work is open on the current side."""
    return bool(connections[side.current()].in_atomic_block)


def cursor() -> CursorWrapper:
    """A cursor on the current side."""
    return connections[side.current()].cursor()


def close_all() -> None:
    """Close every connection of this process; before a fork, and at the end of a worker's task."""
    connections.close_all()


def is_configured(alias: str) -> bool:
    """Whether this process holds the credential of ``alias``."""
    return alias in connections.settings and not connections.settings[alias]["ENGINE"].endswith("dummy")


def _tell(identity: _Identity) -> None:
    frozen = clock.frozen_at()
    with cursor() as c:
        c.execute(
            "select set_config('equipoise.actor', %s, true), set_config('equipoise.sites', %s, true),"
            " set_config('equipoise.action', %s, true), set_config('equipoise.reason', %s, true),"
            " set_config('equipoise.now', %s, true)",
            [
                identity.actor,
                identity.sites,
                identity.action,
                identity.reason,
                clock.now().isoformat() if frozen else "",
            ],
        )


@contextmanager
def identity(by: Actor) -> Iterator[None]:
    """Tell the database who acts and for which sites, until the transaction ends.

    Needs an open transaction: the setting is local to it, so that a pooled connection carries nobody's identity to the next.
    """
    if not in_transaction():
        raise RuntimeError("An identity lives in a transaction: open the unit of work first.")
    before = _identity.get()
    now = _Identity(by.actor_id, by.scope)
    _tell(now)
    token = _identity.set(now)
    try:
        yield
    finally:
        _identity.reset(token)
        _restore(before)


def _restore(before: _Identity | None) -> None:
    """Put the outer identity back, unless the transaction is broken or over (a rollback puts it back by itself)."""
    connection = connections[side.current()]
    if before is not None and connection.in_atomic_block and not connection.needs_rollback:
        _tell(before)


@contextmanager
def acting(*, by: Actor, action: str, reason: str = "") -> Iterator[None]:
    """Name the action and its reason for the history of what is written in the block."""
    before = _identity.get()
    base = before if before is not None and before.actor == by.actor_id else _Identity(by.actor_id, by.scope)
    now = replace(base, action=action, reason=reason)
    _tell(now)
    token = _identity.set(now)
    try:
        yield
    finally:
        _identity.reset(token)
        _restore(before)


def acting_in() -> str:
    """The full name of the action that is running; empty outside of one."""
    now = _identity.get()
    return now.action if now else ""


@contextmanager
def unit_of_work(*, by: Actor) -> Iterator[None]:
    """One transaction on the current side with an identity: what a request, a task or a command runs in."""
    with ending(), atomic(), identity(by):
        yield


def take_turn(what: str) -> None:
    """Hold back others of this side who take a turn at the same thing, until the unit of work ends."""
    with cursor() as c:
        c.execute("select equipoise_take_turn(%s)", [what])


def hold_still() -> None:
    """Until the unit of work ends nobody changes a trial datum of the open side: what is read meanwhile is of one moment."""
    with cursor() as c:
        c.execute("select equipoise_hold_still()")


@contextmanager
def watched(note: Callable[[str], None]) -> Iterator[None]:
    """Tell ``note`` each statement that the block sends to the database on the current side."""

    def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        note(sql)
        return execute(sql, params, many, context)

    with connections[side.current()].execute_wrapper(wrapper):
        yield


def turn_to(database: str) -> None:
    """From now on every alias of this process leads to another database of the same server. Leakcheck only: refused in a real trial."""
    if not settings.SCRATCH:
        raise RuntimeError("A real trial has one database.")
    connections.close_all()
    for alias in list(connections.settings):
        if is_configured(alias):
            connections.settings[alias]["NAME"] = database


def pending_migrations() -> list[str]:
    """Migrations of this code that the database has not seen; read with the login of the current side."""
    from django.db.migrations.loader import MigrationLoader

    with cursor() as c:
        c.execute("select app, name from django_migrations")
        applied = {(app, name) for app, name in c.fetchall()}
    known = MigrationLoader(None).disk_migrations
    return sorted(f"{app}.{name}" for app, name in known if (app, name) not in applied)
