"""The first administrators, accounts and roles: two persons, one side each, and nothing on the open side."""

import csv
import io
import re
from typing import Any

import psycopg
import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.utils.formats import date_format
from django.utils.html import escape

from tests import world
from trial.core import clock, db, side
from trial.core.access import account_views, actions
from trial.core.access.roles import ALL, BY_CODE, UNBLINDED_SIDE
from trial.core.errors import Refused
from trial.core.models import Membership, User

GOOD = "a long enough passphrase"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong token is answered slowly; not here."""
    monkeypatch.setattr(account_views, "WRONG_TOKEN_DELAY", 0)


def token(capsys: pytest.CaptureFixture[str]) -> str:
    call_command("first_administrator_token")
    return capsys.readouterr().out.strip()


def form(secret: str, **changes: str) -> dict[str, str]:
    given = {"token": secret}
    for n, name in ((1, "ada"), (2, "bea")):
        given |= {f"name_{n}": name.title(), f"username_{n}": name, f"password_{n}": GOOD + name * (n - 1)}
    return given | changes


def test_setup_is_reachable_once_with_the_token(
    database: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    client = Client()
    assert client.get("/unblinded/setup/").status_code == 404
    secret = token(capsys)
    assert re.fullmatch(r"[0-9a-f]{40}", secret)
    assert client.get("/unblinded/setup/").status_code == 200
    assert client.post("/unblinded/setup/", form("wrong")).status_code == 422
    assert client.post("/unblinded/setup/", form(secret, username_2="ada")).status_code == 422
    assert client.post("/unblinded/setup/", form(secret, password_1="short")).status_code == 422
    assert (
        client.post("/unblinded/setup/", form(secret, password_2=GOOD)).status_code == 422
    )  # one person's two accounts
    assert database.execute("select count(*) from core_user").fetchone() == (0,)
    assert client.post("/unblinded/setup/", form(secret)).status_code == 302
    assert client.get("/unblinded/setup/").status_code == 404
    assert client.post("/unblinded/setup/", form(secret)).status_code == 404
    assert token(capsys) == ""
    assert client.post("/unblinded/login/", {"username": "ada", "password": GOOD}).status_code == 302
    assert client.get("/unblinded/accounts/").status_code == 200
    assert client.get("/unblinded/accounts/roles/").status_code == 200


def test_a_newer_token_spends_the_older(database: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]) -> None:
    old, new = token(capsys), token(capsys)
    client = Client()
    assert client.post("/unblinded/setup/", form(old)).status_code == 422
    assert client.post("/unblinded/setup/", form(new)).status_code == 302


@pytest.fixture
def admins(database: psycopg.Connection[Any]) -> tuple[Any, Any]:
    world.open_trial()
    return world.person(world.make_user("ada", "admin")), world.person(world.make_user("bea", "admin"))


def signed_in(name: str) -> Client:
    client = Client()
    assert client.post("/unblinded/login/", {"username": name, "password": world.PASSWORD}).status_code == 302
    return client


def test_an_unblinded_role_takes_two_administrators(admins: Any) -> None:
    ada, bea = signed_in("ada"), signed_in("bea")
    answer = ada.post("/unblinded/accounts/new/", {"full_name": "Ina S", "username": "ina", "password": GOOD})
    assert answer["Location"] == "/unblinded/accounts/ina/"
    assert ada.post("/unblinded/accounts/ina/", {"role": "independent", "site": "*"}).status_code == 302
    with side.unblinded():
        membership = Membership.objects.get(user__username="ina")
    assert membership.confirmed_at is None
    address = f"/unblinded/accounts/roles/{membership.pk}/confirm/"
    ada.post(address)
    with side.unblinded():
        membership.refresh_from_db()
        assert membership.confirmed_at is None
    assert Client().post("/unblinded/login/", {"username": "ina", "password": GOOD}).status_code in (200, 302)
    bea.post(address)
    with side.unblinded():
        membership.refresh_from_db()
        assert membership.confirmed_by == admins[1].actor_id
    assert b"Independent statistician" in bea.get("/unblinded/accounts/ina/").content
    assert bea.get("/unblinded/accounts/nobody/").status_code == 404


def test_nobody_holds_roles_of_both_sides(admins: Any, database: psycopg.Connection[Any]) -> None:
    user = world.make_user("thea", "treatment", "rotterdam")
    with world.at_work(admins[0]), pytest.raises(Refused, match="one side only"):
        actions.give_role(user=user, role="interviewer", site="rotterdam", by=admins[0])
    with world.at_work(admins[0]):
        membership = Membership.objects.get(user=user)
        actions.end_role(membership=membership, by=admins[0])
    with world.at_work(admins[0]), pytest.raises(Refused, match="one side only"):
        actions.give_role(user=user, role="interviewer", site="rotterdam", by=admins[0])
    with world.at_work(admins[0]), pytest.raises(DatabaseError, match="one side only"):
        Membership(user=user, role="interviewer", site="rotterdam", granted_by="x").save(force_insert=True)


def test_memberships_are_not_written_on_the_open_side(admins: Any) -> None:
    user = world.make_user("carla", "coordinator", "rotterdam")
    with side.opened(), db.unit_of_work(by=world.SETUP), pytest.raises(DatabaseError, match="permission denied"):
        Membership(user=user, role="interviewer", site="rotterdam", granted_by="x").save(force_insert=True)


def test_the_open_side_does_not_change_credentials_of_unblinded_people(admins: Any) -> None:
    user = world.make_user("thea", "treatment", "rotterdam")
    with side.opened(), db.unit_of_work(by=world.SETUP), pytest.raises(DatabaseError, match="does not change accounts"):
        User.objects.filter(pk=user.pk).update(password="mine now")


def test_an_account_without_a_role_is_out_of_reach_of_the_open_side(admins: Any) -> None:
    """Its password could be the one of somebody behind the wall tomorrow."""
    with world.at_work(admins[0]):
        user = actions.create_account(username="ina", full_name="Ina", password=GOOD, by=admins[0])
    with side.opened(), db.unit_of_work(by=world.SETUP), pytest.raises(DatabaseError, match="does not change accounts"):
        User.objects.filter(pk=user.pk).update(password="mine now")


def test_a_role_behind_the_wall_ends_a_password_of_the_open_side(admins: Any) -> None:
    ada, bea = admins
    user = world.make_user("carla", "coordinator", "rotterdam")
    with side.opened(), db.unit_of_work(by=world.SETUP):
        User.objects.filter(pk=user.pk).update(password=make_password(GOOD))  # anybody's choice
    with world.at_work(ada):
        actions.end_role(membership=Membership.objects.get(user=user), by=ada)
        role = actions.give_role(user=user, role="independent", by=ada)
    with world.at_work(bea), pytest.raises(DatabaseError, match="could have set this password"):
        Membership.objects.filter(pk=role.pk).update(confirmed_at=clock.now(), confirmed_by=bea.actor_id)
    with world.at_work(bea):
        actions.confirm_role(membership=Membership.objects.get(pk=role.pk), by=bea)
    assert (
        b"do not belong together"
        in Client().post("/unblinded/login/", {"username": "carla", "password": world.PASSWORD}).content
    )
    client = signed_in("bea")
    page = "/unblinded/accounts/carla/password/"
    assert "new password" in client.get("/unblinded/accounts/carla/").content.decode()
    assert client.post(page, {"password": "short"}).status_code == 422
    assert client.post(page, {"password": GOOD})["Location"] == "/unblinded/accounts/carla/"
    carla = Client()
    assert carla.post("/unblinded/login/", {"username": "carla", "password": GOOD}).status_code == 302
    # somebody else knows this password: first of all a new one
    assert carla.get("/unblinded/")["Location"] == "/unblinded/me/"
    assert "only you know" in carla.get("/unblinded/me/").content.decode()
    assert carla.post("/unblinded/me/", {"present": GOOD, "password": GOOD}).status_code == 422
    assert carla.post("/unblinded/me/", {"present": GOOD, "password": GOOD + " of my own"}).status_code == 302
    assert carla.get("/unblinded/").status_code == 200
    assert client.post("/unblinded/accounts/bea/password/", {"password": GOOD}).status_code == 422


def test_a_changed_password_leaves_a_trace_without_its_value(admins: Any, database: psycopg.Connection[Any]) -> None:
    user = world.make_user("carla", "coordinator", "rotterdam")
    with side.opened(), db.unit_of_work(by=world.SETUP):
        User.objects.filter(pk=user.pk).update(password="another")
    row = database.execute(
        "select old, new from core_history where table_name = 'core_user' order by id desc limit 1"
    ).fetchone()
    assert row == ({"password": "not shown"}, {"password": "changed"})


def test_who_may_break_codes_is_no_assessor(admins: Any) -> None:
    user = world.make_user("ivo", "investigator")
    with world.at_work(admins[0]), pytest.raises(Refused, match="nobody is both"):
        actions.give_role(user=user, role="interviewer", site="rotterdam", by=admins[0])
    with world.at_work(admins[0]), pytest.raises(DatabaseError, match="exclude each other"):
        Membership(user=user, role="interviewer", site="rotterdam", granted_by="x").save(force_insert=True)


def test_two_administrators_remain_whoever_ends_roles(admins: Any) -> None:
    with world.at_work(admins[0]), pytest.raises(DatabaseError, match="keeps two administrators"):
        Membership.objects.filter(user_id=admins[1].user_id).update(ended_at=clock.now(), ended_by="x")


def test_an_administrator_gives_no_role_to_themself_and_confirms_not_their_own(admins: Any) -> None:
    with world.at_work(admins[0]):
        with pytest.raises(Refused, match="themself"):
            actions.give_role(user=User.objects.get(pk=admins[0].user_id), role="dmc", by=admins[0])
        user = actions.create_account(username="dan", full_name="Dan", password=GOOD, by=admins[0])
        membership = actions.give_role(user=user, role="dmc", by=admins[0])
        with pytest.raises(Refused, match="second administrator"):
            actions.confirm_role(membership=membership, by=admins[0])
    with world.at_work(admins[0]), pytest.raises(DatabaseError, match="two_persons"):
        Membership.objects.filter(pk=membership.pk).update(confirmed_at=clock.now(), confirmed_by=admins[0].actor_id)


def test_an_administrator_sees_no_trial_row(admins: Any) -> None:
    from trial.participants.models import Participant
    from trial.protocol.models import Team

    with world.at_work(world.SETUP):
        world.register(world.SETUP, Team.objects.order_by("code").first())  # type: ignore[arg-type]
        assert Participant.objects.count() == 1
    with world.at_work(admins[0]):
        assert Participant.objects.count() == 0
    assert signed_in("ada").get("/participants/").status_code == 403


def test_a_trial_keeps_two_administrators(admins: Any) -> None:
    ada, bea = admins
    with world.at_work(ada), pytest.raises(Refused, match="keeps two administrators"):
        actions.end_role(membership=Membership.objects.get(user_id=bea.user_id), by=ada)
    world.make_user("cleo", "admin")
    with world.at_work(ada):
        actions.end_role(membership=Membership.objects.get(user_id=bea.user_id), by=ada)
        left = Membership.objects.filter(role="admin", ended_at=None).values_list("user__username", flat=True)
        assert sorted(left) == ["ada", "cleo"]


def test_a_role_is_confirmed_and_ended_on_a_page_with_its_facts(admins: Any) -> None:
    ada, bea = signed_in("ada"), signed_in("bea")
    with world.at_work(admins[0]):
        user = actions.create_account(username="dan", full_name="Dan Dmc", password=GOOD, by=admins[0])
        role = actions.give_role(user=user, role="dmc", by=admins[0])
    confirm, end = (f"/unblinded/accounts/roles/{role.pk}/{step}/" for step in ("confirm", "end"))
    assert ada.get(confirm).status_code == 302  # who gave it does not confirm it
    assert "Waits for another administrator" in ada.get("/unblinded/").content.decode()
    assert "Confirm Data monitoring committee for Dan Dmc" in bea.get("/unblinded/").content.decode()
    facts = bea.get(confirm).content.decode()
    assert "Dan Dmc (dan)" in facts
    assert "by Ada" in facts
    with side.unblinded():
        role.refresh_from_db()
    assert role.confirmed_at is None  # looking confirms nothing
    assert bea.post(confirm)["Location"] == "/unblinded/accounts/dan/"
    assert bea.get(confirm).status_code == 302
    assert "End Data monitoring committee of Dan Dmc" in ada.get(end).content.decode()
    assert ada.post(end).status_code == 302
    with side.unblinded():
        role.refresh_from_db()
    assert role.ended_by == admins[0].actor_id
    assert bea.get(f"/unblinded/accounts/roles/{role.pk}/erase/").status_code == 404


@pytest.mark.parametrize("address", ["", "new/", "roles/", "carla/"])
def test_only_administrators_open_the_accounts(admins: Any, address: str) -> None:
    world.make_user("thea", "treatment", "rotterdam")
    assert signed_in("thea").get(f"/unblinded/accounts/{address}").status_code == 403
    assert Client().get(f"/unblinded/accounts/{address}")["Location"].startswith("/unblinded/login/?next=")


def test_the_published_password_is_refused_outside_a_demo(
    database: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    published = form(token(capsys), password_2="equipoise-demo")
    answer = Client().post("/unblinded/setup/", published)
    assert answer.status_code == 422
    assert "published with the demo" in answer.content.decode()
    settings.DEMO = True
    assert Client().post("/unblinded/setup/", published).status_code == 302


def test_one_changes_ones_own_password(admins: Any) -> None:
    client = signed_in("ada")
    assert client.post("/unblinded/me/", {"present": "wrong", "password": GOOD}).status_code == 422
    assert client.post("/unblinded/me/", {"present": world.PASSWORD, "password": "short"}).status_code == 422
    assert client.post("/unblinded/me/", {"present": world.PASSWORD, "password": GOOD}).status_code == 302
    assert client.get("/unblinded/me/").status_code == 200
    assert Client().post("/unblinded/login/", {"username": "ada", "password": GOOD}).status_code == 302


def test_the_matrix_shows_who_held_what_from_when_to_when(admins: Any) -> None:
    """Two administrators in force; somebody whose role ended; and the same page, without ways to the accounts, on the open side."""
    world.make_user("mieke", "monitor")
    world.make_user("ina", "investigator")
    gone = world.make_user("paul", "dmc")
    with world.at_work(admins[0]) as by:
        actions.end_role(membership=Membership.objects.get(user=gone), by=by)
    for username, address, links in (
        ("ada", "/unblinded/accounts/roles/", True),
        ("mieke", "/roles/", False),
        ("ina", "/roles/", False),
    ):
        client = Client()
        own = "/unblinded/login/" if links else "/login/"
        assert client.post(own, {"username": username, "password": world.PASSWORD}).status_code == 302
        page = client.get(address).content.decode()
        for role in ALL:
            assert str(escape(role.title)) in page
            assert str(escape(role.description)) in page
        assert ("/unblinded/accounts/paul/" in page) == links
        today = date_format(clock.today(), "j M Y")
        assert f"from {today} to {today}" in " ".join(re.sub("<[^>]*>", "", page).split())
        rows = list(csv.DictReader(io.StringIO(client.get(f"{address}?format=csv").content.decode("utf-8-sig"))))
        assert {row["Role"] for row in rows} == {str(role.title) for role in ALL}
        paul = next(row for row in rows if row["Held by"] == "Paul")
        assert (paul["Side"], paul["From"], paul["To"]) == ("Unblinded side", *2 * (clock.today().isoformat(),))
        mieke = next(row for row in rows if row["Held by"] == "Mieke")
        assert (mieke["From"], mieke["To"]) == (clock.today().isoformat(), "")
    client = Client()
    world.make_user("stijn", "statistician")
    client.post("/login/", {"username": "stijn", "password": world.PASSWORD})
    assert client.get("/roles/").status_code == 403


@pytest.mark.parametrize("role", [role.code for role in UNBLINDED_SIDE])
def test_who_has_held_an_unblinded_role_gets_no_blind_one(admins: Any, role: str) -> None:
    if BY_CODE[role].where_seen:
        world.let_see("rotterdam")
    user = world.make_user("una", role, "rotterdam")
    with world.at_work(admins[0]) as by:
        with pytest.raises(Refused, match="another side"):
            actions.give_role(user=user, role="rater", site="rotterdam", by=by)
        actions.end_role(membership=Membership.objects.get(user=user), by=by)
        with pytest.raises(Refused, match="another side"):
            actions.give_role(user=user, role="rater", site="rotterdam", by=by)
