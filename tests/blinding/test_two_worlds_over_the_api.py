"""Two trials that differ behind the wall alone answer every program of a blinded person with the same bytes."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import jsonschema
import psycopg
import pytest

from analysis.pooled.models import PooledRun
from analysis.snapshots.models import Snapshot
from assessments.cleaning.models import DataQuery
from assessments.entry.models import Form
from tests import world
from tests.access.test_every_url import Address, addresses
from tests.blinding.one_database import reset
from tests.programs import Program
from trial.config.leakcheck.script import START, Script, asked, play
from trial.core import clock, ids, side
from trial.core.access import Person
from trial.core.access.roles import OPEN_SIDE, Coordinator, Role
from trial.core.api import gate
from trial.core.api.components import SCHEMAS
from trial.core.models import User
from trial.participants.models import Participant, ScreeningEntry
from trial.protocol.models import Site

AFTER = START + dt.timedelta(days=2000)
"""Long after the last instant of the script: what is asked here is asked at the same time in both worlds."""
SCRIPT = Script(people=6, seed=3)
ENOUGH = 2
"""How many rows of a kind are opened one by one; their lists show all."""

KEYS = {
    "participants/screening/": ScreeningEntry, "assessments/forms/": Form, "assessments/queries/": DataQuery,
    "analysis/snapshots/": Snapshot, "analysis/": PooledRun,
}  # fmt: skip
"""Whose keys the addresses below take."""

Answers = dict[str, tuple[int, tuple[tuple[str, str], ...], bytes]]


@pytest.fixture(autouse=True)
def _quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(gate.PER_TOKEN, "limit", 100_000)


def _people(roles: Sequence[type[Role]]) -> list[Person]:
    """One person of each of these roles, at the first site."""
    with world.at_work(world.SETUP):
        site = str(Site.objects.order_by("code").values_list("code", flat=True)[0])
    for role in roles:
        world.make_user(f"{role.code}_asks", role.code, site)
    with side.opened():
        return [world.person(User.objects.get(username=f"{role.code}_asks")) for role in roles]


def _paths(address: Address) -> list[str]:
    """The address with rows that exist in the trial."""
    given: list[dict[str, str]] = [{}]
    if "number" in address.arguments:
        given = [
            {"number": number} for number in Participant.objects.order_by("number").values_list("number", flat=True)
        ]
        visit, instrument = asked()
        given = [{**one, "code": visit, "instrument": instrument.code} for one in given]
    elif "key" in address.arguments:
        below = next(start for start in KEYS if address.route.removeprefix("api/").startswith(start))
        rows = KEYS[below]._default_manager.order_by("pk")
        given = [{"key": str(key), "code": "asi"} for key in rows.values_list("pk", flat=True)[:ENOUGH]]
    return sorted({address.path(**one) for one in given})


def _reads(address: Address) -> bool:
    """The document of the API reads nothing; released results there are none before the gate is used."""
    return "schema/" not in address.route and "results/<" not in address.route


def crawl(roles: Sequence[type[Role]]) -> Answers:
    """Every address of the API of the open side, by GET and POST, as one person of each of these roles."""
    seen: Answers = {}
    with clock.frozen(AFTER), ids.seeded(99):
        people = _people(roles)
        with world.at_work(world.SETUP):
            asked = {a: _paths(a) for a in addresses() if a.access.by_token and a.side == side.OPEN and _reads(a)}
        for someone in people:
            program = Program(someone)
            for address, paths in asked.items():
                if not someone.holds(*address.access.roles):
                    continue
                for path in paths:
                    for method in address.view.cls.http_method_names:
                        answer = getattr(program, method)(path)
                        headers = tuple(sorted(answer.headers.items()))
                        seen[f"{someone.username} {method} {path}"] = (answer.status_code, headers, answer.content)
    return seen


def both(
    owner: psycopg.Connection[Any], plant: str = "", roles: Sequence[type[Role]] = OPEN_SIDE
) -> tuple[Answers, Answers, dict[str, str], dict[str, str]]:
    seen, arms = [], []
    for seed in (b"one world", b"another world"):
        reset(owner)
        arms.append(play(SCRIPT, seed).arms)
        if plant:
            with owner.transaction():
                owner.execute("set local session_replication_role = replica")
                owner.execute(plant)  # type: ignore[arg-type]
        seen.append(crawl(roles))
    return seen[0], seen[1], arms[0], arms[1]


def test_every_blinded_program_reads_the_same_bytes_in_two_worlds(database: psycopg.Connection[Any]) -> None:
    one, other, arms, others = both(database)
    assert arms != others
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
    answered = {name: content for name, (status, _headers, content) in one.items() if status == 200}
    assert len(answered) > 100
    _follow_the_document(answered)


def _follow_the_document(answered: dict[str, bytes]) -> None:
    """What a page's twin answers is what the document says."""
    checker = jsonschema.Draft202012Validator({"$ref": "#/components/schemas/Page", "components": {"schemas": SCHEMAS}})
    pages = [json.loads(content) for content in answered.values() if content.startswith(b'{"title"')]
    assert len(pages) > 100
    for page in pages:
        checker.validate(page)


def test_a_planted_leak_is_caught(database: psycopg.Connection[Any]) -> None:
    plant = "update protocol_site set name = name || (select count(*) from unblinded_allocation where arm = 'imr')"
    one, other, _arms, _others = both(database, plant, (Coordinator,))
    differing = {name for name in one if one[name] != other[name]}
    assert any(" get /api/participants/" in name for name in differing)
