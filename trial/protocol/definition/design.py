"""What a trial is made of: registrations, arms, sites, teams, visits."""

from dataclasses import dataclass
from typing import Literal

Strata = Literal["team", "site", "none"]
Unit = Literal["days", "months"]


@dataclass(frozen=True, slots=True)
class Registration:
    """An entry in a trial register."""

    registry: str
    number: str


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm. `ratio`: its part of the allocation ratio (3 in 3:2). `experimental`: effects are signed towards it."""

    code: str
    name: str
    ratio: int
    experimental: bool
    description: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """An institution; people are given rights by site.

    `coordinator_sees_allocation`: one person does everything there, and so knows the arms: that coordinator works on the unblinded side.
    """

    code: str
    name: str
    coordinator_sees_allocation: bool = False


@dataclass(frozen=True, slots=True)
class Team:
    """A treatment team of one site."""

    code: str
    name: str
    site: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A planned measurement: `offset` (in `unit`) after randomization, open from `before` to `after` days around it.

    The baseline visit comes before randomization: offset 0, and its window is not used.
    """

    code: str
    name: str
    offset: int
    unit: Unit
    before: int
    after: int
    is_baseline: bool
