"""What an item is to hold: from texts and reasons, as they were typed or imported, to what is stored. Refuses what the form can't hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol as Shape

from django.utils.translation import gettext as _

from assessments.instruments.answers import InvalidAnswer, Value, read
from trial.core.errors import Refused
from trial.protocol.definition import Instrument, Item, Protocol


class Held(Shape):
    """What an item holds, as signed or as amended."""

    value: str
    number: Decimal | None
    missing: str


@dataclass(frozen=True)
class New:
    """What an item is to hold; ``number`` follows from ``text``."""

    text: str = ""
    missing: str = ""
    number: Decimal | None = field(default=None, compare=False)


NOTHING = New()


def as_stored(answer: Held | None) -> New:
    """The same of what an item holds now."""
    return New(text=answer.value, missing=answer.missing) if answer else NOTHING


def wanted_answers(
    protocol: Protocol, instrument: Instrument, answers: Mapping[str, str], missing: Mapping[str, str]
) -> dict[str, New]:
    """Answers and reasons by item code, read; an answer wins over a reason.

    Refuses an item that the form does not have, a value that the item can't hold and a reason that the protocol does not know.
    """
    known = {item.code: item for item in instrument.items}
    unknown = sorted({*answers, *missing} - set(known))
    if unknown:
        raise Refused("item_unknown", _("This form has no item %(item)s.") % {"item": ", ".join(unknown)})
    wanted: dict[str, New] = {}
    for code, text in answers.items():
        if text.strip() == "":
            wanted[code] = NOTHING
        else:
            value = _read(known[code], text)
            wanted[code] = New(value.text, number=value.number)
    for code, reason_code in missing.items():
        must_be_reason(protocol, reason_code)
        if wanted.get(code, NOTHING) == NOTHING:
            wanted[code] = New(missing=reason_code)
    return wanted


def must_be_reason(protocol: Protocol, code: str) -> None:
    """Refuse a reason for missing items that the protocol does not have."""
    if code not in {reason.code for reason in protocol.reasons.missing_item}:
        raise Refused("reason_unknown", _("Choose a reason from the list of the protocol."))


def _read(item: Item, text: str) -> Value:
    try:
        return read(item, text)
    except InvalidAnswer as error:
        raise Refused(
            "answer_invalid", _("%(topic)s: “%(text)s” is no valid answer.") % {"topic": item.topic, "text": text[:40]}
        ) from error
