"""The side of the current unit of work.

A request, task or command runs wholly on one side. The side is at the same time the name of the database alias, and so of the
PostgreSQL login: what a unit of work may read is decided by the database, not by this program.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

from django.db.models import Model

Side = Literal["default", "unblinded", "allocator", "owner"]

OPEN: Side = "default"
UNBLINDED: Side = "unblinded"
ALLOCATOR: Side = "allocator"
OWNER: Side = "owner"

UNBLINDED_PATH = "/unblinded/"
GATE_PATH = "/unblinded/code-break/"
"""The one way through the wall for somebody of the open side."""

_current: ContextVar[Side] = ContextVar("side", default=OPEN)


def current() -> Side:
    """The side this unit of work runs on; the open side where nothing was said."""
    return _current.get()


_writes_open: ContextVar[bool] = ContextVar("writes_open", default=False)


def stream() -> str:
    """Which stream of instants and identifiers a played world draws from: the side's own; for open rows of the unblinded side another.

    What such a row holds must not move with whatever else that side drew before.
    """
    here = current()
    return f"{here}/open" if here == UNBLINDED and _writes_open.get() else here


@contextmanager
def writing_open(is_open: bool) -> Iterator[None]:
    """Whether the block writes open rows: a declassified action does."""
    token = _writes_open.set(is_open)
    try:
        yield
    finally:
        _writes_open.reset(token)


def of_path(path: str) -> Side:
    """The side a request belongs to: everything below ``/unblinded/`` is unblinded, everything else open."""
    return UNBLINDED if path.startswith(UNBLINDED_PATH) else OPEN


@contextmanager
def on(side: Side) -> Iterator[None]:
    """Run the block on ``side``. Do not enter another side inside an open transaction: that would be two units of work."""
    token = _current.set(side)
    try:
        yield
    finally:
        _current.reset(token)


def opened() -> Any:
    """The open side (``default``)."""
    return on(OPEN)


def unblinded() -> Any:
    """The unblinded side."""
    return on(UNBLINDED)


def allocator() -> Any:
    """The allocator: sealing, import, demo player, leakcheck and tests only."""
    return on(ALLOCATOR)


def owner() -> Any:
    """The owner of the tables: setup, backup, demo and test setup only, never a service."""
    return on(OWNER)


class Router:
    """Every model goes to the side of the unit of work.

    Never by app label: one action would then be two transactions that lock each other.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return current()

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return current()

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool:
        return True
