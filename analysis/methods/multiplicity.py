"""Several outcomes at once: Holm's step-down adjustment (Holm 1979, Scand J Stat 6:65-70)."""

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
