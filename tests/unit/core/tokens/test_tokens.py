"""Tokens: made by their person, kept as a hash that binds them, refused on the other side, ended by time, password and revocation."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError
from django.test import Client

from tests import world
from trial.core import clock, db, side
from trial.core.access import Person
from trial.core.access import actions as accounts
from trial.core.api import gate
from trial.core.errors import NotAllowed, Refused
from trial.core.models import Membership, User
from trial.core.tokens import queries
from trial.core.tokens.actions import make_token, revoke_token
from trial.core.tokens.models import Token
from trial.unblinded.tokens.models import UnblindedToken

START = dt.datetime(2025, 1, 6, 9, 0, tzinfo=dt.UTC)
LATER = dt.date(2025, 3, 1)


@pytest.fixture(autouse=True)
def trial(database: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    with clock.frozen(START):
        world.open_trial()
        for name in ("carla", "thea", "ada", "bea"):
            role = {"carla": "coordinator", "thea": "treatment"}.get(name, "admin")
            world.make_user(name, role, "delft")
        yield database


def person(name: str) -> Person:
    with side.opened():
        return world.person(User.objects.get(username=name))


def token_of(who: str, **changes: Any) -> str:
    """A token of somebody, made on their side."""
    with world.at_work(person(who)) as by:
        made: str = make_token(**{"name": "report", "last_day": LATER, "password": world.PASSWORD, "by": by, **changes})
    return made


def ask(token: str, address: str = "/api/", **headers: str) -> Any:
    return Client().get(address, headers={"Authorization": f"Bearer {token}", **headers})


def signed_in(name: str) -> Client:
    client = Client()
    own = "/login/" if person(name).side == side.OPEN else "/unblinded/login/"
    assert client.post(own, {"username": name, "password": world.PASSWORD}).status_code == 302
    return client


def row_of(name: str) -> Any:
    someone = person(name)
    with world.at_work(someone):
        return queries.tokens_of(User.objects.get(username=name))[0]


def test_a_token_opens_its_own_side_and_the_other_answers_as_to_one_that_is_unknown() -> None:
    mine, theirs = token_of("carla"), token_of("thea")
    assert ask(mine).status_code == 200
    assert ask(theirs, "/unblinded/api/").status_code == 200
    unknown = "eqp_" + "0" * 32 + "_" + "0" * 40
    for address, wrong in (("/api/", theirs), ("/unblinded/api/", mine)):
        got = [ask(one, address) for one in (wrong, unknown, "", "nonsense")]
        assert {(one.status_code, one.content, one["WWW-Authenticate"]) for one in got} == {
            (401, got[0].content, "Bearer")
        }


def test_a_session_opens_nothing_of_the_api_and_the_api_leaves_no_cookie() -> None:
    client = signed_in("carla")
    assert client.get("/participants/").status_code == 200
    assert client.get("/api/participants/").status_code == 401
    assert client.post("/api/participants/00000000/randomize/").status_code == 401
    assert client.get("/participants/").status_code == 200  # and it is still there
    answer = ask(token_of("carla"), "/api/participants/")
    assert (answer.status_code, dict(answer.cookies)) == (200, {})


def test_no_page_opens_to_a_token() -> None:
    answer = ask(token_of("carla"), "/participants/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")


def test_the_table_holds_no_token_and_a_copied_or_changed_row_opens_nothing(trial: psycopg.Connection[Any]) -> None:
    mine = token_of("carla")
    row = row_of("carla")
    secret = mine.rpartition("_")[2]
    stored = trial.execute("select row_to_json(t)::text from tokens_token t").fetchone()
    assert stored is not None
    assert secret not in stored[0]
    other = world.make_user("carol", "coordinator", "delft")
    for change in ("user_id = %(other)s", "last_day = last_day + 300", "id = gen_random_uuid()"):
        with trial.transaction(force_rollback=False):
            trial.execute("set local session_replication_role = replica")
            before = trial.execute("select id, user_id, last_day from tokens_token").fetchone()
            assert before is not None
            trial.execute(f"update tokens_token set {change}", {"other": other.pk})  # type: ignore[arg-type]
        key = trial.execute("select id from tokens_token").fetchone()
        assert key is not None
        assert ask(f"eqp_{key[0].hex}_{secret}").status_code == 401, change
        with trial.transaction():
            trial.execute("set local session_replication_role = replica")
            trial.execute("update tokens_token set id = %s, user_id = %s, last_day = %s", before)
    assert ask(mine).status_code == 200
    assert row.digest not in mine


def test_a_token_ends_with_its_last_day() -> None:
    mine = token_of("carla")
    clock.move_to(dt.datetime(2025, 3, 1, 20, tzinfo=dt.UTC))
    assert ask(mine).status_code == 200
    clock.move_to(dt.datetime(2025, 3, 2, 5, tzinfo=dt.UTC))
    assert ask(mine).status_code == 401


def test_a_changed_password_ends_every_token_whoever_changed_it() -> None:
    mine, theirs = token_of("carla"), token_of("thea")
    with world.at_work(person("carla")) as by:
        user = User.objects.get(username="carla")
        accounts.change_password(user=user, password="another long passphrase", by=by)
    with world.at_work(person("ada")) as by:
        user = User.objects.get(username="thea")
        accounts.reset_password(user=user, password="another long passphrase", by=by)
    assert ask(mine).status_code == 401
    assert ask(theirs, "/unblinded/api/").status_code == 401


def test_a_membership_that_ends_ends_what_the_token_reaches() -> None:
    mine = token_of("carla")
    assert ask(mine, "/api/participants/").status_code == 200
    with world.at_work(person("ada")) as by:
        membership = Membership.objects.get(user__username="carla")
        accounts.end_role(membership=membership, by=by)
    answer = ask(mine, "/api/participants/")
    assert (answer.status_code, answer.json()["code"]) == (403, "role")


def test_a_closed_account_has_no_token(trial: psycopg.Connection[Any]) -> None:
    mine = token_of("carla")
    with trial.transaction():
        trial.execute("set local session_replication_role = replica")
        trial.execute("update core_user set is_active = false where username = 'carla'")
    assert ask(mine).status_code == 401


def test_a_revoked_token_is_refused_and_its_story_is_kept(trial: psycopg.Connection[Any]) -> None:
    mine = token_of("carla")
    with world.at_work(person("carla")) as by:
        for _time in range(2):
            revoke_token(token=row_of("carla"), by=by)
    assert ask(mine).status_code == 401
    story = trial.execute(
        "select operation, actor from core_history where table_name = 'tokens_token' order by id"
    ).fetchall()
    assert [operation for operation, _actor in story] == ["INSERT", "UPDATE"]
    assert {actor for _operation, actor in story} == {str(person("carla").user_id)}
    texts = trial.execute(
        "select string_agg(coalesce(old::text, '') || coalesce(new::text, ''), ' ') from core_history"
    ).fetchone()
    assert texts is not None
    assert row_of("carla").digest not in texts[0]


def test_an_administrator_revokes_a_token_of_either_side(trial: psycopg.Connection[Any]) -> None:
    mine, theirs = token_of("carla"), token_of("thea")
    client = signed_in("ada")
    for name in ("carla", "thea"):
        page = client.get(f"/unblinded/accounts/{name}/tokens/").content.decode()
        step = re.search(r'href="(/unblinded/accounts/tokens/[^"]+)"', page)
        assert step is not None
        assert client.get(step[1]).status_code == 200
        assert client.post(step[1]).status_code == 302
        assert client.post(step[1]).status_code == 302  # twice is once
    assert ask(mine).status_code == 401
    assert ask(theirs, "/unblinded/api/").status_code == 401
    told = trial.execute(
        "select actor, new ->> 'revoked_by' from core_history where table_name = 'tokens_token' and operation = 'UPDATE'"
    )
    assert told.fetchall() == [("site staff", "site staff")]


def test_nobody_revokes_somebody_else_s_token() -> None:
    token_of("thea")
    row = row_of("thea")
    world.make_user("tom", "treatment", "delft")
    with world.at_work(person("tom")) as by, pytest.raises(NotAllowed):
        revoke_token(token=row, by=by)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "wrong"}, "password_wrong"),
        ({"last_day": dt.date(2025, 1, 5)}, "last_day"),
        ({"last_day": dt.date(2026, 2, 1)}, "last_day"),
        ({"name": "  "}, "name_missing"),
    ],
)
def test_a_token_is_not_made(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        token_of("carla", **changes)
    assert refusal.value.code == code


def test_one_name_one_token_in_force() -> None:
    token_of("carla")
    with pytest.raises(Refused) as refusal:
        token_of("carla")
    assert refusal.value.code == "name_taken"
    with world.at_work(person("carla")), pytest.raises(IntegrityError), db.atomic():
        known = Token.objects.defer(None).get()
        known.pk, known.digest = None, "x"
        Token(user_id=known.user_id, name=known.name, digest="x", password_mark="x", last_day=LATER).save(
            force_insert=True
        )


def test_each_side_makes_tokens_of_its_own_people_only() -> None:
    """The guard of the table, planted around the action."""
    carla, thea = person("carla"), person("thea")
    with world.at_work(carla), pytest.raises(DatabaseError), db.atomic():
        Token(user_id=thea.user_id, name="x", digest="x", password_mark="x", last_day=LATER).save(force_insert=True)
    with world.at_work(thea), pytest.raises(DatabaseError), db.atomic():
        UnblindedToken(user_id=carla.user_id, name="x", digest="x", password_mark="x", last_day=LATER).save(
            force_insert=True
        )
    with world.at_work(carla), pytest.raises(DatabaseError), db.atomic():
        UnblindedToken.objects.exists()
    with world.at_work(thea), pytest.raises(DatabaseError), db.atomic():
        Token(user_id=carla.user_id, name="x", digest="x", password_mark="x", last_day=LATER).save(force_insert=True)
    with world.at_work(thea), pytest.raises(DatabaseError), db.atomic():
        list(Token.objects.values_list("digest"))


def test_use_is_noted_of_refused_requests_too_and_leaves_no_history(trial: psycopg.Connection[Any]) -> None:
    mine = token_of("carla")
    assert row_of("carla").last_used_at is None
    assert ask(mine, "/api/assessments/forms/").status_code == 403
    first = row_of("carla").last_used_at
    assert first is not None
    ask(mine)
    assert row_of("carla").last_used_at == first
    clock.move_to(START + dt.timedelta(minutes=5))
    ask(mine)
    assert row_of("carla").last_used_at > first
    told = trial.execute("select count(*) from core_history where table_name = 'tokens_token'").fetchone()
    assert told == (1,)


def test_too_many_requests_of_a_token_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate.PER_TOKEN, "limit", 2)
    mine = token_of("carla")
    assert [ask(mine).status_code for _time in range(3)] == [200, 200, 429]
    answer = ask(mine)
    assert answer.json()["code"] == "too_often"
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert ask(token_of("carla", name="another")).status_code == 200


def test_too_many_wrong_tokens_of_an_address_wait_and_right_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate.WRONG_TOKENS, "limit", 3)
    assert [ask("wrong").status_code for _time in range(4)] == [401, 401, 401, 429]
    assert ask("wrong", "/unblinded/api/").status_code == 401  # each side counts for itself
    assert "Retry-After" in ask("wrong")
    assert ask(token_of("carla")).status_code == 200


def test_the_pages_make_a_token_show_it_once_and_list_it() -> None:
    for name, before, api in (("carla", "", "/api/"), ("thea", "/unblinded", "/unblinded/api/")):
        client = signed_in(name)
        assert "/me/api/" in client.get(f"{before}/me/").content.decode()
        form = {"name": "monthly", "last_day_day": "1", "last_day_month": "3", "last_day_year": "2025"}
        wrong = client.post(f"{before}/me/api/new/", {**form, "password": "wrong"})
        assert wrong.status_code == 422
        assert "monthly" in wrong.content.decode()
        made = client.post(f"{before}/me/api/new/", {**form, "password": world.PASSWORD})
        found = re.search(r"eqp_[0-9a-f]{32}_[0-9a-f]{40}", made.content.decode())
        assert found is not None
        assert ask(found[0], api).status_code == 200
        listed = client.get(f"{before}/me/api/").content.decode()
        assert "monthly" in listed
        assert found[0] not in listed
        assert f"{api}schema/" in listed
        assert ("/unblinded/api/" in listed) == (name == "thea")
