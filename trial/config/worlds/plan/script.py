"""The whole script, in the order of instants."""

from functools import cache

from trial.config.worlds.plan import follow_up, incidents, people, program, records, serious
from trial.config.worlds.plan.events import Event, GroupEvent, PersonEvent
from trial.config.worlds.plan.people import SITES


@cache
def script() -> tuple[Event, ...]:
    """Every event of the trial. At one instant the order of this list counts."""
    parts = (
        people.way_in(), follow_up.events(), program.events(), records.events(), incidents.events(), serious.events(),
    )  # fmt: skip
    return tuple(sorted((event for part in parts for event in part), key=lambda event: event.at))


def site_of(event: Event) -> str:
    """The site at which it happens: every event has one, so that two players can each play a site."""
    if isinstance(event, PersonEvent):
        return people.people()[event.person].site
    if isinstance(event, GroupEvent):
        return program.groups()[event.group].site
    raise TypeError(f"{type(event).__name__} belongs to no person and no group.")


def of_sites(sites: tuple[str, ...] = SITES) -> tuple[Event, ...]:
    """The events at these sites."""
    return tuple(event for event in script() if site_of(event) in sites)
