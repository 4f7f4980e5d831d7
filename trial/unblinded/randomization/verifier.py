"""Replay every allocation of a trial from its revealed seed: ``python verifier.py EXPORT.json [COMMITMENT]``. Needs Python only.
COMMITMENT is the SHA-256 that was public before the first participant; if left out, the export's own. Exit status 1: it differs."""

import hashlib
import hmac
import json
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any


def stream(seed: bytes, label: str) -> Iterator[int]:
    """The random stream of one label, 64 bits each."""
    key = hmac.digest(seed, label.encode(), "sha256")
    return (int.from_bytes(hmac.digest(key, n.to_bytes(8, "big"), "sha256")[:8], "big") for n in count())


def below(limit: int, drawn: Iterator[int]) -> int:
    """The stream's next number below a limit, without bias."""
    return next(number % limit for number in drawn if number < 2**64 - 2**64 % limit)


def listed(name: str, drawn: Iterator[int], given: dict[str, Any], length: int) -> list[str]:
    """The first slots of one stratum under a scheme that can be written as a list."""
    arms, total = [arm for arm, part in given["arms"] for _ in range(part)], sum(part for _, part in given["arms"])
    slots, sizes = list[str](), given.get("block_sizes", [])
    while len(slots) < length:
        have = Counter(slots)
        if name == "complete":
            slots.append(arms[below(total, drawn)])
        elif name == "big-stick":
            ahead = have[arms[0]] - have[arms[1]]
            slots.append(arms[below(2, drawn)] if abs(ahead) < given["limit"] else arms[ahead > 0])
        elif name == "block-urn":
            sets = given["balance"] + min(have[arm] // part for arm, part in given["arms"])
            urn = [arm for arm, part in given["arms"] for _ in range(part * sets - have[arm])]
            slots.append(urn[below(len(urn), drawn)])
        else:
            size = sizes[below(len(sizes), drawn) if len(sizes) > 1 else 0]
            slots += [arm for arm, part in given["arms"] for _ in range(part * size // total)]
            for end in range(size - 1, 0, -1):
                this, other = len(slots) - size + end, len(slots) - size + below(end + 1, drawn)
                slots[this], slots[other] = slots[other], slots[this]
    return slots


def minimized(seed: bytes, algorithm: str, given: dict[str, Any], people: list[dict[str, Any]]) -> list[str]:
    """The arms of all participants, in order, under minimization."""
    arms, past = [arm for arm, part in given["arms"] for _ in range(part)], list[tuple[dict[str, str], int]]()
    places = range(len(arms))
    for number, one in enumerate(people, 1):
        scores = [0] * len(arms)
        for factor, weight in given["weights"]:
            like = Counter(place for levels, place in past if levels[factor] == one["levels"][factor])
            after = [[like[other] + (other == place) for other in places] for place in places]
            scores = [score + weight * (max(one) - min(one)) for score, one in zip(scores, after, strict=True)]
        best, drawn = [place for place in places if scores[place] == min(scores)], stream(seed, f"{algorithm}/{number}")
        if best != list(places) and below(given["p"][1], drawn) >= given["p"][0]:
            best = [place for place in places if place not in best]
        past.append((one["levels"], best[below(len(best), drawn)]))
    return [arms[place] for _, place in past]


def due(revealed: dict[str, Any], people: list[dict[str, Any]]) -> list[str]:
    """The arm that each participant should have, in order."""
    algorithm, given = revealed["algorithm"], revealed["parameters"]
    name, seed = algorithm.split("/")[0], hashlib.sha256(bytes.fromhex("".join(revealed["shares"]))).digest()
    if name == "minimization":
        return minimized(seed, algorithm, given, people)
    slots = {(stratum, position): arm for stratum, position, arm in given.get("slots", [])}
    for stratum in {one["stratum"] for one in people} if name != "imported-list" else ():
        last = max(one["position"] for one in people if one["stratum"] == stratum)
        arms = listed(name, stream(seed, f"{algorithm}/{stratum}"), given, last)
        slots |= {(stratum, position): arm for position, arm in enumerate(arms, 1)}
    return [slots.get((one["stratum"], one["position"]), "no slot") for one in people]


def differences(export: dict[str, Any], commitment: str) -> list[str]:
    """What does not agree, in words; nothing when all does."""
    revealed, people = export["revealed"], sorted(export["allocations"], key=lambda one: one["order"])
    canonical = json.dumps(revealed, sort_keys=True, separators=(",", ":")).encode()
    found = ["The reveal is not what was committed."] * (hashlib.sha256(canonical).hexdigest() != commitment)
    taken = Counter[str]()
    for one in people:
        taken[one["stratum"]] += 1
        out_of_turn = one["position"] != taken[one["stratum"]]
        found += [f"Allocation {one['order']}: slot {one['position']}, next was {taken[one['stratum']]}."] * out_of_turn
    both = zip(people, due(revealed, people), strict=True)
    return found + [f"Allocation {one['order']}: {one['arm']}, due {arm}." for one, arm in both if one["arm"] != arm]


if __name__ == "__main__":
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    wrong = differences(content, (sys.argv[2:] or [content["commitment"]])[0])
    print("\n".join(wrong) or f"{len(content['allocations'])} allocations agree with the commitment.")
    sys.exit(bool(wrong))
