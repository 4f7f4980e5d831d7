"""Versions of the plan, signed by two people; nothing is compared before, and nobody signs what does not hold."""

import dataclasses
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError
from django.test import Client

from analysis.plans import actions, queries
from analysis.plans.models import PlanVersion
from analysis.plans.plain import plain_plan
from analysis.plans.reading import parse
from analysis.unblinded import actions as comparative
from analysis.unblinded.models import LooksSignature
from tests import world
from tests.unit.analysis.plans.test_reading import FILE, FOLDERS, subgroup
from trial.core import db
from trial.core.access import Person
from trial.core.errors import NotAllowed, Refused

TAUGHT = (FOLDERS / "imr-interim" / FILE).read_text()
ROLES = {"stan": "statistician", "piet": "investigator", "irma": "independent", "dana": "datamanager"}


@pytest.fixture
def people(database: psycopg.Connection[Any]) -> dict[str, Person]:
    world.open_trial()
    return {name: world.person(world.make_user(name, role)) for name, role in ROLES.items()}


def load(by: Person, text: str = TAUGHT) -> PlanVersion:
    with world.at_work(by):
        version: PlanVersion = actions.load_plan(plan=parse(text, world.read("imr")), by=by)
    return version


def sign(version: PlanVersion, capacity: str, by: Person, password: str = world.PASSWORD) -> None:
    with world.at_work(by):
        actions.sign_plan(version=version, capacity=capacity, password=password, by=by)


def changed(why: str) -> str:
    return TAUGHT.replace("alpha = 0.05", f'change = "{why}"\nalpha = 0.04', 1)


def test_a_later_version_says_why_and_is_signed_anew(people: dict[str, Person]) -> None:
    stan, piet = people["stan"], people["piet"]
    first = load(stan)
    assert load(stan).pk == first.pk, "the same plan is the same version"
    sign(first, "statistician", stan)
    sign(first, "statistician", stan)
    sign(first, "investigator", piet)
    with world.at_work(stan):
        assert queries.unsigned(first) == []
    with pytest.raises(Refused, match="Say at the top of the file why"):
        load(stan, TAUGHT.replace("alpha = 0.05", "alpha = 0.04", 1))
    second = load(stan, changed("The committee asked for it."))
    assert second.number == 2
    with world.at_work(stan):
        assert [str(one) for one in queries.unsigned(second)] == ["statistician", "investigator"]
    with pytest.raises(Refused, match="A later version"):
        sign(first, "investigator", piet)
    with pytest.raises(Refused, match="word for word an earlier version"):
        load(stan)


def test_who_may_not_is_refused_and_a_wrong_password_signs_nothing(people: dict[str, Person]) -> None:
    with pytest.raises(NotAllowed):
        load(people["dana"])
    version = load(people["stan"])
    with pytest.raises(NotAllowed):
        sign(version, "investigator", people["stan"])
    with pytest.raises(Refused, match="not your password"):
        sign(version, "statistician", people["stan"], "no")
    with pytest.raises(Refused, match="statistician and by the principal investigator"):
        sign(version, "sponsor", people["stan"])


def test_a_plan_that_no_longer_fits_is_refused(people: dict[str, Person]) -> None:
    odd = dataclasses.replace(plain_plan(world.read("imr")), sides=2)
    odd = dataclasses.replace(odd, estimand=dataclasses.replace(odd.estimand, outcome="bsi"))
    with world.at_work(people["stan"]) as by, pytest.raises(Refused, match="primary scale of the protocol"):
        actions.load_plan(plan=odd, by=by)


def test_looks_are_countersigned_behind_the_wall(people: dict[str, Person]) -> None:
    version, irma = load(people["stan"]), people["irma"]
    with world.at_work(irma):
        row = comparative.countersign_looks(version=version, password=world.PASSWORD, by=irma)
        again = comparative.countersign_looks(version=version, password=world.PASSWORD, by=irma)
        assert (again.pk, row.looks_sha256) == (row.pk, queries.plan_of(version).looks_sha256)
    with world.at_work(people["stan"]), pytest.raises(DatabaseError, match="permission denied"), db.atomic():
        LooksSignature.objects.exists()
    plain = load(
        people["stan"], changed("No looks.").split("[looks]")[0] + "[outcomes]" + TAUGHT.split("[outcomes]")[1]
    )
    with world.at_work(irma), pytest.raises(Refused, match="plans no look"):
        comparative.countersign_looks(version=plain, password=world.PASSWORD, by=irma)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("insert into plans_planversion(id, number, sha256, document, loaded_at, loaded_by)"
         " values (gen_random_uuid(), 7, repeat('a', 64), '{}', now(), 'x')", "without a gap"),
        ("insert into plans_plansignature(id, plan_id, capacity, signed_at, signed_by, signature) select gen_random_uuid(), id,"
         " 'investigator', now(), (select signed_by from plans_plansignature limit 1), '{}' from plans_planversion where number = 2", "one capacity"),
        ("insert into plans_plansignature(id, plan_id, capacity, signed_at, signed_by, signature) select gen_random_uuid(), id,"
         " 'investigator', now(), 'x', '{}' from plans_planversion where number = 1", "version in force"),
        ("update plans_planversion set document = '{}'", "permission denied"),
        ("delete from plans_plansignature", "permission denied"),
    ],
)  # fmt: skip
def test_the_database_refuses_what_the_action_would(people: dict[str, Person], statement: str, words: str) -> None:
    load(people["stan"])
    sign(load(people["stan"], changed("Why not.")), "statistician", people["stan"])
    with world.at_work(people["stan"]), pytest.raises(DatabaseError, match=words), db.cursor() as cursor:
        cursor.execute(statement)


def test_the_page_shows_the_whole_plan_and_keeps_what_was_typed(people: dict[str, Person]) -> None:
    client = Client()
    client.post("/login/", {"username": "stan", "password": world.PASSWORD})
    assert "No analysis plan" in client.get("/analysis/plan/").content.decode()
    wrong = client.post("/analysis/plan/new/", {"text": TAUGHT.replace("alpha = 0.05", "alpha = 3", 1)})
    assert wrong.status_code == 422
    assert "plan.toml: alpha: 3 is out of range" in wrong.content.decode()
    assert "alpha = 3" in wrong.content.decode()
    assert client.post("/analysis/plan/new/", {"text": TAUGHT}).status_code == 302
    page = client.get("/analysis/plan/").content.decode()
    assert "Subgroups" not in page, "this plan names none"
    for words in (
        "Kenward and Roger",
        "three quarters",
        "Treatment policy",
        "Planned and published",
        "Not signed yet by",
    ):
        assert words in page, words
    assert client.post("/analysis/plan/new/", {"text": changed("Alpha was a slip.")}).status_code == 302
    page = client.get("/analysis/plan/").content.decode()
    assert "Alpha was a slip." in page
    assert "Changes from the version before" in page
    assert "A later version is in force" in client.get("/analysis/plan/1/").content.decode()
    assert client.get("/analysis/plan/9/").status_code == 404
    divided = changed("Alpha was a slip.").replace("a slip.", "a slip, and subgroups.") + subgroup(
        by="bsi", cut="median"
    )
    assert client.post("/analysis/plan/new/", {"text": divided}).status_code == 302
    page = client.get("/analysis/plan/").content.decode()
    for words in (
        "subgroups[more].cut",
        "up to the median of everybody randomized",
        "at baseline",
        "no p is given within a level",
    ):
        assert words in page, words
