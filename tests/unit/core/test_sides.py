"""A request runs wholly on the login of its path; what it wrote goes when it is refused."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.test import Client, override_settings
from django.urls import include, path
from rest_framework.response import Response
from rest_framework.views import APIView

from tests import world
from trial.core import sessions, side
from trial.core.access import page, public
from trial.core.access.pages import Access
from trial.core.access.roles import EVERYBODY
from trial.core.models import History, User
from trial.protocol.models import Team

SEEN: list[str] = []


def who() -> str:
    with connections[side.current()].cursor() as c:
        c.execute("select session_user, current_setting('equipoise.sites', true)")
        login, sites = c.fetchone()
    SEEN.append(login)
    return f"{login} {sites} {Team.objects.count()}"


@public()
def eager(request: HttpRequest) -> HttpResponse:
    return HttpResponse(who())


@public()
def lazy(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, "trial/recruitment_panel.html", {"target": SimpleWho(), "counts": {}, "facts": []})


class SimpleWho:
    def __str__(self) -> str:
        return who()


class Rest(APIView):
    access = Access(is_public=True)

    def get(self, request: Any) -> Response:
        return Response({"who": who()})


@public()
def writes_then(request: HttpRequest) -> HttpResponse:
    """Write a row, then end as ``?end=`` says."""
    from trial.core import db
    from trial.unblinded.disclosure.actions import note

    with db.identity(world.SETUP):
        if side.current() == side.UNBLINDED:
            note(what="written", subject="", by=world.SETUP)
        else:
            Team.objects.filter(code="R1").update(name="written")
    if request.GET["end"] == "raise":
        raise RuntimeError("after the write")
    return HttpResponse(status=int(request.GET["end"]))


def names_nobody(request: HttpRequest) -> HttpResponse:
    return HttpResponse("served")


@page(roles=EVERYBODY)
def for_people(request: HttpRequest) -> HttpResponse:
    return HttpResponse(who())


HERE = [
    path("eager", eager), path("lazy", lazy), path("rest", Rest.as_view()), path("writes", writes_then), path("nobody", names_nobody),
    path("people", for_people),
]  # fmt: skip
from trial.config import urls as real  # noqa: E402

urlpatterns = [path("t/", include(HERE)), path("unblinded/t/", include(HERE)), *real.urlpatterns]


@pytest.fixture
def client(database: psycopg.Connection[Any]) -> Iterator[Client]:
    world.open_trial()
    SEEN.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield Client(raise_request_exception=False)


@pytest.mark.parametrize("kind", ["eager", "lazy", "rest"])
@pytest.mark.parametrize(("prefix", "login"), [("/t/", "equipoise_blinded"), ("/unblinded/t/", "equipoise_unblinded")])
def test_each_side_on_its_own_login_only(client: Client, kind: str, prefix: str, login: str) -> None:
    other = connections["unblinded" if prefix == "/t/" else "default"]
    other.close()
    answer = client.get(prefix + kind)
    assert answer.status_code == 200, answer.content
    assert f"{login} - 14".encode() in answer.content
    assert set(SEEN) == {login}
    assert other.connection is None


@pytest.mark.parametrize("end", ["400", "403", "404", "422", "500", "raise"])
@pytest.mark.parametrize("prefix", ["/t/", "/unblinded/t/"])
def test_a_refusal_rolls_back(client: Client, database: psycopg.Connection[Any], prefix: str, end: str) -> None:
    client.get(f"{prefix}writes?end={end}")
    assert database.execute("select count(*) from unblinded_ledger").fetchone() == (0,)
    assert database.execute("select count(*) from protocol_team where name = 'written'").fetchone() == (0,)
    client.get(f"{prefix}writes?end=200")
    written = database.execute(
        "select (select count(*) from unblinded_ledger) + (select count(*) from protocol_team where name = 'written')"
    )
    assert written.fetchone() == (1,)


def test_a_view_that_names_nobody_is_not_served(client: Client) -> None:
    answer = client.get("/t/nobody")
    assert answer.status_code == 500
    assert b"served" not in answer.content


def test_without_the_unblinded_credential_there_is_no_such_address(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trial.core import db

    monkeypatch.setattr(db, "is_configured", lambda alias: alias == "default")
    assert client.get("/unblinded/t/eager").status_code == 404
    assert client.get("/unblinded/login/").status_code == 404
    assert client.get("/t/eager").status_code == 200


def test_health_is_told_when_the_database_is_away(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db.utils import OperationalError

    from trial.core import db

    def away() -> list[str]:
        raise OperationalError("connection refused")

    monkeypatch.setattr(db, "pending_migrations", away)
    monkeypatch.setattr(db, "atomic", away)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["database, open side"] == "does not answer (OperationalError)"


def test_an_expired_form_says_so(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/login/", {"username": "x", "password": "y"})
    assert answer.status_code == 403
    assert "This form has expired" in answer.content.decode()


def test_the_roles_of_one_side_open_nothing_on_the_other(client: Client) -> None:
    world.make_user("carla", "coordinator", "rotterdam")
    world.make_user("thea", "treatment", "rotterdam")
    client.post("/login/", {"username": "carla", "password": world.PASSWORD})
    assert client.get("/t/people").status_code == 200
    assert client.get("/unblinded/t/people").status_code == 403
    thea = Client()
    thea.post("/unblinded/login/", {"username": "thea", "password": world.PASSWORD})
    assert thea.get("/unblinded/t/people").status_code == 200
    assert thea.get("/t/people").status_code == 403
    assert Client().get("/t/people")["Location"] == "/login/?next=%2Ft%2Fpeople"


# --- signing in


def test_at_the_open_form_an_unblinded_person_writes_nothing(client: Client, database: psycopg.Connection[Any]) -> None:
    world.make_user("thea", "treatment", "rotterdam")
    before = database.execute("select count(*) from core_history").fetchone()
    answer = client.post("/login/", {"username": "thea", "password": world.PASSWORD})
    assert b"do not belong together" in answer.content
    assert database.execute("select count(*) from core_history").fetchone() == before
    assert database.execute("select count(*) from django_session").fetchone() == (0,)
    assert database.execute("select count(*) from core_user where last_login is not null").fetchone() == (0,)
    assert (
        client.post("/unblinded/login/", {"username": "thea", "password": world.PASSWORD})["Location"] == "/unblinded/"
    )
    # when somebody behind the wall comes is not told on the open side
    assert database.execute("select count(*) from core_history").fetchone() == before
    assert database.execute("select count(*) from core_user where last_login is not null").fetchone() == (0,)
    row = database.execute("select login, action from unblinded_history order by id desc limit 1").fetchone()
    assert row == ("equipoise_unblinded", "trial.unblinded.disclosure.actions.mark_reentry")
    assert database.execute("select count(*) from unblinded_reentry").fetchone() == (1,)


def test_a_session_made_with_the_open_side_s_login_opens_nothing_behind_the_wall(client: Client) -> None:
    """A fault in the open half of a split web can write any session row; it cannot write the mark of a proof."""
    user = world.make_user("thea", "treatment", "rotterdam")
    with side.opened():
        forged = sessions.SessionStore()
        forged["_auth_user_id"] = str(user.pk)
        forged["_auth_user_backend"] = "trial.core.access.sign_in.Backend"
        forged["_auth_user_hash"] = User.objects.get(pk=user.pk).get_session_auth_hash()
        forged.save()
    client.cookies["sessionid"] = forged.session_key
    assert client.get("/unblinded/t/people").status_code == 302
    own = Client()
    own.post("/unblinded/login/", {"username": "thea", "password": world.PASSWORD})
    assert own.get("/unblinded/t/people").status_code == 200
    kept = own.cookies["sessionid"].value
    own.post("/unblinded/logout/")
    with side.opened():  # the row of a session that ended, written again
        again = sessions.SessionStore(session_key=kept)
        again.update(dict(forged.items()))
        again.save(must_create=True)
    own.cookies["sessionid"] = kept
    assert own.get("/unblinded/t/people").status_code == 302


def test_an_open_person_at_the_unblinded_form_goes_to_the_own_one(client: Client) -> None:
    world.make_user("carla", "coordinator", "rotterdam")
    assert (
        client.post("/unblinded/login/", {"username": "carla", "password": world.PASSWORD})["Location"]
        == "/login/?side=other"
    )


def test_five_failures_lock_and_the_right_password_does_not_open(client: Client) -> None:
    world.make_user("carla", "coordinator", "rotterdam")
    for _time in range(4):
        assert client.post("/login/", {"username": "carla", "password": "wrong"}).status_code == 200
    assert client.post("/login/", {"username": "carla", "password": "wrong"}).status_code == 429
    assert client.post("/login/", {"username": "carla", "password": world.PASSWORD}).status_code == 429


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/unblinded/allocations/", "javascript:alert(1)"]
)
def test_next_leaves_neither_host_nor_side(client: Client, target: str) -> None:
    world.make_user("carla", "coordinator", "rotterdam")
    answer = client.post(f"/login/?next={target}", {"username": "carla", "password": world.PASSWORD})
    assert answer["Location"] == "/"


def test_an_account_that_ended_opens_nothing(client: Client, database: psycopg.Connection[Any]) -> None:
    user = world.make_user("carla", "coordinator", "rotterdam")
    client.post("/login/", {"username": "carla", "password": world.PASSWORD})
    assert client.get("/t/people").status_code == 200
    with side.unblinded(), world.db.unit_of_work(by=world.SETUP):
        User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/t/people").status_code == 302


def test_session_keys_are_hashed_and_bound_to_their_data(client: Client) -> None:
    world.make_user("carla", "coordinator", "rotterdam")
    client.post("/login/", {"username": "carla", "password": world.PASSWORD})
    key = client.cookies["sessionid"].value
    row = Session.objects.get()
    assert row.session_key == sessions.hashed(key) != key
    # somebody who can write the table copies the row under a key of their own
    mine = "a" * 32
    Session.objects.create(
        session_key=sessions.hashed(mine), session_data=row.session_data, expire_date=row.expire_date
    )
    thief = Client()
    thief.cookies["sessionid"] = mine
    assert thief.get("/t/people").status_code == 302
    assert client.get("/t/people").status_code == 200


def test_history_of_the_open_side_cannot_be_forged_by_actor(client: Client) -> None:
    with side.opened(), world.db.unit_of_work(by=world.SETUP):
        Team.objects.filter(code="R1").update(name="x")
        row = History.objects.order_by("-id").first()
    assert row is not None
    assert (row.login, row.actor, row.table_name) == ("equipoise_blinded", "system:setup", "protocol_team")
