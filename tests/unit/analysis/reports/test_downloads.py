"""What can be taken from the page of a rehearsal of the plan, and by whom."""

import csv
import io
import json
import re
from typing import Any

import psycopg
import pytest
from django.test import Client

from analysis.methods.canonical import digest
from analysis.plans import actions as plans
from analysis.plans.reading import load
from analysis.pooled import actions, tasks
from analysis.pooled.models import PooledRun
from analysis.runs.compute import numbers_of
from analysis.runs.rehearsal import fake_join
from analysis.snapshots.models import Snapshot
from tests import world
from tests.unit.analysis.runs.all_outcomes import table
from tests.unit.analysis.runs.test_parts import few
from trial.protocol.queries import version


@pytest.fixture
def run(database: psycopg.Connection[Any], settings: Any, monkeypatch: pytest.MonkeyPatch) -> PooledRun:
    """A finished rehearsal of the plan on a small snapshot, with fewer replicates."""
    few(monkeypatch.setattr)
    settings.TASK_SENDER = "tests.unit.analysis.runs.test_runs.nowhere"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    world.open_trial()
    content = table()
    with world.at_work(world.SETUP):
        plans.load_plan(plan=load(world.ROOT / "protocols" / "imr", world.read("imr")), by=world.SETUP)
        snapshot = Snapshot(
            made_by="test", protocol_version=version(), content=content, sha256=digest(content), dictionary=[],
            participants=44, rows=132, after_lock=False,
        )  # fmt: skip
        snapshot.save(force_insert=True)
        made = actions.start_run(snapshot=snapshot, kind="plan", by=world.SETUP)
    tasks.execute(str(made.pk))
    with world.at_work(world.SETUP):
        return PooledRun.objects.get(pk=made.pk)


def signed_in(role: str) -> Client:
    world.make_user(f"a_{role}", role)
    client = Client()
    assert client.post("/login/", {"username": f"a_{role}", "password": world.PASSWORD}).status_code == 302
    return client


def test_everything_that_the_page_offers_is_there(run: PooledRun) -> None:
    assert (run.state, run.failure) == ("succeeded", [])
    statistician, monitor = signed_in("statistician"), signed_in("monitor")
    page = statistician.get(f"/analysis/{run.pk}/").content.decode()
    addresses = {one.replace("&amp;", "&") for one in re.findall(r'href="(\?format=[^"]+)"', page)}
    assert {"?format=csv", "?format=json", "?format=r", "?format=arms"} <= addresses
    figures = sorted(one for one in addresses if "svg&figure=" in one)
    assert len(figures) == len([one for one in addresses if "csv&figure=" in one]) == 13
    for address in addresses:
        answer = statistician.get(f"/analysis/{run.pk}/{address}")
        assert answer.status_code == 200, address
        name = answer["Content-Disposition"]
        assert "fake-arm" in name, "a file of a rehearsal says so in its name"
    kept = statistician.get(f"/analysis/{run.pk}/?format=json").json()
    assert kept["arms"].startswith("fake")
    assert kept["record"]["result_sha256"] == run.result_sha256
    assert kept["result"] == json.loads(json.dumps(run.result))
    drawing = statistician.get(f"/analysis/{run.pk}/{figures[0]}")
    assert drawing["Content-Type"].startswith("image/svg+xml")
    assert drawing.content.startswith(b"<svg")
    for form in ("svg", "csv"):
        assert statistician.get(f"/analysis/{run.pk}/?format={form}&figure=figure-none").status_code == 404

    program = statistician.get(f"/analysis/{run.pk}/?format=r").content.decode()
    arms = statistician.get(f"/analysis/{run.pk}/?format=arms")
    assert re.findall(r'read\("([^"]+)"\)', program)[1] in arms["Content-Disposition"]
    rows = {row["participant"]: row["arm"] for row in csv.DictReader(io.StringIO(arms.content.decode()))}
    drawn = fake_join(numbers_of(table()), run.seed, run.spec)
    assert rows == {number: one.arm for number, one in drawn.items()}

    seen = monitor.get(f"/analysis/{run.pk}/").content.decode()
    assert "?format=json" in seen
    assert "?format=arms" not in seen, "study numbers are for those who may have the snapshot"
    assert b"participant,arm" not in monitor.get(f"/analysis/{run.pk}/?format=arms").content
