"""The worlds of the teaching plan: which, until when, and that a look is held, judged and told as people would do it."""

import dataclasses
from typing import Any

import psycopg
import pytest

from analysis.plans.definition import Look as Planned
from analysis.plans.reading import load
from analysis.pooled.models import PooledRun
from analysis.runs import looks as pure
from analysis.unblinded.models import Look, LookResult, LooksSignature
from analysis.unblinded.papers.models import ClosedPaper
from tests import world
from tests.unit.analysis.looks_world import BY_CALENDAR, plan_with, put_into_force, who
from tests.unit.analysis.runs.conftest import played
from trial.config.worlds import closing, imr, looks, planning, stage
from trial.config.worlds.plan import calendar
from trial.core import clock, side
from trial.participants.models import Release

__all__ = ["played"]


def test_the_running_world_stops_when_the_first_look_is_due_and_nobody_has_begun_it() -> None:
    until = imr.milestones(imr.WORLDS["imr-interim"])
    assert until[-1][0] == calendar.FIRST_LOOK
    assert not [act for _at, act in until if getattr(act, "func", None) in (looks.hold, looks.judge)]
    at_end = imr.milestones(imr.WORLDS["imr-interim-end"])
    assert [at for at, _act in at_end] == sorted(at for at, _act in at_end)
    held = [(act.func.__name__, *act.args) for _at, act in at_end if getattr(act, "args", ())]
    codes = [one.code for one in load(world.ROOT / "protocols" / "imr-interim", world.read("imr")).looks.looks]  # type: ignore[union-attr]
    assert held == [(name, code) for code in codes for name in ("hold", "judge")]
    assert set(looks.REASONS) == set(codes)
    assert next(at for at, act in at_end if act is closing.lock) > max(
        at for at, act in at_end if getattr(act, "func", None) is looks.judge
    )
    for plain in ("imr", "imr-end"):
        assert not [act for _at, act in imr.milestones(imr.WORLDS[plain]) if hasattr(act, "func")]


def test_a_look_is_held_judged_and_told(
    played: psycopg.Connection[Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    monkeypatch.setattr(pure, "FEWEST", 2)
    half = dataclasses.replace(BY_CALENDAR, looks=(Planned("half", 1), Planned("three_quarters", 600)))
    put_into_force(plan_with(half))
    with clock.frozen(clock.now()):
        closing.rehearse(only=("pooled", "look"))
        for _twice in range(2):
            looks.hold("half")
            looks.judge("half")
    with world.at_work(who("statistician")):
        assert {run.kind: run.state for run in PooledRun.objects.all()} == {"pooled": "succeeded", "look": "succeeded"}
        assert [row.payload["recommendation"] for row in Release.objects.filter(kind="recommendation")] == ["continue"]
    with world.at_work(who("independent")):
        assert [one.look.code for one in LookResult.objects.all()] == ["half"]
        assert Look.objects.get().recommendations.get().signatures.count() == 2
        assert {one.state for one in ClosedPaper.objects.all()} == {"succeeded"}


def test_the_plan_of_a_world_is_signed_and_its_looks_are_countersigned(database: psycopg.Connection[Any]) -> None:
    world.open_trial("imr")
    stage.make_accounts([site.code for site in world.read("imr").sites])
    for _twice in range(2):
        planning.plan(world.ROOT / "protocols" / "imr-interim")
    with side.unblinded(), world.at_work(who("independent")):
        assert LooksSignature.objects.count() == 1
