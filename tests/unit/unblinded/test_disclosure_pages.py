"""The ledger, the reports of unblinding and signed steps say in words what is stored in codes."""

import ast
from typing import Any

import psycopg
import pytest
from django.test import Client

from tests import world
from trial.core import side
from trial.core.access.signing import MEANINGS
from trial.participants.actions import report_unblinding
from trial.protocol.models import Team
from trial.unblinded.disclosure.actions import note
from trial.unblinded.disclosure.presenters import NOTED, about, certainty_words


def literals(function: str, argument: str) -> set[str]:
    """What the code gives to a function as this argument, as it stands there."""
    found = set()
    for package in ("trial", "analysis"):
        for path in (world.ROOT / package).rglob("*.py"):
            if "leakcheck" in path.parts:
                continue  # plays in scratch databases what no page says
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] != function:
                    continue
                given = [k.value for k in node.keywords if k.arg == argument]
                found |= {one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return found


def test_everything_that_the_ledger_notes_has_words() -> None:
    through_the_hook = {"history opened", "redaction opened"}  # trial.core asks the ledger by settings.LEDGER
    assert literals("note", "what") | through_the_hook == set(NOTED)


def test_every_step_that_is_signed_on_a_page_of_its_own_has_words() -> None:
    assert set(MEANINGS) == literals("sign", "meaning")


def test_what_an_entry_is_about() -> None:
    imr = world.read("imr")
    key = "d5a33cde-586d-40fd-81e9-6ffb2a0dc0d1"
    assert about("rotterdam", imr) == imr.site("rotterdam").name
    assert about("*", imr) == "all sites"
    assert about("", imr) == ""
    assert about("01472231", imr) == "0147\xa02231"
    assert about("a" * 64, imr) == f"SHA-256 {'a' * 16} …"
    assert about(f"{key} sers", imr) == "analysis d5a33cde, Self-esteem (SERS-SF)"


def test_certainty_in_words() -> None:
    assert [certainty_words(n) for n in (None, 1, 3, 5)] == [None, "1 of 5: a guess", "3 of 5", "5 of 5: certain"]


@pytest.fixture
def client(database: psycopg.Connection[Any], settings: Any) -> Client:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    world.open_trial()
    with world.at_work(world.SETUP):
        team = Team.objects.order_by("code").first()
        assert team is not None
        participant = world.register(world.SETUP, team)
        report_unblinding(
            participant_id=participant.pk, visit="T2", source="staff", believed_arm="imr", certainty=5, words="He said so.", by=world.SETUP,
        )  # fmt: skip
    world.make_user("irma", "independent")
    signed_in = Client()
    assert signed_in.post("/unblinded/login/", {"username": "irma", "password": world.PASSWORD}).status_code == 302
    return signed_in


def test_reports_are_in_words_and_say_how_sure(client: Client) -> None:
    page = client.get("/unblinded/disclosure/reports/").content.decode()
    for words in (
        "Somebody of the staff said it",
        "IMR and care as usual",
        "T2, 12 months",
        "5 of 5: certain",
        "Certainty",
    ):
        assert words in page
    assert ">staff<" not in page
    assert ">imr<" not in page


def test_the_ledger_is_in_words(client: Client) -> None:
    with side.unblinded(), world.at_work(world.SETUP, on=side.UNBLINDED):
        note(what="allocation list opened", subject="rotterdam", by=world.SETUP)
    page = client.get("/unblinded/disclosure/ledger/").content.decode()
    assert "List of allocations opened" in page
    assert world.read("imr").site("rotterdam").name in page
    assert ">rotterdam<" not in page
