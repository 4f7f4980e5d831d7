"""What is refused leaves nothing but one line, for administrators, behind the wall, in a transaction of its own."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings as configured
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from django.utils.module_loading import import_string
from psycopg import sql

from tests import world
from trial.core import db, side
from trial.core.access import account_views, public
from trial.core.access.actions import issue_setup_token
from trial.core.access.refusals import VISITOR, note_refusal
from trial.core.errors import Refused
from trial.core.models import Refusal
from trial.participants.actions import lock_database
from trial.protocol.models import Team

Lines = list[tuple[str, str, str, str]]
LOGIN = {side.OPEN: "/login/", side.UNBLINDED: "/unblinded/login/"}


@public()
def refuses(request: HttpRequest) -> HttpResponse:
    """Write on this side, note the refusal, and end as ``?end=`` says."""
    from trial.unblinded.disclosure.actions import note

    with db.identity(world.SETUP):
        if side.current() == side.UNBLINDED:
            note(what="written", subject="", by=world.SETUP)
        else:
            Team.objects.filter(code="R1").update(name="written")
    note_refusal(Refusal.What.TOKEN, place="here", by=VISITOR)
    if request.GET["end"] == "denied":
        raise PermissionDenied
    if request.GET["end"] == "raise":
        raise RuntimeError("after the refusal")
    return HttpResponse(status=int(request.GET["end"]))


from trial.config import urls as real  # noqa: E402

urlpatterns = [path("t/", refuses), path("unblinded/t/", refuses), *real.urlpatterns]


@pytest.fixture(autouse=True)
def trial(database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection[Any]]:
    monkeypatch.setattr(account_views, "WRONG_TOKEN_DELAY", 0)
    world.open_trial()
    with override_settings(ROOT_URLCONF=__name__):
        yield database


def told(database: psycopg.Connection[Any]) -> Lines:
    """What was written down: what, where, by whom (the user name where there is one), about which account."""
    return database.execute(
        "select what, place, coalesce(u.username, r.actor), about from dropbox_refusal r"
        " left join core_user u on u.id::text = r.actor order by r.at, r.what"
    ).fetchall()


def written(database: psycopg.Connection[Any]) -> int:
    found = database.execute(
        "select (select count(*) from unblinded_ledger) + (select count(*) from protocol_team where name = 'written')"
    ).fetchone()
    assert found is not None
    return int(found[0])


def signed_in(name: str, where: side.Side = side.OPEN) -> Client:
    client = Client(raise_request_exception=False)
    assert client.post(LOGIN[where], {"username": name, "password": world.PASSWORD}).status_code == 302
    return client


@pytest.mark.parametrize("end", ["denied", "raise", "403", "422"])
@pytest.mark.parametrize("address", ["/t/", "/unblinded/t/"])
def test_the_line_stays_and_what_was_refused_does_not(address: str, end: str, trial: psycopg.Connection[Any]) -> None:
    Client(raise_request_exception=False).get(f"{address}?end={end}")
    assert written(trial) == 0
    assert told(trial) == [("token", "here", "system:visitor", "")]
    login = "equipoise_blinded" if address == "/t/" else "equipoise_unblinded"
    rows = trial.execute("select login, actor, action from unblinded_history where table_name = 'dropbox_refusal'")
    assert rows.fetchall() == [(login, "system:visitor", "trial.core.access.actions.record_refusal")]


def test_a_line_of_the_same_transaction_would_be_lost(
    trial: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault that the rule is there for, planted."""

    def at_once(callback: Callable[[], object]) -> None:
        callback()

    monkeypatch.setattr(db, "after_end", at_once)
    Client(raise_request_exception=False).get("/t/?end=422")
    assert told(trial) == []


def test_a_wrong_password_at_a_signature(trial: psycopg.Connection[Any]) -> None:
    dora = world.person(world.make_user("dora", "datamanager"))
    client = signed_in("dora")
    assert client.post("/participants/lock/", {"password": "wrong"}).status_code == 422
    assert client.post("/me/", {"present": "wrong", "password": "x", "again": "x"}).status_code == 422
    with pytest.raises(Refused, match="not your password"), world.at_work(dora):
        lock_database(password="wrong", by=dora)
    action = "trial.participants.actions.lock_database"
    assert [one[:3] for one in told(trial)] == [
        ("proof", action, "dora"),
        ("proof", "me", "dora"),
        ("proof", action, "dora"),
    ]


def _readable(database: psycopg.Connection[Any]) -> dict[str, Any]:
    """Every row that the blinded login can read, but for sessions and the counters of failed attempts."""
    tables = import_string(configured.RIGHTS)
    names = [name for name, table in tables.items() if table.reads("default") and table.side == "open"]
    return {
        name: database.execute(sql.SQL("select t::text from {} t order by 1").format(sql.Identifier(name))).fetchall()
        for name in names
    }


def test_a_page_of_the_other_side_or_another_role(trial: psycopg.Connection[Any]) -> None:
    world.make_user("carla", "coordinator", "rotterdam")
    world.make_user("thea", "treatment", "rotterdam")
    carla, thea = signed_in("carla"), signed_in("thea", side.UNBLINDED)
    before = _readable(trial)
    assert before["core_history"]
    assert thea.get("/participants/").status_code == 403
    assert thea.get("/unblinded/accounts/").status_code == 403
    assert carla.get("/unblinded/allocations/00000000/").status_code == 403
    assert carla.get("/analysis/").status_code == 403
    assert carla.get("/participants/").status_code == 200
    assert sorted(told(trial)) == [
        ("page", "accounts", "thea", ""),
        ("page", "allocation", "carla", ""),
        ("page", "participants", "thea", ""),
        ("page", "runs", "carla", ""),
    ]
    assert _readable(trial) == before, "blinded people can read that somebody tried"


@pytest.mark.parametrize("where", [side.OPEN, side.UNBLINDED])
def test_signing_in(where: side.Side, trial: psycopg.Connection[Any]) -> None:
    world.make_user("carla", "coordinator", "rotterdam")
    client = Client()
    place = "login" if where == side.OPEN else "unblinded_login"
    client.post(LOGIN[where], {"username": "my secret phrase", "password": "carla"})
    for _time in range(5):
        client.post(LOGIN[where], {"username": "Carla", "password": "wrong"})
    assert told(trial) == [
        ("sign_in", place, "system:visitor", ""),
        *[("sign_in", place, "system:visitor", "carla")] * 4,
        ("locked_out", place, "system:visitor", "carla"),
    ]


def test_the_token_of_the_setup(trial: psycopg.Connection[Any]) -> None:
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        issue_setup_token(by=world.SETUP)
    given = {"token": "wrong"}
    for n, name in ((1, "ada"), (2, "bea")):
        phrase = f"a long enough passphrase {name}"
        given |= {f"name_{n}": name.title(), f"username_{n}": name, f"password_{n}": phrase}
    assert Client().post("/unblinded/setup/", given).status_code == 422
    assert told(trial) == [("token", "unblinded_setup", "system:visitor", "")]
    assert trial.execute("select count(*) from core_user").fetchone() == (0,)


def test_administrators_read_them_and_nobody_else(trial: psycopg.Connection[Any]) -> None:
    world.make_user("ada", "admin")
    world.make_user("carla", "coordinator", "rotterdam")
    world.make_user("ursula", "datamanager_unblinded")
    signed_in("carla").get("/analysis/")
    Client().post("/login/", {"username": "carla", "password": "wrong"})
    ada = signed_in("ada", side.UNBLINDED)
    assert "2 attempts were refused in the last seven days." in ada.get("/unblinded/").content.decode()
    text = ada.get("/unblinded/accounts/refusals/").content.decode()
    for words in ("Page of another role", "Carla", "not signed in", "Signing in"):
        assert words in text
    assert ada.get("/unblinded/accounts/refusals/?format=csv").content.count(b"\n") == 3
    assert signed_in("ursula", side.UNBLINDED).get("/unblinded/accounts/refusals/").status_code == 403
    assert signed_in("carla").get("/unblinded/accounts/refusals/").status_code == 403


def test_the_database_knows_no_other_kind(trial: psycopg.Connection[Any]) -> None:
    trial.execute("select set_config('equipoise.actor', 'system:test', false)")
    with pytest.raises(psycopg.errors.CheckViolation, match="dropbox_refusal_known"):
        trial.execute(
            "insert into dropbox_refusal(id, at, what, place, actor, about) values (gen_random_uuid(), now(), 'x', '', 'x', '')"
        )


def test_nothing_follows_a_unit_of_work_that_was_not_opened() -> None:
    with pytest.raises(RuntimeError, match="not opened"):
        db.after_end(lambda: None)
