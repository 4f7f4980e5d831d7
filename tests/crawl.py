"""A reader who follows every link of every page: what the pages lead to, and what they ask for."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urljoin, urlsplit

from django.http import HttpResponse
from django.test import Client
from django.urls import resolve
from django.urls.exceptions import Resolver404

LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]+)"')
FORM = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>')
ACTION = re.compile(r'\baction="([^"]*)"')
ALIKE = 2
"""So many addresses of one view, and of one set of filters, are read; the others are like them."""
EVERYWHERE = {"logout", "unblinded_logout"}


@dataclass(frozen=True)
class Seen:
    """A page that was read: its address, the name of its address, and the answer."""

    address: str
    name: str
    answer: HttpResponse
    came_from: str

    @property
    def text(self) -> str:
        return self.answer.content.decode(errors="replace")

    @property
    def is_page(self) -> bool:
        return self.answer["Content-Type"].startswith("text/html")

    @property
    def asks(self) -> set[str]:
        """The names of the addresses to which forms of this page are sent, without the one that stands everywhere."""
        sent = {
            urljoin(self.address, (ACTION.search(tag) or ["", ""])[1] or self.address)
            for tag in FORM.findall(self.text)
        }
        return {name_of(address) for address in sent} - EVERYWHERE


@dataclass
class Crawl:
    """Reads from ``start`` on, with the links that are followed once."""

    client: Client
    start: str
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    known: set[str] = field(default_factory=set)

    def pages(self) -> Iterator[Seen]:
        """Every page that can be reached by links, each address once."""
        waiting = deque([(self.start, "")])
        while waiting:
            address, came_from = waiting.popleft()
            if not self._is_new(address):
                continue
            answer = self.client.get(address)
            seen = Seen(address, name_of(address), answer, came_from)
            yield seen
            if answer.status_code == 302:
                waiting.append((answer["Location"], came_from))
            if answer.status_code == 200 and seen.is_page:
                waiting.extend((found, address) for found in links_of(address, seen.text))

    def _is_new(self, address: str) -> bool:
        kind = name_of(address), ",".join(sorted(part.split("=")[0] for part in urlsplit(address).query.split("&")))
        if not kind[0] or address in self.known or self.taken[kind] >= ALIKE:
            return False
        self.known.add(address)
        self.taken[kind] += 1
        return True


def links_of(address: str, text: str) -> list[str]:
    """The addresses of this server to which a page leads, without the place in the page."""
    found = [urljoin(address, unescape(link)).partition("#")[0] for link in LINK.findall(text)]
    return [link for link in dict.fromkeys(found) if link.startswith("/")]


def name_of(address: str) -> str:
    """The name of an address, empty for one that is not ours (files, the gallery)."""
    try:
        name = resolve(urlsplit(address).path).url_name or ""
    except Resolver404:
        return ""
    return "" if name.startswith("gallery") else name
