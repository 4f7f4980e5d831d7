"""The stations of a role: the places on the left of every page.

A station that a person's roles do not open is not listed, and not listed grayed out either: that it exists would tell.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from trial.core.access import Person
from trial.core.ui.text import Text

StationSide = Literal["default", "unblinded", "both"]


@dataclass(frozen=True)
class Station:
    """A place of work. ``url_name`` takes no arguments; ``roles`` are role codes; ``icon`` is a name of the sprite."""

    url_name: str
    label: Text
    roles: tuple[str, ...]
    side: StationSide
    icon: str = ""


@dataclass(frozen=True)
class StationLink:
    """A station as the shell shows it. ``exact``: this is the page itself, not one below it."""

    url: str
    label: str
    icon: str
    current: bool
    exact: bool


def all_stations() -> list[Station]:
    """The stations of the installation, from ``settings.STATIONS`` (a dotted path or the list itself)."""
    listed: str | Iterable[Station] = getattr(settings, "STATIONS", ())
    return list(import_string(listed) if isinstance(listed, str) else listed)


def stations_for(person: Person | None) -> list[Station]:
    """The stations that the person's roles open, on the side where the person works, in the order of the list."""
    if person is None:
        return []
    codes = {code for code, _ in person.roles}
    return [s for s in all_stations() if codes & set(s.roles) and s.side in (person.side, "both")]


def links_for(person: Person | None, path: str) -> list[StationLink]:
    """The stations as links; the one with the longest address that begins ``path`` is current."""
    addressed = [(station, url) for station in stations_for(person) if (url := _address(station))]
    matches = [url for _, url in addressed if path == url or (path.startswith(url) and not _is_home(url))]
    here = max(matches, key=len, default="")
    return [StationLink(url, str(station.label), station.icon, url == here, url == path) for station, url in addressed]


def _is_home(url: str) -> bool:
    return url in ("/", "/unblinded/")


def _address(station: Station) -> str:
    """Empty for a station whose page is not mounted in this process (production serves the sides apart)."""
    try:
        return reverse(station.url_name)
    except NoReverseMatch:
        return ""
