"""Comparisons of groups that were formed after randomization, as they were published: completers, and classes of fidelity.

They are non-randomized comparisons. Who is compared was selected by what happened after the lot was drawn, so that a difference may be
one of the people. They come with their selection table. What rests on the lot is refused: a baseline mean that is held equal in both groups
(clda), and re-randomization.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .problems import Refused, error

REFUSED = ("clda", "rerandomization")


@dataclass(frozen=True)
class Exposure:
    """What one person of the trial received. `completed` None: still open, or not known; `band`: class of fidelity of the person's group."""

    arm: str
    attended: int | None = None
    completed: bool | None = None
    band: str | None = None


@dataclass(frozen=True)
class Comparison:
    """`classes` are compared with the whole control arm.

    completers: who completed. fidelity: people with at least `minimum_sessions`, by the class of their group's fidelity.
    """

    code: Literal["completers", "fidelity"]
    classes: tuple[str, ...]
    minimum_sessions: int = 0


@dataclass(frozen=True)
class Selected:
    """One line of a selection table: how many people, and of whom (`of` is a code of a line above; None for the first)."""

    code: str
    people: int
    of: str | None


@dataclass(frozen=True)
class Selection:
    """Who is compared: the class of each person, and how they came to be selected."""

    groups: Mapping[str, str]
    lines: tuple[Selected, ...]


def refuse_unsound(methods: Sequence[str]) -> None:
    """Raise Refused for what rests on the lot and therefore does not hold between selected groups."""
    found = [method for method in methods if method in REFUSED]
    if found:
        raise Refused([error("rests_on_randomization", method=method) for method in found])


def select(people: Mapping[str, Exposure], comparison: Comparison, experimental: str, control: str) -> Selection:
    """The group of each person who is compared: a class of the experimental arm, or the code of the control arm.

    Controls are all controls as randomized, whatever they attended. Whose exposure is not known is in no class. The classes' lines name
    how many of the experimental arm never started, started, and were selected.
    """
    mine = {name: e for name, e in people.items() if e.arm == experimental}
    groups = {name: control for name, e in people.items() if e.arm == control}
    classed = {name: found for name, e in mine.items() if (found := _class_of(e, comparison)) is not None}
    lines = [
        Selected("randomized", len(mine), None),
        Selected("not_known", sum(e.attended is None for e in mine.values()), "randomized"),
        Selected("never_started", sum(e.attended == 0 for e in mine.values()), "randomized"),
        Selected("started", sum(bool(e.attended) for e in mine.values()), "randomized"),
    ]
    if comparison.code == "completers":
        started = [e for e in mine.values() if e.attended]
        lines.append(Selected("not_completed", sum(e.completed is False for e in started), "started"))
        lines.append(Selected("open", sum(e.completed is None for e in started), "started"))
    else:
        enough = [e for e in mine.values() if (e.attended or 0) >= comparison.minimum_sessions]
        lines.append(Selected("enough_sessions", len(enough), "started"))
        unclassed = sum(e.band not in comparison.classes for e in enough)
        lines.append(Selected("not_classed", unclassed, "enough_sessions"))
    above = "started" if comparison.code == "completers" else "enough_sessions"
    lines += [Selected(name, sum(c == name for c in classed.values()), above) for name in comparison.classes]
    lines.append(Selected("control", len(groups), None))
    return Selection(groups | classed, tuple(lines))


def _class_of(exposure: Exposure, comparison: Comparison) -> str | None:
    if comparison.code == "completers":
        return comparison.classes[0] if exposure.completed else None
    enough = (exposure.attended or 0) >= comparison.minimum_sessions
    return exposure.band if enough and exposure.band in comparison.classes else None
