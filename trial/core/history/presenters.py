"""The history as the page shows it: one line a changed field."""

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from trial.core.history import sides
from trial.core.history.queries import Change as Recorded
from trial.core.history.queries import names_of, recorded
from trial.core.history.search import participants_of
from trial.core.models import HistoryBase, SealBase
from trial.core.ui.addresses import here
from trial.core.ui.parts import Change
from trial.core.ui.tables import STATE_WORDS, Column, Link, Page, Table, grouped
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
DIGEST = re.compile(r"\b([0-9a-f]{16})[0-9a-f]{48}\b")
LONGEST = 400
"""So many characters of a value stand on the page of the history; the file holds the rest."""
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


def table_words(table: str) -> str:
    """What a table holds, in words."""
    tables: dict[str, Text] = import_string(settings.HISTORY_TABLES)
    return str(tables.get(table, table))


def step_words(action: str, words: Words) -> str:
    """An action, by its full name, in words."""
    name = action.rpartition(".")[2]
    return str(words.get(name, "")) or name.replace("_", " ").capitalize() or _("Change")


def history_table(
    rows: Sequence[HistoryBase], words: Words, *, redacts: bool = False, csv_url: str = "", position: Page | None = None
) -> Table:
    """Lines of the history, each changed field by itself. ``redacts``: with the way to ask for a redaction, for whoever may."""
    people, about = names_of(row.actor for row in rows), participants_of(rows)
    said = {**words, **people}
    with_reason = any(row.reason for row in rows)
    columns = [
        Column(_("When")), Column(_("Who")), Column(_("What")), Column(_("Record")), Column(_("Participant"), code=True),
        *([Column("")] if redacts else []), Column(_("Before")), Column(_("After")), *([Column(_("Reason"))] if with_reason else []),
    ]  # fmt: skip
    shown: list[list[Any]] = []
    limit = LONGEST if csv_url else None  # a file holds everything
    for row in rows:
        number, record = grouped(about.get(row.row_id, "")), table_words(row.table_name)
        step = (
            [Link(_("Redact"), here("redaction_ask", row.pk)) if sides.here().fields(row) else None] if redacts else []
        )
        for line in lines([recorded(row, people)], said):
            values = [_short(line.old, limit), _short(line.new, limit)]
            reason = [line.reason] if with_reason else []
            shown.append([line.at, line.who, line.what, record, number, *step, *values, *reason])
    empty = _("Nothing has been changed yet: every change appears here by itself.")
    return Table(columns, shown, empty=empty, csv_url=csv_url, page=position)


def _short(text: Text, limit: int | None) -> str:
    whole = str(text) if limit is None else DIGEST.sub(r"\1 …", str(text))
    return whole if limit is None or len(whole) <= limit else f"{whole[:limit]} …"


def head_facts(seal: SealBase) -> list[tuple[Text, Any]]:
    """The newest seal, as it is written down."""
    return [
        (_("Batch"), seal.number),
        (_("Sealed"), seal.at),
        (_("Head"), _in_groups(seal.head)),
    ]


def _in_groups(head: str) -> str:
    return " ".join(head[i : i + 8] for i in range(0, 64, 8))


def seal_table(seals: Sequence[SealBase]) -> Table:
    """Seals, newest first."""
    columns = [Column(_("Batch")), Column(_("Sealed")), Column(_("Changes"), number=True), Column(_("Head"))]
    rows = [[one.number, one.at, one.rows, _in_groups(one.head)] for one in seals]
    return Table(columns, rows, empty=_("The history is sealed every ten minutes; its first seal appears here."))
