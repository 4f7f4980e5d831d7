"""Every night the data are frozen, once somebody has been randomized and something has changed."""

from typing import Any

import psycopg

from analysis.snapshots import tasks
from tests import world
from trial.config.celery import BEAT, TASK_MODULES
from trial.participants import actions as way_in
from trial.protocol.models import Team


def nowhere(queue: str, name: str, args: Any) -> None:
    """Takes the message and forgets it."""


def snapshots(owner: psycopg.Connection[Any]) -> int:
    found = owner.execute("select count(*) from snapshots_snapshot").fetchone()
    return int(found[0]) if found else 0


def test_a_snapshot_a_night_and_none_of_nothing_new(database: psycopg.Connection[Any], settings: Any) -> None:
    settings.TASK_SENDER = f"{__name__}.nowhere"
    tasks.nightly()
    assert snapshots(database) == 0, "there is no protocol yet"
    world.open_trial()
    tasks.nightly()
    assert snapshots(database) == 0, "nobody has been randomized"
    with world.at_work(world.SETUP):
        team = Team.objects.get(code="R1")
        participant = world.ready_to_randomize(world.SETUP, team)
        request = way_in.request_randomization(participant=participant, by=world.SETUP)
    world.randomize(request)
    tasks.nightly()
    tasks.nightly()
    assert snapshots(database) == 1
    assert BEAT["default"]["snapshot"]["task"] == tasks.nightly.task_name
    assert tasks.__name__ in TASK_MODULES["default"]
