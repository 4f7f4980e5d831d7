"""Dates typed as day, month and year, each in its own box. What is ambiguous or impossible is refused and stays as typed."""

import calendar
import datetime
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core.ui.text import Text

Parts = tuple[str, str, str]
Limit = datetime.date | Callable[[], datetime.date] | None
NAMES = ("day", "month", "year")
EXAMPLE = gettext_lazy("For example 23 11 2026")


class DateBoxes(forms.MultiWidget):
    """Three boxes named ``<field>_day``, ``<field>_month`` and ``<field>_year``."""

    template_name = "components/widgets/date.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        self.wrong = ""
        boxes: dict[str, forms.Widget | type[forms.Widget]] = {
            name: forms.TextInput(
                attrs={"inputmode": "numeric", "autocomplete": "off", "class": f"form-control box-{size}"}
            )
            for name, size in zip(NAMES, (2, 2, 4), strict=True)
        }
        super().__init__(boxes, attrs)

    def decompress(self, value: Any) -> list[str]:
        if isinstance(value, datetime.date):
            return [str(value.day), str(value.month), str(value.year)]
        if isinstance(value, str) and value:
            return decompress_iso(value)
        return ["", "", ""]

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        labels = (_("Day"), _("Month"), _("Year"))
        for part, box, label in zip(NAMES, context["widget"]["subwidgets"], labels, strict=True):
            box["label"] = label
            if self.wrong and part != self.wrong:
                box["attrs"].pop("aria-invalid", None)
        return context

    @property
    def first_box(self) -> int:
        """The number of the box that the error summary leads to: the one that is wrong, else the day."""
        return NAMES.index(self.wrong) if self.wrong else 0


def decompress_iso(value: str) -> list[str]:
    """Day, month and year of an ISO date, for an initial value given as text."""
    try:
        day = datetime.date.fromisoformat(value)
    except ValueError:
        return ["", "", ""]
    return [str(day.day), str(day.month), str(day.year)]


class DateField(forms.Field):
    """A date. ``not_before`` and ``not_after`` (a date or a function of no argument) are refused with the limit named.

    ``aside`` stands beside the boxes: the window of the visit, for example. Cleaned value: ``datetime.date`` or None.
    """

    widget = DateBoxes

    def __init__(
        self,
        label: Text,
        *,
        hint: Text = EXAMPLE,
        aside: Text = "",
        not_before: Limit = None,
        not_after: Limit = None,
        **kwargs: Any,
    ) -> None:
        self.aside = aside
        self.not_before, self.not_after = not_before, not_after
        kwargs.setdefault("template_name", "components/forms/field.html")
        super().__init__(label=label, help_text=hint, **kwargs)

    def clean(self, value: Any) -> datetime.date | None:
        """The date; ``ValidationError`` says what is wrong, and the box that is wrong is marked."""
        self._mark("")
        if isinstance(value, datetime.date):
            day: datetime.date | None = value
        else:
            given = [str(part or "").strip() for part in (value or ["", "", ""])]
            if not any(given):
                if self.required:
                    raise self._wrong("day", _("Type the date."))
                return None
            day = self._read(given[0], given[1], given[2])
        self._check_limits(day)
        return day

    def has_changed(self, initial: Any, data: Any) -> bool:
        before = DateBoxes().decompress(initial)
        return [str(part or "").strip() for part in (data or ["", "", ""])] != before

    def _read(self, day: str, month: str, year: str) -> datetime.date:
        for name, text, words in zip(NAMES, (day, month, year), (_("day"), _("month"), _("year")), strict=True):
            if not text:
                raise self._wrong(name, _("The %(part)s is missing.") % {"part": words})
        number = self._month(month)
        if not (year.isascii() and year.isdigit() and len(year) == 4):
            raise self._wrong("year", _("Type the year with four digits, such as 2026."))
        if not (day.isascii() and day.isdigit() and len(day) <= 2):
            raise self._wrong("day", _("Type the day as a number from 1 to 31."))
        if not 1 <= int(year) <= 9999:
            raise self._wrong("year", _("There is no year %(year)s.") % {"year": year})
        last = calendar.monthrange(int(year), number)[1]
        if not 1 <= int(day) <= last:
            raise self._wrong("day", self._no_such_day(int(day), number, int(year), last))
        return datetime.date(int(year), number, int(day))

    def _month(self, month: str) -> int:
        """Digits, or a name of which the beginning fits one month only."""
        if month.isascii() and month.isdigit():
            if 1 <= int(month) <= 12:
                return int(month)
            raise self._wrong(
                "month", _("There is no month %(month)s. The day comes first, then the month.") % {"month": month}
            )
        start = month.rstrip(".").casefold()
        fits = [n for n in range(1, 13) if len(start) >= 3 and _month_name(n).casefold().startswith(start)]
        if len(fits) != 1:
            raise self._wrong("month", _("Type the month as a number from 1 to 12."))
        return fits[0]

    @staticmethod
    def _no_such_day(day: int, month: int, year: int, last: int) -> str:
        if not 1 <= day <= 31:
            return _("There is no day %(day)d. Type a number from 1 to 31.") % {"day": day}
        return _("%(month)s %(year)d has %(last)d days.") % {"month": _month_name(month), "year": year, "last": last}

    def _check_limits(self, day: datetime.date | None) -> None:
        first, last = _limit(self.not_before), _limit(self.not_after)
        if day is not None and first is not None and day < first:
            raise self._wrong("day", _("The date must not be before %(limit)s.") % {"limit": _said(first)})
        if day is not None and last is not None and day > last:
            raise self._wrong("day", _("The date must not be after %(limit)s.") % {"limit": _said(last)})

    def _mark(self, box: str) -> None:
        boxes: Any = self.widget
        boxes.wrong = box

    def _wrong(self, box: str, text: str) -> ValidationError:
        self._mark(box)
        return ValidationError(text, code="date")


def _limit(limit: Limit) -> datetime.date | None:
    return limit() if callable(limit) else limit


def _said(day: datetime.date) -> str:
    return formats.date_format(day, "j M Y")


def _month_name(month: int) -> str:
    return formats.date_format(datetime.date(2000, month, 1), "F")
