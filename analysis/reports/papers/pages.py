"""Reports as pages: the list, a report in the components of every other page, and its PDF."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.pooled.presenters import HISTORY as OF_RUNS
from analysis.pooled.presenters import STATES, progress_of
from analysis.reports.models import Paper
from trial.core.history.presenters import lines
from trial.core.history.queries import Change as Recorded
from trial.core.ui.charts import chart
from trial.core.ui.parts import Change, Progress
from trial.core.ui.tables import Column, Link, Page, State, Table
from trial.core.ui.text import Text

KINDS: dict[str, Text] = {
    "open": gettext_lazy("Open report"),
    "closed": gettext_lazy("Closed report"),
    "final": gettext_lazy("Final report"),
}
STAMP = 12
"""So many digits of each digest stand at the head of a printed page."""
HISTORY: dict[str, Text] = {
    "start_report": gettext_lazy("Asked for"),
    "start_closed": gettext_lazy("Asked for"),
    "start_final": gettext_lazy("Asked for"),
    "cancel_report": gettext_lazy("Asked to stop"),
    "keep_pdf": gettext_lazy("PDF kept"),
    "content": gettext_lazy("PDF"),
    "content_sha256": gettext_lazy("PDF, SHA-256"),
    "result": gettext_lazy("document"),
    "result_sha256": gettext_lazy("document, SHA-256"),
    **{f"kind:{code}": words for code, words in KINDS.items()},
}
"""What happens to a report, where it is not what happens to every run."""


def history_of_report(changes: Iterable[Recorded]) -> list[Change]:
    """The history beside a report. What was asked, which never changes, stands in its record."""
    told = [replace(one, fields=[field for field in one.fields if field[0] not in ("spec", "seed")]) for one in changes]
    return lines(told, {**OF_RUNS, **HISTORY})


def report_table(
    reports: Sequence[Paper], address: Callable[[Paper], str], empty: str, position: Page | None = None
) -> Table:
    """Reports, newest first."""
    columns = [Column(_("Asked for")), Column(_("What")), Column(_("State")), Column(_("Document, SHA-256"), code=True)]
    rows = []
    for one in reports:
        kind, words = STATES[one.state]
        name = Link(str(KINDS[one.kind]), address(one))
        rows.append([one.created_at, name, State(kind, words), one.result_sha256[:16] or None])
    return Table(columns, rows, empty=empty, page=position)


def progress(report: Paper, *, poll: str, cancel: str, result: str) -> Progress:
    """The making of a report, as the progress component shows it. ``cancel``: empty for who may not stop it."""
    poll_url, cancel_url, result_url = (
        reverse(name, args=[report.pk]) if name else "" for name in (poll, cancel, result)
    )
    made = progress_of(report, poll=poll_url, cancel=cancel_url, result=result_url)
    return replace(made, title=str(KINDS[report.kind]))


def shown_document(document: Mapping[str, Any], sha256: str) -> dict[str, Any]:
    """A stored document as the template of reports shows it, in tables and figures of every other page; ``sha256`` is its digest."""
    return {
        "lead": document["lead"],
        "synthetic": document["synthetic"],
        "record": [*(tuple(pair) for pair in document["facts"]), (_("Document, SHA-256"), sha256)],
        "stamps": [(_("Document"), sha256[:STAMP]), *((label, value[:STAMP]) for label, value in document["stamps"])],
        "sections": [
            {"title": one["title"], "blocks": [_block(block) for block in one["blocks"]]}
            for one in document["sections"]
        ],
    }


def _block(block: Mapping[str, Any]) -> dict[str, Any]:
    kind = block["kind"]
    if kind == "table":
        return {"kind": kind, "table": _table(block)}
    if kind == "figure":
        numbers = _table(block["table"]) if block["table"] else None
        return {"kind": kind, "chart": chart(block["spec"], block["title"], block["sentence"], numbers)}
    if kind == "facts":
        return {"kind": kind, "facts": [tuple(pair) for pair in block["facts"]]}
    return dict(block)


def _table(block: Mapping[str, Any]) -> Table:
    columns = [Column(one["label"], number=one["right"]) for one in block["columns"]]
    return Table(columns, block["rows"], caption=block["caption"], note=block["note"], empty=block["empty"])


def pdf_response(content: bytes, name: str, sha256: str) -> HttpResponse:
    """A PDF as a download. Its name says what it is, and by the digest of the document which; nothing of what stands in it."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}-{sha256[:12]}.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=disposition)
