"""The emergency code-break: one participant, at once, in the ledger, and nothing on the open side."""

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import get_resolver

from tests import world
from tests.access.test_every_url import addresses
from tests.unit.unblinded.gates import Gates, frozen, play, signed_in
from trial.config.leakcheck.data import look
from trial.core import side
from trial.core.access.roles import Interviewer, Investigator
from trial.core.errors import NotAllowed, Refused
from trial.core.models import Refusal
from trial.core.ui.tables import grouped
from trial.unblinded.disclosure.code_break.actions import break_code, explain_break
from trial.unblinded.disclosure.models import CodeBreak, CodeBreakReason, LedgerEntry
from trial.unblinded.randomization.models import Allocation

PAGE = "/unblinded/code-break/"


@pytest.fixture
def gates(database: psycopg.Connection[Any], settings: Any) -> Iterator[Gates]:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with frozen():
        yield play(people=2)


def ledger() -> list[tuple[str, str, str]]:
    with world.at_work(world.SETUP, on=side.UNBLINDED):
        return list(LedgerEntry.objects.order_by("at").values_list("actor", "what", "subject"))


def test_the_arm_of_one_participant_is_shown_once(gates: Gates) -> None:
    one, other = gates.people
    client = signed_in("pien")
    names = {arm.code: arm.name for arm in world.read("imr").arms}
    page = client.get(PAGE).content.decode()
    assert not any(name in page for name in names.values())
    answer = client.post(PAGE, {"number": grouped(one.number), "password": world.PASSWORD})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert names[gates.arm(one)] in text
    assert not any(name in text for code, name in names.items() if code != gates.arm(one))
    assert other.number not in text
    assert grouped(other.number) not in text
    assert ledger() == [(gates.investigator.actor_id, "code broken", one.number)]
    assert names[gates.arm(one)] not in client.get(PAGE).content.decode()


def test_each_break_is_an_entry_of_its_own(gates: Gates) -> None:
    client, one = signed_in("pien"), gates.people[0]
    for _time in range(2):
        assert client.post(PAGE, {"number": one.number, "password": world.PASSWORD}).status_code == 200
    assert len(ledger()) == 2
    with world.at_work(world.SETUP, on=side.UNBLINDED):
        assert CodeBreak.objects.count() == 2


def test_nothing_that_the_blinded_login_reads_moves(gates: Gates) -> None:
    client = signed_in("pien")
    before = look(catalog=False)
    client.get(PAGE)
    client.post(PAGE, {"number": gates.people[0].number, "password": world.PASSWORD})
    client.post(PAGE, {"number": "00000000", "password": world.PASSWORD})
    client.post(PAGE, {"number": gates.people[0].number, "password": "wrong"})
    client.post(f"{PAGE}reason/", {"number": gates.people[0].number, "words": "Overdose, on the ward."})
    assert before.differences(look(catalog=False)) == {}
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as login:
        for table in ("unblinded_code_break", "unblinded_code_break_reason", "dropbox_guess", "unblinded_handover"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                login.execute(f"select count(*) from {table}")
    # still of the open side, with the same session
    assert client.get("/participants/").status_code == 200


def test_what_is_refused_is_said_plainly_and_stands_in_the_ledger(gates: Gates) -> None:
    client = signed_in("pien")
    assert gates.unrandomized is not None
    tried = {
        "00000000": "No participant has this number.",
        gates.unrandomized.number: "This participant has not been randomized",
        "imr, I think": "No participant has this number.",
    }
    for number, words in tried.items():
        answer = client.post(PAGE, {"number": number, "password": world.PASSWORD})
        assert answer.status_code == 422
        assert words in answer.content.decode()
    me = gates.investigator.actor_id
    assert ledger() == [
        (me, "code-break refused", "00000000"),
        (me, "code-break refused", gates.unrandomized.number),
        (me, "code-break refused", ""),
    ]


def test_a_wrong_password_shows_nothing_and_is_written_down(gates: Gates) -> None:
    one = gates.people[0]
    answer = signed_in("pien").post(PAGE, {"number": one.number, "password": "not mine"})
    assert answer.status_code == 422
    assert one.number in answer.content.decode()  # what was typed stays
    assert ledger() == []
    with world.at_work(world.SETUP, on=side.UNBLINDED):
        assert Refusal.objects.filter(what="proof", actor=gates.investigator.actor_id).count() == 1


def test_the_reason_follows_and_is_not_read_again(gates: Gates) -> None:
    one, other = gates.people
    client = signed_in("pien")
    wrong = client.post(f"{PAGE}reason/", {"number": one.number, "words": "Overdose."})
    assert wrong.status_code == 422
    client.post(PAGE, {"number": one.number, "password": world.PASSWORD})
    assert client.post(f"{PAGE}reason/", {"number": other.number, "words": "Overdose."}).status_code == 422
    sent = client.post(f"{PAGE}reason/", {"number": grouped(one.number), "words": "Overdose."}, follow=True)
    assert sent.status_code == 200
    assert "Overdose" not in sent.content.decode()
    assert "Overdose" not in client.get(f"{PAGE}reason/?number={one.number}").content.decode()
    with world.at_work(world.SETUP, on=side.UNBLINDED):
        assert CodeBreakReason.objects.get().words == "Overdose."
    page = signed_in("udo", "/unblinded/login/").get("/unblinded/disclosure/ledger/?kind=code").content.decode()
    assert "Overdose." in page
    assert "Code of a participant broken" in page


def test_nothing_else_behind_the_wall_opens(gates: Gates) -> None:
    """Every address of that side as the investigator: the gate's own, and the sign-in forms."""
    client = signed_in("pien")
    opened = {
        address.path()
        for address in addresses()
        if address.side == side.UNBLINDED
        and not address.access.is_public
        and not address.access.by_token  # a session opens nothing of the API
        and client.get(address.path()).status_code not in (401, 403)
    }
    assert opened == {PAGE, f"{PAGE}reason/", f"{PAGE}reason/sent/", side.UNBLINDED_PATH}
    assert client.get(side.UNBLINDED_PATH)["Location"] == "/"


def test_the_gate_is_below_its_path_and_for_the_investigator_alone() -> None:
    found = {address.path(): address.access for address in addresses() if address.access.is_gate}
    assert {path.startswith(side.GATE_PATH) for path in found} == {True}
    assert {access.roles for access in found.values()} == {(Investigator,)}
    below = {a.path() for a in addresses() if a.path().startswith(side.GATE_PATH)}
    assert below == set(found)


def test_the_api_breaks_no_code() -> None:
    resolver = get_resolver("trial.config.urls")
    assert not any("code-break" in a.route for a in addresses() if a.access.by_token)
    assert "api_code_break" not in resolver.reverse_dict


def test_a_gate_elsewhere_stays_shut(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark alone opens nothing: the path counts too."""
    monkeypatch.setattr(side, "GATE_PATH", "/unblinded/elsewhere/")
    assert signed_in("pien").get(PAGE).status_code == 403


@pytest.mark.parametrize("role", ["coordinator", "datamanager", "monitor", "sponsor"])
def test_nobody_else_of_the_open_side_gets_through(gates: Gates, role: str) -> None:
    world.make_user("somebody", role, gates.people[0].site_id)
    assert signed_in("somebody").get(PAGE).status_code == 403
    someone = world.person(world.make_user("another", role, gates.people[0].site_id))
    with pytest.raises(NotAllowed), world.at_work(someone, on=side.UNBLINDED):
        break_code(number=gates.people[0].number, password=world.PASSWORD, by=someone)


def test_nobody_of_the_unblinded_side_breaks_codes(gates: Gates) -> None:
    assert signed_in("udo", "/unblinded/login/").get(PAGE).status_code == 403


def test_without_signing_in_there_is_the_form() -> None:
    assert Client().get(PAGE).status_code == 302


def test_who_may_break_codes_assesses_nobody() -> None:
    assert Investigator.code in Interviewer.excludes
    assert Interviewer.code in Investigator.excludes


def test_the_database_holds_the_break_to_its_investigator(gates: Gates) -> None:
    """Planted: a row in another name, and by somebody without the role."""
    for name in (gates.investigator.actor_id, gates.manager.actor_id):
        with pytest.raises(DatabaseError, match="by an investigator"), world.at_work(gates.manager):
            allocation = Allocation.objects.all()[0]
            CodeBreak(allocation=allocation, site=allocation.site, broken_by=name, signature={}).save(force_insert=True)
    with world.at_work(gates.investigator, on=side.UNBLINDED) as by:
        done = break_code(number=gates.people[0].number, password=world.PASSWORD, by=by)
    with pytest.raises(DatabaseError, match="who broke the code"), world.at_work(gates.manager):
        CodeBreakReason(code_break=done, site=done.site, words="x", given_by=gates.manager.actor_id).save(
            force_insert=True
        )
    with pytest.raises(Refused), world.at_work(gates.investigator, on=side.UNBLINDED) as by:
        explain_break(number=gates.people[1].number, words="x", by=by)
