"""The re-randomization test: how often would the lot alone have made a difference as large as this one?

Under the sharp null hypothesis nobody's outcome depends on the arm. The arms are drawn again R times by the scheme that drew them, in entry
order, and the statistic is computed again each time: p = (1 + #{as extreme}) / (1 + R), which is valid at every R (Phipson and Smyth 2010, Stat
Appl Genet Mol Biol 9:39). The statistic is studentized, so that it also holds, in large samples, where only the mean is the same in both arms
(Chung and Romano 2013, Ann Stat 41:484-507). Rosenberger and Lachin (2016), Randomization in Clinical Trials, chapter 6.

Replicates are drawn and computed in `blocks`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .blocks import Part, joined, part_of
from .likelihood import Array
from .problems import Refused, error

Arms = npt.NDArray[np.int64]
Scheme = Callable[[bytes], npt.ArrayLike]
"""The declared scheme replayed in entry order: 32 bytes of seed to the arms (n,), coded as the observed ones."""
Statistic = Callable[[Arms], npt.ArrayLike]
"""The studentized contrast of each row of arms: (r, n) to (r,); not-a-number where a refit failed."""

LEAST = 4_999
_TIE = 1e-10
"""Statistics closer than this, relatively, are one value that rounding has told apart."""


@dataclass(frozen=True)
class Rerandomization:
    """p, how many `replicates` were as `extreme` as the `observed` statistic, and all of them in order.

    `failed` replicates have no statistic (None); they count as extreme, which can only raise p. `error` is the Monte-Carlo standard error of p.
    """

    p: float
    observed: float
    sides: Literal[1, 2]
    replicates: int
    extreme: int
    failed: int
    error: float
    seed: str
    statistics: tuple[float | None, ...]


def observe(statistic: Statistic, arms: npt.ArrayLike) -> float:
    """The statistic of the arms (n,) as they were allocated. Refused: where it is not a number."""
    value = float(_values(statistic, np.asarray(arms, dtype=np.int64)[None, :])[0])
    if not math.isfinite(value):
        raise Refused([error("rerandomization_no_statistic")])
    return value


def replicate(
    statistic: Statistic, scheme: Scheme | None, arms: npt.ArrayLike, *, seed: str, start: int, stop: int
) -> Part:
    """Compute replicates `start` to before `stop`.

    Refused: no declared scheme (a list made elsewhere cannot be drawn again), a scheme that does not give one of the observed arms to each.
    """
    if scheme is None:
        raise Refused([error("rerandomization_no_scheme")])
    given = np.asarray(arms, dtype=np.int64)
    codes = np.unique(given)

    def values_of(numbers: range) -> Array:
        return _values(statistic, np.array([_draw(scheme, given.shape, codes, seed, i) for i in numbers]))

    return part_of(values_of, seed=seed, start=start, stop=stop)


def combine(
    parts: Iterable[Part], observed: float, *, replicates: int = LEAST, sides: Literal[1, 2] = 2
) -> Rerandomization:
    """The test from parts in any order. One-sided: large statistics are extreme.

    Refused: fewer than 4,999 replicates; parts of several seeds, or that do not hold each replicate exactly once.
    """
    if replicates < LEAST:
        raise Refused([error("rerandomization_too_few", got=replicates, least=LEAST)])
    parts = list(parts)
    values = joined(parts, replicates, torn="rerandomization_parts", mixed="rerandomization_seeds")
    failed = ~np.isfinite(values)
    compared, limit = (np.abs(values), abs(observed)) if sides == 2 else (values, observed)
    extreme = int((failed | (compared >= limit - _TIE * abs(limit))).sum())
    p = (1 + extreme) / (1 + replicates)
    return Rerandomization(
        p=p,
        observed=observed,
        sides=sides,
        replicates=replicates,
        extreme=extreme,
        failed=int(failed.sum()),
        error=math.sqrt(p * (1 - p) / replicates),
        seed=next(part.seed for part in parts if part.stop > part.start),
        statistics=tuple(float(v) if math.isfinite(v) else None for v in values),
    )


def seed_of(seed: str, index: int) -> bytes:
    """The 32 bytes that replicate `index` is drawn with: SHA-256 of the seed and the index."""
    return hashlib.sha256(f"re-randomization|{seed}|{index}".encode()).digest()


def _draw(scheme: Scheme, shape: tuple[int, ...], codes: Arms, seed: str, index: int) -> Any:
    """A lot of one of `codes` to each."""
    drawn = np.asarray(scheme(seed_of(seed, index)))
    if drawn.shape != shape or not (drawn == codes[:, None]).any(axis=0).all():
        raise Refused([error("rerandomization_scheme", people=shape[0], replicate=index)])
    return drawn.astype(np.int64)


def _values(statistic: Statistic, arms: Arms) -> Array:
    values = np.asarray(statistic(arms), dtype=float)
    if values.shape != (len(arms),):
        raise ValueError(f"the statistic of {len(arms)} rows of arms has the shape {values.shape}")
    return values
