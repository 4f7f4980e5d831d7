"""The command that plays a world: from an empty database, again after it was cut off, and never over somebody's trial."""

import datetime as dt
import io
import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests import world
from trial.config.management.commands.play_demo import start_over
from trial.config.worlds import imr, pair, stage
from trial.config.worlds.plan import events
from trial.config.worlds.plan.calendar import BEGIN
from trial.config.worlds.plan.script import script
from trial.unblinded.randomization.actions import LOCK

FIRST_WEEKS = BEGIN + dt.timedelta(days=36)


def column(owner: psycopg.Connection[Any], query: str) -> list[Any]:
    return [row[0] for row in owner.execute(query).fetchall()]  # type: ignore[arg-type]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world that stops after five weeks."""
    monkeypatch.setitem(imr.WORLDS, "imr", imr.World(FIRST_WEEKS))


def test_cut_off_it_begins_anew(
    empty: psycopg.Connection[Any], folder_of_worlds: Path, thin: Path, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"world": "imr", "protocol": thin, "processes": 1}
    with monkeypatch.context() as patch:
        patch.setattr(imr.Play, "_randomize", _stop)
        with pytest.raises(KeyboardInterrupt):
            call_command("play_demo", **options)
    assert not (folder_of_worlds / "imr" / "complete").exists()
    call_command("play_demo", **options)
    assert (folder_of_worlds / "imr" / "complete").exists()
    assert abs(float((folder_of_worlds / "imr" / "clock_offset").read_text())) > 0
    planned = sum(isinstance(e, events.Randomized) and e.at <= FIRST_WEEKS for e in script())
    assert column(empty, "select count(*) from unblinded_allocation") == [planned]
    assert planned >= 3


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def test_an_allocation_that_is_not_the_planned_one_stops_the_play(
    empty: psycopg.Connection[Any], thin: Path, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, *rows = imr.allocation.as_csv().splitlines()
    arms = [row.rpartition(",")[2] for row in rows]
    places = [row.rpartition(",")[0] for row in rows]
    # each block of five the other way round: still a list of the declared scheme
    turned_arms = [arm for start in range(0, len(arms), 5) for arm in reversed(arms[start : start + 5])]
    turned = "\n".join([head, *(f"{place},{arm}" for place, arm in zip(places, turned_arms, strict=True))]) + "\n"
    monkeypatch.setattr(imr.allocation, "as_csv", lambda: turned)
    with pytest.raises(CommandError, match="not the one of the plan"):
        pair.play_alone("imr", thin, thin, print)


def test_without_its_second_process_a_play_stops(
    empty: psycopg.Connection[Any], thin: Path, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair.sys, "executable", "/bin/false")
    with pytest.raises(CommandError, match="the other site has ended"):
        pair.play("imr", thin, thin, print)


def test_without_the_first_the_second_plays_nothing(empty: psycopg.Connection[Any], thin: Path, short: None) -> None:
    said = io.StringIO()
    with pytest.raises(CommandError, match="first site has ended"):
        pair.play_second("imr", thin, "dordrecht", io.StringIO(""), said)
    assert said.getvalue() == "here\n"
    assert column(empty, "select count(*) from core_history") == [0]


def test_each_kind_of_event_is_played() -> None:
    kinds = {type(event) for event in script()}
    played = set(imr.Play(world.read("imr"), ("rotterdam",), print).handlers)
    assert kinds == played


def test_a_play_holds_back_the_allocator_only_while_somebody_is_randomized() -> None:
    """Or the two players would wait for each other for ever."""
    with psycopg.connect(os.environ["ALLOCATOR_DATABASE_URL"], autocommit=True) as other, stage.played(BEGIN, 1):
        other.execute("set lock_timeout = '200ms'")
        other.execute("select pg_advisory_lock(%s)", [LOCK])
        other.execute("select pg_advisory_unlock(%s)", [LOCK])
        with stage.alone(), pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("select pg_advisory_lock(%s)", [LOCK])


def test_a_complete_world_is_left_alone(empty: psycopg.Connection[Any], folder_of_worlds: Path) -> None:
    stage.world_folder("imr-end")
    (folder_of_worlds / "imr-end" / "complete").touch()
    call_command("play_demo", world="imr-end")
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
    for options in ({}, {"site": "dordrecht"}):
        with pytest.raises(CommandError, match="demo and scratch"):
            call_command("play_demo", world="imr", **options)
    assert column(empty, "select count(*) from core_history") == [0]


def test_another_world_is_refused_by_name(folder_of_worlds: Path) -> None:
    with pytest.raises(CommandError, match="run is no demo world"):
        call_command("play_demo", world="run")
