"""How well a blind held: the indices of James and of Bang, from guesses by arm.

James, Bloch, Lee, Kraemer and Fuller (1996), Statistics in Medicine 15:1421-1434: one index for the trial, 0 = everybody knows, .5 = guesses at
random, 1 = nobody has an opinion. Bang, Ni and Davis (2004), Controlled Clinical Trials 25:143-156: one for each arm, 1 = all know,
0 = at random, -1 = all guess the other arm. Standard errors by the delta method on multinomial counts; limits are clipped to the range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .problems import Refused, error

DONT_KNOW = "dk"
STEP = 1e-30
"""Of the complex-step derivative, which is exact to rounding: Squire and Trapp (1998), SIAM Review 40:110-112."""

Counts = Mapping[tuple[str, str], int]
"""How many of an arm made a guess: ``{("imr", "cau"): 3, ("imr", "dk"): 20, ...}``."""


@dataclass(frozen=True)
class Index:
    """An index with its standard error and confidence limits; all None where it is not estimable, with ``reason``."""

    estimate: float | None
    se: float | None
    lower: float | None
    upper: float | None
    reason: str = ""


@dataclass(frozen=True)
class Blinding:
    """James' index of the trial and Bang's of each arm, with the number of guesses."""

    james: Index
    bang: Mapping[str, Index]
    guesses: int


def blinding(counts: Counts, arms: Sequence[str], *, confidence: float = 0.95) -> Blinding:
    """Both indices. ``arms`` are the two codes; a guess is one of them or ``dk``.

    Refused: other than two arms, a guess or an arm that is none of these, a negative count, nobody at all.
    """
    table = _table(counts, arms)
    z = float(stats.norm.ppf((1 + confidence) / 2))
    bang = {arm: _bang(table[:, place], place, z) for place, arm in enumerate(arms)}
    return Blinding(_james(table, z), bang, int(table.sum()))


def _table(counts: Counts, arms: Sequence[str]) -> NDArray[np.float64]:
    """Guesses (both arms, then don't know) by arm. Raises Refused."""
    if len(set(arms)) != 2 or len(arms) != 2:
        raise Refused([error("blinding_two_arms", got=len(arms))])
    guesses = [*arms, DONT_KNOW]
    table = np.zeros((3, 2))
    problems = []
    for (arm, guess), number in counts.items():
        if arm not in arms:
            problems.append(error("blinding_arm", got=arm, allowed=tuple(arms)))
        elif guess not in guesses:
            problems.append(error("blinding_guess", got=guess, allowed=tuple(guesses)))
        elif number < 0:
            problems.append(error("blinding_count", arm=arm, guess=guess, got=number))
        else:
            table[guesses.index(guess), list(arms).index(arm)] += number
    if not problems and not table.sum():
        problems.append(error("blinding_nobody"))
    if problems:
        raise Refused(problems)
    return table


def _james(table: NDArray[np.float64], z: float) -> Index:
    total = table.sum()
    shares = table / total
    known = 1 - shares[2].sum()
    if known <= 0:  # nobody has an opinion
        return Index(1.0, 0.0, 1.0, 1.0)
    if not _expected(shares.astype(complex)).real > 0:
        return Index(None, None, None, None, "blinding_one_guess")
    value = float(np.real(_james_of(shares.astype(complex))))
    gradient = np.zeros_like(shares)
    for place in np.ndindex(shares.shape):
        moved = shares.astype(complex)
        moved[place] += STEP * 1j
        gradient[place] = _james_of(moved).imag / STEP
    variance = ((gradient**2 * shares).sum() - (gradient * shares).sum() ** 2) / total
    return _with_limits(value, float(np.sqrt(max(variance, 0.0))), z, 0.0)


def _james_of(shares: NDArray[np.complex128]) -> complex:
    """(1 + P_dk + (1 - P_dk) K) / 2, K the chance-corrected disagreement of guesses and arms among those who guess (weights 0 and 1/2)."""
    unknown = shares[2].sum()
    wrong = 0.5 * (shares[0, 1] + shares[1, 0]) / (1 - unknown)
    expected = _expected(shares)
    return complex((1 + unknown + (1 - unknown) * (wrong - expected) / expected) / 2)


def _expected(shares: NDArray[np.complex128]) -> complex:
    """The disagreement that guesses at random would have."""
    guessed, held = shares[:2].sum(axis=1), shares[:2].sum(axis=0)
    return complex(0.5 * (guessed[0] * held[1] + guessed[1] * held[0]) / (1 - shares[2].sum()) ** 2)


def _bang(column: NDArray[np.float64], own: int, z: float) -> Index:
    """Share of right guesses minus share of wrong ones, don't know in the denominator."""
    total = column.sum()
    if not total:
        return Index(None, None, None, None, "blinding_empty_arm")
    right, wrong = column[own] / total, column[1 - own] / total
    value = float(right - wrong)
    return _with_limits(value, float(np.sqrt((right + wrong - value**2) / total)), z, -1.0)


def _with_limits(value: float, se: float, z: float, least: float) -> Index:
    return Index(value, se, max(value - z * se, least), min(value + z * se, 1.0))
