"""The history as the page shows it: one line a changed field."""

import datetime as dt
import re
from typing import Any

from django.utils.translation import gettext as _

from trial.core.history.queries import Change as Recorded
from trial.core.ui.parts import Change
from trial.core.ui.tables import shown as in_words

QUIET = frozenset(
    {"site_id", "recorded_by", "requested_by", "registered_at", "created_at", "recorded_at", "requested_at", "revision"}
)
"""Columns that repeat what the line says anyway: who, when and where."""

KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")


def lines(changes: list[Recorded]) -> list[Change]:
    """One line for each field that changed; a new row is one line that names its fields, without keys of other rows."""
    shown: list[Change] = []
    for change in changes:
        what = change.what.replace("_", " ").capitalize() or _("Change")
        fields = [(name, old, new) for name, old, new in change.fields if name not in QUIET]
        if all(old is None for _name, old, _new in fields):
            words = "; ".join(
                f"{_name(name)}: {_value(new)}"
                for name, _old, new in fields
                if new not in (None, "", {}) and not _is_key(new)
            )
            shown.append(Change(change.at, change.who, what, "", words, change.reason))
            continue
        shown += [
            Change(change.at, change.who, f"{what}: {_name(name)}", _value(old), _value(new), change.reason)
            for name, old, new in fields
        ]
    return shown


def _name(column: str) -> str:
    return column.removesuffix("_id").replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(inner)}" for key, inner in value.items())
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str) and INSTANT.fullmatch(value):
        return in_words(dt.datetime.fromisoformat(value) if len(value) > 10 else dt.date.fromisoformat(value))
    return "" if value is None else str(value)


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and KEY.fullmatch(value) is not None
