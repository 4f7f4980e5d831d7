"""Laws of the API under each role, over its own OpenAPI document: whatever is sent, no error of the server, no undocumented status, and not a
byte of another site's participant. What schemathesis would send, with our own world behind it (docs/adr/0021)."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assessments.cleaning import actions as cleaning
from assessments.entry import actions as entry
from assessments.visits.actions import assign_interviewer
from tests import world
from tests.access.test_every_url import NOT_THERE, token_of
from tests.blinding.one_database import reset
from tests.treatment import START, Treatment
from trial.core import clock, db, side
from trial.core.access.roles import ALL
from trial.core.api import gate
from trial.core.api.schema import document
from trial.core.models import User
from trial.participants.contact.actions import record_contact
from trial.participants.contact.synthetic import synthetic
from trial.protocol.models import Team

METHODS = ("get", "post")
NAMES_OF_FILTERS = (
    "page",
    "format",
    "state",
    "team",
    "participant",
    "site",
    "month",
    "since",
    "until",
    "outcome",
    "visit",
    "list",
    "x",
)


@dataclass(frozen=True)
class Operation:
    """One address with one method, as the document of one role names it."""

    role: str
    path: str
    method: str
    statuses: frozenset[str]
    fields: tuple[str, ...]


@dataclass
class World:
    """Two sites with people, forms and queries; a token of each role at the first; what belongs to the other."""

    tokens: dict[str, str] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    own: dict[str, list[str]] = field(default_factory=dict)
    foreign: dict[str, list[str]] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))
    """One for all: a new one reads the static files once more."""
    scoped: frozenset[str] = frozenset(role.code for role in ALL if role.site_scoped)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Short: of a long one hypothesis warns when it tells a failure, a warning is an error here, and another failure is told instead."""
        printer.text("World()")

    def ask(self, role: str, method: str, address: str, body: bytes | None = None) -> Any:
        """The answer to a request with the token of a role."""
        shown = {"Authorization": f"Bearer {self.tokens[role]}"}
        return self.client.generic(method.upper(), address, body or b"", content_type="application/json", headers=shown)


def _somebody(team: Team, users: Any) -> dict[str, list[str]]:
    """A registered participant with contact data, an interviewer, a form and a query; the values that arguments take."""
    with world.at_work(world.SETUP) as by:
        one = world.register(by, team)
        record_contact(participant=one, details=synthetic(one.number), by=by)
        assign_interviewer(participant=one, interviewer=users, by=by)
        form = entry.open_form(participant=one, visit="T1", instrument="asi", by=by)
        query = cleaning.raise_query(
            kind="implausible", text="Is it so?", participant=one, visit="T1", form=form, by=by
        )
    keys = [str(key) for key in (one.pk, one.screening_id, form.pk, query.pk)]
    return {"number": [one.number], "key": keys, "code": ["T1", "T2"], "instrument": ["asi"]}


@pytest.fixture(autouse=True)
def _quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    for pace in (gate.PER_TOKEN, gate.WRONG_TOKENS):
        monkeypatch.setattr(pace, "limit", 1_000_000)


@pytest.fixture(scope="module")
def api(owner: psycopg.Connection[Any]) -> Iterator[World]:
    """Played once: the documents of all roles take longer than a hundred requests."""
    with clock.frozen(START):
        trial, found = Treatment(people=2), World()
        here, there = trial.team, trial.other_team
        for role in ALL:
            if role.where_seen:
                continue  # needs a protocol of its own; its pages are those of the coordinator
            name = f"{role.code}_{here.site_id}"
            person = world.person(world.make_user(name, role.code, here.site_id))
            found.tokens[role.code] = token_of(role.code, here.site_id)
            with side.on(person.side), db.unit_of_work(by=person):
                found.operations += _operations(role.code, document(person))
        with side.opened(), db.unit_of_work(by=world.SETUP):
            neighbor = User.objects.get(username=f"interviewer_{here.site_id}")
        stranger = world.make_user("stranger", "interviewer", there.site_id)
        found.own = _somebody(here, neighbor)
        found.foreign = _somebody(there, stranger)
        yield found
    reset(owner)


def _operations(role: str, described: dict[str, Any]) -> list[Operation]:
    schemas = described.get("components", {}).get("schemas", {})
    found = []
    for path, methods in described["paths"].items():
        for method in METHODS:
            if method in methods:
                body = (
                    methods[method]
                    .get("requestBody", {})
                    .get("content", {})
                    .get("application/json", {})
                    .get("schema", {})
                )
                named = schemas.get(body.get("$ref", "").rpartition("/")[2], body)
                fields = tuple(named.get("properties", ()))
                found.append(Operation(role, path, method, frozenset(methods[method]["responses"]), fields))
    return found


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=30),
    st.sampled_from(["", "0", "-1", "T1", "asi", "2025-01-06", "9999-99-99", "\x00", "é\ud7ff", "'; --", "<b>", "../..", "%s", "{}"]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
words = st.one_of(
    st.text(max_size=20), st.sampled_from(["1", "999999999999999999999", "-1", "csv", "signed", "2025-01", "*", "\x00"])
)


@st.composite
def requests(draw: Any, found: World) -> tuple[Operation, str, bytes | None, bool]:
    """An operation, its address with arguments of every kind, and a body: typed wrongly, nearly right, or no JSON at all."""
    one = draw(st.sampled_from(found.operations))
    asks_foreign = False

    def argument(match: re.Match[str]) -> str:
        nonlocal asks_foreign
        kind = draw(st.sampled_from(["own", "own", "foreign", "nothing", "odd"]))
        pool = {"own": found.own, "foreign": found.foreign}.get(kind, {})
        if match[1] in pool:
            value = draw(st.sampled_from(pool[match[1]]))
            asks_foreign |= value not in found.own[match[1]]  # codes of visits and forms are those of both sites
            return str(value)
        odd = draw(
            st.text(st.characters(blacklist_characters="/", blacklist_categories=["Cs"]), min_size=1, max_size=12)
        )
        return quote(odd, safe="") if kind == "odd" else NOT_THERE.get(match[1], "nothing")

    path = re.sub(r"\{(\w+)\}", argument, one.path)
    query = draw(st.dictionaries(st.sampled_from(NAMES_OF_FILTERS), words, max_size=3))
    address = f"{path}?{urlencode(query, errors='replace')}" if query else path
    if one.method == "get":
        return one, address, None, asks_foreign
    names = st.sampled_from(one.fields) if one.fields else st.just("x")
    body = draw(st.one_of(st.dictionaries(names, values, max_size=6), values))
    sent = json.dumps(body).encode()
    return one, address, draw(st.sampled_from([sent, sent, sent, sent[:-1], b"", b"\xff"])), asks_foreign


def _wrong(found: World, one: Operation, address: str, body: bytes | None) -> str | None:
    answer = found.ask(one.role, one.method, address, body)
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    if answer.status_code == 404 and answer["Content-Type"] != "application/json":
        return None  # no address of ours
    if str(answer.status_code) not in one.statuses:
        return f"{answer.status_code}, which is not documented"
    if one.role in found.scoped:
        told = answer.content.decode(errors="replace").replace("\u00a0", "").replace("\\u00a0", "").replace(address, "")
        for secret in (*found.foreign["number"], *found.foreign["key"]):
            if secret in told and secret not in address + (body or b"").decode(errors="replace"):
                return f"told {secret} of another site"
    return None


def _hold(found: World, data: Any) -> None:
    one, address, body, asks_foreign = data.draw(requests(found))
    wrong = _wrong(found, one, address, body)
    assert wrong is None, f"{one.role}: {one.method} {address} {body!r}: {wrong}"
    if asks_foreign and one.role in found.scoped and one.method == "get":
        assert found.ask(one.role, "get", address).status_code in (404, 422), f"{one.role}: {address} of another site"


CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=CHECKS,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
)
@given(data=st.data())
def test_whatever_is_sent(api: World, data: Any) -> None:
    _hold(api, data)


@pytest.mark.proof
@settings(max_examples=20_000, deadline=None, suppress_health_check=CHECKS)
@given(data=st.data())
def test_whatever_is_sent_for_long(api: World, data: Any) -> None:
    _hold(api, data)


def test_every_operation_once(api: World) -> None:
    """With arguments of the own site, as documented: nothing is an error."""
    wrong, found, once = [], set(), {one.path: one for one in api.operations if one.method == "get"}
    for one in once.values():
        path = re.sub(r"\{(\w+)\}", lambda m: api.own.get(m[1], [NOT_THERE.get(m[1], "nothing")])[0], one.path)
        complaint = _wrong(api, one, path, None)
        wrong += [f"{one.role} {path}: {complaint}"] if complaint else []
        found.add(one.role)
    assert wrong == []
    assert len(found) > 5


def test_a_byte_of_another_site_would_be_seen(api: World) -> None:
    """The fault planted: what is one's own is called another site's."""
    lists = next(one for one in api.operations if one.role == "coordinator" and one.path == "/api/participants/")
    assert _wrong(api, lists, lists.path, None) is None
    planted = replace(api, foreign=api.own)
    assert "told" in (_wrong(planted, lists, lists.path, None) or "")
