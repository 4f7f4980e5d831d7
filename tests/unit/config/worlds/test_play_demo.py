"""The running demo world: people at every point of the way, work for everybody, and nothing real."""

from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from assessments.visits.queries import assigned_participants, visit_lines
from tests import world
from trial.config.management.commands.play_demo import start_over
from trial.config.worlds import imr, stage
from trial.config.worlds.generator import Synthetic
from trial.core import clock
from trial.protocol.loader import load
from trial.protocol.queries import current

IMR = load(world.ROOT / "protocols" / "imr")


def column(owner: psycopg.Connection[Any], query: str) -> list[Any]:
    return [row[0] for row in owner.execute(query).fetchall()]  # type: ignore[arg-type]


def test_the_world_has_work_for_everybody(
    empty: psycopg.Connection[Any], folder_of_worlds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(imr.Play, "_register", _stop)
        with pytest.raises(KeyboardInterrupt):
            call_command("play_demo", world="imr")
    assert not (folder_of_worlds / "imr" / "complete").exists()
    call_command("play_demo", world="imr")
    assert (folder_of_worlds / "imr" / "complete").exists()
    assert abs(float((folder_of_worlds / "imr" / "clock_offset").read_text())) > 0
    outcomes = Counter(column(empty, "select outcome from participants_screeningentry"))
    assert set(outcomes) == {"in_screening", "eligible", "registered", "excluded", "declined"}
    assert 35 <= outcomes["registered"] <= 45
    assert len(set(column(empty, "select team_id from participants_participant"))) == 14
    assert len(set(column(empty, "select site_id from participants_participant"))) == 2
    ready = "select count(*) from participants_participant where baseline_completed_at is not null and randomized_at is null"
    assert column(empty, ready) == [3]
    states = _states_of("interviewer")
    assert {s for v, s in states if v == "T2"} == {"upcoming", "due", "overdue", "window_closed", "done"}
    assert ("T1", "due") in states
    assert {("T3", "overdue"), ("T3", "done"), ("T3", "missed"), ("T3", "upcoming")} <= set(states)
    assert column(empty, "select count(*) from visits_visitoutcome where outcome = 'reopened'") == [2]
    assert column(empty, "select kind || ' ' || state from pooled_pooledrun order by 1") == [
        "fake succeeded",
        "pooled succeeded",
    ]
    assert column(empty, "select count(*) from snapshots_snapshot") == [2]
    newest = "select count(*) from pooled_pooledrun where snapshot_id = (select id from snapshots_snapshot order by made_at desc limit 1)"
    assert column(empty, newest) == [0]
    assert column(empty, "select count(*) from unblinded_comparative_run") == [0]
    accounts = set(column(empty, "select username from core_user"))
    assert accounts == {name for name, *_rest in stage.ACCOUNTS}


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def _states_of(username: str) -> Counter[tuple[str, str]]:
    someone = stage.person(username)
    with world.at_work(someone), clock.frozen(imr.END):
        lines = visit_lines(assigned_participants(someone), current(), clock.today())
    return Counter((line.visit.code, line.state.value) for line in lines)


def test_a_complete_world_is_left_alone(empty: psycopg.Connection[Any], folder_of_worlds: Path) -> None:
    stage.world_folder("imr")
    (folder_of_worlds / "imr" / "complete").touch()
    call_command("play_demo", world="imr")
    assert column(empty, "select count(*) from core_history") == [0]


def test_no_trial_of_anybody_else_is_emptied(empty: psycopg.Connection[Any], folder_of_worlds: Path) -> None:
    world.open_trial("imr")
    before = column(empty, "select count(*) from core_history")
    with pytest.raises(CommandError, match="no player began"):
        call_command("play_demo", world="imr")
    assert column(empty, "select count(*) from core_history") == before


def test_no_accounts_of_anybody_else_are_emptied(empty: psycopg.Connection[Any]) -> None:
    world.make_user("admin", "admin")
    with pytest.raises(CommandError, match="no player began"):
        start_over()
    assert column(empty, "select username from core_user") == ["admin"]


def test_never_in_a_real_trial(empty: psycopg.Connection[Any], folder_of_worlds: Path, settings: Any) -> None:
    settings.SCRATCH = settings.DEMO = False
    with pytest.raises(CommandError, match="demo and scratch"):
        call_command("play_demo", world="imr")
    assert column(empty, "select count(*) from core_history") == [0]


def test_another_world_is_refused_by_name(folder_of_worlds: Path) -> None:
    with pytest.raises(CommandError, match="run is no demo world"):
        call_command("play_demo", world="run")


@pytest.mark.parametrize("instrument", IMR.instruments, ids=lambda i: i.code)
def test_synthetic_answers_fit_their_items(instrument: Any) -> None:
    answered = 0
    for seed in range(20):
        given, missing = Synthetic(seed).answers(instrument, 1, imr.END.date(), "declined")
        assert set(given) | set(missing) == {i.code for i in instrument.items if not (i.kind == "text" and i.optional)}
        assert not set(given) & set(missing)
        for code, text in given.items():
            item = instrument.item(code)
            if item.is_numeric:
                low, high = item.limits
                assert low <= float(text) <= high
        answered += len(given)
        assert Synthetic(seed).answers(instrument, 1, imr.END.date(), "declined") == (given, missing)
    assert answered > 15 * len(instrument.items)
