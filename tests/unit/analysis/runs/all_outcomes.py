"""A table of the IMR trial as a snapshot has it, small and made up, for runs over all outcomes."""

import random
from typing import Any

from tests import world
from trial.protocol.definition import Protocol


def table(people: int = 44, protocol: Protocol | None = None, seed: int = 3, teams: int = 4) -> bytes:
    """Every scale at every visit, some visits missed."""
    definition = protocol or world.read("imr")
    rng = random.Random(seed)
    scales = [scale for instrument in definition.instruments for scale in instrument.scales]
    codes = [scale.code for scale in scales]
    places = definition.teams[:teams]
    lines = [
        ["participant", "site", "team", "stratum", "visit", "months", *codes, *(f"{code}_baseline" for code in codes)]
    ]
    for n in range(people):
        team, level = places[n % len(places)], {code: rng.gauss(0, 1) for code in codes}
        first: list[str] = []
        for visit in definition.visits:
            values = [_score(scale, level[scale.code], rng) for scale in scales]
            if not visit.is_baseline and rng.random() < 0.15:
                values = [""] * len(values)
            first = first or values
            lines.append([f"{n:08}", team.site, team.code, team.code, visit.code, str(visit.offset), *values, *first])
    return ("\n".join(",".join(line) for line in lines) + "\n").encode()


def _score(scale: Any, level: float, rng: random.Random) -> str:
    span = scale.max - scale.min
    value = scale.min + span * (0.5 + 0.12 * level + 0.08 * rng.gauss(0, 1))
    return f"{min(max(value, scale.min), scale.max):.2f}"
