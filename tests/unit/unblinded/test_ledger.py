"""The ledger: who had access to what behind the wall from when to when, filtered, printed, as a file."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.test import Client

from tests import world
from tests.unit.unblinded.gates import START, Gates, frozen, play, signed_in
from trial.core import clock, side
from trial.core.access import actions as accounts
from trial.core.models import Membership
from trial.unblinded.disclosure.actions import log_reading, note
from trial.unblinded.disclosure.code_break.actions import break_code
from trial.unblinded.disclosure.handover.actions import order_handover
from trial.unblinded.disclosure.ledger import KIND_OF, KINDS, Line, Wanted, all_lines
from trial.unblinded.disclosure.presenters import NOTED

PAGE = "/unblinded/disclosure/ledger/"


@pytest.fixture
def gates(database: psycopg.Connection[Any], settings: Any) -> Iterator[Gates]:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with frozen():
        made = play(people=2)
        with world.at_work(made.investigator, on=side.UNBLINDED) as by:
            break_code(number=made.people[0].number, password=world.PASSWORD, by=by)
        report = made.report(made.people[1])
        with world.at_work(made.manager) as by:
            order_handover(report=report, by=by)
            log_reading(participants=[one.pk for one in made.people], page="people", by=by)
            note(what="unblinding reports opened", subject="", by=by)
        yield made


@pytest.fixture
def client(gates: Gates) -> Client:
    return signed_in("udo", "/unblinded/login/")


def shown(client: Client, query: str = "") -> list[list[str]]:
    rows = re.findall(r"<tr[ >].*?</tr>", client.get(PAGE + query).content.decode(), re.DOTALL)
    return [
        [re.sub(r"<[^>]*>|\s+", " ", cell).strip() for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)]
        for row in rows[1:]
    ]


def test_roles_pages_names_codes_and_orders_stand_in_it(gates: Gates) -> None:
    with world.at_work(gates.manager):
        kinds = [line.kind for line in all_lines()]
    assert sorted(kinds) == ["code", "handover", "names", "page", "role"]


def test_a_role_stands_there_from_when_to_when(gates: Gates) -> None:
    clock.move_to(START + dt.timedelta(days=30))
    irma = world.make_user("irma", "independent")
    clock.move_to(START + dt.timedelta(days=60))
    with world.at_work(world.person(world.make_user("ada", "admin"))) as by:
        accounts.end_role(membership=Membership.objects.get(user=irma), by=by)
    with world.at_work(gates.manager):
        line = next(one for one in all_lines() if one.actor == str(irma.pk))
    assert (line.day, line.until is not None) == (dt.date(2025, 2, 5), True)
    found = shown(signed_in("udo", "/unblinded/login/"), "?kind=role")
    assert [row[4] for row in found] == ["Independent statistician", "Data manager, unblinded side"]
    assert "7 Mar 2025" in found[0][1]
    assert found[1][1] == "still"


def test_filters_by_person_kind_participant_and_day(gates: Gates, client: Client) -> None:
    one, other = gates.people
    assert len(shown(client)) == 5
    assert [row[3] for row in shown(client, f"?person={gates.investigator.actor_id}")] == ["Code broken"]
    assert len(shown(client, f"?participant={one.number}")) == 2
    assert {row[3] for row in shown(client, f"?participant={other.number}")} == {"Hand-over ordered", "Names read"}
    assert len(shown(client, "?kind=page")) == 1
    assert len(shown(client, "?first=2025-02-01")) == 1  # the role is still held
    assert "Nothing matches" in client.get(PAGE + "?last=2024-12-31").content.decode()
    assert len(shown(client, "?first=yesterday")) == 5


def test_the_whole_of_it_prints_on_one_page_and_comes_as_csv(gates: Gates, client: Client) -> None:
    for _time in range(60):
        with world.at_work(gates.manager) as by:
            note(what="allocation list opened", subject="*", by=by)
    assert len(shown(client)) == 50
    page = client.get(PAGE + "?print=1").content.decode()
    assert len(shown(client, "?print=1")) == 65
    digest = re.search(r"[0-9a-f]{64}", page)
    assert digest is not None
    assert digest[0] in client.get(PAGE).content.decode()
    assert digest[0] not in client.get(PAGE + "?kind=code").content.decode()
    assert world.read("imr").short_name in page
    answer = client.get(PAGE + "?format=csv")
    assert len(answer.content.decode().strip().splitlines()) == 66
    assert "ledger.csv" in answer["Content-Disposition"]


def test_every_kind_of_an_entry_is_known() -> None:
    assert set(KIND_OF.values()) <= set(KINDS)
    assert set(KIND_OF) <= set(NOTED)


def test_a_role_counts_for_each_day_on_which_it_was_held() -> None:
    held = Line(START, "a", "role", "dmc", until=START + dt.timedelta(days=10))
    day = START.date()
    assert Wanted(first=day + dt.timedelta(days=5)).takes(held)
    assert not Wanted(first=day + dt.timedelta(days=11)).takes(held)
    assert not Wanted(last=day - dt.timedelta(days=1)).takes(held)
    opened = Line(START, "a", "page", "x")
    assert not Wanted(first=day + dt.timedelta(days=5)).takes(opened)
