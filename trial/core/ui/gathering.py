"""What a page shows, gathered as data while it is drawn.

The API answers with the data of the pages. It lets the same view run, with its readers, its row policies and the readings that it writes
down, and takes what the page hands to its components, in order: what a page does not show is not there either. Nothing is drawn meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.template.context import Context

from trial.core.ui.text import Text


@dataclass
class Part:
    """Something that a component shows: which component, what it was given, and what the page calls it ("" where it has no name)."""

    kind: str
    value: Any
    name: str = ""


@dataclass
class Gathered:
    """The head of a page, and its parts in the order of the page. A part of kind "panel" holds a title and parts of its own."""

    title: Text = ""
    over: Text = ""
    lead: Text = ""
    parts: list[Part] = field(default_factory=list)


_found: ContextVar[Gathered | None] = ContextVar("gathered", default=None)


@contextmanager
def gathering() -> Iterator[Gathered]:
    """Gather what is shown in the block."""
    found = Gathered()
    token = _found.set(found)
    try:
        yield found
    finally:
        _found.reset(token)


def gathered(kind: str, value: Any, context: Context | None = None) -> bool:
    """Whether the page is gathered instead of drawn; then ``value`` has been taken."""
    found = _found.get()
    if found is None:
        return False
    found.parts.append(Part(kind, value, _name(value, context)))
    return True


def is_gathering() -> bool:
    """Whether the page is gathered instead of drawn."""
    return _found.get() is not None


def head(context: Context) -> None:
    """Take the head of the page."""
    found = _found.get()
    if found is not None:
        found.title, found.over, found.lead = (context.get(name) or "" for name in ("title", "over", "lead"))


@contextmanager
def under(title: Text) -> Iterator[None]:
    """What is gathered in the block stands under a title of its own."""
    outer = _found.get()
    if outer is None:
        yield
        return
    inner = Gathered(title=title)
    outer.parts.append(Part("panel", inner))
    token = _found.set(inner)
    try:
        yield
    finally:
        _found.reset(token)


def _name(value: Any, context: Context | None) -> str:
    """The name under which the page holds the value."""
    for layer in reversed(context.dicts if context is not None else []):
        for name, held in layer.items():
            if held is value:
                return str(name)
    return ""
