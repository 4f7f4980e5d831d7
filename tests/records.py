"""Hospital records for tests: look up what stands between a trial and its lock, through the actions."""

import datetime as dt

from tests import world
from tests.treatment import Treatment
from trial.core import clock, db, side
from trial.unblinded.randomization.queries import of_the_living
from trial.unblinded.records import actions, queries
from trial.unblinded.records.actions import Found

YEARS_LATER = dt.timedelta(days=1200)
"""Both windows of everybody randomized until now have passed then."""


def look_up_everybody() -> None:
    """Some years later (nobody's clock moves): nobody was admitted, every window is signed off, and the open side is told."""
    with clock.frozen(clock.now() + YEARS_LATER), side.unblinded(), db.unit_of_work(by=world.SETUP):
        for line in queries.record_lines(of_the_living()):
            if line.is_open:
                actions.look_up(allocation=line.allocation, window=line.window, admissions=[], by=world.SETUP)
        actions.record_completeness(by=world.SETUP)


T1 = dt.date(2025, 1, 6)
"""The day of baseline completion, and of randomization, of everybody in ``tests.treatment`` under its frozen clock."""
T2 = dt.date(2026, 1, 6)
AFTER_BOTH = dt.date(2027, 1, 6)
"""The first day on which both windows have passed."""


def with_abstractor(trial: Treatment) -> Treatment:
    """The same trial with an abstractor, a monitor of the unblinded side and a data manager of the open side."""
    for name, role in (("ada", "abstractor"), ("mona", "monitor_unblinded"), ("dana", "datamanager")):
        trial.users[name] = world.make_user(name, role)
        trial.people[name] = world.person(trial.users[name])
    return trial


def stay(first: dt.date, last: dt.date | None, ward: str = "open", source: str = "file") -> Found:
    """An admission as a file says it."""
    return Found(first, last, ward, source)
