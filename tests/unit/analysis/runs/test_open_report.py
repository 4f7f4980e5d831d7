"""The open report: made once by a worker, the same bytes for the same data, read by those who see pooled figures and by nobody else."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError
from django.test import Client

from analysis.methods.canonical import digest, encode
from analysis.pooled import actions as pooled
from analysis.pooled import tasks as pooled_tasks
from analysis.pooled.papers import actions, tasks
from analysis.reports.models import Report
from analysis.reports.papers.asked import synthetic_words
from analysis.reports.papers.typesetting import pdf
from analysis.snapshots.actions import make_snapshot
from tests import world
from trial.core import db, side
from trial.core.access import Person
from trial.core.errors import Refused
from trial.protocol.queries import current

SECTIONS = [
    "Recruitment", "Flow of participants", "Visits", "Participants at baseline", "Missing scores", "Primary outcome, pooled", "Serious events",
]  # fmt: skip


@pytest.fixture
def statistician(played: psycopg.Connection[Any]) -> Person:
    """Twelve patients of Beat the Blues; and the trial statistician."""
    return world.person(world.make_user("stan", "statistician"))


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.TASK_SENDER = "tests.unit.analysis.runs.test_runs.nowhere"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def frozen(by: Person) -> None:
    with world.at_work(by):
        make_snapshot(by=by)


def asked(by: Person) -> Report:
    with world.at_work(by):
        return actions.start_report(by=by)  # type: ignore[no-any-return]


def seen(report: Report) -> Report:
    with world.at_work(world.SETUP):
        return Report.objects.get(pk=report.pk)


def signed_in(username: str) -> Client:
    client = Client()
    assert client.post("/login/", {"username": username, "password": world.PASSWORD}).status_code == 302
    return client


def test_a_report_is_made_once_and_its_pdf_is_that_of_its_document(statistician: Person) -> None:
    with world.at_work(statistician), pytest.raises(Refused, match="make a snapshot"):
        actions.start_report(by=statistician)
    with world.at_work(statistician):
        run = pooled.start_run(snapshot=make_snapshot(by=statistician), kind="pooled", by=statistician)
    pooled_tasks.execute(str(run.pk))
    report = asked(statistician)
    assert asked(statistician).pk == report.pk  # a double click
    tasks.make(str(report.pk))
    done = seen(report)
    assert (done.state, done.failure) == ("succeeded", [])
    assert [one["title"] for one in done.document["sections"]] == SECTIONS
    assert done.result_sha256 == digest(encode(done.document))
    content = done.pdf
    assert content.startswith(b"%PDF")
    assert content.count(b"/StructTreeRoot"), "tagged"
    assert done.content_sha256 == sha256(content).hexdigest()
    assert pdf(done.document, sha256=done.result_sha256, made_at=done.created_at) == content
    tasks.make(str(report.pk))
    assert (seen(report).attempt, seen(report).finished_at) == (1, done.finished_at)
    assert asked(statistician).pk != report.pk
    text = encode(done.document).decode()
    assert "BtheB" not in text
    assert "TAU" not in text


def test_who_reads_and_who_makes(statistician: Person) -> None:
    frozen(statistician)
    report = asked(statistician)
    for role in ("datamanager", "monitor", "investigator", "sponsor", "interviewer", "coordinator"):
        world.make_user(f"{role}_reads", role, world.read("btheb").sites[0].code)
    assert "Waiting" in signed_in("stan").get(f"/analysis/reports/{report.pk}/").content.decode()
    assert signed_in("stan").get(f"/analysis/reports/{report.pk}.pdf").status_code == 404
    tasks.make(str(report.pk))
    for name in ("stan", "datamanager_reads", "monitor_reads", "investigator_reads", "sponsor_reads"):
        client = signed_in(name)
        assert "Open report" in client.get("/analysis/reports/").content.decode()
        page = client.get(f"/analysis/reports/{report.pk}/").content.decode()
        assert seen(report).result_sha256 in page
        answer = client.get(f"/analysis/reports/{report.pk}.pdf")
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"] == (
            f'attachment; filename="open-report-{seen(report).result_sha256[:12]}.pdf"'
        )
        may_make = name in ("stan", "datamanager_reads")
        assert (client.get("/analysis/reports/new/").status_code == 200) is may_make
        assert ("Make an open report" in client.get("/analysis/reports/").content.decode()) is may_make
    for name in ("interviewer_reads", "coordinator_reads"):
        client = signed_in(name)
        assert client.get(f"/analysis/reports/{report.pk}/").status_code == 403
        assert client.get(f"/analysis/reports/{report.pk}.pdf").status_code == 403
    monitor = replace(statistician, roles=frozenset({("monitor", "*")}))
    with world.at_work(monitor), pytest.raises(Refused):
        actions.start_report(by=monitor)


def test_a_page_makes_one_and_cancels_it(statistician: Person) -> None:
    frozen(statistician)
    client = signed_in("stan")
    answer = client.post("/analysis/reports/new/")
    client.post(f"{answer['Location']}cancel/")
    assert "Cancel" in client.get(answer["Location"]).content.decode()
    with world.at_work(world.SETUP):
        assert Report.objects.get().state == "cancelled"


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("update reports_report set content = 'x', content_sha256 = repeat('0', 64)", "digest is not of this PDF"),
        ("update reports_report set state = 'succeeded', result = '{}', result_sha256 = 'x', finished_at = now()", "report_pdf_iff_done"),
        ("update reports_report set kind = 'closed'", "permission denied"),
        ("update reports_report set created_by = 'x'", "permission denied"),
        ("delete from reports_report", "permission denied"),
    ],
)  # fmt: skip
def test_the_database_refuses_what_no_action_does(statistician: Person, statement: str, constraint: str) -> None:
    frozen(statistician)
    asked(statistician)
    with pytest.raises(DatabaseError, match=constraint), world.at_work(statistician), db.cursor() as cursor:
        cursor.execute(statement)


def test_a_finished_report_does_not_change_and_the_other_side_does_not_reach_it(statistician: Person) -> None:
    frozen(statistician)
    report = asked(statistician)
    tasks.make(str(report.pk))
    with pytest.raises(DatabaseError, match="has ended does not change"), world.at_work(statistician):
        actions.keep_pdf(report_id=report.pk, content=b"x", sha256=sha256(b"x").hexdigest(), by=statistician)
    with pytest.raises(DatabaseError, match="permission denied"), side.unblinded(), db.unit_of_work(by=world.SETUP):
        Report.objects.count()
    with pytest.raises(DatabaseError, match="permission denied"), world.at_work(statistician), db.cursor() as cursor:
        cursor.execute("select count(*) from unblinded_report")


def test_nobody_asks_in_another_s_name(statistician: Person) -> None:
    frozen(statistician)
    report = asked(statistician)
    with pytest.raises(DatabaseError, match="own name"), world.at_work(statistician):
        Report(
            kind="open", spec=report.spec, seed=0, code_version="x", environment_hash="x", created_by="somebody"
        ).save(force_insert=True)


def test_a_demo_world_says_of_its_data_what_they_are(statistician: Person, settings: Any) -> None:
    """Those of Beat the Blues were published: they are no synthetic data."""
    with world.at_work(statistician):
        assert synthetic_words(replace(current(), notice="")) == ""
        assert synthetic_words(current()).startswith("Published data")
        assert synthetic_words(replace(current(), anchor_date=None)).startswith("Synthetic data. Published")
        settings.DEMO = True
        assert synthetic_words(replace(current(), notice="", anchor_date=None)).startswith("Synthetic data")
