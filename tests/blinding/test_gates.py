"""What follows the gates: two worlds with codes broken and assessors handed over, equal to whoever is blind."""

import datetime as dt
from typing import Any

import psycopg
import pytest

from assessments.visits.models import AssessorAssignment
from tests import world
from tests.blinding.one_database import reset
from tests.unit.unblinded.gates import NEAR, frozen, play
from trial.config.leakcheck.data import Seen, look
from trial.core import clock, side
from trial.participants.actions import drop_guess
from trial.unblinded.disclosure.actions import note
from trial.unblinded.disclosure.code_break.actions import break_code, explain_break
from trial.unblinded.disclosure.handover.actions import order_handover
from trial.unblinded.disclosure.handover.tasks import sweep
from trial.unblinded.disclosure.models import Handover

PEOPLE = 12


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.RANDOM_HANDOVERS = 0.5


def one_world(owner: psycopg.Connection[Any], seed: bytes) -> tuple[Seen, dict[str, str]]:
    """Everybody of one arm has the code broken, some twice; the same three reports and guesses are made in either world."""
    reset(owner)
    with frozen(seed=11):
        gates = play(people=PEOPLE, interviewers=3, seed=seed)
        arms = {one.number: gates.arm(one) for one in gates.people}
        for one in gates.people:
            with world.at_work(gates.investigator, on=side.UNBLINDED) as by:
                for _time in range(2 if arms[one.number] == "imr" else 0):
                    break_code(number=one.number, password=world.PASSWORD, by=by)
                    explain_break(number=one.number, words="overdose", by=by)
        for one in gates.people[:3]:
            report = gates.report(one)
            with world.at_work(gates.manager) as by:
                if arms[one.number] == "imr":
                    note(what="allocation opened", subject=one.number, by=by)
                order_handover(report=report, by=by)
            with world.at_work(world.person(gates.interviewers[0])) as by:
                drop_guess(participant_id=one.pk, visit="T3", guess="imr", certainty=2, by=by)
        for day in range(0, 28, 7):
            clock.move_to(NEAR + dt.timedelta(days=day))
            sweep()
        return look(catalog=False), arms


def test_codes_and_hand_overs_tell_nothing(database: psycopg.Connection[Any]) -> None:
    (seen, arms), (other, others) = one_world(database, b"one world"), one_world(database, b"another world")
    assert arms.keys() == others.keys()
    assert arms != others
    assert seen.differences(other) == {}
    with world.at_work(world.SETUP, on=side.UNBLINDED):
        made = list(Handover.objects.filter(outcome="handed_over").values_list("order_id", flat=True))
        written = AssessorAssignment.objects.filter(assigned_by="site staff")
        instants = {(row.starts_at.date(), row.starts_at) for row in written}
    assert sum(key is not None for key in made) == 3
    assert sum(key is None for key in made) >= 2, "nothing was drawn: this test tests nothing"
    assert len(instants) == len({day for day, _at in instants}), "one instant a night"


def test_a_lot_by_arm_would_be_caught(database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: hand-overs drawn by the arm."""
    from trial.unblinded.disclosure.handover import rules
    from trial.unblinded.randomization.models import Allocation

    def by_arm(seed: str, participant: Any, visit: str, share: float) -> bool:
        return Allocation.objects.get(participant=participant).arm == "imr"

    monkeypatch.setattr(rules, "is_drawn", by_arm)
    (seen, _arms), (other, _others) = one_world(database, b"one world"), one_world(database, b"another world")
    assert "visits_assessorassignment" in seen.differences(other)
