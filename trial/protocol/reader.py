"""Reading one TOML file into typed values, keeping every problem with its place instead of stopping at the first.

A `Table` is asked for each key that may be there. What is missing or wrong becomes a problem and a harmless
placeholder, so that reading goes on; `close` refuses the keys that nobody asked for.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from trial.protocol.problems import Problem

MAX_BYTES = 1_000_000
MAX_ENTRIES = 500
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}\Z")
CODES = re.compile(r"[A-Za-z0-9_.]{1,62}\Z")  # one code, or a range of two
# Names under which somebody might write down what would let others predict an allocation.
SECRET = re.compile(
    r"block(s|ed|ing)?\Z|blocksizes?\Z|seeds?\Z|lists?\Z|sequences?\Z|envelopes?\Z|allocations?\Z|randomi[sz]ation\Z"
)
SECRET_PARTS = re.compile(r"blocksize|seed|(allocation|random|randomi[sz]ation|sealed)(list|sequence)")

_REQUIRED: Any = object()
Placeholder = TypeVar("Placeholder")


class Problems:
    """The problems found so far."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, file: str, key: str, code: str, **data: str) -> None:
        """Note a problem at this place. A key nobody could read is shortened."""
        key = "".join(c if c.isprintable() else "?" for c in key[:120])
        self.found.append(Problem(file, key, code, data))


def show(value: object) -> str:
    """The value as people typed it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        text = value.isoformat() if isinstance(value, dt.date | dt.time) else repr(value)
    except ValueError:  # an integer too long to print
        text = "this number"
    return text if len(text) <= 60 else text[:57] + "..."


def similar(word: str, allowed: Iterable[str]) -> str:
    """The allowed name most like this word, or nothing."""
    lowered = {one.lower(): one for one in allowed}
    close = get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else ""


def is_secret(key: str) -> bool:
    """Whether a setting of this name could hold block sizes, a seed or an allocation list."""
    plain = re.sub(r"[^a-z]", "", key.lower())
    return bool(SECRET.match(plain) or SECRET_PARTS.search(plain))


def read_toml(path: Path, file: str, problems: Problems) -> dict[str, Any] | None:
    """The content of a TOML file, or nothing and a problem."""
    try:
        if path.stat().st_size > MAX_BYTES:
            problems.add(file, "", "unreadable", detail=f"it is longer than {MAX_BYTES} bytes")
            return None
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        problems.add(file, "", "no_file")
    except OSError as error:
        problems.add(file, "", "unreadable", detail=error.strerror or type(error).__name__)
    except UnicodeDecodeError as error:
        problems.add(file, "", "not_text", detail=f"byte {error.start + 1}")
    except RecursionError:
        problems.add(file, "", "not_toml", detail="it is nested too deeply")
    except ValueError as error:
        problems.add(file, "", "not_toml", detail=str(error)[:200])
    return None


class Table:
    """One table of a TOML file. Reading a value that is wrong notes a problem and gives a placeholder."""

    def __init__(self, file: str, path: str, data: Mapping[str, Any], problems: Problems) -> None:
        self.file, self.path, self.data, self.problems = file, path, data, problems
        self.asked: list[str] = []

    def problem(self, key: str, code: str, **data: str) -> None:
        """Note a problem with this key of the table."""
        self.problems.add(self.file, self.place(key), code, **data)

    def place(self, key: str) -> str:
        """The key's path from the top of the file."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the key is written in the file (asking makes it known)."""
        self.asked.append(key)
        return key in self.data

    def text(self, key: str, *, most: int = 120, default: str = _REQUIRED) -> str:
        """A text of one to `most` characters, without control characters."""
        if default is not _REQUIRED and not self.has(key):
            return default
        value = self._get(key, f"a text of 1 to {most} characters", _REQUIRED)
        if value is None:
            return ""
        if not isinstance(value, str):
            return self._wrong(key, value, "a text in quotes", "")
        clean = value.strip()
        if not clean or len(clean) > most or any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 for c in clean):
            self.problem(key, "bad_text", allowed=f"1 to {most} characters, no control characters")
        return clean

    def code(self, key: str = "code") -> str:
        """A code: a letter, then up to 29 letters, digits or underscores."""
        value = self._get(key, "a code", _REQUIRED)
        if value is None:
            return ""
        if not isinstance(value, str) or not CODE.match(value):
            self.problem(key, "bad_code", found=show(value))
            return ""
        return value

    def integer(self, key: str, least: int, most: int, default: int = _REQUIRED) -> int:
        """A whole number from `least` to `most`."""
        value = self._number(key, least, most, default)
        if isinstance(value, float):
            return self._wrong(key, value, f"a whole number from {least} to {most}", least)
        return value

    def number(self, key: str, least: float, most: float, default: float = _REQUIRED) -> int | float:
        """A number from `least` to `most`; a whole one as int, so that 1 and 1.0 are the same protocol."""
        return self._number(key, least, most, default)

    def flag(self, key: str, default: bool = _REQUIRED) -> bool:
        """true or false."""
        value = self._get(key, "true or false", default)
        if value is None:
            return False
        return value if isinstance(value, bool) else self._wrong(key, value, "true or false", False)

    def one_of(self, key: str, kind: Any, default: str = _REQUIRED) -> Any:
        """One of the words of a Literal type."""
        return self._word(key, self._get(key, ", ".join(get_args(kind)), default), get_args(kind))

    def date(self, key: str) -> dt.date | None:
        """A date as YYYY-MM-DD without quotes; none if it is not there."""
        if not self.has(key):
            return None
        value = self.data[key]
        if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
            return self._wrong(key, value, "a date as 2012-10-25, without quotes", None)
        return value

    def words(self, key: str, kind: Any) -> tuple[Any, ...]:
        """A list of at least one different word of a Literal type."""
        return tuple(
            self._word(f"{key}[{n}]", value, get_args(kind)) for n, value in self._list(key, ", ".join(get_args(kind)))
        )

    def codes(self, key: str) -> tuple[str, ...]:
        """A list of at least one code, each once."""
        codes: list[str] = []
        for n, value in self._list(key, "a list of codes"):
            if not isinstance(value, str) or not CODES.match(value):
                self.problem(f"{key}[{n}]", "wrong_type", found=show(value), allowed="a code in quotes")
            elif value in codes:
                self.problem(f"{key}[{n}]", "duplicate", found=show(value), what="entry")
            else:
                codes.append(value)
        return tuple(codes)

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        """A list of texts."""
        values = self._list(key, "a list of texts")
        row = Table(self.file, self.path, {f"{key}[{n}]": value for n, value in values}, self.problems)
        return tuple(row.text(name, most=most) for name in row.data)

    def numbers(self, key: str) -> tuple[int | float, ...]:
        """A list of numbers; empty if it is not there."""
        if not self.has(key):
            return ()
        values = self._list(key, "a list of numbers")
        row = Table(self.file, self.path, {f"{key}[{n}]": value for n, value in values}, self.problems)
        return tuple(row.number(name, -1000, 1000) for name in row.data)

    def table(self, key: str) -> "Table":
        """A table below this one; an empty one and a problem if it is missing."""
        value = self._get(key, f"a table [{self.place(key)}]", _REQUIRED)
        if value is not None and not isinstance(value, dict):
            self._wrong(key, value, f"a table [{self.place(key)}]", None)
        return Table(self.file, self.place(key), value if isinstance(value, dict) else {}, self.problems)

    def tables(self, key: str, *, least: int = 1) -> "list[Table]":
        """A list of tables `[[key]]`, at least `least`."""
        if least == 0 and not self.has(key):
            return []
        values = self._list(key, f"tables [[{self.place(key)}]]", least=least)
        for n, value in values:
            if not isinstance(value, dict):
                self.problem(f"{key}[{n}]", "wrong_type", found=show(value), allowed=f"a table [[{self.place(key)}]]")
        path = self.place(key)
        return [Table(self.file, f"{path}[{n}]", v, self.problems) for n, v in values if isinstance(v, dict)]

    def close(self) -> None:
        """Refuse every key that was not asked for, with the one that was probably meant."""
        known = list(dict.fromkeys(self.asked))
        for key, value in self.data.items():
            if key in known:
                continue
            if is_secret(key) or _holds_secret(value):
                self.problem(key, "secret_key")
            else:
                self.problem(key, "unknown_key", similar=similar(key, known), allowed=", ".join(known))

    def _get(self, key: str, allowed: str, default: Any) -> Any:
        if self.has(key):
            return self.data[key]
        if default is not _REQUIRED:
            return default
        self.problem(key, "missing", allowed=allowed)
        return None

    def _wrong(self, key: str, value: object, allowed: str, placeholder: Placeholder) -> Placeholder:
        self.problem(key, "wrong_type", found=show(value), allowed=allowed)
        return placeholder

    def _number(self, key: str, least: float, most: float, default: float) -> int | float:
        allowed = f"a number from {least} to {most}"
        value = self._get(key, allowed, default)
        if value is None:
            return least
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            return self._wrong(key, value, allowed, least)
        if not least <= value <= most:
            self.problem(key, "out_of_range", found=show(value), allowed=f"{least} to {most}")
            return least
        return int(value) if value == int(value) else value

    def _word(self, key: str, value: object, allowed: Sequence[str]) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        if value is not None:
            close = similar(value, allowed) if isinstance(value, str) else ""
            self.problem(key, "not_allowed", found=show(value), similar=close, allowed=", ".join(allowed))
        return allowed[0]

    def _list(self, key: str, allowed: str, least: int = 1) -> list[tuple[int, Any]]:
        value = self._get(key, allowed, _REQUIRED)
        if value is None:
            return []
        if not isinstance(value, list):
            self._wrong(key, value, allowed, None)
            return []
        if not least <= len(value) <= MAX_ENTRIES:
            self.problem(key, "too_few", found=str(len(value)), allowed=f"{least} to {MAX_ENTRIES} entries")
        return list(enumerate(value[:MAX_ENTRIES], start=1))


def _holds_secret(value: object) -> bool:
    if isinstance(value, dict):
        return any(is_secret(key) or _holds_secret(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_holds_secret(inner) for inner in value)
