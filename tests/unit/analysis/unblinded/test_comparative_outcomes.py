"""All outcomes and the published comparisons on the real arms: after planned unblinding, joined in one place, released to everybody."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError
from django.test import Client

from analysis.methods.canonical import digest
from analysis.runs import fanout, plans
from analysis.snapshots.models import Snapshot
from analysis.unblinded import actions as comparative
from analysis.unblinded import assembly, tasks
from analysis.unblinded.models import ComparativePart, ComparativeRun
from tests import world
from tests.programs import Program
from tests.records import look_up_everybody
from tests.unit.analysis.runs.all_outcomes import table
from trial.core import clock
from trial.core.access import Person
from trial.core.errors import Refused
from trial.participants.actions import lock_database, request_randomization, request_unblinding
from trial.participants.models import Participant
from trial.protocol.models import Team
from trial.protocol.queries import version
from trial.unblinded.disclosure.actions import confirm_planned_unblinding
from trial.unblinded.disclosure.models import LedgerEntry
from trial.unblinded.randomization.models import Allocation

PEOPLE = 20
LABEL = "Non-randomized comparison, as published"


@dataclass(frozen=True)
class Exposure:
    group: str | None
    attended: int
    completed: bool | None
    last_attended: dt.date | None = None


@dataclass(frozen=True)
class GroupFidelity:
    band: str


@dataclass(frozen=True)
class Admissions:
    before_any: bool
    before_days: int
    after_any: bool
    after_days: int


@pytest.fixture(autouse=True)
def _quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TASK_SENDER = "tests.unit.analysis.runs.test_runs.nowhere"
    every = plans._outcomes
    monkeypatch.setattr(plans, "_outcomes", lambda protocol: every(protocol)[:3])


@pytest.fixture
def unblinded(database: psycopg.Connection[Any]) -> tuple[Snapshot, Person]:
    """Twenty randomized people, locked and unblinded, with a frozen table; and the independent statistician."""
    start = dt.datetime(2025, 1, 6, 9, 0, tzinfo=dt.UTC)
    with clock.frozen(start):
        world.open_trial()
        manager, sponsor, independent = (
            world.person(world.make_user(role, role)) for role in ("datamanager", "sponsor", "independent")
        )
        with world.at_work(world.SETUP):
            teams = list(Team.objects.order_by("code"))[:4]
        for n in range(PEOPLE):
            clock.move_to(start + dt.timedelta(days=n + 1))
            with world.at_work(world.SETUP):
                person = world.ready_to_randomize(world.SETUP, teams[n % 4])
                request = request_randomization(participant=person, by=world.SETUP)
            clock.move_to(start + dt.timedelta(days=n + 1, minutes=1))
            world.randomize(request)
        clock.move_to(start + dt.timedelta(days=600))
        look_up_everybody()
        world.signed_plan()
        with world.at_work(manager):
            lock_database(password=world.PASSWORD, by=manager)
        with world.at_work(sponsor):
            request_unblinding(password=world.PASSWORD, by=sponsor)
        with world.at_work(independent):
            confirm_planned_unblinding(password=world.PASSWORD, by=independent)
    with world.at_work(world.SETUP):
        content = table(PEOPLE).decode()
        for n, number in enumerate(Participant.objects.order_by("number").values_list("number", flat=True)):
            content = content.replace(f"\n{n:08},", f"\n{number},")
        frozen = Snapshot(
            made_by="test", protocol_version=version(), content=content.encode(), sha256=digest(content.encode()), dictionary=[],
            participants=PEOPLE, rows=3 * PEOPLE, after_lock=True,
        )  # fmt: skip
        frozen.save(force_insert=True)
    return frozen, independent


def run(snapshot: Snapshot, by: Person, kind: str) -> ComparativeRun:
    with world.at_work(by):
        started = comparative.start_run(snapshot=snapshot, kind=kind, by=by)
    tasks.execute(str(started.pk))
    with world.at_work(by):
        return ComparativeRun.objects.get(pk=started.pk)


def signed_in(username: str, unblinded: bool = False) -> Client:
    client = Client()
    address = "/unblinded/login/" if unblinded else "/login/"
    assert client.post(address, {"username": username, "password": world.PASSWORD}).status_code == 302
    return client


def pretend_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the treatment side and the records would say of each person."""

    def followed() -> Any:
        exposed: dict[uuid.UUID, Exposure] = {}
        admitted: dict[uuid.UUID, Admissions] = {}
        for n, (key, arm) in enumerate(
            Allocation.objects.order_by("participant__number").values_list("participant", "arm")
        ):
            if arm == "imr":
                exposed[key] = Exposure(f"g{n % 2}", 10 + n, n % 3 > 0)
            admitted[key] = Admissions(n % 3 == 0, n, n % 4 == 0, 2 * n)
        return exposed, {"g0": GroupFidelity("high"), "g1": GroupFidelity("moderate")}, admitted

    monkeypatch.setattr(assembly, "followed", followed)


def test_all_outcomes_on_the_real_arms_and_on_every_dashboard_after_the_release(
    unblinded: tuple[Snapshot, Person],
) -> None:
    snapshot, independent = unblinded
    done = run(snapshot, independent, "scales")
    assert (done.state, done.failure) == ("succeeded", [])
    with world.at_work(independent):
        arms = dict(Allocation.objects.values_list("participant__number", "arm"))
    lines = bytes(done.extract).decode().splitlines()
    assert dict(line.split(",")[:2] for line in lines[1:]) == arms
    counted = {(d["arm"], d["visit"]): d["summary"] for d in done.result["outcomes"][0]["analysis"]["descriptives"]}
    for arm in ("imr", "cau"):
        one = counted[arm, "T1"]
        assert one["n"] + one["missing"] == list(arms.values()).count(arm)
    assert done.result["admissions"]["any"]["odds_ratio"]["reason"] == "event_constant", (
        "looked up, and nobody was admitted"
    )
    page = signed_in("independent", unblinded=True)
    text = page.get(f"/unblinded/analysis/{done.pk}/").content.decode()
    assert "Fake arm" not in text
    assert page.get(f"/unblinded/analysis/{done.pk}/outcomes/cses/").status_code == 200
    assert page.get(f"/unblinded/analysis/{done.pk}/outcomes/nothing/").status_code == 404
    assert page.get(f"/unblinded/analysis/{done.pk}/?format=csv")["Content-Type"].startswith("text/csv")
    assert "All outcomes" in page.get("/unblinded/").content.decode()
    program = Program(independent)
    told = program.get(f"/unblinded/api/analysis/{done.pk}/").json()["parts"]
    assert next(one for one in told if one["kind"] == "result")["sentence"]
    with world.at_work(independent):
        assert LedgerEntry.objects.filter(what="comparative result opened").count() == 4  # a program's reading too
    taken = page.get(f"/unblinded/analysis/{done.pk}/?format=arms")
    assert taken.content == bytes(done.extract)
    with world.at_work(independent):
        assert LedgerEntry.objects.filter(what="comparative extract taken", subject=str(done.pk)).count() == 1
        row = comparative.release_result(run=done, by=independent)
    world.make_user("somebody", "coordinator", "rotterdam")
    coordinator = signed_in("somebody")
    first = coordinator.get("/").content.decode()
    assert "At T3, 18 months, IMR Scale, client version" in first
    assert "Results: all outcomes" in first
    for address in ("", f"{row.pk}/", f"{row.pk}/?format=csv", f"{row.pk}/?format=json", f"{row.pk}/outcomes/mspss/"):
        assert coordinator.get(f"/analysis/results/{address}").status_code == 200, address
    assert coordinator.get(f"/analysis/results/{row.pk}/outcomes/nothing/").status_code == 404
    assert b"participant,arm" not in coordinator.get(f"/analysis/results/{row.pk}/?format=arms").content
    assert page.get(f"/unblinded/analysis/results/{row.pk}/outcomes/mspss/").status_code == 200
    assert program.get(f"/unblinded/api/analysis/results/{row.pk}/outcomes/mspss/").status_code == 200
    assert program.get("/unblinded/api/").status_code == 200


def test_published_comparisons_need_sessions_and_say_so(
    unblinded: tuple[Snapshot, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "followed", lambda: ({}, {}, {}))
    done = run(*unblinded, "published")
    assert done.state == "failed"
    assert "Nobody's sessions are known" in done.failure[0]


def test_released_published_comparisons_stay_off_first_pages(
    unblinded: tuple[Snapshot, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, independent = unblinded
    pretend_sessions(monkeypatch)
    done = run(snapshot, independent, "published")
    assert (done.state, done.failure) == ("succeeded", [])
    header = bytes(done.extract).decode().splitlines()[0]
    assert header == (
        "participant,arm,group,attended,completed,fidelity_band,admitted_before,days_before,admitted_after,days_after,event_visit,entry"
    )
    assert [c["classes"] for c in done.result["comparisons"]] == [["completed"], ["high", "moderate"]]
    with world.at_work(independent):
        row = comparative.release_result(run=done, by=independent)
    assert row.title == "Non-randomized comparisons, as published"
    manager = signed_in("datamanager")
    assert LABEL not in manager.get("/").content.decode()
    assert "not randomized" in manager.get("/analysis/results/").content.decode()
    assert LABEL in manager.get(f"/analysis/results/{row.pk}/").content.decode()
    own = signed_in("independent", unblinded=True)
    assert LABEL not in own.get("/unblinded/").content.decode()
    assert LABEL in own.get(f"/unblinded/analysis/{done.pk}/").content.decode()
    confirm = own.get(f"/unblinded/analysis/{done.pk}/release/").content.decode()
    assert LABEL in confirm


def test_admissions_on_the_real_arms_are_estimated_where_records_are_joined(
    unblinded: tuple[Snapshot, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_sessions(monkeypatch)
    done = run(*unblinded, "scales")
    found = done.result["admissions"]
    assert found["any"]["n"] == PEOPLE
    assert found["any"]["odds_ratio"]["estimate"] is not None
    assert found["days"]["experimental"]["n"] + found["days"]["reference"]["n"] == PEOPLE


def test_the_kind_is_chosen_on_the_page_and_guarded_by_the_database(unblinded: tuple[Snapshot, Person]) -> None:
    snapshot, independent = unblinded
    page = signed_in("independent", unblinded=True)
    assert page.post("/unblinded/analysis/new/", {"kind": "nothing"}).status_code == 422
    started = page.post("/unblinded/analysis/new/", {"kind": "scales"})
    assert started.status_code == 302
    with world.at_work(independent):
        assert [r.kind for r in ComparativeRun.objects.all()] == ["scales"]
        with pytest.raises(Refused, match="nothing for this analysis"):
            comparative.start_run(snapshot=snapshot, kind="looks", by=independent)
    with world.at_work(independent), pytest.raises(DatabaseError, match="comparativerun_kind"):
        ComparativeRun(
            kind="looks", snapshot_id=snapshot.pk, snapshot_sha256=snapshot.sha256, spec={}, seed=1, code_version="x",
            environment_hash="x", created_by="x",
        ).save(force_insert=True)  # fmt: skip


def test_a_canceled_run_goes_on_from_its_parts_and_not_when_the_join_has_changed(
    unblinded: tuple[Snapshot, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, independent = unblinded
    pretend_sessions(monkeypatch)

    def stopped() -> ComparativeRun:
        """Shared out, one part done, canceled."""
        with world.at_work(independent):
            one = comparative.start_run(snapshot=snapshot, kind="scales", by=independent)
        with monkeypatch.context() as patch:
            patch.setattr(fanout, "_help", lambda *_args: None)
            tasks.execute(str(one.pk))
        tasks.part(str(one.pk), "outcome imrs_client")
        with world.at_work(independent):
            comparative.cancel_run(run=one, by=independent)
            return ComparativeRun.objects.get(pk=one.pk)

    def gone_on(one: ComparativeRun) -> ComparativeRun:
        with world.at_work(independent):
            made = comparative.resume_run(run=one, by=independent)
            assert comparative.resume_run(run=one, by=independent).pk == made.pk
        tasks.execute(str(made.pk))
        with world.at_work(independent):
            return ComparativeRun.objects.get(pk=made.pk)

    first = stopped()
    assert first.state == "cancelled"
    done = gone_on(first)
    assert (done.state, done.failure, done.extract_sha256) == ("succeeded", [], first.extract_sha256)
    with world.at_work(independent):
        names = ComparativePart.objects.filter(run=done).values_list("name", flat=True)
        assert "outcome imrs_client" not in set(names)
        assert LedgerEntry.objects.filter(what="comparative run started", subject=str(done.pk)).exists()
    with world.at_work(world.SETUP), pytest.raises(DatabaseError, match="permission denied"):
        ComparativePart.objects.count()
    second = stopped()
    monkeypatch.setattr(assembly, "followed", lambda: ({}, {}, {}))
    changed = gone_on(second)
    assert changed.state == "failed"
    assert "has changed since this analysis began" in changed.failure[0]
