"""Released results, for everybody who works in the trial."""

import datetime as dt
import uuid
from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from analysis.reports.downloads import asked, offered, stored_of, with_figures
from analysis.reports.papers.pages import pdf_response
from analysis.reports.papers.typesetting import pdf
from analysis.reports.presenters import (
    REPORT,
    TEMPLATES,
    kind_of,
    outcome_context,
    record_facts,
    release_address,
    release_table,
    result_context,
)
from trial.core import side
from trial.core.access import Request, page
from trial.core.access.roles import EVERYBODY_AT_WORK
from trial.core.history.presenters import lines
from trial.core.history.queries import history_here
from trial.core.ui.tables import shown
from trial.participants.models import Release
from trial.participants.queries import releases


def _name(request: Request, name: str) -> str:
    """The name of an address on the person's side."""
    return name if request.person.side == side.OPEN else f"unblinded_{name}"


def _source(row: Release) -> str:
    return _("Released %(at)s.") % {"at": shown(row.released_at)}


@page(roles=EVERYBODY_AT_WORK)
def release_list(request: Request) -> HttpResponseBase:
    """Everything that was released."""
    table = release_table(request.person, list(releases()[:200]))
    return render(request, "analysis/releases.html", {"title": _("Released results"), "table": table})


@page(roles=EVERYBODY_AT_WORK)
def release(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One released result, as it was released."""
    row = get_object_or_404(releases(), pk=key)
    frozen, stored = row.payload["spec"], row.payload["result"]
    kept = stored_of(row.payload)
    file = asked(kept, request.GET)
    if file is not None:
        return file
    name = _name(request, "release_outcome")
    found = result_context(frozen, stored, address=lambda code: reverse(name, args=[row.pk, code]), source=_source(row))
    context: dict[str, Any] = {
        "title": row.title,
        "crumbs": [(_("Released results"), reverse(_name(request, "releases"))), (row.title, "")],
        "record": record_facts(row.payload),
        "history": lines(history_here(("participants_release", row.pk)), without=("payload",)),
        "downloads": offered(kept),
        **with_figures(found),
    }
    if kind_of(frozen) == REPORT:
        context["pdf_url"] = reverse(_name(request, "release_pdf"), args=[row.pk])
    return render(request, TEMPLATES[kind_of(frozen)], context)


@page(roles=EVERYBODY_AT_WORK)
def release_pdf(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """A released report as a PDF, set from the document as it was released: the bytes that it had behind the wall."""
    row = get_object_or_404(releases(), pk=key)
    if kind_of(row.payload["spec"]) != REPORT:
        raise Http404
    sha256, made_at = row.payload["result_sha256"], dt.datetime.fromisoformat(row.payload["made_at"])
    return pdf_response(pdf(row.payload["result"], sha256=sha256, made_at=made_at), "final-report", sha256)


@page(roles=EVERYBODY_AT_WORK)
def release_outcome(request: Request, key: uuid.UUID, code: str) -> HttpResponseBase:
    """One outcome of a released result."""
    row = get_object_or_404(releases(), pk=key)
    context = outcome_context(row.payload["spec"], row.payload["result"], code, source=_source(row))
    if context is None:
        raise Http404
    crumbs = [
        (_("Released results"), reverse(_name(request, "releases"))),
        (row.title, release_address(request.person, row)),
        (context["title"], ""),
    ]
    return render(request, "analysis/result.html", context | {"crumbs": crumbs, "record": record_facts(row.payload)})
