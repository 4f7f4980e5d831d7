"""The parts of a page as JSON: numbers as numbers, days and instants as ISO texts, links as addresses of the API."""

import datetime as dt
import math
import re
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from django.urls import Resolver404, resolve

from trial.core import side
from trial.core.ui.charts import Chart
from trial.core.ui.gathering import Gathered, Part
from trial.core.ui.tables import Column, Link, Page, State, Table
from trial.core.ui.text import NO_BREAK

STUDY_NUMBER = re.compile(rf"\d{{4}}{NO_BREAK}\d{{4}}")
"""As pages write it; a program gets the digits alone."""


def page(found: Gathered) -> dict[str, Any]:
    """A page: its head, and its parts in order."""
    head = {"title": plain(found.title), "over": plain(found.over), "lead": plain(found.lead)}
    return {**head, "parts": _parts(found.parts)}


def address_of(url: str) -> str | None:
    """The address of the API for a page's address; None for a page that has none there. A query alone ("?page=2") stays as it is."""
    if url.startswith("?") or not url:
        return url or None
    before = side.UNBLINDED_PATH if url.startswith(side.UNBLINDED_PATH) else "/"
    there = f"{before}api/{url.removeprefix(before)}"
    try:
        resolve(there.partition("?")[0].partition("#")[0])
    except Resolver404:
        return None
    return there


def plain(value: Any) -> Any:
    """One value as JSON."""
    match value:
        case None | bool() | int():
            return value
        case float() | Decimal():
            return float(value) if math.isfinite(value) else None
        case dt.date():
            return value.isoformat()
        case State():
            return {"state": value.kind, "text": str(value)}
        case Link():
            return {"text": plain(value.text), "address": address_of(value.url)}
        case list() | tuple():
            return [plain(one) for one in value]
        case uuid.UUID():
            return str(value)
    text = str(value)
    return text.replace(NO_BREAK, "") if STUDY_NUMBER.fullmatch(text) else text


def _parts(parts: Iterable[Part]) -> list[dict[str, Any]]:
    return [{"kind": part.kind, "name": part.name, **KINDS[part.kind](part.value)} for part in parts]


def _table(table: Table) -> dict[str, Any]:
    there = table.page or Page(1, 1, len(table.rows))
    return {
        "caption": plain(table.caption),
        "columns": [{"label": plain(one.label), "unit": plain(one.unit), "kind": _kind(one)} for one in table.columns],
        "rows": [
            [_cell(value, column) for value, column in zip(row, table.columns, strict=True)] for row in table.rows
        ],
        "note": plain(table.note),
        "empty": plain(table.empty),
        "page": {
            "number": there.number,
            "pages": there.pages,
            "total": there.total,
            "previous": there.previous_url or None,
            "next": there.next_url or None,
        },
        "csv": address_of(table.csv_url),
    }


def _kind(column: Column) -> str:
    return "p" if column.p else "number" if column.number else "code" if column.code else "text"


def _cell(value: Any, column: Column) -> Any:
    made = plain(value)
    return made.replace(NO_BREAK, "") if column.code and isinstance(made, str) else made


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "title": plain(chart.title),
        "sentence": plain(chart.sentence),
        "vega_lite": chart.spec,
        "table": _table(chart.table) if chart.table else None,
    }


def _named(*names: str) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {name: plain(getattr(value, name)) for name in names}


def _work(work: Any) -> dict[str, Any]:
    items = [
        {**_named("title", "detail", "state", "on")(item), "address": address_of(item.url)} for item in work.by_urgency
    ]
    return {**_named("title", "empty")(work), "items": items}


def _filters(form: Any) -> dict[str, Any]:
    fields = [
        {
            "name": bound.name,
            "label": plain(bound.label),
            "choices": [
                {"value": str(code), "label": plain(words)}
                for code, words in getattr(bound.field, "choices", ())
                if code != ""
            ],
        }
        for bound in form
    ]
    return {"fields": fields}


def _result(result: Any) -> dict[str, Any]:
    reasons = [_named("level", "text")(one) for one in result.certainty]
    return {**_named("sentence", "marked", "source")(result), "certainty": reasons}


KINDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "text": lambda text: {"text": plain(text)},
    "state": lambda state: plain(state),
    "facts": lambda facts: {"facts": [{"label": plain(label), "value": plain(value)} for label, value in facts]},
    "table": _table,
    "chart": _chart,
    "result": _result,
    "work": _work,
    "filters": _filters,
    "history": lambda changes: {
        "changes": [_named("at", "who", "what", "old", "new", "reason")(one) for one in changes]
    },
    "progress": _named("state", "done", "total", "title", "message"),
    "panel": lambda inner: {"title": plain(inner.title), "parts": _parts(inner.parts)},
}
"""How each component is written down. A component that is not here cannot be gathered: the first page with it fails its test."""
