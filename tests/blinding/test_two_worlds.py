"""Small random trials: whatever the blinded login reads is the same, whoever was allocated to what."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analysis.reports.models import Report
from analysis.unblinded.models import ComparativeRun
from analysis.unblinded.papers.models import ClosedPaper
from tests.blinding.leaks.planting import statement
from tests.blinding.one_database import reset
from tests.blinding.worlds import Pair, pair
from trial.config.leakcheck.data import Seen, look
from trial.config.leakcheck.script import Script, play
from trial.config.leakcheck.world import SETUP
from trial.core import db, side

ONE, OTHER = b"one world", b"another world"


def both(owner: psycopg.Connection[Any], script: Script) -> tuple[Seen, Seen, dict[str, str], dict[str, str]]:
    seen, arms = [], []
    for seed in (ONE, OTHER):
        reset(owner)
        arms.append(play(script, seed).arms)
        seen.append(look(catalog=False))
    return seen[0], seen[1], arms[0], arms[1]


@pytest.fixture(scope="module")
def worlds() -> Iterator[Pair]:
    """Two trials that differ behind the wall, played once; leaks are planted in copies of them."""
    with pair(Script(people=14, seed=3, reports=True)) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_broker(settings: Any) -> None:
    settings.TASK_SENDER = f"{__name__}.nowhere"


def nowhere(queue: str, name: str, args: Any) -> None:
    """Takes the message and forgets it."""


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
    phases=[Phase.generate],  # a world is small already, and a smaller one would take minutes to find
)
@given(script=st.builds(Script, people=st.integers(1, 6), seed=st.integers(0, 2**32)))
def test_two_worlds_look_the_same_to_the_blinded_login(database: psycopg.Connection[Any], script: Script) -> None:
    one, other, _arms, _others = both(database, script)
    assert one.differences(other) == {}


def test_the_open_report_is_the_same_bytes_in_both_worlds(worlds: Pair) -> None:
    """Its document, its PDF and what each is called; the closed reports of the same moment differ."""
    open_ones, closed_ones = [], []
    for _world in worlds.each():
        with side.opened(), db.unit_of_work(by=db.System("test")):
            report = Report.objects.get()
            open_ones.append((report.result_sha256, report.content_sha256, report.pdf))
        with side.unblinded(), db.unit_of_work(by=db.System("test")):
            closed_ones.append(ClosedPaper.objects.get().result_sha256)
    assert open_ones[0][2].startswith(b"%PDF")
    assert open_ones[0] == open_ones[1]
    assert closed_ones[0] != closed_ones[1]


def test_the_worlds_do_differ_behind_the_wall(worlds: Pair) -> None:
    seen, asked = [], []
    for _world in worlds.each():
        seen.append(look(catalog=False))
        with side.unblinded(), db.unit_of_work(by=SETUP):
            asked.append(ComparativeRun.objects.filter(kind="look").count())
    one, other = seen
    assert sorted(asked) == [0, 1], "a look before the end in one world only"
    assert worlds.played[0].arms.keys() == worlds.played[1].arms.keys()
    assert worlds.of_other_arm()
    assert len(one.tables["participants_participant"]) >= 8
    assert one.differences(other) == {}


def test_a_coordinator_who_sees_allocations_moves_nothing_on_the_open_side(database: psycopg.Connection[Any]) -> None:
    """Of both sites one has a single person: what that person writes is open, and equal in both worlds."""
    one, other, arms, others = both(database, Script(people=14, seed=3, seen_at=("rotterdam",)))
    assert arms != others
    assert len(one.tables["participants_participant"]) >= 8
    assert any("site staff" in row for row in one.tables["participants_randomizationrequest"])
    assert one.differences(other) == {}


@pytest.mark.parametrize(
    ("plant", "table"),
    [
        ("update protocol_site set name = name || (select count(*) from unblinded_allocation where arm = 'imr')", "protocol_site"),
        ("update core_user set full_name = full_name || (select count(*) from unblinded_ledger)", "core_user"),
        ("update core_user set full_name = md5((select string_agg(allocation_id::text, '' order by id) from unblinded_member))", "core_user"),
        ("update core_user set full_name = full_name || (select count(*) from unblinded_admission)", "core_user"),
        ("update participants_recordsstate set day = day + (select count(*)::int from unblinded_admission)", "participants_recordsstate"),
        ("update core_user set full_name = md5((select string_agg(attended::text, ' ' order by id) from unblinded_completion))", "core_user"),
        ("update core_user set full_name = md5((select string_agg(id::text, '' order by id) from unblinded_fidelity_consensus))", "core_user"),
        ("update participants_screeningentry set age_band = '50-59' where id in (select p.screening_id from participants_participant p"
         " join unblinded_allocation a on a.participant_id = p.id where a.arm = 'imr')", "participants_screeningentry"),
        ("insert into core_history(at, login, actor, action, reason, table_name, operation, row_id)"
         " select '2025-01-01', 'x', 'x', 'x', '', 'x', 'INSERT', 'x' from unblinded_allocation where arm = 'imr'", "core_history"),
    ],
)  # fmt: skip
def test_a_planted_leak_is_caught(worlds: Pair, plant: str, table: str) -> None:
    seen = []
    for _world in worlds.each():
        with statement(plant):
            seen.append(look(catalog=False))
    assert list(seen[0].differences(seen[1])) == [table]


@pytest.mark.proof
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.builds(Script, people=st.integers(1, 20), seed=st.integers(0, 2**32)))
def test_many_random_worlds_look_the_same(database: psycopg.Connection[Any], script: Script) -> None:
    one, other, _arms, _others = both(database, script)
    assert one.differences(other) == {}
