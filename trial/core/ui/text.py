"""The type of what people read (text, or text that is translated when it is shown), and how numbers are written in it."""

import re
from typing import TYPE_CHECKING

from django.utils.functional import Promise

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Text = str | _StrPromise
else:
    Text = str | Promise

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
SMALLEST_P = 0.001

_NEGATIVE = re.compile(r"(?<![\w.)\-])-(?=\.?\d)")


def minus(text: str) -> str:
    """The text with a minus sign before its negative numbers; a hyphen between numbers ("40-49") or in a word stays."""
    return _NEGATIVE.sub(MINUS, text)


def p_value(p: float | None) -> str:
    """A p-value for a cell: ".318", never 0: "< .001"; a dash for none."""
    if p is None:
        return "–"
    if p < SMALLEST_P:
        return f"<{NO_BREAK}.001"
    return f"{p:.3f}".removeprefix("0")


def p_words(p: float | None) -> str:
    """A p-value in a sentence, on one line: "p = .318", "p < .001", "p –"."""
    written = p_value(p)
    sign = f"={NO_BREAK}" if written[0] in ".1" else ""
    return f"p{NO_BREAK}{sign}{written}"
