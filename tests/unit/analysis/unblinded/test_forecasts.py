"""Forecasts as their reader meets them: asked for, computed by the task, shown, stopped, and refused to everybody else."""

from typing import Any

import psycopg
import pytest
from django.test import Client

from analysis.unblinded import tasks
from analysis.unblinded.forecasts import actions
from analysis.unblinded.forecasts.candidates import block_sets, specification, spread_over, usual
from analysis.unblinded.forecasts.presenters import names_of
from analysis.unblinded.models import ForecastRun
from tests import world
from trial.core.errors import Refused
from trial.unblinded.randomization.schemes import Arms

NAMES = (
    *("Blocks of 5", "Blocks of random size: 5, 10", "Blocks of random size: 5, 15"),
    *("Block urn", "Minimization", "Complete randomization"),
)


@pytest.fixture
def independent(database: psycopg.Connection[Any]) -> Client:
    world.open_trial()
    world.make_user("independent", "independent")
    client = Client()
    answer = client.post("/unblinded/login/", {"username": "independent", "password": world.PASSWORD})
    assert answer.status_code == 302
    return client


def test_asked_for_computed_and_shown_side_by_side(independent: Client) -> None:
    asked = independent.post("/unblinded/analysis/forecasts/new/", {"people": "60", "trials": "100", "sizes": "5 15"})
    assert asked.status_code == 302
    page = asked["Location"]
    assert "Waiting" in independent.get("/unblinded/analysis/forecasts/").content.decode()
    tasks.forecast(page.rstrip("/").rsplit("/", 1)[1])
    shown = independent.get(page).content.decode()
    for words in (*NAMES, "of the next allocations are certain"):
        assert words in shown
    csv = independent.get(page, {"format": "csv"})
    assert csv["Content-Type"].startswith("text/csv")
    assert len(csv.content.decode().strip().splitlines()) == 8


def test_a_forecast_that_was_stopped_computes_nothing(independent: Client) -> None:
    page = independent.post("/unblinded/analysis/forecasts/new/", {"people": "20", "trials": "100"})["Location"]
    key = page.rstrip("/").rsplit("/", 1)[1]
    assert independent.post(f"{page}cancel/").status_code == 302
    tasks.forecast(key)
    assert "Canceled" in independent.get("/unblinded/analysis/forecasts/").content.decode()


@pytest.mark.parametrize(
    ("posted", "says"),
    [
        ({"people": "60", "trials": "100", "sizes": "5 six"}, "whole numbers: 5 six"),
        ({"people": "60", "trials": "100", "sizes": "7"}, "multiples of 5"),
        ({"people": "60", "trials": "20", "sizes": ""}, "100"),
    ],
)
def test_what_makes_no_forecast_is_said_and_what_was_typed_stays(
    independent: Client, posted: dict[str, str], says: str
) -> None:
    answer = independent.post("/unblinded/analysis/forecasts/new/", posted)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert posted["sizes"] in answer.content.decode()


def test_the_candidates_of_a_trial() -> None:
    spec = specification(world.read("imr"), people=187, trials=100, blocks=[[5], [5, 15]])
    assert sum(number for _code, number in spec["strata"]) == 187
    assert {number for _code, number in spec["strata"]} == {13, 14}
    assert len(names_of(spec)) == len(set(names_of(spec))) == 7
    assert "big-stick" in [name for name, _parameters in usual(Arms((("a", 1), ("b", 1))))]
    assert spread_over(5, ["x", "y"]) == {"x": 3, "y": 2}
    assert block_sets("5, 10\n\n 15 ") == [[5, 10], [15]]
    with pytest.raises(Refused):
        block_sets("five")


def test_only_the_independent_statistician_may_ask(database: psycopg.Connection[Any]) -> None:
    world.open_trial()
    manager = world.person(world.make_user("datamanager_unblinded", "datamanager_unblinded"))
    spec = specification(world.read("imr"), people=20, trials=100, blocks=[])
    with pytest.raises(Refused), world.at_work(manager):
        actions.start_forecast(spec=spec, by=manager)
    with world.at_work(manager):
        assert not ForecastRun.objects.exists()
