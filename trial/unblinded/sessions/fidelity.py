"""Scoring fidelity: items of a group, rated twice and agreed, to a mean and a band. Pure.

A rating gives each item a whole number of the scale's range; an optional item may be left out (None) where it does not apply. The score is
the mean of the items that are rated; where two raters differ they agree on the item.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from statistics import fmean, quantiles, stdev

from trial.protocol.definition import FidelityBand, FidelityScale

Scores = Mapping[str, int | None]
DECIMALS = Decimal("0.0001")


class NotScorable(ValueError):
    """A rating that gives no score: something is open or out of range."""


def open_items(scale: FidelityScale, scores: Scores) -> tuple[str, ...]:
    """Items without a valid rating, in the scale's order. None is valid for an optional item."""
    return tuple(item.code for item in scale.items if not _is_valid(scale, item.optional, item.code, scores))


def _is_valid(scale: FidelityScale, optional: bool, code: str, scores: Scores) -> bool:
    if code not in scores:
        return False
    value = scores[code]
    return optional if value is None else scale.min <= value <= scale.max


def score(scale: FidelityScale, scores: Scores) -> Decimal:
    """The mean of the items, to four decimals. Raises NotScorable while an item is open, or nothing applies."""
    if open_items(scale, scores):
        raise NotScorable("items are open")
    rated = [value for item in scale.items if (value := scores[item.code]) is not None]
    if not rated:
        raise NotScorable("no item applies")
    return (Decimal(sum(rated)) / len(rated)).quantize(DECIMALS, ROUND_HALF_UP)


def band(scale: FidelityScale, value: Decimal) -> FidelityBand:
    """The highest band whose minimum the score reaches; a cut-off belongs to the upper band."""
    reached = [one for one in scale.bands if Decimal(str(one.minimum)) <= value]
    return max(reached or [scale.bands[0]], key=lambda one: one.minimum)


def differing(scale: FidelityScale, ratings: Sequence[Scores]) -> tuple[str, ...]:
    """The items on which the raters differ, in the scale's order."""
    return tuple(item.code for item in scale.items if len({rating.get(item.code) for rating in ratings}) > 1)


def agreed(scale: FidelityScale, ratings: Sequence[Scores], decided: Scores) -> dict[str, int | None]:
    """The consensus: what all raters gave, and ``decided`` for the items on which they differ. Other decisions are not taken."""
    apart = set(differing(scale, ratings))
    found: dict[str, int | None] = {}
    for item in scale.items:
        if item.code not in apart:
            found[item.code] = ratings[0].get(item.code)
        elif item.code in decided:
            found[item.code] = decided[item.code]
    return found


@dataclass(frozen=True)
class Summary:
    """Scores of several groups: mean with sample standard deviation, median with interquartile range (R's type 7)."""

    count: int
    mean: float
    sd: float | None
    median: float
    iqr: float | None


def summary(values: Sequence[Decimal]) -> Summary | None:
    """The summary of at least one score; spread needs two."""
    if not values:
        return None
    numbers = [float(value) for value in values]
    if len(numbers) == 1:
        return Summary(1, numbers[0], None, numbers[0], None)
    low, middle, high = quantiles(numbers, n=4, method="inclusive")
    return Summary(len(numbers), fmean(numbers), stdev(numbers), middle, high - low)
