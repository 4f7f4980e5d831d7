"""Comparative runs, behind the wall."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from analysis.pooled.presenters import progress_of, run_table
from analysis.reports.presenters import detail, record_facts
from analysis.reports.rendering import model_result
from analysis.snapshots.queries import snapshots
from analysis.unblinded import actions
from analysis.unblinded.models import ComparativeRun
from trial.core.access import Request, page
from trial.core.access.roles import IndependentStatistician
from trial.core.errors import Refused
from trial.core.ui.tables import shown
from trial.participants.models import Release
from trial.unblinded.disclosure.actions import note
from trial.unblinded.disclosure.queries import planned_unblinding

ONLY = (IndependentStatistician,)


@page(roles=ONLY)
def run_list(request: Request) -> HttpResponseBase:
    """Comparative runs."""
    runs = list(ComparativeRun.objects.defer("result", "spec", "extract").order_by("-created_at", "id")[:200])
    context = {
        "title": _("Comparative analyses"),
        "table": run_table(runs, "comparative_run"),
        "may_start": planned_unblinding() is not None,
        "is_comparative": True,
    }
    return render(request, "analysis/runs.html", context)


@page(roles=ONLY)
@require_http_methods(["GET", "POST"])
def run_new(request: Request) -> HttpResponseBase:
    """Confirm and start on the newest snapshot of the locked database."""
    snapshot = snapshots().filter(after_lock=True).select_related("protocol_version").first()
    if snapshot is None:
        messages.info(
            request,
            _("There is no snapshot of the locked database. The data manager or the trial statistician makes one."),
        )
        return redirect("comparative_runs")
    if request.method == "POST":
        try:
            run = actions.start_run(snapshot=snapshot, by=request.person)
            return redirect("comparative_run", run.pk)
        except Refused as refusal:
            messages.error(request, str(refusal.message))
            return redirect("comparative_runs")
    context = {
        "title": _("Start the comparative analysis"),
        "crumbs": [(_("Comparative analyses"), reverse("comparative_runs")), (_("New"), "")],
        "facts": [
            (_("Snapshot"), shown(snapshot.made_at)),
            (_("SHA-256"), snapshot.sha256[:16]),
            (_("Participants"), snapshot.participants),
        ],
        "consequence": _("Outcomes are joined to the real arms. That it was started goes into the ledger."),
        "submit": _("Start comparative analysis"),
        "cancel_url": reverse("comparative_runs"),
    }
    return render(request, "confirm.html", context)


def _progress(run: ComparativeRun) -> Any:
    address = [run.pk]
    names = ("comparative_progress", "comparative_cancel", "comparative_run")
    poll, cancel, result = (reverse(name, args=address) for name in names)
    return progress_of(run, poll=poll, cancel=cancel, result=result)


@page(roles=ONLY)
def run_page(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Progress, failure or result. That a result was opened goes into the ledger."""
    run = get_object_or_404(ComparativeRun, pk=key)
    title = _("Comparative analysis")
    context: dict[str, Any] = {
        "title": title, "crumbs": [(_("Comparative analyses"), reverse("comparative_runs")), (title, "")], "run": run, "record": record_facts(run),
    }  # fmt: skip
    if run.state != ComparativeRun.State.SUCCEEDED:
        return render(request, "analysis/run.html", context | {"job": _progress(run)})
    note(what="comparative result opened", subject=str(run.pk), by=request.person)
    source = _("Run of %(at)s.") % {"at": shown(run.created_at)}
    released = Release.objects.filter(payload__result_sha256=run.result_sha256).exists()
    context |= {
        "result": model_result(run.spec, run.result, source=source), "parts": detail(run.spec, run.result),
        "release_url": "" if released else reverse("comparative_release", args=[run.pk]),
    }  # fmt: skip
    return render(request, "analysis/result.html", context)


@page(roles=ONLY)
def run_progress(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """The part of the page that follows a run."""
    run = get_object_or_404(ComparativeRun, pk=key)
    response = render(request, "components/progress.html", {"job": _progress(run)})
    if run.is_over:
        response["HX-Refresh"] = "true"
    return response


@page(roles=ONLY)
@require_POST
def run_cancel(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Ask a run to stop."""
    actions.cancel_run(run=get_object_or_404(ComparativeRun, pk=key), by=request.person)
    return redirect("comparative_run", key)


@page(roles=ONLY)
@require_http_methods(["GET", "POST"])
def run_release(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Confirm and release."""
    run = get_object_or_404(ComparativeRun, pk=key, state=ComparativeRun.State.SUCCEEDED)
    if request.method == "POST":
        try:
            row = actions.release_result(run=run, by=request.person)
            return redirect("unblinded_release", row.pk)
        except Refused as refusal:
            messages.error(request, str(refusal.message))
            return redirect("comparative_run", key)
    note(what="comparative result opened", subject=str(run.pk), by=request.person)
    context = {
        "title": _("Release this result"),
        "facts": [
            (_("Result"), run.result_sha256[:16]),
            (_("Sentence"), str(model_result(run.spec, run.result).sentence)),
        ],
        "consequence": _(
            "Everybody who works in this trial sees it from now on, on both sides. This cannot be taken back."
        ),
        "submit": _("Release result"),
        "cancel_url": reverse("comparative_run", args=[key]),
    }
    return render(request, "confirm.html", context)
