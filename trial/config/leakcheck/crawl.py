"""One crawl as each blinded role: what people, their browsers and their programs are answered.

Every address by GET, with what exists and what does not; each form by POST, wrongly and then rightly filled; the same addresses of the API;
what belongs to others; and an error of the server. The order is that of the pages, so that it is the same where the pages are the same.
"""

import datetime as dt
import json
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.test import Client

from trial.config.leakcheck import world
from trial.config.leakcheck.addresses import failing, is_open, is_read, name_of, path_of, routes
from trial.config.leakcheck.answers import Answer, body_of, headers_of
from trial.config.leakcheck.listening import Listener, listening
from trial.config.leakcheck.pages import Form, Page
from trial.core import clock, ids, side
from trial.core.access import Person
from trial.core.access.roles import BY_CODE, OPEN_SIDE, Role
from trial.core.models import ANY_SITE, User
from trial.core.tokens.actions import make_token
from trial.participants.models import Participant
from trial.protocol.models import Site

NUMBER = re.compile(r"(?<![0-9a-f-])[0-9]{8}(?![0-9a-f-])")
"""A study number in an address; no part of a key."""
NEVER_SENT = "logout"
"""It would end the reader's own session."""
NOT_SENT = {
    "login": "the reader has signed in",
    "me": "would change the reader's own password",
    "token": "a token is drawn from the system's secure source and shown once",
}
"""Forms that are not sent rightly filled, by a word in the name of their address, each with its reason. Wrongly filled they are sent."""


@dataclass
class Reader:
    """Somebody of one role, with a browser and a program.

    ``alike``: so many addresses of one kind are read; the rest is like them. ``routes``: what is asked for without being led to it.
    ``first``: study numbers whose pages must be among those that are read.
    """

    someone: Person
    role: str
    token: str
    listener: Listener
    alike: int
    routes: Sequence[str] = ()
    seen: dict[str, Answer] = field(default_factory=dict)
    forms: dict[tuple[str, str], Form] = field(default_factory=dict)
    first: frozenset[str] = frozenset()
    _taken: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.browser = Client(raise_request_exception=False)
        self.program = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {self.token}"})
        signed_in = self.browser.post("/login/", {"username": self.someone.username, "password": world.PASSWORD})
        if signed_in.status_code != 302:
            raise RuntimeError(f"{self.someone.username} could not sign in.")
        self.listener.taken()

    def ask(self, method: str, address: str, data: dict[str, str] | None = None, *, by_program: bool = False) -> Answer:
        """Ask once, and keep the answer with everything that was noticed meanwhile."""
        kind = "program" if by_program else "browser"
        if by_program:
            given = self.program.generic(method, address, json.dumps(data or {}), content_type="application/json")
        elif method == "POST":
            given = self.browser.post(address, data or {})
        else:
            given = self.browser.get(address)
        answer = Answer(given.status_code, headers_of(given), body_of(given), **self.listener.taken())
        name = f"{self.role} ({kind}) {method} {address}"
        while name in self.seen:
            name += " again"
        self.seen[name] = answer
        return answer

    def read(self, numbers: Sequence[str]) -> None:
        """Every address by GET: all of the resolver, then whatever pages lead to; and its twin of the API."""
        waiting = deque(_asked(self.routes, numbers))
        while waiting:
            address = waiting.popleft()
            if not self._is_new(address):
                continue
            by_program = address.startswith(("/api/", "/unblinded/api/"))
            answer = self.ask("GET", address, by_program=by_program)
            if answer.status == 404:  # what is not found takes nobody's place
                self._taken[self._share(_kind(address), address)[0]] -= 1
            if answer.status == 200 and not by_program:
                self._twin(address)
                if any(line.startswith("Content-Type: text/html") for line in answer.headers):
                    waiting.extend(self._led_to(address, answer.body))

    def send(self, *, rightly: bool) -> None:
        """Each form that was found, by POST; and where the answer leads to."""
        for (_page, action), form in sorted(self.forms.items(), key=lambda one: one[0]):
            refused = any(word in name_of(action).split("_") for word in NOT_SENT)
            if (rightly and refused) or NEVER_SENT in name_of(action):
                continue
            data = form.right(clock.today().isoformat()) if rightly else form.wrong()
            answer = self.ask("POST", action, data)
            if answer.status in (302, 303):
                self.ask("GET", next(line for line in answer.headers if line.startswith("Location: "))[10:])
        for route in self.routes if not rightly else ():
            path = path_of(route)
            if is_open(path) and "login" not in path:
                self.ask("POST", path, by_program=path.startswith("/api/"))

    def provoke(self) -> None:
        """An error of the server, on a page that has read rows."""
        for path in ("/", "/work/"):
            with failing(path):
                self.ask("GET", path)

    def _is_new(self, address: str) -> bool:
        kind = _kind(address)
        if not is_read(kind[0]) or self._taken[address, ""] or not self._takes(kind, address):
            return False
        self._taken[address, ""] += 1
        return True

    def _takes(self, kind: tuple[str, str], address: str) -> bool:
        """Take one of the places that this kind has, if one is left."""
        share, places = self._share(kind, address)
        if self._taken[share] >= places:
            return False
        self._taken[share] += 1
        return True

    def _share(self, kind: tuple[str, str], address: str) -> tuple[tuple[str, ...], int]:
        """Where addresses like this one are counted, and how many places they have: people of another arm have their own, and of the
        others one page is enough then.
        """
        about = NUMBER.search(address) if self.first else None
        if about is None:
            return kind, self.alike
        return ((*kind, "first"), self.alike) if about[0] in self.first else ((*kind, "others"), 1)

    def _twin(self, address: str) -> None:
        twin = "/api" + address
        if is_open(address) and is_read(name_of(twin)) and self._is_new(twin):
            self.ask("GET", twin, by_program=True)

    def _led_to(self, address: str, text: str) -> Iterator[str]:
        page = Page(address, text)
        for form in page.forms:
            if form.method == "post":
                place = urlsplit(address).path, form.action
                if place not in self.forms and self._takes((name_of(form.action), "form"), form.action):
                    self.forms[place] = form
            else:
                yield from (f"{urlsplit(form.action).path}?{query}" for query in form.queries())
        yield from page.links


def _kind(address: str) -> tuple[str, str]:
    """What an address has in common with others that are like it: its name, and the names of what is asked for."""
    return name_of(address), ",".join(sorted(part.split("=")[0] for part in urlsplit(address).query.split("&")))


def _asked(listed: Sequence[str], numbers: Sequence[str]) -> list[str]:
    """All addresses, with participants that exist and with what does not."""
    found = ["/"]
    for route in listed:
        found += dict.fromkeys([path_of(route), *(path_of(route, number=number) for number in numbers)])
    return found


def crawl(
    at: dt.datetime,
    *,
    alike: int,
    writes: bool,
    roles: Sequence[type[Role]] = OPEN_SIDE,
    refused: bool = True,
    first: Sequence[str] = (),
) -> dict[str, Answer]:
    """Read the world of this process's database as one person of each of these roles.

    ``at``: the instant at which everything is read, the same in both worlds. ``writes``: forms are sent rightly filled as well, which
    changes the world. ``refused``: everybody also asks for what others alone may open; without it the first of several roles does so for all.
    ``first``: study numbers whose pages are opened before others, those of people whose arm differs between the worlds.
    """
    with clock.frozen(at), ids.seeded(99), listening() as listener:
        readers = [_reader(role, listener, alike) for role in roles]
        with world.at_work(world.SETUP):
            people = list(Participant.objects.order_by("number").values_list("number", "site_id"))
        listener.taken()
        for n, reader in enumerate(readers):
            reader.routes = routes(None if refused or (n == 0 and len(readers) > 1) else BY_CODE[reader.role])
            reader.first = frozenset(first)
            reader.read(_opened(people, reader.someone, reader.first, alike))
            reader.send(rightly=False)
            reader.provoke()
        for reader in readers if writes else ():
            reader.send(rightly=True)
        return {name: answer for reader in readers for name, answer in reader.seen.items()}


def _opened(people: Sequence[tuple[str, str]], reader: Person, first: frozenset[str], alike: int) -> list[str]:
    """Whose pages are opened: of the reader's own sites, those in ``first`` before others; and somebody of another site, who is not found."""
    own = [number for number, site in people if {ANY_SITE, site} & reader.sites]
    others = [number for number, _site in people if number not in own]
    return [*sorted(own, key=lambda number: number not in first)[:alike], *others[:1]]


def _reader(role: type[Role], listener: Listener, alike: int) -> Reader:
    with world.at_work(world.SETUP):
        site = str(Site.objects.order_by("code").values_list("code", flat=True)[0])
    user = world.make_user(f"reader_{role.code}", role.code, site)
    with side.opened():
        someone = world.person(User.objects.get(pk=user.pk))
    with world.at_work(someone) as by:
        last_day = clock.today() + dt.timedelta(days=30)
        token: str = make_token(name="reader", last_day=last_day, password=world.PASSWORD, by=by)
    return Reader(someone, role.code, token, listener, alike)


def ask_once(at: dt.datetime, role: type[Role], method: str, address: str) -> dict[str, Answer]:
    """One question of somebody of this role, in the world of this process's database."""
    with clock.frozen(at), ids.seeded(99), listening() as listener:
        reader = _reader(role, listener, 1)
        reader.ask(method, address, by_program=address.startswith("/api/"))
        return reader.seen
