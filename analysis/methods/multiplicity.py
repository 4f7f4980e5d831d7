"""Several outcomes at once: what each p-value is when all of them are looked at.

- ``holm``: Holm's step-down adjustment (Holm 1979, Scand J Stat 6:65-70), whatever depends on what;
- ``max_t``: the step-down maximum of studentized statistics over re-randomizations (Westfall and Young 1993, Resampling-Based Multiple Testing,
  section 2.6; Ge, Dudoit and Speed 2003, Test 12:1-77, box 4): outcomes that go together are corrected for less;
- ``fixed_sequence``: one after the other, in an order fixed before (Maurer, Hothorn and Lehmacher 1995, in: Biometrie in der
  chemisch-pharmazeutischen Industrie 6:3-18).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .likelihood import Array
from .problems import Refused, error

_TIE = 1e-10


def holm(values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values in the order given: the k-th smallest of m times m - k + 1, never falling, at most 1. None stays None, uncounted."""
    known = sorted((p, n) for n, p in enumerate(values) if p is not None)
    adjusted: list[float | None] = [None] * len(values)
    highest = 0.0
    for k, (p, n) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - k) * p))
        adjusted[n] = highest
    return adjusted


def max_t(observed: Array, replicates: Array) -> Array:
    """Adjusted two-sided p-values (K,) of statistics (K,), from those of the same K outcomes in R replicates (R, K), each row under one lot.

    Outcomes in the order of |T|, the largest first; the k-th is held against the largest |T| of itself and all after it, in each replicate;
    p = (1 + #{as extreme}) / (1 + R), never falling along the order. A refit that failed (not-a-number) counts as extreme, which can only raise p.
    Refused: shapes that do not belong together, no replicate, an observed statistic that is not a number.
    """
    if observed.ndim != 1 or replicates.shape != (len(replicates), len(observed)) or not replicates.size:
        raise Refused([error("max_t_shapes", outcomes=len(observed), got=str(replicates.shape))])
    if not np.isfinite(observed).all():
        raise Refused([error("rerandomization_no_statistic")])
    order = np.argsort(-np.abs(observed), kind="stable")
    sizes = np.where(np.isfinite(replicates), np.abs(replicates), np.inf)[:, order]
    largest = np.maximum.accumulate(sizes[:, ::-1], axis=1)[:, ::-1]
    limits = np.abs(observed)[order] * (1 - _TIE)
    found = (1 + (largest >= limits).sum(axis=0)) / (1 + len(replicates))
    adjusted = np.empty(len(observed))
    adjusted[order] = np.maximum.accumulate(found)
    return adjusted


def fixed_sequence(values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values of tests in their order: the largest so far. The sequence ends at a test without p: it and what follows are None."""
    adjusted: list[float | None] = []
    highest = 0.0
    for p in values:
        if p is None:
            break
        highest = max(highest, p)
        adjusted.append(highest)
    return adjusted + [None] * (len(values) - len(adjusted))
