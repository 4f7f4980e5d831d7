"""Small teams pooled, where a model takes teams as a factor although the plan's rule finds some too small. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analysis.runs.planned import FEWEST


@dataclass(frozen=True)
class Member:
    """One randomized person; ``analyzed``: has a value that the model is fitted to."""

    team: str
    site: str
    arm: str
    analyzed: bool


@dataclass(frozen=True)
class Pooled:
    """How teams enter: ``group_of`` each team its group, named by its teams; ``joined``: the groups of several teams."""

    group_of: Mapping[str, str]
    joined: tuple[tuple[str, ...], ...]

    @property
    def groups(self) -> int:
        """How many levels the factor has; with one there is none."""
        return len(set(self.group_of.values()))


def pooled_teams(people: Iterable[Member]) -> Pooled:
    """A team with at least five analyzed and both arms stands by itself. The others of a site are one group; groups that are still too small are
    one over all sites; and if that one is too small, it goes to the smallest group that is not.
    """
    everybody = list(people)
    size = Counter(one.team for one in everybody if one.analyzed)
    arms: dict[str, set[str]] = {}
    for one in everybody:
        if one.analyzed:
            arms.setdefault(one.team, set()).add(one.arm)
    every = {one.arm for one in everybody}

    def count(teams: frozenset[str]) -> int:
        return sum(size[team] for team in teams)

    def enough(teams: frozenset[str]) -> bool:
        seen: set[str] = set().union(*(arms.get(team, set()) for team in teams))
        return count(teams) >= FEWEST and seen == every

    site = {one.team: one.site for one in everybody}
    alone = [team for team in sorted(site) if enough(frozenset({team}))]
    small = [team for team in sorted(site) if team not in alone]
    groups = [frozenset({team}) for team in alone]
    groups += [frozenset(t for t in small if site[t] == place) for place in sorted({site[t] for t in small})]
    left: frozenset[str] = frozenset().union(*(one for one in groups if not enough(one)))
    groups = [one for one in groups if enough(one)]
    if left and not enough(left) and groups:
        nearest = min(groups, key=lambda one: (count(one), sorted(one)))
        groups.remove(nearest)
        left |= nearest
    groups += [left] if left else []
    named = {team: " + ".join(sorted(one)) for one in groups for team in one}
    return Pooled(named, tuple(tuple(sorted(one)) for one in sorted(groups, key=sorted) if len(one) > 1))
