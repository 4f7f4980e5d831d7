"""Every address, by GET and POST, as every role and as nobody: who may not read it is refused before anything else is asked.

The addresses come from the resolver, so a new page is held to this without a line here.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.conf import settings as configured
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from assessments.entry import actions as entry
from assessments.visits.actions import assign_interviewer
from tests import world
from trial.core import clock, side
from trial.core.access.pages import Access
from trial.core.access.roles import ALL, BY_CODE, Role
from trial.core.api import gate
from trial.core.middleware import access_of
from trial.core.models import User
from trial.core.tokens.actions import make_token
from trial.protocol.models import Team

NOT_THERE = {
    "key": str(uuid.UUID(int=0x1234)), "number": "00000000", "code": "NO", "instrument": "nothing", "step": "confirm", "part": "nothing",
    "username": "nobody", "status": "404", "row": "0", "version": "404",
    "before": str(uuid.UUID(int=0x1235)),
}  # fmt: skip
"""For each argument of an address something that does not exist (a status of the gallery does)."""

FINE = {200, 302, 303, 404, 405, 422}
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Address:
    """One address as the resolver knows it."""

    route: str
    view: Any

    @property
    def access(self) -> Access:
        return access_of(self.view)

    @property
    def side(self) -> str:
        return side.of_path(self.path())

    @property
    def arguments(self) -> set[str]:
        return set(ARGUMENT.findall(self.route))

    def path(self, **given: str) -> str:
        return "/" + ARGUMENT.sub(lambda found: {**NOT_THERE, **given}[found[1]], self.route)

    def admits(self, role: type[Role]) -> bool:
        """What the page promises: one of its roles, on its own side; at the gate one of the open side."""
        wanted = side.OPEN if self.access.is_gate else self.side
        return self.access.is_public or (role in self.access.roles and _side_of(role) == wanted)


def _side_of(role: type[Role]) -> str:
    return side.OPEN if role.side == "open" else side.UNBLINDED


def _walk(patterns: list[Any], before: str = "") -> Iterator[Address]:
    for found in patterns:
        route = before + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from _walk(found.url_patterns, route)
        else:
            assert isinstance(found, URLPattern)
            yield Address(route, found.callback)


def addresses() -> list[Address]:
    """Every address of the application."""
    return list(_walk(get_resolver("trial.config.urls").url_patterns))


def nowhere(queue: str, name: str, args: Any) -> None:
    """Takes the message and forgets it."""


@pytest.fixture(autouse=True)
def _quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for pace in (gate.PER_TOKEN, gate.WRONG_TOKENS):
        monkeypatch.setattr(pace, "limit", 100_000)
    settings.TASK_SENDER = f"{__name__}.nowhere"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def sites(database: psycopg.Connection[Any]) -> tuple[Team, Team]:
    """An open trial, and a team of each of two sites."""
    world.open_trial()
    with world.at_work(world.SETUP):
        here = Team.objects.order_by("code").first()
        assert here is not None
        there = Team.objects.exclude(site=here.site_id).order_by("code").first()
    assert there is not None
    return here, there


def client_of(role: str, site: str) -> Client:
    """Somebody with this role, signed in. An error of the server is an answer with status 500."""
    if BY_CODE[role].where_seen:
        world.let_see(site)
    world.make_user(f"{role}_{site}", role, site)
    client = Client(raise_request_exception=False)
    own = "/login/" if _side_of(BY_CODE[role]) == side.OPEN else "/unblinded/login/"
    answer = client.post(own, {"username": f"{role}_{site}", "password": world.PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    return client


def test_every_view_names_its_readers() -> None:
    found = addresses()
    assert len(found) > 50
    unknown = {name for address in found for name in address.arguments} - set(NOT_THERE)
    assert unknown == set(), "say in NOT_THERE what does not exist"
    for address in found:
        access = address.access
        assert access.is_public or access.roles, f"/{address.route} names nobody"
        mine = [role for role in ALL if address.admits(role)]
        assert mine, f"/{address.route} names only roles of the other side, so that nobody can open it"


PUBLIC = {"login/", "unblinded/login/", "unblinded/setup/", "healthz", "commitment/"}


def test_what_is_open_to_everybody_is_known() -> None:
    """A page that opens to the whole world is added here by hand, after a second thought."""
    found = {a.route for a in addresses() if a.access.is_public and not a.route.startswith("gallery/")}
    assert found == PUBLIC


def _wrong(address: Address, role: type[Role] | None, answer: HttpResponse) -> str | None:
    """What is wrong about an answer, or None."""
    got = answer.status_code
    if address.access.by_token:
        # a session opens nothing of the API
        return None if got == 401 else f"{got} instead of 401"
    if address.access.is_public:
        # an illness is a true answer of /healthz, and an error page that of the gallery
        expected = FINE | ({503} if address.route == "healthz" else set())
    elif role is None:
        form = configured.LOGIN_URL if address.side == side.OPEN else configured.UNBLINDED_LOGIN_URL
        start = "/unblinded/login/?" if form.startswith("unblinded") else "/login/?"
        return None if got == 302 and answer["Location"].startswith(start) else f"{got} instead of the sign-in form"
    elif address.admits(role):
        expected = FINE
    elif address.route in ("", "unblinded/"):
        home = "/" if _side_of(role) == side.OPEN else "/unblinded/"
        return (
            None if got == 302 and answer["Location"] == home else f"{got} instead of the way to one's own first page"
        )
    else:
        expected = {403}
    return None if got in expected else f"{got} instead of {sorted(expected)}"


def _wrong_by_token(address: Address, role: type[Role] | None, answer: HttpResponse) -> str | None:
    """The same of an address of the API that was asked with a token: of the other side it is as good as none."""
    got = answer.status_code
    unknown = role is None or _side_of(role) != address.side
    expected = {401} if unknown else FINE if role is not None and address.admits(role) else {403}
    if got in expected and (got != 401 or answer["WWW-Authenticate"] == "Bearer"):
        return None
    return f"{got} instead of {sorted(expected)}"


def token_of(role: str, site: str) -> str:
    """A token of somebody with this role, made on their side."""
    with side.opened():
        someone = world.person(User.objects.get(username=f"{role}_{site}"))
    with world.at_work(someone) as by:
        made: str = make_token(name="test", last_day=clock.today(), password=world.PASSWORD, by=by)
    return made


@pytest.mark.parametrize("role", [*ALL, None], ids=lambda role: role.code if role else "nobody")
def test_every_address_as(role: type[Role] | None, sites: tuple[Team, Team]) -> None:
    client = client_of(role.code, sites[0].site_id) if role else Client(raise_request_exception=False)
    complaints = []
    shown = {"Authorization": f"Bearer {token_of(role.code, sites[0].site_id) if role else 'nothing'}"}
    program = Client(raise_request_exception=False, headers=shown)
    for address in (a for a in addresses() if a.access.by_token):
        # a token of the other side is not known there, whatever is asked
        is_ours = role is not None and _side_of(role) == address.side
        for method in ("GET", "POST") if is_ours else ("GET",):
            answer = program.generic(method, address.path(), "{}", content_type="application/json")
            wrong = _wrong_by_token(address, role, answer)
            if wrong:
                complaints.append(f"{method} {address.path()} with a token: {wrong}")
    # the address that ends this session comes last
    for address in sorted(addresses(), key=lambda a: a.route.endswith("logout/") and (role is None or a.admits(role))):
        for method in ("GET",) if address.access.by_token else ("GET", "POST"):
            answer = client.generic(method, address.path(), content_type="application/x-www-form-urlencoded")
            wrong = _wrong(address, role, answer)
            if wrong:
                complaints.append(f"{method} {address.path()}: {wrong}")
    assert complaints == []


def _without(answer: HttpResponse, *ids: str) -> tuple[int, str]:
    """Status and text of an answer, without what is new in every answer and without the ids that were asked for."""
    text = re.sub(r'(name="csrfmiddlewaretoken" value|nonce|"X-CSRFToken")[=:] ?"[^"]*"', "", answer.content.decode())
    for one in ids:
        text = text.replace(one, "ID")
    return answer.status_code, text


def _account(role: str, team: Team) -> User:
    with side.opened():
        return User.objects.get(username=f"{role}_{team.site_id}")


@pytest.mark.parametrize("role", ["coordinator", "interviewer", "rater"])
def test_another_site_s_rows_answer_like_rows_that_do_not_exist(role: str, sites: tuple[Team, Team]) -> None:
    here, there = sites
    coordinator = world.person(world.make_user("first", "coordinator", here.site_id))
    with world.at_work(coordinator):
        participant = world.register(coordinator, here)
    stranger, neighbor = client_of(role, there.site_id), client_of(role, here.site_id)
    reader = _account(role, here) if role == "interviewer" else world.make_user("second", "interviewer", here.site_id)
    interviewer = world.person(reader)
    with world.at_work(coordinator):
        assign_interviewer(participant=participant, interviewer=reader, by=coordinator)
    with world.at_work(interviewer):
        form = entry.open_form(participant=participant, visit="T1", instrument="imrs_client", by=interviewer)
    real = {"number": participant.number, "code": form.visit, "instrument": form.instrument}
    theirs = [
        ({**real, "key": str(key)}, {**real, "number": NOT_THERE["number"], "key": NOT_THERE["key"]})
        for key in (participant.screening_id, form.pk)
    ]
    tried = {a for a in addresses() if a.arguments & {"number", "key"} and a.admits(BY_CODE[role])}
    for client, team in ((stranger, there), (neighbor, here)):
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token_of(role, team.site_id)}"
    found_by_neighbor = found_by_its_program = 0
    for address in sorted(tried, key=lambda a: a.route):
        for existing, missing in theirs:
            for method in ("GET", "POST"):
                asked, void = address.path(**existing), address.path(**missing)
                ids = (existing["number"], existing["key"], missing["number"], missing["key"])
                got = _without(stranger.generic(method, asked), *ids)
                assert got == _without(stranger.generic(method, void), *ids), f"{method} {asked}"
                assert got[0] in (404, 405), f"{method} {asked}"
            found = neighbor.get(address.path(**existing)).status_code == 200
            found_by_neighbor += found
            found_by_its_program += found and address.access.by_token
    assert found_by_neighbor > found_by_its_program > 0, (
        "nothing was found by its own site either: this test tests nothing"
    )
