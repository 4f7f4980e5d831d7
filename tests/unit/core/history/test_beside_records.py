"""The history stands beside each record that has a page, and says who: on the open side "site staff" for the unblinded side."""

import re
from html import unescape
from typing import Any

import psycopg
import pytest
from django.test import Client

from analysis.snapshots.actions import make_snapshot
from tests import world
from tests.treatment import FIRST, Treatment
from trial.core import db, side
from trial.core.access import actions as accounts
from trial.core.access.roles import Sponsor
from trial.core.models import History
from trial.participants import actions as way_in
from trial.participants.contact.actions import record_contact
from trial.participants.contact.synthetic import synthetic
from trial.participants.course.actions import report_death
from trial.participants.models import Participant
from trial.protocol.models import Team
from trial.unblinded.disclosure import actions as gates
from trial.unblinded.disclosure.models import LedgerEntry
from trial.unblinded.sessions import actions as treatment

Line = tuple[str, str, str, str]
"""Who, what, before, after."""


def signed_in(name: str, where: str = "/login/") -> Client:
    client = Client()
    assert client.post(where, {"username": name, "password": world.PASSWORD}).status_code == 302
    return client


def behind(name: str) -> Client:
    return signed_in(name, "/unblinded/login/")


def lines(client: Client, address: str) -> list[Line]:
    """The lines of the history on a page."""
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    table = re.search(r'<table class="[^"]*\bhistory\b.*?</table>', answer.content.decode(), re.S)
    assert table, f"{address} shows no history"
    rows = re.findall(r"<tr>(.*?)</tr>", table[0].partition("<tbody>")[2], re.S)
    found = []
    for row in rows:
        cells = [unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.findall(r"<td.*?>(.*?)</td>", row, re.S)]
        found.append((cells[0], cells[1], cells[2], cells[3]))
    return found


def nowhere(queue: str, name: str, args: Any) -> None:
    """Takes the message and forgets it."""


@pytest.fixture(autouse=True)
def _quick(settings: Any, database: psycopg.Connection[Any]) -> None:
    settings.TASK_SENDER = f"{__name__}.nowhere"


def test_accounts_and_memberships() -> None:
    world.open_trial()
    ada, bea = (world.person(world.make_user(name, "admin")) for name in ("ada", "bea"))
    with world.at_work(ada):
        ina = accounts.create_account(username="ina", full_name="Ina S", password="a long enough phrase", by=ada)
        role = accounts.give_role(user=ina, role="therapist", site="rotterdam", by=ada)
        accounts.reset_password(user=ina, password="another long phrase", by=ada)
    with world.at_work(bea):
        accounts.confirm_role(membership=role, by=bea)
        accounts.end_role(membership=role, by=bea)
    client = behind("ada")
    found = lines(client, "/unblinded/accounts/ina/")
    assert [(who, what) for who, what, _old, _new in found] == [
        ("Ada", "Account made"),
        ("Ada", "Role given"),
        ("Ada", "First password set: password"),
        ("Bea", "Role confirmed"),
        ("Bea", "Role ended"),
    ]
    assert found[1][3].startswith("role: Therapist; site: ")
    assert found[3][3].startswith("role: Therapist; site: ")
    assert "in force since: " in found[3][3]
    assert "phrase" not in str(found)
    with side.opened(), db.unit_of_work(by=world.SETUP):
        assert set(History.objects.filter(row_id=str(ina.pk)).values_list("actor", "login")) == {
            ("site staff", "site staff")
        }


def test_what_the_open_side_writes_of_an_account_and_no_signing_in() -> None:
    world.open_trial()
    world.make_user("ada", "admin")
    world.make_user("carla", "coordinator", "rotterdam")
    carla = signed_in("carla")
    given = {"present": world.PASSWORD, "password": "a phrase of her own", "again": "a phrase of her own"}
    assert carla.post("/me/", given).status_code == 302
    found = lines(behind("ada"), "/unblinded/accounts/carla/")
    assert ("Carla", "Own password changed: password", "not shown", "changed") in found
    assert "last login" not in str(found).lower()


def test_snapshots() -> None:
    world.open_trial()
    dora = world.person(world.make_user("dora", "datamanager"))
    with world.at_work(dora):
        snapshot = make_snapshot(by=dora)
    client = signed_in("dora")
    ((who, what, _old, new),) = lines(client, f"/analysis/snapshots/{snapshot.pk}/")
    assert (who, what) == ("Dora", "Make snapshot")
    assert snapshot.sha256 in new
    assert f"/analysis/snapshots/{snapshot.pk}/" in client.get("/analysis/snapshots/").content.decode()


def test_the_vault_and_the_signed_steps_of_the_open_side() -> None:
    world.open_trial()
    with world.at_work(world.SETUP):
        team = Team.objects.get(code="R1")
    carla = world.person(world.make_user("carla", "coordinator", team.site_id))
    dora, spencer = (
        world.person(world.make_user(n, r)) for n, r in (("dora", "datamanager"), ("spencer", Sponsor.code))
    )
    with world.at_work(carla):
        participant = world.register(carla, team)
        contact = record_contact(participant=participant, details=synthetic(participant.number), by=carla)
    found = lines(signed_in("carla"), f"/participants/{participant.number}/contact/")
    assert [(who, what, new) for who, what, _old, new in found] == [("Carla", "Contact data recorded", "version: 1")]
    assert contact.name not in str(found)
    with world.at_work(dora):
        way_in.lock_database(password=world.PASSWORD, by=dora)
    with world.at_work(spencer):
        way_in.request_unblinding(password=world.PASSWORD, by=spencer)
    irma = world.person(world.make_user("irma", "independent"))
    with world.at_work(irma):
        gates.confirm_planned_unblinding(password=world.PASSWORD, by=irma)
    assert [one[:2] for one in lines(signed_in("dora"), "/participants/lock/")] == [("Dora", "Lock database")]
    assert [one[:2] for one in lines(signed_in("spencer"), "/participants/unblinding/")] == [
        ("Spencer", "Request unblinding")
    ]
    assert [one[:2] for one in lines(behind("irma"), "/unblinded/disclosure/")] == [
        ("Irma", "Confirm planned unblinding")
    ]


def test_behind_the_wall() -> None:
    trial = Treatment()
    one = trial.of_arm("imr")[0]
    group = trial.group()
    scores: dict[str, int | None] = {f"fid{n:02d}": 4 for n in range(1, 14)}
    with trial.at_work("fay") as by:
        treatment.save_rating(group=group, scale="imr_fidelity", scores=scores, visited_on=FIRST, by=by)
    thea, fay, finn = (behind(name) for name in ("thea", "fay", "finn"))
    ((who, what, _old, new),) = lines(thea, f"/unblinded/allocations/{one.participant.number}/")
    assert (who, what) == ("Allocator (program)", "Allocated")
    assert "arm: IMR and care as usual" in new
    with trial.at_work():
        assert LedgerEntry.objects.filter(what="allocation opened", subject=one.participant.number).count() == 1
    assert behind("thea2").get(f"/unblinded/allocations/{one.participant.number}/").status_code == 404
    assert f"/unblinded/allocations/{one.participant.number}/" in thea.get("/unblinded/allocations/").content.decode()
    assert "Allocate" in str(lines(thea, f"/unblinded/treatment/people/{one.participant.number}/"))
    assert ("Setup (program)", "Register") in [
        line[:2] for line in lines(thea, f"/unblinded/people/{one.participant.number}/")
    ]
    # a rating is in the history for those who may see it, and for nobody else
    address = f"/unblinded/fidelity/{group.pk}/imr_fidelity/"
    assert [line[:2] for line in lines(fay, address)] == [("Fay", "Save rating")]
    assert "Save rating" not in finn.get(address).content.decode()


def test_the_true_author_of_an_open_fact_is_named_behind_the_wall_only() -> None:
    trial = Treatment()
    allocation = trial.of_arm("imr")[0]
    number = allocation.participant.number
    with trial.at_work("thea") as by:
        report_death(participant=Participant.objects.get(pk=allocation.participant_id), day=None, by=by)
    world.make_user("carla", "coordinator", trial.site)
    open_lines = lines(signed_in("carla"), f"/participants/{number}/")
    assert ("site staff", "Death reported") in [line[:2] for line in open_lines]
    assert "Thea" not in str(open_lines)
