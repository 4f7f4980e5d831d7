"""Signing in and out over both sides: what is written, what is said, and what a stolen or forged thing opens."""

import gzip
import re
from typing import Any

import psycopg
import pytest
from django.contrib.auth.hashers import get_hasher
from django.contrib.staticfiles import finders
from django.test import Client

from tests import world
from trial.core import side
from trial.core.access import actions
from trial.core.models import Membership, User

LOGIN = {"default": "/login/", "unblinded": "/unblinded/login/"}
GOOD = "a long enough passphrase"


@pytest.fixture(autouse=True)
def people(database: psycopg.Connection[Any]) -> None:
    world.open_trial()
    world.make_user("carla", "coordinator", "rotterdam")
    world.make_user("thea", "treatment", "rotterdam")
    world.make_user("ada", "admin")


def send(client: Client, where: str, name: str, password: str = world.PASSWORD, query: str = "") -> Any:
    return client.post(LOGIN[where] + query, {"username": name, "password": password})


def counts(database: psycopg.Connection[Any]) -> list[int]:
    """Rows of everything that signing in may write, and how many people have a time of signing in."""
    tables = ("django_session", "axes_accessattempt", "axes_accessfailurelog", "core_history", "unblinded_history")
    found = [database.execute(f"select count(*) from {t}").fetchone() for t in tables]
    found.append(database.execute("select count(last_login) from core_user").fetchone())
    return [row[0] for row in found if row]


def test_at_the_unblinded_form_an_open_person_writes_nothing_and_the_own_form_says_why(
    database: psycopg.Connection[Any],
) -> None:
    client, before = Client(), counts(database)
    answer = send(client, "unblinded", "carla", query="?next=/participants/")
    assert answer.status_code == 302
    assert answer["Location"] == "/login/?side=other"
    assert "sessionid" not in answer.cookies
    assert counts(database) == before
    said = "Your account belongs to the open side"
    assert said in client.get(answer["Location"]).content.decode()
    assert said not in client.get("/login/").content.decode()
    assert send(client, "default", "carla", query="?side=other").status_code == 302
    assert counts(database)[0] == before[0] + 1


def test_at_the_open_form_nobody_of_another_side_is_known() -> None:
    """Their password is a wrong one there, and so is everything else: the answer is that to a name which does not exist."""
    texts = set()
    for name, password in (("thea", world.PASSWORD), ("thea", "wrong"), ("ada", world.PASSWORD), ("nobody", "wrong")):
        answer = send(Client(), "default", name, password)
        assert answer.status_code == 200
        assert "sessionid" not in answer.cookies
        texts.add(re.sub(r'value="[^"]*"|"X-CSRFToken": "[^"]*"', "", answer.content.decode()))
    (text,) = texts
    assert "do not belong together" in text
    assert 'href="/unblinded/login/"' in text
    assert send(Client(), "unblinded", "thea").status_code == 302


@pytest.mark.parametrize("where", LOGIN)
def test_the_same_work_is_done_whoever_is_named(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a password is hashed for each attempt: of a person, of somebody whom the side cannot check, and of nobody."""
    hasher, hashed = type(get_hasher()), []
    encode = hasher.encode

    def counted(self: Any, *given: Any, **named: Any) -> str:
        hashed.append(1)
        return str(encode(self, *given, **named))

    monkeypatch.setattr(hasher, "encode", counted)
    for name in ("carla", "thea", "ada", "nobody"):
        hashed.clear()
        send(Client(), where, name, "wrong")
        assert len(hashed) == 1, name


def test_a_changed_password_ends_other_sessions_and_not_the_own() -> None:
    for name, where, me in (("carla", "default", "/me/"), ("thea", "unblinded", "/unblinded/me/")):
        here, there = Client(), Client()
        for client in (here, there):
            assert send(client, where, name).status_code == 302
        new = "another long passphrase"
        assert here.post(me, {"present": world.PASSWORD, "password": new, "again": new}).status_code == 302
        assert here.get(me).status_code == 200
        assert there.get(me).status_code == 302, name


def test_a_session_of_the_other_side_is_not_ended_by_a_wrong_address() -> None:
    client = Client()
    send(client, "unblinded", "thea")
    assert client.get("/")["Location"] == "/unblinded/"
    assert client.get("/participants/").status_code == 403
    assert client.get("/unblinded/allocations/").status_code == 200


@pytest.mark.parametrize(("where", "name"), [("default", "carla"), ("unblinded", "thea")])
def test_the_lock_holds_for_the_right_password_and_survives_the_refusal(
    where: str, name: str, database: psycopg.Connection[Any]
) -> None:
    client = Client()
    for _time in range(4):
        assert b"do not belong together" in send(client, where, name, "wrong").content
    assert send(client, where, name, "wrong").status_code == 429
    assert database.execute("select failures_since_start from axes_accessattempt").fetchall() == [(5,)]
    answer = send(Client(), where, name)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "Too many failed attempts" in answer.content.decode()
    assert "<title>Error: Sign in" in answer.content.decode()
    assert database.execute("select count(*) from django_session").fetchone() == (0,)
    # somebody else at the same place is not locked out with them
    world.make_user("other", "coordinator" if where == "default" else "treatment", "rotterdam")
    assert send(Client(), where, "other").status_code == 302


def test_a_good_sign_in_forgets_the_failures_before_it(database: psycopg.Connection[Any]) -> None:
    client = Client()
    for _round in range(2):
        for _time in range(4):
            send(client, "default", "carla", "wrong")
        assert send(client, "default", "carla").status_code == 302


def test_whether_a_name_exists_is_not_told() -> None:
    answers = [send(Client(), "default", name, "wrong").content.decode() for name in ("carla", "nobody")]
    texts = [re.sub(r'value="[^"]*"|"X-CSRFToken": "[^"]*"', "", text) for text in answers]
    assert texts[0] == texts[1]


def test_an_account_without_a_role_opens_nothing(database: psycopg.Connection[Any]) -> None:
    with side.unblinded(), world.db.unit_of_work(by=world.SETUP):
        actions.create_account(username="nora", full_name="Nora", password=GOOD, by=world.SETUP)
    answer = send(Client(), "unblinded", "nora", GOOD)
    assert "This account has no role in force" in answer.content.decode()
    # it may get a role behind the wall: the open side does not know it yet
    assert "do not belong together" in send(Client(), "default", "nora", GOOD).content.decode()
    assert database.execute("select count(*) from django_session").fetchone() == (0,)


def test_ending_a_role_or_an_account_ends_what_it_opened() -> None:
    client = Client()
    send(client, "default", "carla")
    assert client.get("/").status_code == 200
    ada = world.person(User.objects.get(username="ada"))
    with world.at_work(ada):
        actions.end_role(membership=Membership.objects.get(user__username="carla"), by=ada)
    assert client.get("/").status_code == 403
    thea = Client()
    send(thea, "unblinded", "thea")
    with side.unblinded(), world.db.unit_of_work(by=world.SETUP):
        User.objects.filter(username="thea").update(is_active=False)
    assert thea.get("/unblinded/").status_code == 302
    assert "do not belong together" in send(Client(), "unblinded", "thea").content.decode()


@pytest.mark.parametrize(
    ("name", "where", "open_page", "shut_page"),
    [("carla", "default", "/participants/", "/unblinded/allocations/"), ("thea", "unblinded", "/unblinded/allocations/", "/participants/")],
)  # fmt: skip
def test_a_session_opens_pages_of_its_side_only(name: str, where: str, open_page: str, shut_page: str) -> None:
    client = Client()
    send(client, where, name)
    assert client.get(open_page).status_code == 200
    assert client.get(shut_page).status_code == 403


@pytest.mark.parametrize(("where", "name", "home"), [("default", "carla", "/"), ("unblinded", "thea", "/unblinded/")])
def test_next_stays_on_host_and_side(where: str, name: str, home: str) -> None:
    other = "/unblinded/allocations/" if where == "default" else "/participants/"
    refused = [
        other, "//evil.example/", "https://evil.example/unblinded/", "/\\evil.example", "javascript:alert(1)", "http:///evil.example",
        "\thttps://evil.example", "/%2e%2e/unblinded/", "/unblinded/../participants/" if where == "unblinded" else "/./unblinded/",
    ]  # fmt: skip
    for target in refused:
        answer = Client().post(
            LOGIN[where], {"username": name, "password": world.PASSWORD}, query_params={"next": target}
        )
        assert answer["Location"] == home, target
    own = "/participants/?page=2" if where == "default" else "/unblinded/allocations/?page=2"
    answer = Client().post(LOGIN[where], {"username": name, "password": world.PASSWORD}, query_params={"next": own})
    assert answer["Location"] == own


@pytest.mark.parametrize(("where", "name"), [("default", "carla"), ("unblinded", "thea")])
def test_signing_out_ends_the_session_on_its_side(where: str, name: str, database: psycopg.Connection[Any]) -> None:
    client = Client()
    send(client, where, name)
    key = client.cookies["sessionid"].value
    out = LOGIN[where].replace("login", "logout")
    assert client.get(out).status_code == 405
    assert client.post(out)["Location"] == LOGIN[where]
    assert database.execute("select count(*) from django_session").fetchone() == (0,)
    again = Client()
    again.cookies["sessionid"] = key
    assert again.get(LOGIN[where].replace("login/", "")).status_code == 302


def test_signing_in_makes_a_new_session_key() -> None:
    client = Client()
    client.cookies["sessionid"] = "k" * 32
    send(client, "default", "carla")
    assert client.cookies["sessionid"].value != "k" * 32


@pytest.mark.parametrize("where", ["default", "unblinded"])
def test_a_form_from_elsewhere_is_refused(where: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert send(client, where, "carla" if where == "default" else "thea").status_code == 403
    client.get(LOGIN[where])
    token = client.cookies["csrftoken"].value
    good = {
        "username": "carla" if where == "default" else "thea",
        "password": world.PASSWORD,
        "csrfmiddlewaretoken": token,
    }
    assert client.post(LOGIN[where], good).status_code == 302


def test_the_password_of_the_demo_opens_nothing_elsewhere(settings: Any) -> None:
    settings.SCRATCH = False
    assert "do not belong together" in send(Client(), "default", "carla").content.decode()
    settings.DEMO = True
    assert send(Client(), "default", "carla").status_code == 302


@pytest.mark.parametrize("demo", [True, False])
def test_only_a_demo_names_its_accounts(demo: bool, settings: Any) -> None:
    settings.DEMO = demo
    open_form, behind = (Client().get(LOGIN[where]).content.decode() for where in ("default", "unblinded"))
    assert ("carla" in open_form) == demo
    assert ("thea" in behind) == demo
    assert "thea" not in open_form
    assert "carla" not in behind


@pytest.mark.parametrize("address", ["/login/", "/unblinded/login/", "/"])
def test_the_first_page_is_small(address: str) -> None:
    """The page and all that it loads, compressed, below 150 kB: a slow line shows it in seconds."""
    client = Client()
    if address == "/":
        send(client, "default", "carla")
    page = client.get(address).content
    loaded = set(re.findall(r'(?:src|href)="/static/([^"#?]+)', page.decode()))
    assert any(name.endswith(".css") for name in loaded)
    total = len(gzip.compress(page, 6))
    for name in loaded:
        found = finders.find(name)
        assert found, name
        with open(found, "rb") as file:
            total += len(gzip.compress(file.read(), 6))
    assert total < 150_000
