"""Reports by arm: who makes and reads them and when, what stands in them, and that the final one passes the gate as it is."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from analysis.methods.canonical import encode
from analysis.snapshots.actions import make_snapshot
from analysis.snapshots.models import Snapshot
from analysis.unblinded import actions as comparative
from analysis.unblinded.papers import actions, sections, tasks
from analysis.unblinded.papers.arms import coded, what_reveals
from analysis.unblinded.papers.consort import ITEMS, item_table
from analysis.unblinded.papers.construction import Held, sentence
from analysis.unblinded.papers.models import ArmLabels, ClosedPaper
from tests import world
from tests.unit.analysis.unblinded.test_comparative_outcomes import (
    _quick,
    pretend_sessions,
    run,
    signed_in,
    unblinded,
)
from trial.core import clock, db, side
from trial.core.access import Person
from trial.core.errors import Refused
from trial.participants.actions import request_randomization
from trial.participants.models import Release
from trial.protocol.models import Team
from trial.unblinded.disclosure.models import LedgerEntry

__all__ = ["_quick", "unblinded"]

ARMS = ("IMR and care as usual", "Care as usual")
AT = dt.datetime(2025, 1, 6, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def running(database: psycopg.Connection[Any], settings: Any) -> Person:
    """Four randomized people of a trial that goes on, with a snapshot; a member and the chair of the committee; the independent statistician."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with clock.frozen(AT):
        world.open_trial()
        independent, *_others = (world.person(world.make_user(role, role)) for role in ("independent", "dmc", "chair"))
        for n in range(4):
            clock.move_to(AT + dt.timedelta(days=n + 1))
            with world.at_work(world.SETUP):
                person = world.ready_to_randomize(world.SETUP, Team.objects.order_by("code")[0])
                request = request_randomization(participant=person, by=world.SETUP)
            clock.move_to(AT + dt.timedelta(days=n + 1, minutes=1))
            world.randomize(request)
        with world.at_work(world.SETUP):
            make_snapshot(by=world.SETUP)
    return independent


def closed(by: Person, labels: str = "") -> ClosedPaper:
    with world.at_work(by):
        asked = actions.start_closed(labels=labels, by=by)
    return made(asked, by)


def made(report: ClosedPaper, by: Person) -> ClosedPaper:
    tasks.make(str(report.pk))
    with world.at_work(by):
        done = ClosedPaper.objects.get(pk=report.pk)
    assert (done.state, done.failure) == ("succeeded", [])
    return done


def opened(by: Person) -> list[str]:
    with world.at_work(by):
        return list(
            LedgerEntry.objects.filter(what__endswith="report opened").order_by("at").values_list("what", flat=True)
        )


# --- closed -----------------------------------------------------------------------------------------------------------


def test_labels_are_fixed_once_and_coded_ones_say_what_gives_them_away(running: Person) -> None:
    with world.at_work(running), pytest.raises(Refused, match="Choose how"):
        actions.start_closed(by=running)
    first = closed(running, "coded")
    second = closed(running, "real")  # once fixed they stay
    assert second.spec["labels"] == first.spec["labels"]
    text = encode(first.document).decode()
    assert not any(name in text for name in ARMS)
    assert "allocated 3 : 2" in text
    assert "Sessions, attendance and completion exist for the arm" in text
    assert "This row exists for one arm alone" in text
    assert "Unblinded side" in first.document["side"]
    assert [one["title"] for one in first.document["sections"]] == [
        "The arms in this report", "Recruitment", "Flow of participants by arm", "Completeness by arm", "Participants at baseline, by arm",
        "Serious events by arm", "Treatment received", "Looks",
    ]  # fmt: skip
    assert "compares none" in text


def test_the_committee_reads_and_each_opening_is_in_the_ledger(running: Person) -> None:
    report = closed(running, "real")
    assert all(name in encode(report.document).decode() for name in ARMS)
    address = f"/unblinded/analysis/reports/{report.pk}"
    for name in ("dmc", "chair", "independent"):
        client = signed_in(name, unblinded=True)
        assert ("Read the closed report" in client.get("/unblinded/").content.decode()) is (name != "independent")
        assert "Closed report" in client.get("/unblinded/analysis/reports/").content.decode()
        assert report.result_sha256 in client.get(f"{address}/").content.decode()
        answer = client.get(f"{address}.pdf")
        assert answer.content == report.pdf
        assert answer["Content-Disposition"] == f'attachment; filename="closed-report-{report.result_sha256[:12]}.pdf"'
        assert "Read the closed report" not in client.get("/unblinded/").content.decode()
        assert (client.get("/unblinded/analysis/reports/closed/").status_code == 200) is (name == "independent")
    assert opened(running) == ["closed report opened"] * 6
    world.make_user("mina", "monitor_unblinded")
    world.make_user("stan", "statistician")
    assert signed_in("mina", unblinded=True).get(f"{address}/").status_code == 403
    assert signed_in("stan").get(f"{address}.pdf").status_code in (302, 403)
    assert opened(running) == ["closed report opened"] * 6


def test_a_page_asks_for_the_labels_the_first_time(running: Person) -> None:
    client = signed_in("independent", unblinded=True)
    there = "/unblinded/analysis/reports/closed/"
    assert client.post(there, {"labels": ""}).status_code == 422
    answer = client.post(there, {"labels": "coded"})
    assert client.post(f"{answer['Location']}cancel/").status_code == 302
    assert 'name="labels"' not in client.get(there).content.decode()
    with world.at_work(running):
        assert ClosedPaper.objects.get().state == "cancelled"
        assert ArmLabels.objects.get().labels == "coded"
    assert "fixed" not in client.post("/unblinded/analysis/reports/final/", follow=True).content.decode()


def test_the_database_refuses_what_no_action_does(running: Person) -> None:
    asked = {"spec": {}, "seed": 0, "code_version": "x", "environment_hash": "x", "created_by": running.actor_id}
    with pytest.raises(DatabaseError, match="follows the choice of labels"), world.at_work(running):
        ClosedPaper(kind="closed", **asked).save(force_insert=True)
    with pytest.raises(DatabaseError, match="follows planned unblinding"), world.at_work(running):
        ClosedPaper(kind="final", **asked).save(force_insert=True)
    with (
        pytest.raises(DatabaseError, match="independent statistician reports"),
        side.unblinded(),
        db.unit_of_work(by=world.SETUP),
    ):
        ClosedPaper(kind="closed", **{**asked, "created_by": world.SETUP.actor_id}).save(force_insert=True)
    with pytest.raises(DatabaseError, match="sets the labels"), side.unblinded(), db.unit_of_work(by=world.SETUP):
        ArmLabels(labels="real", first="imr", set_by=world.SETUP.actor_id).save(force_insert=True)
    with world.at_work(running), pytest.raises(Refused, match="follows planned unblinding"):
        actions.start_final(by=running)
    report = closed(running, "real")
    with pytest.raises(DatabaseError, match="own name"), side.unblinded(), db.unit_of_work(by=world.SETUP):
        ClosedPaper(kind="closed", **asked).save(force_insert=True)
    with pytest.raises(DatabaseError, match="permission denied"), world.at_work(running), db.cursor() as cursor:
        cursor.execute("update unblinded_report_labels set labels = 'coded'")
    with pytest.raises(DatabaseError, match="has ended does not change"), world.at_work(running):
        ClosedPaper.objects.filter(pk=report.pk).update(content=None, content_sha256="")
    with world.at_work(running), pytest.raises(Refused, match="for the committee"):
        actions.release_report(report=report, by=running)
    for table in ("unblinded_report", "unblinded_report_labels"):
        with pytest.raises(DatabaseError, match="permission denied"), world.at_work(world.SETUP), db.cursor() as cursor:
            cursor.execute(f"select count(*) from {table}")


# --- final ------------------------------------------------------------------------------------------------------------


def test_the_final_report_is_made_of_what_was_released_and_passes_the_gate_as_it_is(
    unblinded: tuple[Snapshot, Person], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    snapshot, by = unblinded
    pretend_sessions(monkeypatch)
    runs = [run(snapshot, by, kind) for kind in ("plan", "published")]
    with world.at_work(by), pytest.raises(Refused, match="release its result"):
        actions.start_final(by=by)
    with world.at_work(by):
        for one in runs:
            comparative.release_result(run=one, by=by)
        asked = actions.start_final(by=by)
    report = made(asked, by)
    assert [one["kind"] for one in report.spec["runs"]] == ["plan", "published"]
    titles = [one["title"] for one in report.document["sections"]]
    assert titles == [
        "How the data were made", "Summary", "Methods", "Flow of participants by arm", "Participants at baseline, by arm", "Treatment received",
        "Result by the analysis plan: IMR Scale, client version", "Sensitivity", "Serious events by arm", "Deaths",
        "Deviations and errors of randomization", "Success of the blind", "Non-randomized comparisons", "Looks", "Who read comparative data",
        "CONSORT 2025, item by item",
    ]  # fmt: skip
    text = encode(report.document).decode()
    assert report.document["synthetic"].startswith("Synthetic data. ")
    assert "put in by construction" in text
    assert "neither confirms nor repeats" in text
    assert "No p-values" in text
    assert all(one.result_sha256 in text for one in runs)
    separate = report.document["sections"][titles.index("Non-randomized comparisons")]["blocks"][0]
    assert separate["kind"] == "note"
    assert "formed by what happened after randomization" in separate["text"]

    client = signed_in("independent", unblinded=True)
    assert "Release the final report" in client.get("/unblinded/").content.decode()
    page = client.get(f"/unblinded/analysis/reports/{report.pk}/").content.decode()
    assert "Release this report" in page
    world.make_user("dmc", "dmc")
    assert signed_in("dmc", unblinded=True).get(f"/unblinded/analysis/reports/{report.pk}/").status_code == 404
    there = client.post(f"/unblinded/analysis/reports/{report.pk}/release/")["Location"]
    with world.at_work(by):
        row = Release.objects.get(payload__spec__kind="report")
    assert there.endswith(f"{row.pk}/")
    assert "Release this report" not in client.get(f"/unblinded/analysis/reports/{report.pk}/").content.decode()
    assert "The final report has been released" in client.get("/unblinded/").content.decode()
    world.make_user("stan", "statistician")
    reader = signed_in("stan")
    assert "Final report" in reader.get("/").content.decode()
    assert report.result_sha256 in reader.get(f"/analysis/results/{row.pk}/").content.decode()
    assert reader.get(f"/analysis/results/{row.pk}.pdf").content == report.pdf
    with world.at_work(by):
        other = Release.objects.exclude(pk=row.pk).first()
    assert other is not None
    assert reader.get(f"/analysis/results/{other.pk}.pdf").status_code == 404


# --- words ------------------------------------------------------------------------------------------------------------


def test_coded_arms_keep_their_codes_and_neither_name_nor_order() -> None:
    protocol = world.read("imr")
    for first in ("imr", "cau"):
        renamed = coded(protocol, first)
        assert [arm.name for arm in renamed.arms] == ["Arm A", "Arm B"]
        assert renamed.arms[0].code == first
        assert not any(arm.description for arm in renamed.arms)
    assert len(what_reveals(protocol)) == 3
    assert what_reveals(world.read("btheb")) == []


def test_every_item_of_consort_is_answered_or_said_to_be_missing() -> None:
    numbers = {one.number.rstrip("abcd") for one in ITEMS}
    assert numbers == {str(n) for n in range(1, 31)}
    assert len({one.number for one in ITEMS}) == len(ITEMS)
    rows = {str(row[0]): str(row[2]) for row in item_table().rows}
    assert rows["5a"] == "Not in this report"
    assert rows["25"] == "Section Participants at baseline, by arm"


def test_published_effects_are_said_to_be_inside_only_where_they_are() -> None:
    good = [Held("One", 0.34, 0.33, 0.1, 0.5), Held("Two", 0.52, 0.5, 0.2, 0.8)]
    assert sentence(good).startswith("Both published effects lie inside")
    for bad in (Held("Two", 0.52, 0.3, 0.1, 0.5), Held("Two", 0.52, -0.1, -0.9, 0.7)):
        assert sentence([good[0], bad]).startswith("Not every published effect")


def test_looks_stand_as_the_last_of_them_knew_them() -> None:
    one = {
        "number": 1,
        "code": "half",
        "planned": True,
        "information": 40.5,
        "fraction": 0.405,
        "z": 1.2,
        "bound": 2.96,
        "alpha": 0.00305,
    }
    other = {**one, "number": 2, "code": "", "planned": False, "z": 1.9, "bound": None}
    held = [SimpleNamespace(result={"look": {"held": [one]}}), SimpleNamespace(result={"look": {"held": [one, other]}})]
    rows = sections.looks_table(held).rows
    assert [row[0] for row in rows] == ["Look 1 (half)", "Look 2 (not planned)"]
    assert list(rows[1][1:]) == ["40.5", 0.405, 1.9, None, 0.00305]
    assert not sections.looks_table([]).rows
    assert not sections.looks_table([SimpleNamespace(result={})]).rows
