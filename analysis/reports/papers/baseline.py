"""Who takes part: the baseline table, of everybody or by arm, and what is missing. Nothing is tested between arms."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from django.utils.translation import gettext as _

from assessments.entry.models import AmendedAnswer, Answer, Form
from trial.core.disclosure import Disclosure
from trial.core.ui import figures
from trial.core.ui.charts import Chart, chart
from trial.core.ui.tables import Column, Table
from trial.protocol.definition import Instrument, Protocol

Values = Mapping[str, Mapping[str, str]]
"""By study number: the code of a variable, and its value as written."""
Groups = Sequence[tuple[str, Sequence[str]]]
"""The name of each column, and the study numbers of its people."""


@dataclass(frozen=True)
class Variable:
    """A line of the table, or several: ``levels`` of a choice, or none for a number."""

    code: str
    name: str
    levels: tuple[tuple[str, str], ...] = ()


def variables_of(protocol: Protocol) -> tuple[list[Variable], list[Variable]]:
    """Background: the items of baseline forms that make no score, texts left out. And the outcomes that are measured at baseline."""
    first = protocol.instruments_at(protocol.baseline.code)
    background = [
        Variable(
            _code(form, item.code), _named(item.topic, item.unit), tuple((str(n), words) for n, words in item.levels)
        )
        for form in first
        if not form.scales
        for item in form.items
        if item.is_numeric and item.discloses == Disclosure.SAFE
    ]
    outcomes = [
        Variable(scale.code, scale.name)
        for form in first
        for scale in form.scales
        if scale.role in ("primary", "secondary", "exploratory")
    ]
    return background, outcomes


def _code(form: Instrument, item: str) -> str:
    return f"{form.code}.{item}"


def _named(topic: str, unit: str) -> str:
    return f"{topic} ({unit})" if unit else topic


def background_of(protocol: Protocol) -> dict[str, dict[str, str]]:
    """The answers of signed baseline forms that make no score, as amended, of everybody randomized. Two queries."""
    forms = [one.code for one in protocol.instruments_at(protocol.baseline.code) if not one.scales]
    here: dict[str, Any] = {"visit": protocol.baseline.code, "instrument__in": forms, "state": Form.State.SIGNED}
    of = Form.objects.filter(**here, participant__randomized_at__isnull=False)
    signed = Answer.objects.filter(form__in=of).order_by("form__participant__number", "item")
    amended = AmendedAnswer.objects.filter(amendment__form__in=of).order_by("amendment__number")
    names = ("participant__number", "instrument")
    found: dict[str, dict[str, str]] = {}
    rows = [
        *signed.values_list(*(f"form__{name}" for name in names), "item", "value"),
        *amended.values_list(*(f"amendment__form__{name}" for name in names), "item", "value"),
    ]
    for number, form, item, value in rows:
        found.setdefault(number, {})[f"{form}.{item}"] = value
    return found


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The rows of a snapshot."""
    return list(csv.DictReader(io.StringIO(content.decode())))


def scores_at(rows: Iterable[Mapping[str, str]], visit: str) -> dict[str, dict[str, str]]:
    """What everybody has at one visit of a snapshot."""
    return {row["participant"]: dict(row) for row in rows if row["visit"] == visit}


def baseline_table(
    variables: Sequence[Variable], values: Values, groups: Groups, caption: str, note: str = ""
) -> Table:
    """Means with standard deviations of numbers, counts with percentages of choices, of those whose value is known."""
    columns = [Column(_("Variable")), *(Column(f"{name} (n = {len(people)})", number=True) for name, people in groups)]
    rows: list[list[Any]] = []
    for variable in variables:
        known = [
            [values[n][variable.code] for n in people if values.get(n, {}).get(variable.code)]
            for _name, people in groups
        ]
        if not variable.levels:
            words = _("%(variable)s, mean (SD)") % {"variable": variable.name}
            rows.append([words, *(_mean_sd([float(one) for one in mine]) for mine in known)])
        else:
            rows.append([_("%(variable)s, n (%%)") % {"variable": variable.name}, *("" for _group in groups)])
            counts = [Counter(mine) for mine in known]
            rows += [
                [f"\N{EN SPACE}\N{EN SPACE}{words}", *(_share(one[code], one.total()) for one in counts)]
                for code, words in variable.levels
            ]
        missing = [len(people) - len(mine) for (_name, people), mine in zip(groups, known, strict=True)]
        if any(missing):
            rows.append([f"\N{EN SPACE}\N{EN SPACE}{_('not known, n')}", *missing])
    empty = _("Stands here when people were randomized whose baseline was signed.")
    return Table(columns, [[_blank(cell) for cell in row] for row in rows], caption=caption, note=note, empty=empty)


def _blank(cell: Any) -> Any:
    return "\N{NO-BREAK SPACE}" if cell == "" else cell


def _mean_sd(numbers: Sequence[float]) -> str:
    if not numbers:
        return "–"
    spread = f"{stdev(numbers):.2f}" if len(numbers) > 1 else "–"
    return f"{fmean(numbers):.2f} ({spread})"


def _share(count: int, known: int) -> str:
    return f"{count} ({100 * count / known:.1f})" if known else "–"


def missingness(protocol: Protocol, rows: Sequence[Mapping[str, str]]) -> tuple[Table, Chart | None]:
    """How many of the randomized have no score of each outcome at each of its visits: as a table and as a map."""
    measured = [(form, scale) for form in protocol.instruments for scale in form.scales if scale.role != "subscale"]
    cells = []
    for form, scale in measured:
        for visit in protocol.visits:
            if visit.code not in form.visits:
                continue
            here = [row for row in rows if row["visit"] == visit.code]
            cells.append((scale.name, visit.name, sum(not row[scale.code] for row in here), len(here)))
    columns = [Column(_("Outcome")), Column(_("Visit")), Column(_("Missing"), number=True), Column(_("Randomized"), number=True),
        Column(_("Missing"), number=True, decimals=1, unit="%")]  # fmt: skip
    shown = [[*one, 100 * one[2] / one[3] if one[3] else None] for one in cells]
    note = _("A visit that is still to come counts as missing here; its number gets smaller as the trial goes on.")
    table = Table(columns, shown, caption=_("Scores that are missing"), note=note)
    if not cells or not cells[0][3]:
        return table, None
    sentence = _("For each outcome and visit: of how many of the randomized there is no score.")
    return table, chart(figures.missingness(cells), _("What is missing"), sentence)
