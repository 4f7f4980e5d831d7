"""Small teams pooled: whatever their sizes, each team is in one group, and every group is large enough unless it is the only one."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from analysis.runs.planned import FEWEST
from analysis.runs.strata import Member, pooled_teams

TEAMS = st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=9)


def people(teams: list[tuple[str, int, int]]) -> list[Member]:
    """Everybody of numbered teams, one of each arm not analyzed."""
    return [
        Member(f"t{n}", site, arm, one < count)
        for n, (site, *counts) in enumerate(teams)
        for arm, count in zip("ab", counts, strict=True)
        for one in range(count + 1)
    ]


@given(TEAMS)
def test_each_team_is_in_one_group_and_each_group_is_large_enough_or_alone(teams: list[tuple[str, int, int]]) -> None:
    everybody = people(teams)
    found = pooled_teams(everybody)
    assert set(found.group_of) == {one.team for one in everybody}
    for group in set(found.group_of.values()):
        mine = [one for one in everybody if found.group_of[one.team] == group and one.analyzed]
        assert found.groups == 1 or (len(mine) >= FEWEST and {one.arm for one in mine} == {"a", "b"})
    assert {team for one in found.joined for team in one} <= set(found.group_of)
    assert all(len({found.group_of[team] for team in one}) == 1 for one in found.joined)


@given(TEAMS, st.randoms())
def test_the_order_of_people_changes_nothing(teams: list[tuple[str, int, int]], chance: Random) -> None:
    everybody = people(teams)
    mixed = list(everybody)
    chance.shuffle(mixed)
    assert pooled_teams(mixed) == pooled_teams(everybody)
