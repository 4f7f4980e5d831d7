"""The sensitivity set without errors of randomization: open flags from the snapshot, the secret kind from the join."""

from typing import Any

import psycopg
import pytest

from analysis.pooled.models import PooledRun
from analysis.reports.people import source_of
from analysis.runs import compute
from analysis.runs.joined import Joined, as_csv
from analysis.runs.people import EVERYBODY, WITHOUT_ERRORS, left_out, without
from analysis.snapshots.actions import make_snapshot
from analysis.snapshots.models import Snapshot
from analysis.unblinded.assembly import join
from tests import world
from tests.unit.unblinded.randomization.allocated import opened, randomized
from trial.core import clock
from trial.participants.randomization import actions as open_errors
from trial.unblinded.randomization import actions

CONTENT = (
    b"participant,visit,randomization_errors\n1,T1,\n1,T2,\n2,T1,duplicate+too_early\n2,T2,duplicate+too_early\n3,T1,\n"
)
JOINED = {"1": Joined("imr"), "2": Joined("cau"), "3": Joined("imr", wrong_treatment=True)}
ASKED: dict[str, Any] = {"people": WITHOUT_ERRORS}


def test_who_is_left_out() -> None:
    assert left_out(CONTENT, JOINED, {}) == []
    assert left_out(CONTENT, JOINED, {"people": EVERYBODY}) == []
    assert left_out(CONTENT, JOINED, ASKED) == ["2", "3"]
    assert left_out(b"participant,visit\n1,T1\n", {}, ASKED) == [], "a snapshot from before there were flags"
    assert without(CONTENT, ["2", "3"]) == b"participant,visit,randomization_errors\n1,T1,\n1,T2,\n"
    assert without(CONTENT, []) is CONTENT


def test_the_analysis_gets_those_who_are_in(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes, dict[str, str]]] = []

    def analyzed(content: bytes, arms: Any, frozen: Any, watch: Any) -> dict[str, Any]:
        seen.append((content, dict(arms)))
        return {"analyses": {}}

    monkeypatch.setattr(compute, "comparative", analyzed)
    assert compute.computed(CONTENT, JOINED, {}) == {"analyses": {}}
    assert compute.computed(CONTENT, JOINED, ASKED) == {"analyses": {}, "left_out": 2}
    assert seen[0] == (CONTENT, {"1": "imr", "2": "cau", "3": "imr"})
    assert seen[1] == (without(CONTENT, ["2", "3"]), {"1": "imr"})


def test_a_join_without_such_an_event_keeps_its_bytes() -> None:
    assert as_csv({"1": Joined("imr")}) == b"participant,arm\n1,imr\n"
    assert b"wrong_treatment" in as_csv(JOINED)


def test_flags_from_both_sides(database: psycopg.Connection[Any], settings: Any) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    opened(world.blocks(5))
    one, other, third = randomized(3)
    with world.at_work(world.SETUP):
        open_errors.record_error(
            participant=one.participant, kind="ineligible", day=clock.today(), reason_code="other", by=world.SETUP
        )
        content = bytes(Snapshot.objects.get(pk=make_snapshot(by=world.SETUP).pk).content)
    ursula = world.person(world.make_user("ursula", "datamanager_unblinded"))
    with world.at_work(ursula):
        given = {"imr": "cau", "cau": "imr"}[other.arm]
        actions.record_wrong_treatment(
            allocation=other, given_arm=given, day=clock.today(), reason_code="other", by=ursula
        )
        numbers = [a.participant.number for a in (one, other, third)]
        joined = join(numbers)
    assert left_out(content, joined, ASKED) == sorted(numbers[:2])
    assert b"wrong" not in content


def test_a_run_says_of_whom_it_is() -> None:
    everybody, some = PooledRun(spec={}, result={}), PooledRun(spec=ASKED, result={"left_out": 2})
    assert "left out" not in source_of(everybody)
    assert "2 participants left out" in source_of(some)
