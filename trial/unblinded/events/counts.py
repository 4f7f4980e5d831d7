"""Serious events by arm, as a count: of events, and of the people who had one. Pure."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
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


def by_arm(events: Iterable[Happened], arms: Sequence[str], part: str = "", code: str = "") -> Mapping[str, Count]:
    """The count in each arm of the events whose ``part`` (kind, relatedness, expectedness) has this code; without a part, of all.

    An arm without one counts 0.
    """
    found = [one for one in events if not part or getattr(one, part) == code]
    return {
        arm: Count(sum(one.arm == arm for one in found), len({one.person for one in found if one.arm == arm}))
        for arm in arms
    }
