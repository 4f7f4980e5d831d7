"""One answer, from what was typed or imported to what is stored. Pure; the words of a refusal belong to the page."""

import datetime
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from assessments.instruments.scoring import limits
from trial.protocol.definition import Instrument, Item

MAX_TEXT = 2000


class Invalid(StrEnum):
    """Why a text is no answer to an item."""

    NOT_A_NUMBER = "not_a_number"
    NOT_WHOLE = "not_whole"
    OUT_OF_RANGE = "out_of_range"
    NOT_A_LEVEL = "not_a_level"
    NOT_A_DATE = "not_a_date"
    TOO_LONG = "too_long"


class InvalidAnswer(ValueError):
    """``text`` is no answer to ``item``, because of ``code``."""

    def __init__(self, item: Item, text: str, code: Invalid) -> None:
        super().__init__(f"{item.code}: {code}")
        self.item, self.text, self.code = item, text, code


@dataclass(frozen=True, slots=True)
class Value:
    """A valid answer: its one canonical text, and the same as a number where the item is numeric."""

    text: str
    number: Decimal | None = None


def read(item: Item, text: str) -> Value:
    """The answer in ``text`` (not empty). Equal answers have equal texts: ``3``, ``3.0`` and `` 3`` are all ``3``.

    Raises InvalidAnswer for anything the item can't hold.
    """
    text = text.strip()
    if item.is_numeric:
        return _number(item, text)
    if item.kind == "date":
        try:
            return Value(datetime.date.fromisoformat(text).isoformat())
        except ValueError:
            raise InvalidAnswer(item, text, Invalid.NOT_A_DATE) from None
    limit = MAX_TEXT if item.max is None else int(item.max)
    if len(text) > limit:
        raise InvalidAnswer(item, text, Invalid.TOO_LONG)
    return Value(text)


def open_items(instrument: Instrument, answered: set[str]) -> tuple[Item, ...]:
    """The items that stand between the form and its signature: neither optional nor in ``answered``."""
    return tuple(item for item in instrument.items if not item.optional and item.code not in answered)


def _number(item: Item, text: str) -> Value:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise InvalidAnswer(item, text, Invalid.NOT_A_NUMBER) from None
    if not number.is_finite():
        raise InvalidAnswer(item, text, Invalid.NOT_A_NUMBER)
    if item.levels and number not in {value for value, _ in item.levels}:
        raise InvalidAnswer(item, text, Invalid.NOT_A_LEVEL)
    lowest, highest = limits(item)
    if not lowest <= number <= highest:
        raise InvalidAnswer(item, text, Invalid.OUT_OF_RANGE)
    if number == number.to_integral_value():
        number = number.to_integral_value()
    elif item.kind == "integer":
        raise InvalidAnswer(item, text, Invalid.NOT_WHOLE)
    else:
        number = number.quantize(Decimal(1).scaleb(-6)).normalize()
    return Value(f"{number:f}" if number else "0", number)
