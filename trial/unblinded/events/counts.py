"""Serious events by arm, as a count: of events, and of the people who had one. Pure."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Happened:
    """One event that began since its person was randomized; ``relatedness`` and ``expectedness`` are empty until it is judged."""

    person: Hashable
    arm: str
    kind: str
    relatedness: str = ""
    expectedness: str = ""


@dataclass(frozen=True)
class Count:
    """Events, and people with at least one of them."""

    events: int
    people: int


def by_arm(
    events: Iterable[Happened], arms: Sequence[str], wanted: Callable[[Happened], bool] = lambda _one: True
) -> Mapping[str, Count]:
    """The count of the wanted events in each arm; an arm without one counts 0."""
    found = [one for one in events if wanted(one)]
    return {
        arm: Count(
            sum(one.arm == arm for one in found),
            len({one.person for one in found if one.arm == arm}),
        )
        for arm in arms
    }
