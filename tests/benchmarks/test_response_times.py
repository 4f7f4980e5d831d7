"""How long pages of the open side take in two worlds that differ behind the wall alone: a ratio a page, beside that of one world with itself."""

import functools
import statistics
from collections import defaultdict
from collections.abc import Sequence

import pytest
from django.test import Client

from tests import world
from tests.benchmarks.timing import taken
from tests.blinding.worlds import pair
from trial.config.leakcheck.script import START, Script
from trial.core import clock
from trial.protocol.models import Site

pytestmark = pytest.mark.bench

PAGES = {
    "coordinator": ("/", "/participants/", "/participants/screening/"),
    "datamanager": ("/assessments/completeness/", "/assessments/forms/", "/history/"),
    "statistician": ("/", "/analysis/", "/analysis/snapshots/"),
}
ROUNDS, TIMES = 4, 10
"""So often each world is turned to, and each page asked for while it is."""
Times = dict[str, list[list[float]]]


def _ask(times: Times) -> None:
    """Ask for each page as often as said, in the world that is turned to."""
    with world.at_work(world.SETUP):
        site = str(Site.objects.order_by("code").values_list("code", flat=True)[0])
    for role, paths in PAGES.items():
        name = f"{role}_waits"
        world.make_user(name, role, site)
        client = Client()
        client.post("/login/", {"username": name, "password": world.PASSWORD})
        for path in paths:
            assert client.get(path).status_code == 200, path
            times[f"{role} {path}"].append(taken(functools.partial(client.get, path), TIMES))


def _median(rounds: Sequence[Sequence[float]]) -> float:
    return statistics.median(one for times in rounds for one in times)


def test_pages_take_as_long_in_both_worlds(settings: pytest.FixtureRequest) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"  # type: ignore[attr-defined]
    found: dict[str, Times] = defaultdict(lambda: defaultdict(list))
    with pair(Script(people=16, seed=5)) as two, clock.frozen(START):
        for _round in range(ROUNDS):
            for name, _played in two.each():
                _ask(found[name])
    one, other = (found[name] for name in two.names)
    for page in one:
        rounds = one[page]
        print(  # noqa: T201
            f"\n{page}: {_median(rounds):.1f} ms; other world / this world {_median(other[page]) / _median(rounds):.3f}; "
            f"this world with itself {_median(rounds[::2]) / _median(rounds[1::2]):.3f}",
            end="",
        )
