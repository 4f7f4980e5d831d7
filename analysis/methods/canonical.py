"""One way to write a result, so that equal results are equal bytes: JSON, keys sorted, numbers at 12 significant digits."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

DIGITS = 12


class Unwritable(ValueError):
    """A number that is none, where a result was to be written."""


def plain(value: Any) -> Any:
    """Dataclasses, tuples and mappings as plain data; floats at 12 significant digits.

    Refuses (ValueError) what has no number to write: not-a-number and infinity are None with a reason before they come here.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unwritable(f"{value} cannot be written in a result; give None and a reason")
        return float(f"{value:.{DIGITS}g}") + 0.0  # + 0.0 turns -0.0 into 0.0
    raise ValueError(f"a {type(value).__name__} cannot be written in a result")


def encode(value: Any) -> bytes:
    """The canonical bytes of a result, UTF-8."""
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
