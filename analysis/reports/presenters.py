"""Stored results of every kind as pages, and released results on every dashboard."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.methods.canonical import digest, encode
from analysis.reports import looks, outcomes, planned, published, recommended
from analysis.reports.papers.pages import shown_document
from analysis.reports.rendering import FAKE, coefficients_table, descriptives_table, faked, fit_facts, model_result
from analysis.runs.specs import BY_PLAN, LOOK, PRIMARY, PUBLISHED, SCALES
from trial.core import side
from trial.core.access import Person
from trial.core.access.roles import EVERYBODY_AT_WORK
from trial.core.ui.tables import Column, Link, Table
from trial.core.ui.text import Text
from trial.core.ui.work import Panel
from trial.participants.models import Release
from trial.participants.queries import releases

REPORT = "report"
"""The kind of a released report: not a result, the document itself."""
TEMPLATES = {
    REPORT: "analysis/paper.html",
    PRIMARY: "analysis/result.html",
    SCALES: "analysis/outcomes.html",
    PUBLISHED: "analysis/published.html",
    BY_PLAN: "analysis/planned.html",
    LOOK: "analysis/look.html",
}
COMPARISON: dict[str, Text] = {PUBLISHED: gettext_lazy("not randomized"), REPORT: gettext_lazy("report of all of them")}


def kind_of(frozen: dict[str, Any]) -> str:
    """What a frozen specification asks for."""
    return str(frozen.get("kind", PRIMARY))


def result_context(
    frozen: dict[str, Any],
    stored: dict[str, Any],
    *,
    address: Callable[[str], str] | None = None,
    fake: bool = False,
    source: str = "",
) -> dict[str, Any]:
    """What the template of this kind of result needs. ``address`` of an outcome's own page."""
    kind = kind_of(frozen)
    if kind == REPORT:
        return shown_document(stored, digest(encode(stored)))
    frozen = faked(frozen) if fake else frozen
    if kind == SCALES:
        return {
            "result": outcomes.outcomes_result(frozen, stored, address=address, fake=fake, source=source),
            "admissions": outcomes.admissions_table(frozen, stored),
            "admissions_certainty": outcomes.admissions_certainty(stored),
        }
    if kind == BY_PLAN:
        return {
            "result": planned.planned_result(frozen, stored, fake=fake, source=source),
            **looks.final_context(stored),
            "sections": planned.sections(frozen, stored),
        }
    if kind == LOOK:
        return looks.look_context(frozen, stored, fake=fake, source=source)
    if kind == PUBLISHED:
        return {
            "sections": published.sections(frozen, stored),
            "label": published.LABEL, "marked": FAKE if fake else "", "source": source,
        }  # fmt: skip
    return {"result": model_result(frozen, stored, fake=fake, source=source), "parts": detail(frozen, stored)}


def outcome_context(
    frozen: dict[str, Any], stored: dict[str, Any], code: str, *, fake: bool = False, source: str = ""
) -> dict[str, Any] | None:
    """One outcome of a result of all outcomes; None where there is none of this code."""
    found = outcomes.single(frozen, stored, code) if kind_of(frozen) == SCALES else None
    if found is None:
        return None
    alone, analysis = found
    alone = faked(alone) if fake else alone
    return {
        "title": alone["outcome"]["name"],
        "result": outcomes.outcome_result(alone, analysis, fake=fake, source=source),
        "parts": detail(alone, analysis),
    }


def result_rows(frozen: dict[str, Any], stored: dict[str, Any], *, fake: bool = False) -> Table | None:
    """All numbers of a result as one table, for its CSV; None for a kind whose page has none."""
    kind = kind_of(frozen)
    frozen = faked(frozen) if fake else frozen
    if kind == SCALES:
        return outcomes.as_rows(frozen, stored, fake=fake)
    if kind in (BY_PLAN, LOOK):
        return planned.as_rows(frozen, stored, fake=fake)
    return published.as_rows(frozen, stored, fake=fake) if kind == PUBLISHED else None


def panels_for(person: Person) -> list[Panel]:
    """What was released: everybody who works in the trial may see it, on either side. Non-randomized comparisons stay off first pages."""
    if not person.holds(*EVERYBODY_AT_WORK):
        return []
    heard = recommended.panel()
    listed = [row for row in releases() if kind_of(row.payload["spec"]) != PUBLISHED]
    rows = [(row, release_sentence(row), release_address(person, row)) for row in listed[:5]]
    context = {"rows": rows, "all_url": reverse("releases" if person.side == side.OPEN else "unblinded_releases")}
    return heard + ([Panel(_("Results"), "analysis/releases_panel.html", context)] if rows else [])


def release_address(person: Person, row: Release) -> str:
    """The page of a released result on the person's side."""
    return reverse("release" if person.side == side.OPEN else "unblinded_release", args=[row.pk])


def release_sentence(row: Release) -> str:
    """The one sentence of a released result."""
    return result_sentence(row.payload["spec"], row.payload["result"])


def result_sentence(frozen: dict[str, Any], stored: dict[str, Any]) -> str:
    """The one sentence of a result; a non-randomized comparison has its label instead."""
    kind = kind_of(frozen)
    if kind == REPORT:
        return str(stored["lead"])
    if kind == SCALES:
        return outcomes.outcomes_sentence(frozen, stored)
    if kind == BY_PLAN:
        return planned.planned_sentence(frozen, stored)
    if kind == LOOK:
        return looks.look_sentence(frozen, stored)
    return str(published.LABEL) if kind == PUBLISHED else str(model_result(frozen, stored).sentence)


def release_table(person: Person, rows: list[Release]) -> Table:
    """Everything that was released, newest first."""
    columns = [Column(_("Released")), Column(_("What")), Column(_("Comparison"))]
    made = [
        [
            row.released_at,
            Link(row.title, release_address(person, row)),
            str(COMPARISON.get(kind_of(row.payload["spec"]), _("randomized"))),
        ]
        for row in rows
    ]
    return Table(columns, made, empty=_("Results appear here when they have been released, after planned unblinding."))


def detail(frozen: dict[str, Any], stored: dict[str, Any]) -> list[dict[str, Any]]:
    """For each way of estimation its coefficients, convergence record and observed values."""
    return [
        {
            "name": name.upper(), "coefficients": coefficients_table(frozen, analysis), "facts": fit_facts(analysis),
            "descriptives": descriptives_table(frozen, analysis) if name == frozen["reported"] else None,
        }
        for name, analysis in sorted(stored["analyses"].items(), key=lambda pair: (pair[0] != frozen["reported"], pair[0]))
    ]  # fmt: skip


def record_facts(run: Any) -> list[tuple[str, Any]]:
    """What makes a run reproducible. ``run`` is a run or a payload with the same names."""
    get = run.get if isinstance(run, dict) else lambda name: getattr(run, name, "")
    labels = {
        "result_sha256": _("Result, SHA-256"), "snapshot_sha256": _("Snapshot, SHA-256"), "extract_sha256": _("Extract, SHA-256"),
        "code_version": _("Program, SHA-256"), "environment_hash": _("Environment, SHA-256"), "seed": _("Seed"),
    }  # fmt: skip
    spec: Any = get("spec")
    plan = spec.get("plan") if spec else None
    named = [(_("Analysis plan"), _("version %(number)d, SHA-256 %(sha256)s") % plan)] if plan else []
    return named + [(label, get(name)) for name, label in labels.items() if get(name) not in ("", None)]
