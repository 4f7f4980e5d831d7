"""Scores of one form: a pure function of an instrument's definition and the answers.

Nothing here knows Django, a participant or a visit. Arithmetic is exact (fractions) up to one rounding at the end, to
``PLACES`` decimals, half to even: the order of items or answers cannot change a digit.

A score is a value or a reason why there is none; never 0 for "unknown".

Missing items: a scale has a score when at least the share ``missing.min_answered`` of its items is answered; a missing
item then counts as the mean of the person's answered ones (after reversal). For a sum that is the prorated sum, for a
mean the mean of the answered items. In a difference each of the two parts must reach the share, and is completed by its
own mean: a mean over items of both signs would have no meaning.

Symptoms that are present (present_count, present_mean) are those above their lowest answer. Where none is, their mean does not
exist.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache

from trial.protocol.definition import Instrument, Item, Number, Scale

PLACES = 6


class NotComputable(StrEnum):
    """Why a scale has no value."""

    TOO_FEW_ANSWERS = "too_few_answers"
    NOTHING_PRESENT = "nothing_present"


@dataclass(frozen=True, slots=True)
class ScaleScore:
    """The score of one scale: exactly one of ``value`` and ``reason`` is given. ``answered`` of ``items`` items had an
    answer.
    """

    scale: str
    value: Decimal | None
    reason: NotComputable | None
    answered: int
    items: int

    @property
    def computable(self) -> bool:
        """Whether there is a value."""
        return self.value is not None


def reverse(value: Decimal, lowest: Decimal, highest: Decimal) -> Decimal:
    """The mirrored answer: ``lowest`` becomes ``highest`` and the other way round. Twice is the answer itself."""
    return lowest + highest - value


def limits(item: Item) -> tuple[Decimal, Decimal]:
    """Lowest and highest number of a numeric item, as the protocol writes them. ValueError for any other item."""
    lowest, highest = item.limits
    return exact(lowest), exact(highest)


@cache
def exact(number: Number) -> Decimal:
    """A number of the protocol as it is written there: 0.1 is one tenth."""
    return Decimal(str(number))


def needed(scale: Scale, items: int) -> int:
    """How many of ``items`` items must be answered: the share of the missing rule, rounded up, at least one."""
    return max(1, math.ceil(Fraction(str(scale.missing.min_answered)) * items))


def score_form(instrument: Instrument, answers: Mapping[str, Decimal]) -> tuple[ScaleScore, ...]:
    """Every scale of the instrument, in its order.

    ``answers`` maps codes of numeric items to their answers; an item that is missing, with or without a reason, is
    simply not in it. Refuses with ValueError an item that the instrument does not have or that is not numeric, and a
    value out of bounds: such a form must never have been signed.
    """
    known = {item.code: item for item in instrument.items}
    for code, value in answers.items():
        if code not in known:
            raise ValueError(f"Instrument {instrument.code} has no item {code}.")
        lowest, highest = limits(known[code])
        if not value.is_finite() or not lowest <= value <= highest:
            raise ValueError(f"Item {code}: {value} is not within {lowest} and {highest}.")
    return tuple(score_scale(scale, known, answers) for scale in instrument.scales)


def score_scale(scale: Scale, items: Mapping[str, Item], answers: Mapping[str, Decimal]) -> ScaleScore:
    """The score of one scale. ``items`` holds the instrument's items by code; KeyError if one of the scale is not among
    them.
    """
    plus = _part(scale, scale.items, items, answers)
    minus = _part(scale, scale.negative_items, items, answers)
    answered = sum(value is not None for value in (*plus, *minus))
    completed = [_completed(scale, part) for part in (plus, minus) if part]
    if any(part is None for part in completed):
        return ScaleScore(scale.code, None, NotComputable.TOO_FEW_ANSWERS, answered, len(plus) + len(minus))
    first = completed[0] or []
    second = (completed[1] or []) if minus else []
    present = _present(scale, first, items) if scale.method.startswith("present_") else []
    if scale.method == "present_mean" and not present:
        return ScaleScore(scale.code, None, NotComputable.NOTHING_PRESENT, answered, len(plus))
    match scale.method:
        case "sum":
            value = sum(first, Fraction(0))
        case "mean":
            value = sum(first, Fraction(0)) / len(first)
        case "weighted":
            weights = [Fraction(str(weight)) for weight in scale.weights]
            value = sum((w * x for w, x in zip(weights, first, strict=True)), Fraction(0))
        case "difference":
            value = sum(first, Fraction(0)) - sum(second, Fraction(0))
        case "present_count":
            value = Fraction(len(present))
        case "present_mean":
            value = sum(present, Fraction(0)) / len(present)
    return ScaleScore(scale.code, rounded(value), None, answered, len(plus) + len(minus))


def rounded(value: Fraction) -> Decimal:
    """``value`` at ``PLACES`` decimals, half to even, exactly."""
    return Decimal(round(value * 10**PLACES)).scaleb(-PLACES)


def _part(
    scale: Scale, codes: Sequence[str], items: Mapping[str, Item], answers: Mapping[str, Decimal]
) -> list[Fraction | None]:
    values: list[Fraction | None] = []
    for code in codes:
        answer = answers.get(code)
        if answer is not None and code in scale.reversed_items:
            answer = reverse(answer, *limits(items[code]))
        else:
            items[code]  # a scale that names an unknown item is refused even where nothing was answered
        values.append(None if answer is None else Fraction(answer))
    return values


def _present(scale: Scale, values: Sequence[Fraction], items: Mapping[str, Item]) -> list[Fraction]:
    lowest = [Fraction(limits(items[code])[0]) for code in scale.items]
    return [value for value, low in zip(values, lowest, strict=True) if value > low]


def _completed(scale: Scale, part: Sequence[Fraction | None]) -> list[Fraction] | None:
    known = [value for value in part if value is not None]
    if len(known) < needed(scale, len(part)):
        return None
    mean = sum(known, Fraction(0)) / len(known)
    return [mean if value is None else value for value in part]
