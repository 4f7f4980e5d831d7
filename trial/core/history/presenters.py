"""The history as the page shows it: one line a changed field."""

import datetime as dt
import re
from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext as _

from trial.core.history.queries import Change as Recorded
from trial.core.ui.parts import Change
from trial.core.ui.tables import STATE_WORDS, grouped
from trial.core.ui.tables import shown as in_words
from trial.core.ui.text import Text

QUIET = frozenset(
    {"site_id", "recorded_by", "requested_by", "registered_at", "created_at", "recorded_at", "requested_at", "revision"}
)
"""Columns that repeat what the line says anyway: who, when and where."""

KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
"""A code such as "in_screening"; anything else that was typed is left as it is."""
STUDY_NUMBER = re.compile(r"\d{8}")
NUMBERED = ("number", "participant")
"""Columns that hold the number of a participant."""
INSTANT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")


Words = Mapping[str, Text]


def lines(changes: list[Recorded], words: Words | None = None, without: Collection[str] = ()) -> list[Change]:
    """One line for each field that changed; a new row is one line that names its fields, without keys of other rows.

    ``words`` are texts for names of actions, names of columns, codes, and keys of people; "column:code" goes before "code". What has none
    there is made readable: codes without underscores, states in the words of the tables, numbers of participants in groups. ``without``:
    columns that repeat the rest of the line or of the page.
    """
    said = words or {}
    shown: list[Change] = []
    for change in changes:
        what = str(said.get(change.what, "")) or change.what.replace("_", " ").capitalize() or _("Change")
        fields = [(name, old, new) for name, old, new in change.fields if name not in QUIET and name not in without]
        if all(old is None for _name, old, _new in fields):
            listed = "; ".join(
                f"{_name(name, said)}: {_value(new, name, said)}"
                for name, _old, new in fields
                if new not in (None, "", {}) and (not _is_key(new) or new in said)
            )
            shown.append(Change(change.at, change.who, what, "", listed, change.reason))
            continue
        shown += [
            Change(
                change.at,
                change.who,
                f"{what}: {_name(name, said)}",
                _value(old, name, said),
                _value(new, name, said),
                change.reason,
            )
            for name, old, new in fields
        ]
    return shown


def _name(column: str, said: Words) -> str:
    given = said.get(column) or said.get(column.removesuffix("_id"))
    return str(given) if given else column.removesuffix("_id").replace("_", " ")


def _value(value: Any, column: str, said: Words) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_name(str(key), said)}: {_value(inner, str(key), said)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_value(inner, column, said) for inner in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "" if value is None else _text(str(value), column, said)


def _text(text: str, column: str, said: Words) -> str:
    given = said.get(f"{column}:{text}") or said.get(text)
    if given:
        return str(given)
    if INSTANT.fullmatch(text):
        return in_words(dt.datetime.fromisoformat(text) if len(text) > 10 else dt.date.fromisoformat(text))
    if column.endswith(("state", "status")) and text in STATE_WORDS:
        return str(STATE_WORDS[text])
    if column in NUMBERED and STUDY_NUMBER.fullmatch(text):
        return grouped(text)
    return text.replace("_", " ") if CODE.fullmatch(text) else text


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and KEY.fullmatch(value) is not None
