"""Several outcomes at once: Holm's step-down adjustment (Holm 1979, Scand J Stat 6:65-70), or one after the other in an order fixed before
(Maurer, Hothorn and Lehmacher 1995, in: Biometrie in der chemisch-pharmazeutischen Industrie 6:3-18)."""

from __future__ import annotations

from collections.abc import Sequence


def holm(values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values in the order given: the k-th smallest of m times m - k + 1, never falling, at most 1. None stays None, uncounted."""
    known = sorted((p, n) for n, p in enumerate(values) if p is not None)
    adjusted: list[float | None] = [None] * len(values)
    highest = 0.0
    for k, (p, n) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - k) * p))
        adjusted[n] = highest
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
