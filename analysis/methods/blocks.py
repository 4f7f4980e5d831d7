"""What is drawn again many times (lots, samples of people), in blocks that may be shared out as parts.

What number i gives depends on the seed and i alone, and is always computed in the same block of neighbors, since sums of floating-point numbers
depend on what is summed together: however the work is split, stopped and resumed, the parts make the same result to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from .likelihood import Array
from .problems import Refused, error

BLOCK = 100
ENOUGH = 1e-8
"""The decrement at which the refit to what was drawn ends."""


@dataclass(frozen=True)
class Part:
    """What the numbers from `start` to before `stop` gave (not-a-number where a refit failed), and the seed that they belong to."""

    seed: str
    start: int
    stop: int
    values: tuple[float, ...]


def split(replicates: int, size: int) -> Iterator[tuple[int, int]]:
    """Starts and stops of parts of `size` replicates (of whole blocks, so that none is computed twice)."""
    whole = max(1, math.ceil(size / BLOCK)) * BLOCK
    return ((start, min(start + whole, replicates)) for start in range(0, replicates, whole))


def part_of(
    values_of: Callable[[range], Array],
    *,
    seed: str,
    start: int,
    stop: int,
    tell: Callable[[int], None] = lambda done: None,
) -> Part:
    """The numbers from `start` to before `stop`. `values_of` is asked for whole blocks; `tell` hears how many are done."""
    found: list[Array] = []
    for first in range(start - start % BLOCK, stop, BLOCK):
        values = values_of(range(first, first + BLOCK))
        found.append(values[max(start - first, 0) : min(stop - first, BLOCK)])
        tell(min(first + BLOCK, stop) - start)
    values = np.concatenate(found) if found else np.empty(0)
    return Part(seed, start, stop, tuple(map(float, values)))


def joined(parts: Iterable[Part], replicates: int, *, torn: str, mixed: str) -> Array:
    """The values (replicates,) of parts in any order. Refused: as `torn` where each is not held exactly once, as `mixed` for several seeds."""
    ordered = sorted((part for part in parts if part.stop > part.start), key=lambda part: part.start)
    starts, stops = [part.start for part in ordered], [part.stop for part in ordered]
    if [0, *stops] != [*starts, replicates] or any(p.stop - p.start != len(p.values) for p in ordered):
        raise Refused([error(torn, replicates=replicates)])
    if len({part.seed for part in ordered}) != 1:
        raise Refused([error(mixed, replicates=replicates)])
    return np.array([value for part in ordered for value in part.values])
