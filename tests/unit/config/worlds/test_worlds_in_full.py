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
