"""How names and texts are written in R. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")
_RESERVED = {
    "if", "else", "repeat", "while", "function", "for", "next", "break", "TRUE", "FALSE", "NULL", "Inf", "NaN", "NA", "in",
}  # fmt: skip


def name_of(name: str) -> str:
    """A column in a formula."""
    return name if _NAME.fullmatch(name) and name not in _RESERVED else f"`{name}`"


def text(value: Any) -> str:
    """A string of R."""
    return json.dumps(str(value), ensure_ascii=True)


def reml_of(spec: Mapping[str, Any]) -> str:
    """Whether the model is fitted by restricted maximum likelihood."""
    return "TRUE" if spec.get("method", "reml") == "reml" else "FALSE"


def texts(values: Any) -> str:
    """A vector of strings."""
    return f"c({', '.join(text(value) for value in values)})"
