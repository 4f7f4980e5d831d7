"""The whole history of a side, filtered: what the page of the history reads. The number of queries does not depend on the number of lines."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.module_loading import import_string

from trial.core import side
from trial.core.models import HistoryBase, SealBase

PARENTS = ("form_id", "query_id", "amendment_id", "allocation_id")
"""Columns by which a row hangs on another one that names the participant."""


class Lines(Sequence[HistoryBase]):
    """The lines of a query, newest first, of which a page takes a part: counted once, never read whole."""

    def __init__(self, found: QuerySet[HistoryBase]) -> None:
        self.found = found.order_by("-id")
        self.count_ = found.count()

    def __len__(self) -> int:
        return self.count_

    @overload
    def __getitem__(self, index: int) -> HistoryBase: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[HistoryBase]: ...
    def __getitem__(self, index: int | slice) -> HistoryBase | Sequence[HistoryBase]:
        part = self.found[index]
        return list(part) if isinstance(part, QuerySet) else part


def source() -> QuerySet[HistoryBase]:
    """The history of this side; row policies leave out other sites."""
    model: type[HistoryBase] = import_string(settings.HISTORIES[side.current()])
    return model._default_manager.all()


def seals() -> QuerySet[SealBase]:
    """The seals of this side's history, newest first, without the digests of their lines."""
    model: type[SealBase] = import_string(settings.SEALS[side.current()])
    return model._default_manager.defer("digests").order_by("-number")


def choices(of: QuerySet[HistoryBase]) -> dict[str, list[Any]]:
    """What the filters offer: each value that stands in the history. Four queries."""
    found: dict[str, list[Any]] = {
        name: sorted(of.order_by().values_list(name, flat=True).distinct())
        for name in ("table_name", "actor", "action")
    }
    months = of.order_by().annotate(month=TruncMonth("at")).values_list("month", flat=True).distinct()
    return {**found, "month": sorted({month.date().replace(day=1) for month in months})}


def lines_matching(given: Mapping[str, str]) -> QuerySet[HistoryBase]:
    """The lines that match what the address asks for; what is not asked for matches everything, what cannot be read matches nothing."""
    found = source()
    for name in ("table_name", "actor", "action", "site"):
        if given.get(name):
            found = found.filter(**{name: given[name]})
    first, last = _month(given.get("since", "")), _month(given.get("until", ""))
    if first:
        found = found.filter(at__gte=first)
    if last:
        found = found.filter(at__lt=(last + dt.timedelta(days=32)).replace(day=1))
    if given.get("participant"):
        found = _about(found, given["participant"])
    return found


def _month(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def _about(found: QuerySet[HistoryBase], number: str) -> QuerySet[HistoryBase]:
    """Lines of rows of this participant, and of rows that hang on those."""
    keys: list[str] = import_string(settings.KEYS_NUMBERED)(number)
    made = source().filter(operation="INSERT")
    own = made.filter(Q(new__participant_id__in=keys) | Q(new__screening_id__in=keys)).values("row_id")
    hanging = made.annotate(parent=_parent()).filter(parent__in=own).values("row_id")
    return found.filter(Q(row_id__in=keys) | Q(row_id__in=own) | Q(row_id__in=hanging))


def _parent() -> Coalesce:
    return Coalesce(*(KeyTextTransform(name, "new") for name in PARENTS))


def participants_of(lines: Iterable[HistoryBase]) -> dict[str, str]:
    """The number of the participant whom each line is about, by the key of its row; three queries at most."""
    rows = {line.row_id for line in lines}
    made = dict(source().filter(operation="INSERT", row_id__in=rows).values_list("row_id", "new"))
    parents = {row: next((new[name] for name in PARENTS if new.get(name)), "") for row, new in made.items() if new}
    above = dict(
        source().filter(operation="INSERT", row_id__in=set(parents.values()) - {""}).values_list("row_id", "new")
    )
    people = {row: _person(row, new) or _person("", above.get(parents.get(row, ""))) for row, new in made.items()}
    numbers: dict[str, str] = import_string(settings.NUMBERS_OF)({key for key in people.values() if key})
    return {row: numbers.get(key, "") for row, key in people.items()}


def _person(row: str, new: Any) -> str:
    """The key of the participant: named by the row, or the row itself."""
    if not new:
        return ""
    return str(new.get("participant_id") or (row if "screening_id" in new and "number" in new else ""))
