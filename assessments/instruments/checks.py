"""Checks between the answers of one form: a pure function of the instrument's definition and the answers.

The range of a single item is checked as it is read (``answers``). What is odd here can be true all the same: a soft check asks for a
confirmation, a hard one stands between the form and its signature.
"""

from collections.abc import Mapping
from decimal import Decimal

from trial.protocol.definition import Bounds, Check, Instrument


def failed(instrument: Instrument, answers: Mapping[str, Decimal]) -> tuple[Check, ...]:
    """The checks that fail, in the order of the form. ``answers``: numbers by item code; what is missing is not in it."""
    return tuple(check for check in instrument.checks if _fails(check, answers))


def looked_at(check: Check, answers: Mapping[str, Decimal]) -> dict[str, str]:
    """The answers that the check is about, as text: a confirmation holds for these and for no others."""
    return {code: f"{answers[code].normalize():f}" for code in sorted(set(check.items)) if code in answers}


def _fails(check: Check, answers: Mapping[str, Decimal]) -> bool:
    if check.differ:
        values = [answers.get(code) for code in check.differ]
        return len(values) > 1 and None not in values and len(set(values)) == 1
    if not all(_within(bounds, answers) for bounds in check.when):
        return False
    return any(bounds.item in answers and not _within(bounds, answers) for bounds in check.expect)


def _within(bounds: Bounds, answers: Mapping[str, Decimal]) -> bool:
    value = answers.get(bounds.item)
    return value is not None and Decimal(str(bounds.min)) <= value <= Decimal(str(bounds.max))
