"""What a snapshot names; the same rows as Parquet; and what changed between two, for those who may read it."""

import datetime as dt
import io

import fastparquet
import psycopg
import pytest
from django.test import Client

from analysis.plans.actions import load_plan
from analysis.plans.plain import plain_plan
from analysis.snapshots.actions import make_snapshot
from analysis.snapshots.differences import Changed, differences
from analysis.snapshots.models import Snapshot
from analysis.snapshots.parquet import as_parquet, numeric_columns
from tests import world
from tests.unit.analysis.runs.all_outcomes import table
from trial.core import clock
from trial.core.history.actions import seal_history
from trial.protocol.queries import version

HEADER = "participant,site,visit,bdi\n"
BEFORE = (HEADER + "1,a,T1,10\n1,a,T2,\n2,b,T1,7\n").encode()
AFTER = (HEADER.replace("bdi", "bdi,new") + "1,a,T1,11,x\n1,a,T2,5,x\n3,b,T1,7,x\n").encode()


def test_differences_by_column_and_site_and_value_by_value() -> None:
    found = differences(BEFORE, AFTER)
    assert found.changed == (Changed("a", "1", "T1", "bdi", "10", "11"), Changed("a", "1", "T2", "bdi", "", "5"))
    assert found.by_column_and_site() == {("bdi", "a"): 2}
    assert (found.people_added, found.people_gone) == (("3",), ("2",))
    assert (found.columns_added, found.columns_gone) == (("new",), ())
    assert differences(BEFORE, BEFORE).is_empty
    assert not found.is_empty


def test_parquet_holds_the_same_rows_with_their_types_in_the_same_bytes() -> None:
    content, numbers = table(6), numeric_columns(world.read("imr"))
    made = as_parquet(content, numbers, {"csv_sha256": "abc"})
    assert made == as_parquet(content, numbers, {"csv_sha256": "abc"})
    file = fastparquet.ParquetFile(io.BytesIO(made))
    assert file.key_value_metadata["csv_sha256"] == "abc"
    back = file.to_pandas()
    lines = content.decode().splitlines()
    assert list(back.columns) == lines[0].split(",")
    assert len(back) == len(lines) - 1
    first = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert back["bsi"].dtype == "float64"
    assert back["bsi"][0] == float(first["bsi"])
    assert back["participant"][0] == first["participant"]
    assert back["bsi"].isna().sum() == sum(
        line.split(",")[lines[0].split(",").index("bsi")] == "" for line in lines[1:]
    )


@pytest.fixture
def two(database: psycopg.Connection[object]) -> tuple[Snapshot, Snapshot]:
    """A snapshot of nobody that names plan and seal, and a later one with rows; a value of which changed once more."""
    world.open_trial()
    for name, role in (("stan", "statistician"), ("dana", "datamanager"), ("mona", "monitor")):
        world.make_user(name, role)
    made = []
    with world.at_work(world.SETUP) as by:
        load_plan(plan=plain_plan(world.read("imr")), by=by)
        seal_history(by=by)
        named = make_snapshot(by=by)
        assert (named.plan_number, len(named.plan_sha256), named.seal_number, len(named.seal_head)) == (1, 64, 1, 64)
        for n, text in enumerate((BEFORE, AFTER)):
            one = Snapshot(
                made_by="test", protocol_version=version(), content=text, sha256=f"{n}" * 64, dictionary=[], participants=2, rows=3,
                after_lock=False, made_at=clock.now() + dt.timedelta(hours=n + 1),
            )  # fmt: skip
            one.save(force_insert=True)
            made.append(one)
    return made[0], made[1]


def test_the_page_what_changed_and_the_download(two: tuple[Snapshot, Snapshot]) -> None:
    before, after = two
    changes = f"/analysis/snapshots/{after.pk}/since/{before.pk}/"
    for name, status in (("stan", 200), ("dana", 200), ("mona", 403)):
        client = Client()
        client.post("/login/", {"username": name, "password": world.PASSWORD})
        assert client.get(changes).status_code == status
        assert client.get(f"/analysis/snapshots/{after.pk}.parquet").status_code == status
    client = Client()
    client.post("/login/", {"username": "stan", "password": world.PASSWORD})
    shown = client.get(changes).content.decode()
    assert "By column and site" in shown
    assert "New participants" in shown
    assert client.get(f"{changes}?format=csv").content.decode("utf-8-sig").splitlines()[1] == "bdi,a,2"
    assert client.get(f"/analysis/snapshots/{before.pk}/since/{after.pk}/").status_code == 404
    page = client.get(f"/analysis/snapshots/{after.pk}/").content.decode()
    assert changes in page
    assert "not sealed yet" in page
    same = client.get(f"/analysis/snapshots/{after.pk}.parquet")
    assert same.content[:4] == b"PAR1"
    assert same["Content-Disposition"].endswith('.parquet"')
