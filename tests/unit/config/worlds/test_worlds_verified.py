"""Both demo worlds, each on a copy: every seal fits, every allocation replays, and whatever is changed is found. Long: `make proof` runs it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.conf import settings

from tests import database as server
from tests.unit.config.worlds.shared import played
from tests.unit.core.history.test_seal import command
from tests.unit.unblinded.randomization.allocated import unblind
from tests.unit.unblinded.randomization.test_verification import outside, verified
from trial.config.management.commands.verify_history import HISTORIES
from trial.core import db, side
from trial.core.history.sealed import verified as read_again
from trial.core.history.tasks import seal_concealed, seal_open, seal_unblinded

pytestmark = pytest.mark.proof

Owner = psycopg.Connection[Any]


@pytest.fixture(scope="module", params=["imr-end", "btheb"])
def copy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """The owner's connection to a copy of a played world, on which this process works meanwhile; sealed, and unblinded as planned."""
    world = played(request.param, tmp_path_factory.mktemp("var"))
    name, before = f"equipoise_verified_{request.param.replace('-', '_')}", settings.DATABASES["owner"]["NAME"]
    _copy(name, world["OWNER_DATABASE_URL"].rpartition("/")[2].partition("?")[0])
    db.turn_to(name)
    try:
        with psycopg.connect(server.environment_of(name)["OWNER_DATABASE_URL"], autocommit=True) as owner:
            if not owner.execute("select 1 from unblinded_planned_unblinding").fetchone():
                unblind(owner)
            for seal in (seal_open, seal_unblinded, seal_concealed):
                seal()
            yield owner
    finally:
        db.turn_to(before)
        server.drop(name)


def _copy(name: str, world: str) -> None:
    """Another worker may be reading the world at this moment: a database in use is not copied."""
    for _attempt in range(120):
        try:
            server.clone(name, world)
            return
        except psycopg.errors.ObjectInUse:
            time.sleep(1)
    raise AssertionError(f"{world} was in use all the time")


def test_every_history_is_as_it_was_sealed(copy: Owner) -> None:
    said = command()
    assert "Every sealed line is as it was sealed." in said
    assert said.count(" 0 not sealed yet;") == len(HISTORIES)
    assert " 0 lines" not in said


FAULTS = {
    "one byte": ("update {t} set action = overlay(action placing '~' from 3) where id = {middle}", "altered"),
    "one byte of the first line": ("update {t} set row_id = overlay(row_id placing '~' from 1) where id = {first}", "altered"),
    "removed": ("delete from {t} where id = {middle}", "removed"),
    "added": (
        "insert into {t}(id, {columns}) select {first} - 1, {columns} from {t} where id = {middle}", "added",
    ),
    "reordered": (
        "update {t} set id = -9 where id = {middle}; update {t} set id = {middle} where id = {other}; update {t} set id = {other} where id = -9",
        "reordered",
    ),
    "a seal": (
        "set local session_replication_role = replica; update {t}_seal set at = at + interval '1 microsecond' where number = 1", "seal",
    ),
}  # fmt: skip
COLUMNS = "at, login, actor, action, reason, table_name, operation, row_id, site, old, new, salt"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("history", HISTORIES)
def test_one_change_of_a_history_is_found(copy: Owner, history: str, fault: str) -> None:
    source, seals = (apps.get_model(name) for name in HISTORIES[history])
    table, (statement, kind) = source._meta.db_table, FAULTS[fault]
    first, middle, other = _lines(copy, table)
    changed = statement.format(t=table, first=first, middle=middle, other=other, columns=COLUMNS)
    with side.owner(), db.atomic():
        with db.cursor() as c:
            c.execute(changed)
        found = read_again(source, seals).findings
        db.rollback_at_end()
    assert {one.kind for one in found} == {kind}
    assert len(found) == (2 if kind == "reordered" else 1)


def _lines(owner: Owner, table: str) -> tuple[int, int, int]:
    """The first line, one in the middle that an action wrote, and the one after it."""
    middle = (
        f"select id from {table} where id >= (select min(id) + (max(id) - min(id)) / 2 from {table})"
        " and length(action) > 3 order by id limit 2"
    )
    (first,) = owner.execute(f"select min(id) from {table}").fetchone() or (0,)  # type: ignore[arg-type]
    one, other = [row[0] for row in owner.execute(middle).fetchall()]  # type: ignore[arg-type]
    return first, one, other


def test_every_allocation_replays_and_one_changed_arm_is_found(copy: Owner, tmp_path: Path) -> None:
    """By the program and by the stand-alone script, of each sequence; in the database, and in what was taken along."""
    allocations = copy.execute("select count(*) from unblinded_allocation").fetchone()
    good = _exports(tmp_path / "good", status=0)
    assert sum(len(json.loads(file.read_text())["allocations"]) for file in good) == (allocations or (0,))[0] > 0
    for file in good:
        assert outside(str(file), _committed(copy, file))[1] == 0, file
    number, arm = copy.execute(
        "select number, arm from unblinded_allocation order by number offset 40 limit 1"
    ).fetchone() or (0, "")
    (other,) = copy.execute("select min(arm) from unblinded_allocation where arm <> %s", [arm]).fetchone() or ("",)
    _set_arm(copy, number, other)
    try:
        bad = _exports(tmp_path / "bad", status=1)
        said = [outside(str(file), _committed(copy, file)) for file in bad]
    finally:
        _set_arm(copy, number, arm)
    assert sorted(status for _said, status in said) == [0] * (len(bad) - 1) + [1]
    assert any(f"Allocation {number}: {other}, due {arm}." in words for words, _status in said)
    assert [outside(str(file), "0" * 64)[1] for file in good] == [1] * len(good)


def _exports(folder: Path, *, status: int) -> list[Path]:
    folder.mkdir()
    said, ended = verified(folder / "allocation.json")
    assert ended == status, said
    return sorted(folder.iterdir())


def _committed(owner: Owner, export: Path) -> str:
    """The commitment that was public before the first participant."""
    version = json.loads(export.read_text())["version"]
    (sha256,) = owner.execute(
        "select sha256 from participants_commitment where version = %s", [version]
    ).fetchone() or ("",)
    return str(sha256)


def _set_arm(owner: Owner, number: int, arm: str) -> None:
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        owner.execute("update unblinded_allocation set arm = %s where number = %s", [arm, number])
