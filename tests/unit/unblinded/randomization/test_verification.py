"""The replay by the program and by the stand-alone verifier: they agree, and both catch what was changed."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests import world
from tests.unit.unblinded.randomization.allocated import ARMS, MINIMIZED, allocations, opened, randomized, unblind
from tests.unit.unblinded.randomization.test_pages import AT, shown, signed_in
from trial.core import db, side
from trial.core.errors import Refused
from trial.participants.tasks import VERIFY_TASK, sweep_requests
from trial.unblinded.randomization import actions, schemes, verifier
from trial.unblinded.randomization.models import Reveal
from trial.unblinded.randomization.tasks import verify

VERIFIER = Path(verifier.__file__)


def verified(export: Path | None = None) -> tuple[str, int]:
    """What the command says, and its exit status."""
    out = StringIO()
    try:
        call_command("verify_allocation", *(["--export", str(export)] if export else []), stdout=out)
    except SystemExit as ended:
        return out.getvalue(), int(str(ended.code))
    return out.getvalue(), 0


def outside(*words: str) -> tuple[str, int]:
    """What the stand-alone program says: another process, without anything of ours."""
    run = subprocess.run(
        [sys.executable, "-I", "-S", str(VERIFIER), *words], capture_output=True, text=True, check=False, cwd="/"
    )
    return run.stdout, run.returncode


def test_the_verifier_stays_short_and_needs_python_only() -> None:
    lines = VERIFIER.read_text().splitlines()
    assert len(lines) < 100
    assert not any("trial." in line or "django" in line for line in lines)


def test_nothing_is_revealed_before_planned_unblinding(database: psycopg.Connection[Any]) -> None:
    opened(world.blocks(5))
    with pytest.raises(CommandError, match="after planned unblinding has been confirmed"):
        call_command("verify_allocation")
    irma = world.person(world.make_user("irma", "independent"))
    with world.at_work(irma), pytest.raises(Refused, match="after planned unblinding"):
        actions.order_verification(by=irma)
    with (
        side.allocator(),
        db.unit_of_work(by=actions.ALLOCATOR),
        pytest.raises(Exception, match="nothing is revealed before"),
    ):
        Reveal(order_id="0" * 32, version=1, allocations=0, differences=[], content={}, sha256="").save(
            force_insert=True
        )


@pytest.mark.parametrize(
    "scheme",
    [world.blocks(5, 10), schemes.BlockUrn(ARMS, 2), MINIMIZED],
    ids=["blocks", "urn", "minimization"],
)
def test_both_agree_and_both_catch_one_changed_allocation(
    database: psycopg.Connection[Any], tmp_path: Path, scheme: schemes.Scheme
) -> None:
    opened(scheme)
    made = randomized(9)
    assert [one.number for one in made] == list(range(1, 10))
    assert made[0].levels == {"age_band": "30-39", "sex": "female", "site": made[0].site, "team": made[0].stratum}
    unblind(database)
    export = tmp_path / "allocation.json"
    said, status = verified(export)
    assert (status, "9 allocations agree" in said) == (0, True), said
    committed = database.execute("select sha256 from participants_commitment").fetchone()[0]  # type: ignore[index]
    assert outside(str(export), committed) == ("9 allocations agree with the commitment.\n", 0)
    assert outside(str(export), "0" * 64)[1] == 1
    other = {"imr": "cau", "cau": "imr"}[made[4].arm]
    with database.transaction():
        database.execute("set local session_replication_role = replica")
        database.execute("update unblinded_allocation set arm = %s where number = 5", [other])
    changed = tmp_path / "changed.json"
    said, status = verified(changed)
    assert (status, f"Allocation 5: {other}, due {made[4].arm}." in said) == (1, True), said
    said, status = outside(str(changed), committed)
    assert (status, said) == (1, f"Allocation 5: {other}, due {made[4].arm}.\n")


def test_a_changed_commitment_and_a_changed_share_are_caught(database: psycopg.Connection[Any], tmp_path: Path) -> None:
    opened(world.blocks(5))
    randomized(2)
    unblind(database)
    with database.transaction():
        database.execute("set local session_replication_role = replica")
        database.execute("update participants_commitment set sha256 = %s", ["1" * 64])
    export = tmp_path / "allocation.json"
    said, status = verified(export)
    assert (status, "not what was committed" in said) == (1, True)
    assert outside(str(export)) == ("The reveal is not what was committed.\n", 1)
    with database.transaction():
        database.execute("set local session_replication_role = replica")
        database.execute("update dropbox_seed_share set receipt = %s", ["2" * 64])
    assert "not those of the receipts" in verified()[0]


def test_a_slot_that_was_skipped_is_caught(database: psycopg.Connection[Any], tmp_path: Path) -> None:
    """Whoever skips a slot until a better one comes leaves every arm as it was drawn."""
    opened(world.blocks(5))
    made = randomized(2, teams=1)
    unblind(database)
    with database.transaction():
        database.execute("set local session_replication_role = replica")
        database.execute(
            "update unblinded_allocation set position = 3, arm = (select arm from concealed_slot where stratum = %s and position = 3)"
            " where number = 2",
            [made[0].stratum],
        )
    export = tmp_path / "allocation.json"
    said, status = verified(export)
    assert (status, "Allocation 2: slot 3, next was 2." in said) == (1, True)
    assert outside(str(export)) == ("Allocation 2: slot 3, next was 2.\n", 1)


def test_the_independent_statistician_orders_it_and_takes_it_along(
    database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    opened(world.blocks(5))
    randomized(2)
    world.make_user("ursula", "datamanager_unblinded")
    ursula = signed_in("ursula")
    assert ursula.get(f"{AT}verification/").status_code == 403
    unblind(database)
    irma = signed_in("irma")
    assert "Verify the allocation" in shown(irma, f"{AT}verification/")
    for _press in range(2):
        assert irma.post(f"{AT}verification/").status_code == 302
    assert database.execute("select count(*) from unblinded_verification_order").fetchone() == (1,)
    assert "answers within a minute" in shown(irma, f"{AT}verification/")
    verify()
    verify()
    assert database.execute("select count(*) from unblinded_reveal").fetchone() == (1,)
    assert "Every allocation is the one" in shown(irma, f"{AT}verification/")
    key = database.execute("select id from unblinded_reveal").fetchone()[0]  # type: ignore[index]
    export = tmp_path / "allocation.json"
    export.write_bytes(irma.get(f"{AT}verification/{key}.json").content)
    assert json.loads(export.read_text())["allocations"][0]["order"] == 1
    program = tmp_path / "verifier.py"
    program.write_bytes(irma.get(f"{AT}verification/verifier.py").content)
    assert program.read_text() == VERIFIER.read_text()
    assert outside(str(export))[1] == 0


def test_minimization_keeps_its_places_concealed_and_in_turn(database: psycopg.Connection[Any]) -> None:
    opened(MINIMIZED)
    randomized(3)
    rows = database.execute("select number, arm, levels from concealed_draw order by number").fetchall()
    assert rows == [(one.position, one.arm, one.levels) for one in allocations()]
    assert database.execute("select count(*) from concealed_slot").fetchone() == (0,)
    with pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
        database.execute("update concealed_draw set place = 1")


SENT: list[tuple[str, str]] = []


def keep(queue: str, name: str, args: Any) -> None:
    """A broker that remembers what it was given."""
    SENT.append((queue, name))


def test_the_sweep_asks_the_allocator_whether_or_not_anything_was_ordered(
    database: psycopg.Connection[Any], settings: Any
) -> None:
    settings.TASK_SENDER = f"{__name__}.keep"
    SENT.clear()
    opened(world.blocks(5))
    sweep_requests()
    assert SENT == []
    unblind(database)
    sweep_requests()
    assert SENT == [("allocation", VERIFY_TASK)]
    assert verify.task_name == VERIFY_TASK  # type: ignore[attr-defined]
