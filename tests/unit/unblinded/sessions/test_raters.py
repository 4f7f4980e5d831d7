"""A clinician-rater leads, trains or supervises no group, per person: by roles, by the database, and by a list behind the wall."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.treatment import FIRST, Treatment
from trial.core.access import Person
from trial.core.access import actions as accounts
from trial.core.errors import Refused
from trial.core.models import History, Membership, User
from trial.unblinded.sessions import actions
from trial.unblinded.sessions.models import GroupTrainer
from trial.unblinded.sessions.raters import pairs, plain


def signed_in(username: str, form: str = "/unblinded/login/") -> Client:
    client = Client()
    assert client.post(form, {"username": username, "password": world.PASSWORD}).status_code == 302
    return client


def named(trial: Treatment, username: str, role: str, full_name: str) -> User:
    user = world.make_user(username, role, trial.site)
    with trial.at_work():
        User.objects.filter(pk=user.pk).update(full_name=full_name)
    return user


@pytest.fixture
def admin(trial: Treatment) -> Person:
    return world.person(world.make_user("anna", "admin"))


def test_one_account_never_holds_both(trial: Treatment, admin: Person) -> None:
    rater = world.make_user("rita", "rater", trial.site)
    with world.at_work(admin), pytest.raises(Refused, match="another side"):
        accounts.give_role(user=rater, role="therapist", site=trial.site, by=admin)
    with world.at_work(admin), pytest.raises(DatabaseError, match="one side only"):
        Membership(user=rater, role="therapist", site=trial.site, granted_by="x").save(force_insert=True)
    with world.at_work(admin):
        was = Membership.objects.get(user=trial.users["tim"])
        accounts.end_role(membership=was, by=admin)
        with pytest.raises(Refused, match="has held a role of another side"):
            accounts.give_role(user=trial.users["tim"], role="rater", site=trial.site, by=admin)


def test_a_rater_trains_no_group(trial: Treatment) -> None:
    rater = world.make_user("rita", "rater", trial.site)
    with trial.at_work("thea") as by, pytest.raises(Refused):
        actions.open_group(site=trial.site, code="R1-A", name="A", trainers=[rater.pk], opened_on=FIRST, by=by)
    group = trial.group()
    with trial.at_work("thea"), pytest.raises(DatabaseError, match="a trainer is a therapist"):
        GroupTrainer(site=trial.site, group=group, trainer_id=rater.pk, since=FIRST).save(force_insert=True)


def test_two_accounts_of_one_name_are_told_to_the_data_manager_behind_the_wall_alone(
    trial: Treatment, admin: Person
) -> None:
    group = trial.group()
    trial.on(FIRST + dt.timedelta(days=1))
    assert "bears the name" in signed_in("ursula").get("/unblinded/treatment/raters/").content.decode()
    with trial.at_work():
        User.objects.filter(pk=trial.users["tim"].pk).update(full_name="Zoë van Dam-Smit")
    named(trial, "rita", "rater", "dam smit,  van ZOE")
    named(trial, "rob", "rater", "Somebody Else")
    ursula = signed_in("ursula")
    assert "Find out whether the rater dam smit" in ursula.get("/unblinded/").content.decode()
    page = ursula.get("/unblinded/treatment/raters/").content.decode()
    assert all(word in page for word in ("rita", "tim", group.code))
    assert not re.search(r"\brob\b", page)
    world.make_user("dana", "datamanager")
    for name, form in (("rita", "/login/"), ("dana", "/login/"), ("thea", "/unblinded/login/")):
        client = signed_in(name, form)
        home = client.get("/" if form == "/login/" else "/unblinded/").content.decode()
        assert "Find out whether" not in home
        assert client.get("/unblinded/treatment/raters/").status_code == 403
    with world.at_work(admin):
        accounts.end_role(membership=Membership.objects.get(user__username="rita"), by=admin)
    assert "Find out whether" not in ursula.get("/unblinded/").content.decode()
    with world.at_work(world.SETUP):
        ended = History.objects.filter(table_name="core_membership", operation="UPDATE").order_by("-at")[0]
        assert (ended.reason, ended.actor) == ("", "site staff")


def test_the_list_asks_as_often_for_many_as_for_few(trial: Treatment) -> None:
    def asked() -> int:
        with trial.at_work(), CaptureQueriesContext(connections["unblinded"]) as captured:
            pairs()
        return len(captured)

    few: Any = asked()
    for n in range(4):
        named(trial, f"rater{n}", "rater", f"Person {n}")
        named(trial, f"double{n}", "therapist", f"Person {n}")
    with trial.at_work():
        assert [pair.groups for pair in pairs()] == [()] * 4
    assert asked() == few


@pytest.mark.parametrize(
    ("one", "other"), [("Zoë  Bár", "BAR, zoe"), ("A.B. de Wit", "Wit de, A B"), ("Jan-Piet Ås", "ÅS jan piet")]
)
def test_a_name_is_compared_without_its_spelling(one: str, other: str) -> None:
    assert plain(one) == plain(other)
    assert plain(one) != plain(f"{one} junior")
