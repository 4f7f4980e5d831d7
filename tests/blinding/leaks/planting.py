"""How a leak is planted: a statement of the owner in each world's database, or a view that knows more than it should."""

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver

from trial.core.api.twins import pages_in
from trial.core.management.commands.setup_database import current_plan

OFFERED = "imr"
NUMBER = re.compile(r"[0-9]{8}")


def behind_the_wall(query: str) -> list[tuple[Any, ...]]:
    """What the owner reads: a careless program in a process that holds more than one credential could."""
    with psycopg.connect(current_plan().owner, autocommit=True) as owner:
        return owner.execute(query).fetchall()  # type: ignore[arg-type]


@dataclass(frozen=True)
class Asked:
    """What a leaking view has in its hands."""

    request: HttpRequest
    number: str

    @property
    def arms(self) -> dict[str, str]:
        """The arm by study number."""
        rows = "select p.number, a.arm from unblinded_allocation a join participants_participant p on p.id = a.participant_id"
        return dict(behind_the_wall(rows))

    @property
    def arm(self) -> str:
        """The arm of the participant whose page this is."""
        return self.arms.get(self.number, "")

    @property
    def is_offered(self) -> bool:
        return self.arm == OFFERED

    @property
    def offered(self) -> list[str]:
        """The study numbers of one arm."""
        return sorted(number for number, arm in self.arms.items() if arm == OFFERED)


Change = Callable[[HttpResponse, Asked], None]


@contextmanager
def view_leaks(name: str, change: Change) -> Iterator[None]:
    """While the block lasts the view of this address does its work, and then what ``change`` does to its answer."""
    pattern = next(one for _route, one in pages_in(get_resolver().url_patterns) if one.name == name)
    view = pattern.callback

    @functools.wraps(view)
    def leaks(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = view(request, *args, **kwargs)
        if not getattr(response, "is_rendered", True):
            response = response.render()  # type: ignore[attr-defined]
        change(response, Asked(request, str(kwargs.get("number", ""))))
        return response

    pattern.callback = leaks
    try:
        yield
    finally:
        pattern.callback = view


@contextmanager
def statement(sql: str) -> Iterator[None]:
    """The owner's statement, with triggers off: the leak itself writes no history."""
    with psycopg.connect(current_plan().owner) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute(sql.replace("BLINDED", current_plan().names["default"]))  # type: ignore[arg-type]
    yield


def add(response: HttpResponse, words: str) -> None:
    """Let the page say this as well, before its end."""
    text = response.content.decode()
    response.content = text.replace("</main>", f"{words}</main>") if "</main>" in text else text + words


@dataclass(frozen=True)
class Leak:
    """One planted leak. ``channel``: what must differ; ``place``: the table, or the address that betrays it to ``role``.

    In a place ``{number}`` is a participant whose arm differs, ``{own}`` one of the reader's site, ``{snapshot}`` and ``{run}`` keys.
    """

    name: str
    channel: str
    place: str
    plant: Callable[[], AbstractContextManager[None]]
    role: str = ""
    method: str = "GET"
    is_quick: bool = False

    @property
    def is_of_data(self) -> bool:
        return self.channel == "data"


def on_page(
    name: str,
    view: str,
    role: str,
    place: str,
    change: Change,
    *,
    channel: str = "body",
    method: str = "GET",
    is_quick: bool = False,
) -> Leak:
    """A leak of the view of this name."""
    return Leak(name, channel, place, functools.partial(view_leaks, view, change), role, method, is_quick)


def in_data(name: str, table: str, sql: str, *, is_quick: bool = False) -> Leak:
    """A leak in what the blinded login reads."""
    return Leak(name, "data", table, functools.partial(statement, sql), is_quick=is_quick)
