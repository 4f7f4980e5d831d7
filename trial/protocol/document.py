"""Frozen dataclasses to plain JSON values and back. Pure; knows nothing about trials.

Only what the definition uses: nested dataclasses, tuples of one type, optional values, literals, dates, numbers.
"""

import datetime as dt
import hashlib
import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from trial.protocol.problems import Problem, ProtocolError

T = TypeVar("T")
FILE = "document"


def dump(thing: Any) -> Any:
    """The thing as JSON values: dataclass -> object (every field), tuple -> array, date -> ISO text."""
    if is_dataclass(thing):
        return {f.name: dump(getattr(thing, f.name)) for f in fields(thing)}
    if isinstance(thing, tuple):
        return [dump(one) for one in thing]
    if isinstance(thing, dt.date):
        return thing.isoformat()
    return thing


def read(kind: type[T], data: object) -> T:
    """An object of this dataclass. ProtocolError (file "document", key = path) where the data do not fit its fields."""
    return cast(T, _read(kind, data, ""))


def sha256(data: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of these values: keys sorted, no spaces, UTF-8."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, data: object, path: str) -> object:
    origin = get_origin(kind)
    if origin is tuple:
        return _read_tuple(get_args(kind)[0], data, path)
    if origin is Literal:
        if isinstance(data, str) and data in get_args(kind):
            return data
        raise _refuse(path, data, ", ".join(get_args(kind)))
    if origin in (Union, types.UnionType):
        return _read_union(get_args(kind), data, path)
    if is_dataclass(kind):
        return _read_object(cast(type, kind), data, path)
    return _read_scalar(kind, data, path)


def _read_tuple(kind: Any, data: object, path: str) -> tuple[object, ...]:
    if not isinstance(data, list):
        raise _refuse(path, data, "an array")
    return tuple(_read(kind, one, f"{path}[{number}]") for number, one in enumerate(data, start=1))


def _read_union(kinds: tuple[Any, ...], data: object, path: str) -> object:
    if data is None and type(None) in kinds:
        return None
    rest = [kind for kind in kinds if kind is not type(None)]
    if len(rest) == 1:
        return _read(rest[0], data, path)
    words = [kind for kind in rest if get_origin(kind) is Literal]
    if isinstance(data, str) and words:
        return _read(words[0], data, path)
    if isinstance(data, int | float) and not isinstance(data, bool):
        return data
    raise _refuse(path, data, "a number")


def _read_object(kind: type, data: object, path: str) -> object:
    if not isinstance(data, Mapping):
        raise _refuse(path, data, "an object")
    known = {f.name: f for f in fields(kind)}
    problems = [
        Problem(FILE, _join(path, str(key)), "unknown_key", {"allowed": ", ".join(known)})
        for key in data
        if key not in known
    ]
    values: dict[str, object] = {}
    for name, one in known.items():
        if name in data:
            values[name] = _read(_hints(kind)[name], data[name], _join(path, name))
        elif one.default is MISSING and one.default_factory is MISSING:
            problems.append(Problem(FILE, _join(path, name), "missing", {"allowed": "a value"}))
    if problems:
        raise ProtocolError(problems)
    return kind(**values)


def _read_scalar(kind: Any, data: object, path: str) -> object:
    if kind is dt.date:
        try:
            return dt.date.fromisoformat(cast(str, data))
        except (TypeError, ValueError):
            raise _refuse(path, data, "a date as YYYY-MM-DD") from None
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        return data
    if kind in (str, bool, int) and type(data) is kind:
        return data
    raise _refuse(path, data, f"a value of type {kind.__name__}")


def _refuse(path: str, data: object, allowed: str) -> ProtocolError:
    return ProtocolError([Problem(FILE, path, "wrong_type", {"found": repr(data)[:60], "allowed": allowed})])


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
