"""Reading the history beside a record."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from trial.core import side
from trial.core.models import History, HistoryBase, User

SYSTEM = "system:"


@dataclass(frozen=True)
class Change:
    """One line of the history: who changed which field, when, from what to what."""

    at: datetime
    who: str
    what: str
    table: str
    fields: list[tuple[str, Any, Any]]
    reason: str
    row: str = ""


def history_of(
    *rows: tuple[str, Any], limit: int = 500, source: type[HistoryBase] = History, without: Collection[str] = ()
) -> list[Change]:
    """The history of these rows (table name, key), oldest first: the open one, or ``source``. Two queries, whatever the number of rows.

    In the open history an author of the unblinded side is "site staff". Row policies apply: other sites' rows are not there.
    ``without``: full names of actions that are left out.
    """
    if not rows:
        return []
    wanted = Q()
    for table in {table for table, _key in rows}:
        wanted |= Q(table_name=table, row_id__in=[str(key) for name, key in rows if name == table])
    listed = source._default_manager.filter(wanted).exclude(action__in=without)
    found = list(listed.order_by("at", "id")[:limit])
    names = names_of(row.actor for row in found)
    return [recorded(row, names) for row in found]


def recorded(row: HistoryBase, names: Mapping[str, str]) -> Change:
    """A stored line as pages read it; ``names`` of its actor."""
    return Change(
        row.at,
        names.get(row.actor, row.actor),
        row.action.rpartition(".")[2],
        row.table_name,
        _fields(row),
        row.reason,
        row.row_id,
    )


def history_here(*rows: tuple[str, Any], without: Collection[str] = ()) -> list[Change]:
    """The history of rows of open tables as this side may read it: behind the wall with the true authors of what that side wrote."""
    if side.current() == side.UNBLINDED:
        found: list[Change] = import_string(settings.TRUE_HISTORY)(*rows, without=without)
        return found
    return history_of(*rows, without=without)


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """The printed names of actors: of persons their own, of a part of the program that it is one."""
    keys, names = set(), {}
    for actor in actors:
        if actor.startswith(SYSTEM):
            names[actor] = _("%(part)s (program)") % {"part": actor.removeprefix(SYSTEM).capitalize()}
            continue
        try:
            keys.add(uuid.UUID(actor))
        except ValueError:
            continue
    return names | {str(key): name for key, name in User.objects.filter(pk__in=keys).values_list("pk", "full_name")}


def _fields(row: HistoryBase) -> list[tuple[str, Any, Any]]:
    old, new = row.old or {}, row.new or {}
    return [(name, old.get(name), new.get(name)) for name in sorted({*old, *new}) if name != "id"]
