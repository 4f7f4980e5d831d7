"""What can be taken from a result's page: its numbers, the stored result with its record, each figure, a program that repeats it.

Every file is an address of the page itself (``?format=``), so that its readers, and what is written down of them, are the page's.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from analysis.reports.plan_beside import Section
from analysis.reports.presenters import kind_of, result_context, result_rows
from analysis.reports.r_script import Files, r_script
from analysis.runs.specs import BY_PLAN
from trial.core.ui import charts
from trial.core.ui.charts import Chart
from trial.core.ui.parts import Result
from trial.core.ui.tables import Column, Table, csv_response

RECORD = ("result_sha256", "snapshot_sha256", "extract_sha256", "code_version", "environment_hash", "seed")
"""What makes a result reproducible, beside its specification."""


@dataclass(frozen=True)
class Download:
    """A file, what it is for, and its address."""

    title: str
    hint: str
    url: str


@dataclass(frozen=True)
class Stored:
    """A stored result as a page has it: the frozen specification, the result, its ``record``; ``fake``: its arms are drawn by lot."""

    frozen: dict[str, Any]
    result: dict[str, Any]
    record: Mapping[str, Any]
    fake: bool = False

    @property
    def name(self) -> str:
        """The stem of the files: that arms are fake stands in it."""
        return f"{'fake-arm' if self.fake else 'result'}-{str(self.record['result_sha256'])[:12]}"

    @property
    def files(self) -> Files:
        """What the program reads: the snapshot, and who was in which arm."""
        arms = str(self.record["result_sha256"] if self.fake else self.record["extract_sha256"])[:12]
        return Files(
            f"snapshot-{str(self.record['snapshot_sha256'])[:12]}.csv",
            f"{'fake-arms' if self.fake else 'arms'}-{arms}.csv",
            self.fake,
        )


def stored_of(run: Any, *, fake: bool = False) -> Stored:
    """Of a finished run, or of the payload of a released one."""
    get: Callable[[str], Any] = run.get if isinstance(run, dict) else lambda name: getattr(run, name, "")
    return Stored(get("spec"), get("result"), {name: get(name) or "" for name in RECORD}, fake)


def asked(stored: Stored, given: Mapping[str, str]) -> HttpResponse | None:
    """The file that the address asks for, None where it asks for the page. 404 for what this kind of result does not have."""
    makers = {"csv": _csv, "json": _json, "r": _program, "svg": _svg}
    make = makers.get(given.get("format", ""))
    return make(stored, given) if make else None


def offered(stored: Stored, *, arms: bool = False) -> list[Download]:
    """The files of this result. ``arms``: the reader may also have the table of arms."""
    found = []
    if result_rows(stored.frozen, stored.result, fake=stored.fake) is not None:
        found.append(Download(_("Numbers as CSV"), _("One line a model and visit."), "?format=csv"))
    found.append(
        Download(
            _("Stored result as JSON"),
            _("Everything that was computed, with the specification and the hashes."),
            "?format=json",
        )
    )
    if kind_of(stored.frozen) == BY_PLAN:
        found.append(
            Download(
                _("Program in R"),
                _("Repeats the planned analysis with mmrm or lme4 from %(snapshot)s and %(arms)s.")
                % {"snapshot": stored.files.snapshot, "arms": stored.files.arms},
                "?format=r",
            )
        )
    if arms:
        hint = (
            _("The arms that were drawn by lot for this rehearsal.")
            if stored.fake
            else _("Who was in which arm, as this run joined it. That it was taken goes into the ledger.")
        )
        found.append(Download(_("Table of arms as CSV"), hint, "?format=arms"))
    return found


def with_figures(context: dict[str, Any]) -> dict[str, Any]:
    """The context of a result's page, each figure with the address of its drawing."""
    made = dict(context)
    if isinstance(made.get("result"), Result):
        made["result"] = replace(made["result"], charts=[_named(one) for one in made["result"].charts])
    if made.get("sections") and isinstance(made["sections"][0], Section):
        made["sections"] = [replace(one, charts=[_named(figure) for figure in one.charts]) for one in made["sections"]]
    return made


def arms_file(stored: Stored, content: bytes) -> HttpResponse:
    """The table of arms, under the name that the program in R reads."""
    return _file(content.decode(), "text/csv", stored.files.arms)


def _named(figure: Chart) -> Chart:
    numbers = f"?format=csv&figure={figure.key}" if figure.table else ""
    return replace(figure, svg_url=f"?format=svg&figure={figure.key}", csv_url=numbers)


def _figures(context: Mapping[str, Any]) -> Iterator[Chart]:
    if isinstance(context.get("result"), Result):
        yield from context["result"].charts
    for section in context.get("sections", ()):
        if isinstance(section, Section):
            yield from section.charts


def _csv(stored: Stored, given: Mapping[str, str]) -> HttpResponse:
    if "figure" in given:
        figure = _figure(stored, given)
        if figure.table is None:
            raise Http404
        table = with_kind_of_arms(figure.table) if stored.fake else figure.table
        return csv_response(table, f"{stored.name}-{figure.key}")
    rows = result_rows(stored.frozen, stored.result, fake=stored.fake)
    if rows is None:
        raise Http404
    return csv_response(rows, stored.name)


def with_kind_of_arms(table: Table) -> Table:
    """The same numbers, and on each line that the arms are fake: a file is read far from its page."""
    return Table([Column("arms"), *table.columns], [["fake", *row] for row in table.rows])


def _json(stored: Stored, given: Mapping[str, str]) -> HttpResponse:
    content = {
        "arms": "fake: drawn by lot for a rehearsal, no result of the trial" if stored.fake else "as randomized",
        "record": dict(stored.record),
        "spec": stored.frozen,
        "result": stored.result,
    }
    return _file(
        json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True), "application/json", f"{stored.name}.json"
    )


def _svg(stored: Stored, given: Mapping[str, str]) -> HttpResponse:
    """One figure, on white."""
    figure = _figure(stored, given)
    drawing = charts.svg({**figure.spec, "background": "white"})
    return _file(drawing, "image/svg+xml", f"{stored.name}-{figure.key}.svg")


def _figure(stored: Stored, given: Mapping[str, str]) -> Chart:
    """The figure that the address names. 404 where there is none."""
    for figure in _figures(result_context(stored.frozen, stored.result, fake=stored.fake)):
        if figure.key == given.get("figure"):
            return figure
    raise Http404


def _program(stored: Stored, given: Mapping[str, str]) -> HttpResponse:
    if kind_of(stored.frozen) != BY_PLAN:
        raise Http404
    return _file(r_script(stored.frozen, stored.result, stored.files), "text/plain", f"{stored.name}.R")


def _file(content: str, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content.encode(), content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
