"""The final analysis spends what looks left, and says so on every page; the open side rehearses all looks, and knows how far the trial is."""

import io
import json
from hashlib import sha256
from typing import Any

import pandas as pd
import psycopg
import pytest

from analysis.plans.queries import version_or_none
from analysis.pooled import actions as pooled
from analysis.pooled import tasks as pooled_tasks
from analysis.pooled.models import PooledRun
from analysis.runs import looks as pure
from analysis.snapshots.actions import make_snapshot
from analysis.snapshots.models import Snapshot
from analysis.unblinded import actions as comparative
from analysis.unblinded.looks import queries as looks
from analysis.unblinded.papers import final as final_paper
from analysis.unblinded.papers import sections
from tests import world
from tests.unit.analysis.looks_world import compute, plan_with, put_into_force, who
from tests.unit.analysis.runs.test_runs import unblind
from tests.unit.analysis.unblinded.test_looks import ask, begin, begin_asked, signed_in, text
from trial.core import clock, ids
from trial.core.errors import Refused
from trial.participants.models import Release


@pytest.fixture(autouse=True)
def _quiet(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    monkeypatch.setattr(pure, "FEWEST", 2)


def wider_snapshot(factor: float) -> None:
    """Frozen data with more spread, and so less information, than those that the trial has: as if they were earlier."""
    with world.at_work(world.SETUP):
        row = Snapshot.objects.get(pk=make_snapshot(by=world.SETUP).pk)
        table = pd.read_csv(io.BytesIO(bytes(row.content)), dtype=str, keep_default_na=False)
        for column in ("bdi", "bdi_baseline"):
            table[column] = [f"{float(value) * factor}" if value else "" for value in table[column]]
        content = table.to_csv(index=False).encode()
        row.pk, row.content, row.sha256, row.made_at = ids.new(), content, sha256(content).hexdigest(), clock.now()
        row.save(force_insert=True)


def test_the_final_analysis_spends_what_is_left(played: psycopg.Connection[Any]) -> None:
    put_into_force(plan_with())
    wider_snapshot(1.3)
    first = compute(begin("early"))
    assert (first.state, first.failure) == ("succeeded", []), first.failure
    wider_snapshot(1.1)
    second = compute(begin_asked(ask(who("dmc"), blind=False)))
    assert (second.state, second.failure) == ("succeeded", []), second.failure
    third = begin("late")
    snapshot, irma = unblind()
    with world.at_work(irma), pytest.raises(Refused, match="still running"):
        comparative.start_run(snapshot=snapshot, kind="plan", by=irma)
    with world.at_work(irma):
        comparative.cancel_run(run=third, by=irma)
    with pytest.raises(Refused, match="no more looks"):
        begin("late")
    with world.at_work(irma):
        run = comparative.start_run(snapshot=snapshot, kind="plan", by=irma)
    done = compute(run)
    final = done.result["final"]
    assert final["problems"] == []
    assert [one["number"] for one in final["held"]] == [1, 2]
    assert final["bound"] > final["without"]["bound"]
    page = text(signed_in("independent"), f"/unblinded/analysis/{run.pk}/")
    for words in (
        "After the looks before the end",
        "spends all that is left",
        "Without look 2 (not planned)",
        "in the order of stages",
    ):
        assert words in page, words
    with world.at_work(irma), pytest.raises(Refused, match="recommendation and nothing else"):
        comparative.release_result(run=second, by=irma)
    with world.at_work(irma):
        row: Release = comparative.release_result(run=done, by=irma)
    assert "After the looks before the end" in text(signed_in("statistician"), f"/analysis/results/{row.pk}/")
    with world.at_work(irma):
        told = json.dumps([sections.result_blocks(done, done.spec), final_paper._looks(version_or_none(), [done])])
    for words in ("How much rests on the model", "Allowing for the looks, p", "Look 2 (not planned)"):
        assert words in told, words
    assert told.count("the final analysis spends all that is left") == 2, "beside the result, and among the looks"


def run_of(kind: str, snapshot: Snapshot, stan: Any) -> PooledRun:
    """A run of the open side, to its end."""
    with world.at_work(stan):
        run = pooled.start_run(snapshot=snapshot, kind=kind, by=stan)
    pooled_tasks.execute(str(run.pk))
    with world.at_work(stan):
        return PooledRun.objects.get(pk=run.pk)


def test_the_open_side_rehearses_every_look_and_knows_how_far_the_trial_is(played: psycopg.Connection[Any]) -> None:
    stan = who("statistician")
    put_into_force(plan_with())
    with world.at_work(world.SETUP):
        snapshot = make_snapshot(by=world.SETUP)
    runs = {"pooled": run_of("pooled", snapshot, stan)}
    for _lot in range(8):  # some lots put too few of these few people into an arm at a look
        runs["look"] = run_of("look", snapshot, stan)
        if runs["look"].state == "succeeded":
            break
    assert {kind: (run.state, run.failure) for kind, run in runs.items()} == dict.fromkeys(runs, ("succeeded", []))
    client = signed_in("statistician")
    fake = text(client, f"/analysis/{runs['look'].pk}/")
    assert "Fake arm: people were put into arms by lot" in fake
    # which of the two the lot decides: of so few people a later look may hold less information than an earlier one
    ends = ("The looks before the end spent", "This analysis has no bound of its own.")
    assert any(f"Rehearsal on a fake arm, no result: {words}" in fake for words in ends)
    for words in ("Look 1 (early)", "Look 2 (late)", "Look 3 (never)", "Final analysis"):
        assert words in fake, words
    with world.at_work(who("independent")):
        assert looks.earlier() == [], "what a rehearsal spends is no look"
    pooled_page = text(client, f"/analysis/{runs['pooled'].pk}/")
    assert "Share of it" in pooled_page
    assert "Participants needed with that outcome" in pooled_page
    put_into_force(plan_with(None, title="Without looks"))
    with world.at_work(stan), pytest.raises(Refused, match="nothing for this analysis"):
        pooled.start_run(snapshot=snapshot, kind="look", by=stan)
