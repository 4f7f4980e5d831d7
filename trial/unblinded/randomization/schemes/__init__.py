"""Allocation schemes as pure functions of a seed. Standard library only, so that an outsider can replay them.

All but minimization give a list for each stratum, which is sealed before the first participant. Minimization looks at those who came
before, so it is computed when somebody is randomized; its seed is sealed in the same way.
"""

from collections.abc import Callable, Mapping

from trial.unblinded.randomization.schemes.base import (
    Arms,
    Draw,
    ListScheme,
    SchemeError,
    Stream,
    Watcher,
    whole_numbers,
)
from trial.unblinded.randomization.schemes.blocks import PermutedBlocks
from trial.unblinded.randomization.schemes.minimization import Minimization, Placed
from trial.unblinded.randomization.schemes.simple import BigStick, Complete
from trial.unblinded.randomization.schemes.urn import BlockUrn

Scheme = ListScheme | Minimization
IMPORTED = "imported-list/1"

__all__ = [
    "IMPORTED", "Arms", "BigStick", "BlockUrn", "Complete", "Draw", "ListScheme", "Minimization", "PermutedBlocks",
    "Placed", "Scheme", "SchemeError", "Stream", "Watcher", "of_parameters",
]  # fmt: skip


def _pairs(value: object, name: str) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, list) or not all(isinstance(one, list | tuple) and len(one) == 2 for one in value):
        raise SchemeError(f"{name} is a list of pairs: a code and a whole number.")
    return tuple((str(code), whole_numbers(number, name)[0]) for code, number in value)


def _p(value: object) -> tuple[int, int]:
    numbers = whole_numbers(value, "p")
    if len(numbers) != 2:
        raise SchemeError("p is two whole numbers, numerator and denominator: [4, 5] for .8.")
    return numbers[0], numbers[1]


_MAKERS: Mapping[str, tuple[frozenset[str], Callable[[Arms, Mapping[str, object]], Scheme]]] = {
    "complete": (frozenset(), lambda arms, given: Complete(arms)),
    "permuted-blocks": (
        frozenset({"block_sizes"}),
        lambda arms, given: PermutedBlocks(arms, whole_numbers(given["block_sizes"], "block_sizes")),
    ),
    "block-urn": (
        frozenset({"balance"}),
        lambda arms, given: BlockUrn(arms, whole_numbers(given["balance"], "balance")[0]),
    ),
    "big-stick": (frozenset({"limit"}), lambda arms, given: BigStick(arms, whole_numbers(given["limit"], "limit")[0])),
    "minimization": (
        frozenset({"weights", "p"}),
        lambda arms, given: Minimization(arms, _pairs(given["weights"], "weights"), _p(given["p"])),
    ),
}
NAMES = tuple(_MAKERS)
"""The schemes there are, by name."""


def of_parameters(name: str, parameters: Mapping[str, object]) -> Scheme:
    """The scheme of this name (or full algorithm) with these parameters, as a commitment holds them.

    Raises SchemeError for an unknown scheme, a missing or unknown parameter, or values that make no scheme.
    """
    short = name.partition("/")[0]
    if short not in _MAKERS:
        raise SchemeError(f"There is no scheme {name}. Choose one of: {', '.join(NAMES)}.")
    wanted, make = _MAKERS[short]
    given = set(parameters) - {"arms"}
    if given != wanted or "arms" not in parameters:
        raise SchemeError(
            f"{short} takes the parameters {', '.join(['arms', *sorted(wanted)])}; given: {sorted(parameters)}."
        )
    scheme = make(Arms(_pairs(parameters["arms"], "arms")), parameters)
    if "/" in name and scheme.algorithm != name:
        raise SchemeError(f"This program knows {scheme.algorithm}, not {name}.")
    return scheme
