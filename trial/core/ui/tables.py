"""Tables: numbers on the right with the same decimals, units in the header, a card for each row on a phone, and the CSV of what is seen."""

import csv
import datetime
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import compress
from typing import Any

from django.http import HttpResponse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from trial.core.classified import class_of
from trial.core.disclosure import Disclosure
from trial.core.ui.text import MINUS, NO_BREAK, Text, minus, p_value

STATE_WORDS: dict[str, Text] = {
    "due": _lazy("Due"),
    "overdue": _lazy("Overdue"),
    "waiting": _lazy("Waiting"),
    "blocked": _lazy("Blocked"),
    "upcoming": _lazy("Upcoming"),
    "done": _lazy("Done"),
    "open": _lazy("Open"),
    "missed": _lazy("Missed"),
    "failed": _lazy("Failed"),
    "running": _lazy("Running"),
    "cancelled": _lazy("Canceled"),
    "info": _lazy("Note"),
}
SHORT = 16
"""A cell of up to so many characters ("40-49", "T2, 12 months") stays on one line."""
NUMBER = re.compile(r"-\.?\d[\d.,]*")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Column:
    """A column. ``number``: right aligned, with ``decimals`` if given; ``unit`` stands in the header; ``code``: fixed-width face.

    ``p``: p-values, given as numbers, right aligned and printed as ".318". ``shows``: the field ("table.column") whose values these are,
    where somebody could be known by them: such a column stands on the page alone, never in a file.
    """

    label: Text
    number: bool = False
    unit: Text = ""
    decimals: int | None = None
    code: bool = False
    p: bool = False
    shows: str = ""

    @property
    def right(self) -> bool:
        """Whether its cells stand at the right."""
        return self.number or self.p


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere."""

    text: Text
    url: str

    def __str__(self) -> str:
        return str(self.text)


@dataclass(frozen=True)
class State:
    """A state word with its sign: ``kind`` is one of due, overdue, waiting, blocked, upcoming, done, open, missed,
    failed, running, cancelled, info."""

    kind: str
    text: Text = ""

    def __str__(self) -> str:
        return str(self.text or STATE_WORDS.get(self.kind, self.kind))


@dataclass(frozen=True)
class Cell:
    """A cell as the template shows it."""

    text: str
    column: Column
    url: str = ""
    state: str = ""
    iso: str = ""
    missing: bool = False

    @property
    def classes(self) -> str:
        """The classes of the cell: at the right, fixed width, on one line."""
        short = bool(self.text) and not self.state and len(self.text) <= SHORT
        found = (("num", self.column.right), ("study-number", self.column.code), ("short", short))
        return " ".join(name for name, wanted in found if wanted)


@dataclass(frozen=True)
class Page:
    """Which part of a long list is seen; ``size`` is fixed by the page's author. Addresses are query strings."""

    number: int
    pages: int
    total: int
    previous_url: str = ""
    next_url: str = ""


@dataclass(frozen=True)
class Table:
    """A table for ``{% table ... %}``.

    ``rows`` hold one value a column: text, number, date, time, None (shown as a dash), ``Link`` or ``State``. The first column heads
    its row. ``empty`` says what would be here and how it comes; with ``filtered_url``, the address without the filters that are set, an
    empty table says that nothing matches and leads there. ``csv_url`` leads to the CSV of what is seen.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]] = field(default_factory=list)
    caption: Text = ""
    empty: Text = ""
    csv_url: str = ""
    page: Page | None = None
    note: Text = ""
    filtered_url: str = ""

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows as the template shows them; a row of the wrong length is a mistake of ours (``ValueError``)."""
        return [[_cell(value, column) for value, column in zip(row, self.columns, strict=True)] for row in self.rows]


def shown(value: Any, column: Column | None = None) -> str:
    """A value in words: dates as 23 Nov 2026, numbers by locale with the column's decimals, None as a dash."""
    decimals = column.decimals if column else None
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if column and column.p and isinstance(value, int | float | Decimal):
        return p_value(float(value))
    if isinstance(value, datetime.datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return formats.date_format(local, "j M Y, H:i")
    if isinstance(value, datetime.date):
        return formats.date_format(value, "j M Y")
    if isinstance(value, int | float | Decimal):
        if decimals is not None:  # Django cuts off, we round
            value = Decimal(f"{value:.{decimals}f}")
        return str(formats.number_format(value, decimal_pos=decimals)).replace("-", MINUS, 1)
    text = str(value)
    return minus(text) if (column and column.right) or NUMBER.fullmatch(text) else text


def _cell(value: Any, column: Column) -> Cell:
    iso = value.isoformat() if isinstance(value, datetime.date) else ""
    return Cell(
        text=shown(value, column),
        column=column,
        url=value.url if isinstance(value, Link) else "",
        state=value.kind if isinstance(value, State) else "",
        iso=iso,
        missing=value is None or value == "",
    )


def as_csv(table: Table) -> str:
    """The table as CSV: codes and ISO dates, points as decimal marks. Text that a spreadsheet would run as a formula gets an apostrophe.

    A file is carried about: columns that identify somebody, as their field is classified, are not in it.
    """
    kept = [not c.shows or class_of(c.shows) != Disclosure.IDENTIFIES for c in table.columns]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([f"{c.label} ({c.unit})" if c.unit else str(c.label) for c in compress(table.columns, kept)])
    writer.writerows([_plain(value) for value in compress(row, kept)] for row in table.rows)
    return out.getvalue()


def csv_response(table: Table, name: str) -> HttpResponse:
    """``as_csv`` as a download called ``name``.csv."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return HttpResponse(
        "\N{BYTE ORDER MARK}" + as_csv(table), content_type="text/csv; charset=utf-8", headers=disposition
    )


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, datetime.date):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def page_of(
    items: Sequence[Any], number: str | int | None, size: int, query: str = ""
) -> tuple[Sequence[Any], Page | None]:
    """The part of ``items`` on page ``number`` (a text from the address is fine; a wrong one gives the nearest page).

    ``query`` is the address's other part, such as "state=due". No ``Page`` when everything fits on one.
    """
    pages = max(1, -(-len(items) // size))
    wanted = int(number) if number and str(number).isdecimal() else 1
    here = min(max(1, wanted), pages)
    if pages == 1:
        return items, None
    glue = f"?{query}&page=" if query else "?page="
    page = Page(
        here, pages, len(items), f"{glue}{here - 1}" if here > 1 else "", f"{glue}{here + 1}" if here < pages else ""
    )
    return items[(here - 1) * size : here * size], page


def grouped(number: str) -> str:
    """A study number in groups of four, with no-break spaces: "01472231" becomes "0147 2231"."""
    return NO_BREAK.join(number[i : i + 4] for i in range(0, len(number), 4))


def lines(facts: Iterable[tuple[Text, Any]]) -> list[tuple[str, str]]:
    """Pairs of label and value in words, for ``{% facts ... %}``."""
    return [(str(label), shown(value)) for label, value in facts]
