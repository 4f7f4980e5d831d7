"""Released results on every dashboard, and their page's context."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from analysis.reports.rendering import coefficients_table, descriptives_table, fit_facts, model_result
from trial.core import side
from trial.core.access import Person
from trial.core.access.roles import EVERYBODY_AT_WORK
from trial.core.ui.work import Panel
from trial.participants.models import Release
from trial.participants.queries import releases


def panels_for(person: Person) -> list[Panel]:
    """What was released: everybody who works in the trial may see it, on either side."""
    if not person.holds(*EVERYBODY_AT_WORK):
        return []
    name = "release" if person.side == side.OPEN else "unblinded_release"
    rows = [(row, release_sentence(row), reverse(name, args=[row.pk])) for row in releases()[:5]]
    return [Panel(_("Results"), "analysis/releases_panel.html", {"rows": rows})] if rows else []


def release_sentence(row: Release) -> str:
    """The one sentence of a released result."""
    return str(model_result(row.payload["spec"], row.payload["result"]).sentence)


def detail(frozen: dict[str, Any], stored: dict[str, Any]) -> list[dict[str, Any]]:
    """For each way of estimation its coefficients, convergence record and observed values."""
    return [
        {
            "name": name.upper(), "coefficients": coefficients_table(analysis), "facts": fit_facts(analysis),
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
    return [(label, get(name)) for name, label in labels.items() if get(name) not in ("", None)]
