"""Times of the paths that people wait for: medians of several runs, printed; nothing here passes or fails by time."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.test import Client

from analysis.snapshots.actions import make_snapshot
from assessments.entry import actions as entry
from tests import world
from tests.benchmarks.timing import taken
from trial.core import clock
from trial.participants.actions import request_randomization
from trial.protocol.models import Team
from trial.protocol.queries import current

pytestmark = pytest.mark.bench


def median(name: str, act: Callable[[], object], runs: int = 15) -> None:
    """Print the median, the fastest and the slowest of ``runs`` in milliseconds, after one run to warm up."""
    times = taken(act, runs)
    print(f"\n{name}: median {statistics.median(times):.1f} ms ({min(times):.1f} to {max(times):.1f})", end="")  # noqa: T201


@pytest.fixture
def team(database: psycopg.Connection[Any]) -> Team:
    world.open_trial(length=400)
    with world.at_work(world.SETUP):
        return Team.objects.order_by("code").first()  # type: ignore[return-value]


def test_screening_to_allocation(team: Team) -> None:
    def one() -> None:
        with world.at_work(world.SETUP):
            person = world.ready_to_randomize(world.SETUP, team)
            request = request_randomization(participant=person, by=world.SETUP)
        world.randomize(request)

    median("screening to allocation, one person, with history", one)


def test_a_form_of_53_items(team: Team) -> None:
    def one() -> None:
        with world.at_work(world.SETUP):
            person = world.register(world.SETUP, team)
            form = entry.open_form(participant=person, visit="T1", instrument="bsi", by=world.SETUP)
            answers = {item.code: "2" for item in current().instrument("bsi").items}
            entry.save_answers(form=form, answers=answers, revision=0, by=world.SETUP)

    median("register, open and save 53 answers, with history", one)


def test_a_form_of_53_items_in_one_go(team: Team) -> None:
    with world.at_work(world.SETUP):
        people = iter([world.register(world.SETUP, team) for _n in range(60)])
        answers = {item.code: str(n % 5) for n, item in enumerate(current().instrument("bsi").items)}
        spent = []

        def one() -> None:
            began = time.process_time()
            entry.record_form(
                participant=next(people), visit="T1", instrument="bsi", answers=answers, held_on=clock.today(),
                by=world.SETUP,
            )  # fmt: skip
            spent.append((time.process_time() - began) * 1000)

        median("record a signed form of 53 items in one go, with history", one, runs=40)
        print(f"; of this client time: median {statistics.median(spent):.1f} ms", end="")  # noqa: T201


def test_pages(team: Team) -> None:
    world.make_user("carla", "coordinator", team.site_id)
    with world.at_work(world.SETUP):
        for _n in range(50):
            world.register(world.SETUP, team)
        median("snapshot of nobody randomized", lambda: make_snapshot(by=world.SETUP))
    client = Client()
    client.post("/login/", {"username": "carla", "password": world.PASSWORD})
    for path in ("/", "/participants/", "/participants/screening/", "/login/"):
        median(f"GET {path}, 50 participants", lambda p=path: client.get(p))  # type: ignore[misc]
