"""Reports by arm: closed ones for the committee, the final one for the independent statistician until it is released."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from analysis.reports.papers import pages
from analysis.snapshots.queries import snapshots
from analysis.unblinded.actions import title_of
from analysis.unblinded.papers import actions
from analysis.unblinded.papers.models import ClosedPaper
from analysis.unblinded.papers.queries import labels_or_none, released_runs
from trial.core.access import Person, Request, page
from trial.core.access.roles import CommitteeChair, CommitteeMember, IndependentStatistician
from trial.core.errors import Refused
from trial.core.history.queries import history_of
from trial.core.ui import forms, live
from trial.core.ui.parts import Progress
from trial.core.ui.tables import page_of, shown
from trial.core.ui.text import Text
from trial.participants.queries import is_released
from trial.unblinded.disclosure.actions import note
from trial.unblinded.disclosure.models import UnblindedHistory
from trial.unblinded.disclosure.queries import planned_unblinding

MAKERS = (IndependentStatistician,)
READERS = (IndependentStatistician, CommitteeMember, CommitteeChair)
PAGE_SIZE = 50
LABELS: dict[str, Text] = {
    "real": gettext_lazy("By their real names"),
    "coded": gettext_lazy("By two labels, the same in every closed report"),
}
HINTS: dict[str, Text] = {
    "coded": gettext_lazy("Which arm is A is drawn by lot. Unequal arms and a program that one arm alone is offered still tell which is which."),
}  # fmt: skip


class LabelsForm(forms.Form):
    """How closed reports name the arms."""

    labels = forms.ChoiceField(
        gettext_lazy("How do closed reports name the arms?"), choices=list(LABELS.items()), hints=HINTS
    )


def _readable(person: Person) -> Any:
    """The reports that this person may read: the committee closed ones alone."""
    found = ClosedPaper.objects.order_by("-created_at", "id")
    return found if person.holds(*MAKERS) else found.filter(kind=ClosedPaper.Kind.CLOSED)


@page(roles=READERS)
def report_list(request: Request) -> HttpResponseBase:
    """The reports that somebody may read. It names no arm, and goes into no ledger."""
    is_maker = request.person.holds(*MAKERS)
    rows, position = page_of(
        list(_readable(request.person).defer("result", "content")), request.GET.get("page"), PAGE_SIZE
    )
    empty = _("Closed reports appear here when the independent statistician has made one.")
    fixed = labels_or_none()
    may_final = is_maker and planned_unblinding() is not None
    context = {
        "title": _("Reports"),
        "lead": _("By arm. Every opening goes into the ledger."),
        "facts": [(_("Closed reports call the arms"), str(LABELS[fixed.labels]))] if fixed else [],
        "table": pages.report_table(list(rows), lambda one: reverse("closed_report", args=[one.pk]), empty, position),
        "new_url": reverse("final_report_new" if may_final else "closed_report_new") if is_maker else "",
        "new_words": _("Make the final report") if may_final else _("Make a closed report"),
        "second_url": reverse("closed_report_new") if may_final else "",
        "second_words": _("Make a closed report"),
    }
    return render(request, "analysis/papers.html", context)


@page(roles=MAKERS)
@require_http_methods(["GET", "POST"])
def closed_new(request: Request) -> HttpResponseBase:
    """Confirm, and make a closed report; the first time it is also fixed how they name the arms."""
    fixed, newest = labels_or_none(), snapshots().first()
    form = None if fixed else LabelsForm(forms.posted(request))
    if request.method == "POST" and (form is None or form.is_valid()):
        labels = form.cleaned_data["labels"] if form else ""
        return redirect("closed_report", actions.start_closed(labels=labels, by=request.person).pk)
    context = {
        "title": _("Make a closed report"),
        "crumbs": [(_("Reports"), reverse("closed_reports")), (_("Closed report"), "")],
        "facts": [
            (_("Readers"), _("Members and chair of the committee, and you")),
            (_("Snapshot"), shown(newest.made_at) if newest else _("none yet: the report has no baseline table")),
            (_("Arms"), str(LABELS[fixed.labels]) if fixed else _("to be fixed now, for the whole trial")),
        ],
        "consequence": _("It shows recruitment, flow, baseline and serious events by arm. That it was made goes into the ledger."),
        "form": form,
        "submit": _("Make closed report"),
        "cancel_url": reverse("closed_reports"),
    }  # fmt: skip
    return render(request, "confirm.html", context, status=forms.status_of(form) if form else 200)


@page(roles=MAKERS)
@require_http_methods(["GET", "POST"])
def final_new(request: Request) -> HttpResponseBase:
    """Confirm, and make the final report of what was released."""
    if request.method == "POST":
        try:
            return redirect("closed_report", actions.start_final(by=request.person).pk)
        except Refused as refusal:
            messages.error(request, str(refusal.message))
            return redirect("closed_reports")
    listed = [title_of(run) for run in released_runs()]
    context = {
        "title": _("Make the final report"),
        "crumbs": [(_("Reports"), reverse("closed_reports")), (_("Final report"), "")],
        "facts": [(_("Made of"), "; ".join(listed) or _("nothing: no result has been released yet"))],
        "consequence": _("It stays as it is. You look it over, then let it pass the gate."),
        "submit": _("Make final report"),
        "cancel_url": reverse("closed_reports"),
    }
    return render(request, "confirm.html", context)


def _progress(report: ClosedPaper, person: Person) -> Progress:
    cancel = "closed_report_cancel" if person.holds(*MAKERS) else ""
    return pages.progress(report, poll="closed_report_progress", cancel=cancel, result="closed_report")


def _opened(report: ClosedPaper, person: Person) -> None:
    if report.kind == ClosedPaper.Kind.FINAL:
        note(what="final report opened", subject=str(report.pk), by=person)
    else:
        note(what="closed report opened", subject=str(report.pk), by=person)


@page(roles=READERS)
def report(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One report as a page. That it was opened goes into the ledger."""
    one = get_object_or_404(_readable(request.person).defer("content"), pk=key)
    title = f"{pages.KINDS[one.kind]}, {shown(one.created_at)}"
    context: dict[str, Any] = {
        "title": title,
        "crumbs": [(_("Reports"), reverse("closed_reports")), (title, "")],
        "history": pages.history_of_report(history_of(("unblinded_report", one.pk), source=UnblindedHistory)),
    }
    if one.state != ClosedPaper.State.SUCCEEDED:
        return render(
            request, "analysis/run.html", context | {"run": one, "record": [], "job": _progress(one, request.person)}
        )
    _opened(one, request.person)
    context |= pages.shown_document(one.document, one.result_sha256) | {
        "pdf_url": reverse("closed_report_pdf", args=[one.pk])
    }
    if one.kind == ClosedPaper.Kind.FINAL and not is_released(one.result_sha256):
        context["release_url"] = reverse("final_report_release", args=[one.pk])
    return render(request, "analysis/paper.html", context)


@page(roles=READERS)
def report_pdf(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """The PDF as it was set when the report was made. That it was taken goes into the ledger."""
    one = get_object_or_404(_readable(request.person), pk=key, state=ClosedPaper.State.SUCCEEDED)
    _opened(one, request.person)
    return pages.pdf_response(one.pdf, f"{one.kind}-report", one.result_sha256)


@page(roles=READERS)
def report_progress(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """The part of the page that follows the making of a report."""
    one = get_object_or_404(_readable(request.person).defer("content"), pk=key)
    return live.progress(request, _progress(one, request.person), is_over=one.is_over)


@page(roles=MAKERS)
@require_POST
def report_cancel(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Ask the making to stop."""
    actions.cancel_report(report=get_object_or_404(ClosedPaper, pk=key), by=request.person)
    return redirect("closed_report", key)


@page(roles=MAKERS)
@require_http_methods(["GET", "POST"])
def report_release(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Confirm and release the final report."""
    one = get_object_or_404(ClosedPaper, pk=key, kind=ClosedPaper.Kind.FINAL, state=ClosedPaper.State.SUCCEEDED)
    if request.method == "POST":
        try:
            return redirect("unblinded_release", actions.release_report(report=one, by=request.person).pk)
        except Refused as refusal:
            messages.error(request, str(refusal.message))
            return redirect("closed_report", key)
    context = {
        "title": _("Release the final report"),
        "facts": [(_("Document, SHA-256"), one.result_sha256), (_("Made"), shown(one.created_at))],
        "consequence": _("Everybody who works in this trial reads it from now on, on both sides. This cannot be taken back."),
        "submit": _("Release final report"),
        "cancel_url": reverse("closed_report", args=[key]),
    }  # fmt: skip
    return render(request, "confirm.html", context)
