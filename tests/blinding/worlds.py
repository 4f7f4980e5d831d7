"""Two played worlds in databases of their own, which each test may plant something into."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from tests import database as server
from trial.config.leakcheck import databases
from trial.config.leakcheck.comparison import ONE, other_world
from trial.config.leakcheck.script import Played, Script, play
from trial.core import db
from trial.core.management.commands.setup_database import current_plan


@dataclass(frozen=True)
class Pair:
    """Two worlds that were played once: their names, and what came of each."""

    names: tuple[str, str]
    played: tuple[Played, Played]

    def each(self) -> Iterator[tuple[str, Played]]:
        """Turn this process to a fresh copy of each world in turn."""
        plan = current_plan()
        copy = f"{self.names[0]}_copy"
        for name, played in zip(self.names, self.played, strict=True):
            databases.begin(plan, name, copy)
            with databases.turned_to(copy):
                yield name, played
                db.close_all()

    def of_other_arm(self) -> list[str]:
        """The participants whose arm is not the same in both worlds."""
        one, other = (played.arms for played in self.played)
        return sorted(number for number, arm in one.items() if other[number] != arm)


@contextmanager
def pair(script: Script) -> Iterator[Pair]:
    """Play the script twice, into two databases, which are dropped with the block."""
    plan = current_plan()
    here = str(psycopg.conninfo.conninfo_to_dict(plan.owner)["dbname"])
    names = (f"{here}_one", f"{here}_two")
    played: list[Any] = []
    try:
        with databases.turned_to(names[0]):
            databases.begin(current_plan(), server.TEMPLATE)
            played.append(play(script, ONE))
        with databases.turned_to(names[1]):
            seed = other_world(current_plan(), script, played[0].arms, server.TEMPLATE).seed
            databases.begin(current_plan(), server.TEMPLATE)
            played.append(play(script, seed))
        db.close_all()
        yield Pair(names, (played[0], played[1]))
    finally:
        for name in (*names, f"{names[0]}_copy"):
            server.drop(name)
