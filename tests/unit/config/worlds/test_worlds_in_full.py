"""Both IMR worlds with every form, as people start them: how long it takes, and every scale. Long: `make proof` runs it."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.unit.config.worlds.shared import played
from tests.unit.config.worlds.test_end_world import counted, one, stored_differences
from trial.config.worlds import effects
from trial.protocol.definition import Protocol
from trial.protocol.loader import load

pytestmark = pytest.mark.proof


def connected(environment: dict[str, str]) -> psycopg.Connection[Any]:
    return psycopg.connect(environment["OWNER_DATABASE_URL"], autocommit=True)


@pytest.fixture(scope="module")
def imr() -> Protocol:
    from tests import world

    return load(world.ROOT / "protocols" / "imr")


def test_every_scale_at_the_end(tmp_path: Path, imr: Protocol) -> None:
    """.34 and .52 within .03, under .15 elsewhere, from the scores that the database holds."""
    with connected(played("imr-end", tmp_path)) as owner:
        forms = counted(owner, "select visit, state from entry_form")
        at = {visit.code: len(imr.instruments_at(visit.code)) for visit in imr.visits}
        assert forms == {
            ("T1", "signed"): 187 * at["T1"],
            ("T2", "signed"): 157 * at["T2"],
            ("T3", "signed"): 165 * at["T3"],
        }
        for code in effects.TARGETS:
            found = stored_differences(owner, code, imr.scale(code).direction)[2]
            if code in ("imrs_client", "sers"):
                assert found == pytest.approx({"imrs_client": 0.34, "sers": 0.52}[code], abs=0.03)
            else:
                assert abs(found) < 0.15, code


def test_the_running_world_with_every_form(tmp_path: Path) -> None:
    with connected(played("imr", tmp_path)) as owner:
        assert one(owner, "select count(*) from unblinded_allocation") == 177


WHAT_HAPPENED = {
    "screening": "select team_id, month, age_band, sex, outcome, reason, created_at from participants_screeningentry",
    "allocation": "select stratum, position, arm, allocated_at from unblinded_allocation",
    "visits": "select a.stratum, a.position, o.visit, o.number, o.outcome, o.reason, o.recorded_at"
    " from visits_visitoutcome o join unblinded_allocation a using (participant_id)",
    "scores": "select a.stratum, a.position, f.visit, s.scale, s.value, f.signed_at from entry_score s"
    " join entry_form f on f.id = s.form_id join unblinded_allocation a using (participant_id)",
}


def test_one_process_and_two_play_the_same_trial(tmp_path: Path, thin: Path) -> None:
    """Equal in what happened to whom and when. Keys, study numbers and the fractions of a second of two players differ."""
    with (
        connected(played("imr", tmp_path / "one", thin, processes=1)) as alone,
        connected(played("imr", tmp_path / "two", thin)) as both,
    ):
        for name, query in WHAT_HAPPENED.items():
            found = [
                sorted(repr([_second(cell) for cell in row]) for row in owner.execute(query).fetchall())  # type: ignore[arg-type]
                for owner in (alone, both)
            ]
            assert found[0] == found[1], name


def _second(cell: Any) -> Any:
    return cell.replace(microsecond=0) if hasattr(cell, "microsecond") else cell


def test_the_trial_with_looks_when_the_first_is_due(tmp_path: Path) -> None:
    with connected(played("imr-interim", tmp_path)) as owner:
        newest = "select (result->'blinded'->>'share')::float from pooled_pooledrun where kind = 'pooled' order by created_at desc limit 1"
        assert 0.5 <= one(owner, newest) < 0.6, "half of the information, as the open side knows it"
        assert one(owner, "select count(*) from unblinded_look") == 0


def test_the_trial_with_looks_at_its_end(tmp_path: Path) -> None:
    """Both looks held within their bounds and told, and the final analysis with all that they left."""
    with connected(played("imr-interim-end", tmp_path)) as owner:
        looks = owner.execute(
            "select l.code, r.fraction, abs(r.z) < r.bound, r.alpha from unblinded_look_result r join unblinded_look l on l.id = r.look_id"
            " order by l.number"
        ).fetchall()
        assert [row[0] for row in looks] == ["half", "three_quarters"]
        assert all(inside for _code, _fraction, inside, _alpha in looks)
        assert one(owner, "select count(*) from participants_release where kind = 'recommendation'") == 2
        final = one(owner, "select result->'final' from unblinded_comparative_run where kind = 'plan'")
        assert [held["alpha"] for held in final["held"]] == [pytest.approx(alpha) for *_row, alpha in looks]
        assert final["spent_before"] == pytest.approx(looks[-1][-1])
        assert 1.95 < final["bound"] < 2.1
