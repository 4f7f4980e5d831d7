"""The list of the demo: blocks of five at 3 : 2 within 14 teams, made to match 116 and 71. Nobody would find it by chance.

By chance 187 people in 14 such lists give 112.2 in the experimental arm on average (SD 1.84), and 116 or more with probability .034. So
the list is constructed, not drawn:

1. A team's whole blocks hold three and two, as they must. Their order is taken from the ten possible ones in turn, every third, each
   team one further on than the team before it: no seed.
2. A team's last block is used in part: ``rest`` places of five. It would hold 3/5 of ``rest``; every team gets the whole part of that.
3. What is missing to 116 is given out one by one, in the order of teams' codes, to teams whose last block can begin with one more.
4. The order of the last block is the next in turn that begins with the number so found.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations, count

BLOCK, EXPERIMENTAL = 5, 3
WANTED = {"imr": 116, "cau": 71}

TEAMS: Mapping[str, int] = {
    "D1": 21, "D2": 18, "D3": 17, "D4": 16, "D5": 15,
    "R1": 13, "R2": 12, "R3": 11, "R4": 11, "R5": 12, "R6": 10, "R7": 11, "R8": 11, "W1": 9,
}  # fmt: skip
"""People randomized by team; 187 in all. Teams' true sizes were not found: these make both institutions nearly alike in size."""

ORDERS = tuple(
    tuple("imr" if place in chosen else "cau" for place in range(BLOCK))
    for chosen in combinations(range(BLOCK), EXPERIMENTAL)
)
"""The ten orders of a block."""

ORIGIN = (
    "Synthetic list of the demo, constructed so that 187 people divide into 116 and 71 as published (blocks of 5, 3:2, 14 teams)."
    " A list drawn by chance does so with probability .034."
)


def last_blocks() -> dict[str, int]:
    """How many of the used places of each team's last block are of the experimental arm."""
    rests = {team: size % BLOCK for team, size in sorted(TEAMS.items())}
    given = {team: EXPERIMENTAL * rest // BLOCK for team, rest in rests.items()}
    whole = sum(size // BLOCK for size in TEAMS.values())
    missing = WANTED["imr"] - EXPERIMENTAL * whole - sum(given.values())
    for team, rest in rests.items():
        if missing and given[team] < min(rest, EXPERIMENTAL):
            given[team] += 1
            missing -= 1
    return given


def sequence() -> dict[str, tuple[str, ...]]:
    """The list of each team, in whole blocks."""
    wanted = last_blocks()
    lists: dict[str, tuple[str, ...]] = {}
    for place, (team, size) in enumerate(sorted(TEAMS.items())):
        orders = _in_turn(place)
        arms = [arm for _block in range(size // BLOCK) for arm in next(orders)]
        rest = size % BLOCK
        if rest:
            arms += next(order for order in orders if order[:rest].count("imr") == wanted[team])
        lists[team] = tuple(arms)
    return lists


def _in_turn(first: int) -> Iterator[tuple[str, ...]]:
    """Every third of the ten orders: each comes once in ten."""
    return (ORDERS[(first + 3 * turn) % len(ORDERS)] for turn in count())


def as_csv() -> str:
    """The list as the allocator imports it."""
    rows = [f"{team},{n},{arm}" for team, arms in sequence().items() for n, arm in enumerate(arms, start=1)]
    return "\n".join(["stratum,position,arm", *rows]) + "\n"
