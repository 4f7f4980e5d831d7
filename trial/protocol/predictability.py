"""What it costs that the coordinator of a site sees past allocations: how many of the next ones follow from them. Pure.

Computed for what a protocol lets one compute: complete fixed blocks of the smallest size, which the coordinator knows. Of longer or varied
blocks (they stand behind the wall), and of strata that stop within a block, less follows. The guess is the one of Blackwell and Hodges
(1957): the arm that is left more often in the block.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache


@dataclass(frozen=True)
class Price:
    """Shares of the next allocations: known for certain, guessed rightly, and guessed rightly by always naming the larger arm."""

    block: int
    certain: Fraction
    guessed: Fraction
    blind_guess: Fraction


def price(ratio: tuple[int, ...]) -> Price:
    """The price for this allocation ratio, such as ``(3, 2)``."""
    size = sum(ratio)
    certain, guessed = _left(tuple(sorted(ratio)))
    return Price(size, certain / size, guessed / size, Fraction(max(ratio), size))


@cache
def _left(left: tuple[int, ...]) -> tuple[Fraction, Fraction]:
    """Expected numbers of places, certain and guessed rightly, in what is left of a block."""
    total = sum(left)
    if not total:
        return Fraction(0), Fraction(0)
    certain, guessed = Fraction(max(left) == total), Fraction(max(left), total)
    for place, count in enumerate(left):
        if count:
            rest = tuple(sorted((*left[:place], count - 1, *left[place + 1 :])))
            later = _left(rest)
            certain += Fraction(count, total) * later[0]
            guessed += Fraction(count, total) * later[1]
    return certain, guessed
