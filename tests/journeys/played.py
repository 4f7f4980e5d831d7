"""A small trial with outcomes for journeys that analyse: the first rows of Beat the Blues, played through the actions."""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from tests import world
from tests.blinding.one_database import reset
from trial.config.worlds import btheb
from trial.core import side
from trial.core.access import Person
from trial.core.models import User

ROWS = 10
"""Enough people for the model to have an answer."""


class UntilTheLastVisit(btheb.Import):
    """The import without its last days: nothing is locked, nobody is unblinded, nothing was analyzed."""

    def _last_days(self, last: dt.datetime) -> list[tuple[dt.datetime, int, Callable[[], None]]]:
        return [(last + dt.timedelta(days=7), 90_000, self._finish)]


def trial_with_outcomes(database: psycopg.Connection[Any], folder: Path, rows: int = ROWS) -> None:
    """Play it into the database, with the demo accounts. ``folder`` is a scratch folder."""
    copy = folder / "btheb"
    shutil.copytree(world.ROOT / "protocols" / "btheb", copy)
    lines = (copy / "data.csv").read_text().splitlines()[: rows + 1]
    (copy / "data.csv").write_text("\n".join(lines) + "\n")
    reset(database)
    UntilTheLastVisit(copy, lambda _line: None).run()


def somebody(username: str) -> Person:
    """The person of a demo account."""
    with side.opened():
        return world.person(User.objects.get(username=username))
