"""Allocation schemes as pure functions of a seed. Standard library only, so that an outsider can replay them.

The random stream is HMAC-SHA-256 in counter mode, keyed by the seed, one stream a stratum: nobody without the seed can compute a slot,
and one stratum tells nothing about another. Permuted blocks: Zelen (1974), J Chronic Dis 27:365-375, random block sizes.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

PERMUTED_BLOCKS = "permuted-blocks/hmac-sha256/1"


class SchemeError(ValueError):
    """The parameters do not make a scheme; the text says what is allowed."""


class Stream:
    """A deterministic stream of uniform integers from ``seed`` for one ``label``."""

    def __init__(self, seed: bytes, label: str) -> None:
        self._key = hmac.new(seed, label.encode(), sha256).digest()
        self._counter = 0

    def below(self, limit: int) -> int:
        """A uniform integer in ``0 <= n < limit`` (rejection, so without bias), for ``limit`` up to 2**32."""
        if not 0 < limit <= 2**32:
            raise ValueError("0 < limit <= 2**32")
        ceiling = 2**64 - 2**64 % limit
        while True:
            block = hmac.new(self._key, self._counter.to_bytes(8, "big"), sha256).digest()
            self._counter += 1
            number = int.from_bytes(block[:8], "big")
            if number < ceiling:
                return number % limit


@dataclass(frozen=True)
class Draw:
    """One slot: the arm, and the block it belongs to."""

    arm: str
    block: int


def check_parameters(ratio: Mapping[str, int], sizes: Sequence[int]) -> None:
    """Refuse (SchemeError) a ratio or block sizes that cannot be: every block holds the ratio exactly."""
    if len(ratio) < 2 or any(part < 1 for part in ratio.values()):
        raise SchemeError("A ratio needs at least two arms, each with a whole part of 1 or more.")
    total = sum(ratio.values())
    wrong = [size for size in sizes if size < total or size % total]
    if not sizes or wrong:
        raise SchemeError(
            f"Block sizes are multiples of {total}, the sum of the ratio; not allowed: {wrong or 'none given'}."
        )


def permuted_blocks(
    seed: bytes, stratum: str, ratio: Mapping[str, int], sizes: Sequence[int], length: int
) -> list[Draw]:
    """At least ``length`` slots of one stratum, in whole blocks; each block's size is drawn uniformly from ``sizes``.

    The arms are taken in the order of ``ratio``. The same arguments give the same list on every machine.
    """
    check_parameters(ratio, sizes)
    stream = Stream(seed, f"{PERMUTED_BLOCKS}/{stratum}")
    total = sum(ratio.values())
    draws: list[Draw] = []
    block = 0
    while len(draws) < length:
        block += 1
        size = sizes[stream.below(len(sizes))] if len(sizes) > 1 else sizes[0]
        arms = [arm for arm, part in ratio.items() for _ in range(part * size // total)]
        for last in range(len(arms) - 1, 0, -1):  # Fisher-Yates
            other = stream.below(last + 1)
            arms[last], arms[other] = arms[other], arms[last]
        draws += [Draw(arm, block) for arm in arms]
    return draws
