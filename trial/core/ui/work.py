"""The work that waits for a person: what a role sees first."""

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.text import slugify

from trial.core.access import Person
from trial.core.locking import locked_at
from trial.core.ui.text import Text

WorkState = Literal["due", "overdue", "waiting", "blocked", "upcoming"]
URGENCY: dict[WorkState, int] = {"overdue": 0, "due": 1, "blocked": 2, "waiting": 3, "upcoming": 4}
FIRST = 5
"""So many items of a list stand on the first page; the rest is one step away."""


@dataclass(frozen=True)
class WorkItem:
    """One thing to do. ``title`` names verb and object; ``on`` is the day it is due (or since when it waits)."""

    title: Text
    url: str
    detail: Text = ""
    state: WorkState = "due"
    on: datetime.date | None = None

    @property
    def urgency(self) -> tuple[int, datetime.date]:
        """Overdue first, then due, blocked, waiting, upcoming; within each the oldest day first."""
        return URGENCY[self.state], self.on or datetime.date.max


@dataclass(frozen=True)
class WorkList:
    """A list that can be finished. ``empty`` says what would be here and how it comes. ``after_lock``: the database lock does not end it."""

    title: Text
    items: list[WorkItem] = field(default_factory=list)
    empty: Text = ""
    after_lock: bool = False

    @property
    def code(self) -> str:
        """The list in an address."""
        return slugify(str(self.title))

    @property
    def by_urgency(self) -> list[WorkItem]:
        """What presses most first."""
        return sorted(self.items, key=lambda item: item.urgency)

    @property
    def first(self) -> list[WorkItem]:
        """What presses most. A single item more than these is shown too: a line that says so would take its place."""
        return self.by_urgency if len(self.items) == FIRST + 1 else self.by_urgency[:FIRST]

    @property
    def more(self) -> int:
        """How many are not among the first."""
        return len(self.items) - len(self.first)

    @property
    def pressing(self) -> int:
        """How many are due or overdue."""
        return sum(item.state in ("due", "overdue") for item in self.items)

    @property
    def overdue(self) -> int:
        """How many are overdue."""
        return sum(item.state == "overdue" for item in self.items)


@dataclass(frozen=True)
class Panel:
    """A part of the first page below the work: a template and its context, under a title."""

    title: Text
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


def work_for(person: Person) -> list[WorkList]:
    """The work lists of all providers in ``settings.WORK_PROVIDERS``; each gives one list, several, or None.

    After the database lock only those that go on: nobody is asked for what would be refused.
    """
    lists: list[WorkList] = []
    for provide in _providers("WORK_PROVIDERS"):
        given: WorkList | Iterable[WorkList] | None = provide(person)
        lists += [given] if isinstance(given, WorkList) else list(given or ())
    return lists if locked_at() is None else [one for one in lists if one.after_lock]


def panels_for(person: Person) -> list[Panel]:
    """The panels of all providers in ``settings.PANEL_PROVIDERS``."""
    return [panel for provide in _providers("PANEL_PROVIDERS") for panel in (provide(person) or ())]


def live_panels_for(person: Person) -> list[Panel]:
    """The panels of all providers in ``settings.LIVE_PANEL_PROVIDERS``: a first page that is open shows what changed in them by itself."""
    return [panel for provide in _providers("LIVE_PANEL_PROVIDERS") for panel in (provide(person) or ())]


def _providers(setting: str) -> list[Callable[[Person], Any]]:
    named: Iterable[str | Callable[[Person], Any]] = getattr(settings, setting, ())
    return [import_string(provider) if isinstance(provider, str) else provider for provider in named]
