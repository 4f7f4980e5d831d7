"""Open reports, for those who see pooled figures and the sponsor; made by trial statistician and data manager."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from analysis.pooled import views as pooled
from analysis.pooled.papers import actions
from analysis.pooled.papers.actions import MAKERS
from analysis.reports.models import Report
from analysis.reports.papers import pages
from analysis.snapshots.queries import snapshots
from trial.core.access import Person, Request, page
from trial.core.access.roles import Sponsor
from trial.core.history.queries import history_of
from trial.core.ui import live
from trial.core.ui.parts import Progress
from trial.core.ui.tables import page_of, shown

READERS = (*pooled.READERS, Sponsor)
PAGE_SIZE = 50


@page(roles=READERS)
def report_list(request: Request) -> HttpResponseBase:
    """All open reports."""
    rows, position = page_of(
        list(Report.objects.defer("result", "content").order_by("-created_at", "id")),
        request.GET.get("page"),
        PAGE_SIZE,
    )
    empty = _("Open reports appear here when the trial statistician or the data manager has made one.")
    context = {
        "title": _("Reports"),
        "lead": _("How the trial goes, all arms together. Each stays as it was made."),
        "table": pages.report_table(list(rows), lambda one: reverse("report", args=[one.pk]), empty, position),
        "new_url": reverse("report_new") if request.person.holds(*MAKERS) else "",
        "new_words": _("Make an open report"),
    }
    return render(request, "analysis/papers.html", context)


@page(roles=MAKERS)
@require_http_methods(["GET", "POST"])
def report_new(request: Request) -> HttpResponseBase:
    """Confirm, and make a report on the newest snapshot."""
    newest = snapshots().first()
    if newest is None:
        messages.info(request, _("A report needs frozen data: make a snapshot first."))
        return redirect("snapshots")
    if request.method == "POST":
        return redirect("report", actions.start_report(by=request.person).pk)
    context = {
        "title": _("Make an open report"),
        "crumbs": [(_("Reports"), reverse("reports")), (_("New"), "")],
        "facts": [(_("Snapshot"), shown(newest.made_at)), (_("SHA-256"), newest.sha256[:16]), (_("Participants"), newest.participants)],
        "consequence": _("It says how the trial goes at this moment, and stays as it is."),
        "submit": _("Make open report"),
        "cancel_url": reverse("reports"),
    }  # fmt: skip
    return render(request, "confirm.html", context)


def _progress(report: Report, person: Person) -> Progress:
    cancel = "report_cancel" if person.holds(*MAKERS) else ""
    return pages.progress(report, poll="report_progress", cancel=cancel, result="report")


@page(roles=READERS)
def report(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One report as a page; while it is made, how far that is."""
    one = get_object_or_404(Report.objects.defer("content"), pk=key)
    title = f"{pages.KINDS[one.kind]}, {shown(one.created_at)}"
    context: dict[str, Any] = {
        "title": title,
        "crumbs": [(_("Reports"), reverse("reports")), (title, "")],
        "history": pages.history_of_report(history_of(("reports_report", one.pk))),
    }
    if one.state != Report.State.SUCCEEDED:
        return render(
            request, "analysis/run.html", context | {"run": one, "record": [], "job": _progress(one, request.person)}
        )
    context |= pages.shown_document(one.document, one.result_sha256) | {"pdf_url": reverse("report_pdf", args=[one.pk])}
    return render(request, "analysis/paper.html", context)


@page(roles=READERS)
def report_pdf(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """The PDF as it was set when the report was made."""
    one = get_object_or_404(Report, pk=key, state=Report.State.SUCCEEDED)
    return pages.pdf_response(one.pdf, "open-report", one.result_sha256)


@page(roles=READERS)
def report_progress(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """The part of the page that follows the making of a report."""
    one = get_object_or_404(Report.objects.defer("content"), pk=key)
    return live.progress(request, _progress(one, request.person), is_over=one.is_over)


@page(roles=MAKERS)
@require_POST
def report_cancel(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Ask the making to stop."""
    one = Report.objects.filter(pk=key).first()
    if one is None:
        raise Http404
    actions.cancel_report(report=one, by=request.person)
    return redirect("report", key)
