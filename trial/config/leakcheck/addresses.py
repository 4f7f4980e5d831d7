"""Every address of the application as the resolver knows it, so that a new page is read without a line here."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.urls import Resolver404, URLPattern, get_resolver, resolve

from trial.core import side
from trial.core.access.roles import Role
from trial.core.api.twins import pages_in
from trial.core.middleware import access_of

ARGUMENT = re.compile(r"<(?:(\w+):)?(\w+)>")
NOTHING = {"uuid": str(uuid.UUID(int=0x1234)), "int": "404", "slug": "nothing", "str": "00000000"}
"""For each kind of argument something that does not exist."""

NOT_READ = {
    "gallery": "shows components with samples, nothing of a trial",
    "logout": "ends the reader's own session; it is read last",
    "healthz": "tells whether the program is ill, and since when by the system's clock",
    "schema": "describes the program; it reads no row",
}
"""Addresses that a crawl leaves out, by a word in their name, each with its reason."""


def routes(role: type[Role] | None = None) -> list[str]:
    """The routes of all addresses that are read; with ``role`` those alone that it may open."""
    return [
        route
        for route, pattern in pages_in(get_resolver().url_patterns)
        if is_read(name_of(path_of(route))) and (role is None or _admits(pattern, route, role))
    ]


def _admits(pattern: URLPattern, route: str, role: type[Role]) -> bool:
    access = access_of(pattern.callback)
    return is_open("/" + route) and (access.is_public or role in access.roles)


def path_of(route: str, **given: str) -> str:
    """The path of a route, with what does not exist in each argument that is not given."""
    return "/" + ARGUMENT.sub(lambda found: given.get(found[2], NOTHING[found[1] or "str"]), route)


def name_of(address: str) -> str:
    """The name of an address; empty for one that is not ours."""
    try:
        match = resolve(urlsplit(address).path)
    except Resolver404:
        return ""
    return match.url_name or match.route


def is_read(name: str) -> bool:
    """Whether a crawl reads the addresses of this name."""
    return bool(name) and not any(word in name for word in NOT_READ)


def is_open(path: str) -> bool:
    """Whether a path belongs to the open side."""
    return side.of_path(path) == side.OPEN


class Provoked(Exception):
    """An error of the server that somebody wanted to see."""


@contextmanager
def failing(path: str) -> Iterator[None]:
    """While the block lasts the view of this address does its work and then fails, with what it would have answered in its hands."""
    pattern = next(one for route, one in pages_in(get_resolver().url_patterns) if path_of(route) == path)
    view = pattern.callback

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise Provoked(repr(view(*args, **kwargs)))

    fails.access = access_of(view)  # type: ignore[attr-defined]
    pattern.callback = fails
    try:
        yield
    finally:
        pattern.callback = view
