"""What can be wrong with data, a specification or a fit: a code with its data, never a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = str | int | float | bool | tuple[str, ...]
Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing that the reader of a result has to know.

    `code` is a key of `words.SENTENCES`; `data` fills the sentence. An error means that the thing asked for was not
    computed; a warning means that it was, and what to think of it.
    """

    code: str
    data: Mapping[str, Value] = field(default_factory=dict)
    severity: Severity = "warning"


class Refused(Exception):
    """The data or the specification do not allow the analysis; `problems` says why, each with its place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.code} {dict(p.data)}" for p in self.problems))


def error(code: str, **data: Value) -> Problem:
    """A problem that stops the analysis."""
    return Problem(code, data, "error")


def warning(code: str, **data: Value) -> Problem:
    """A problem that the analysis survives and its reader must know."""
    return Problem(code, data, "warning")
