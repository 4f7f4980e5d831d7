"""The crawl at its smallest: two worlds, pages and forms as the role with most of them. All roles, and every planted leak, are `make proof`."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.blinding.one_database import reset
from trial.config.leakcheck.answers import Answer
from trial.config.leakcheck.crawl import ask_once, crawl
from trial.config.leakcheck.script import START, Script, play
from trial.core.access.roles import Coordinator
from trial.core.api import gate

AFTER = START + dt.timedelta(days=2000)
"""Long after the last instant of the script: what is asked here is asked at the same time in both worlds."""
SCRIPT = Script(people=3, seed=3)

Answers = dict[str, Answer]


@pytest.fixture(autouse=True)
def _quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(gate.PER_TOKEN, "limit", 100_000)


def both(
    owner: psycopg.Connection[Any], read: Callable[[], Answers], plant: str = ""
) -> tuple[Answers, Answers, dict[str, str], dict[str, str]]:
    """What ``read`` is answered in two worlds, and the arms of both."""
    seen, arms = [], []
    for seed in (b"one world", b"another world"):
        reset(owner)
        arms.append(play(SCRIPT, seed).arms)
        if plant:
            with owner.transaction():
                owner.execute("set local session_replication_role = replica")
                owner.execute(plant)  # type: ignore[arg-type]
        seen.append(read())
    return seen[0], seen[1], arms[0], arms[1]


def differing(one: Answers, other: Answers) -> list[str]:
    """Where an answer is not the same: body, headers, status, log, mail, broker, cache, number of queries."""
    same = {name for name in one if name in other and not one[name].differences(other[name])}
    return sorted({*one, *other} - same)


def test_a_coordinator_is_answered_the_same_in_two_worlds(database: psycopg.Connection[Any]) -> None:
    def read() -> Answers:
        return crawl(AFTER, alike=1, writes=True, roles=(Coordinator,), refused=False)

    one, other, arms, others = both(database, read)
    assert arms != others
    assert differing(one, other) == []
    statuses = [answer.status for answer in one.values()]
    assert statuses.count(200) > 60
    assert {302, 404, 422, 500} <= set(statuses)
    assert any("(browser) POST" in name and answer.status in (302, 303) for name, answer in one.items())


def test_a_leak_on_a_page_is_caught(database: psycopg.Connection[Any]) -> None:
    plant = "update protocol_team set name = name || (select count(*) from unblinded_allocation where arm = 'imr')"
    one, other, _arms, _others = both(database, lambda: ask_once(AFTER, Coordinator, "GET", "/participants/"), plant)
    assert differing(one, other) == ["coordinator (browser) GET /participants/"]
