"""Comparative runs, behind the wall."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from analysis.pooled.presenters import progress_of, resume_address, run_history, run_table
from analysis.reports.downloads import arms_file, asked, offered, stored_of, with_figures
from analysis.reports.people import PEOPLE, PEOPLE_HINTS, source_of
from analysis.reports.presenters import (
    TEMPLATES,
    kind_of,
    outcome_context,
    record_facts,
    result_context,
    result_sentence,
)
from analysis.runs.people import EVERYBODY
from analysis.runs.plans import kinds_of
from analysis.snapshots.queries import snapshots
from analysis.unblinded import actions
from analysis.unblinded.models import ComparativeRun
from analysis.unblinded.presenters import HINTS, KINDS
from trial.core.access import Request, page
from trial.core.access.roles import IndependentStatistician
from trial.core.errors import Refused
from trial.core.history.queries import history_of
from trial.core.ui import forms, live
from trial.core.ui.tables import shown
from trial.participants.queries import is_released
from trial.protocol.queries import protocol_of
from trial.unblinded.disclosure.actions import note
from trial.unblinded.disclosure.models import UnblindedHistory
from trial.unblinded.disclosure.queries import planned_unblinding

ONLY = (IndependentStatistician,)


@page(roles=ONLY)
def run_list(request: Request) -> HttpResponseBase:
    """Comparative runs."""
    runs = list(ComparativeRun.objects.defer("result", "spec", "extract").order_by("-created_at", "id")[:200])
    context = {
        "title": _("Comparative analyses"),
        "table": run_table(runs, "comparative_run", KINDS),
        "may_start": planned_unblinding() is not None,
        "is_comparative": True,
    }
    if live.asks(request, "runs"):
        return live.answer(request, "runs", "analysis/runs_table.html", context)
    return render(request, "analysis/runs.html", context)


class StartForm(forms.Form):
    """Which comparative analysis."""

    kind = forms.ChoiceField(gettext_lazy("What shall be run?"), choices=list(KINDS.items()), hints=HINTS)
    people = forms.ChoiceField(
        gettext_lazy("Who takes part?"),
        choices=list(PEOPLE.items()),
        hints=PEOPLE_HINTS,
        required=False,
        initial=EVERYBODY,
    )

    def __init__(self, *args: Any, offered: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["kind"]
        field.choices = [(code, words) for code, words in KINDS.items() if code in offered]
        if len(offered) == 1:  # a trial with one analysis has nothing to choose
            del self.fields["kind"]


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
    offered = kinds_of(protocol_of(snapshot.protocol_version))
    form = StartForm(forms.posted(request), offered=offered)
    if request.method == "POST" and form.is_valid():
        kind, people = form.cleaned_data.get("kind", offered[0]), form.cleaned_data["people"] or EVERYBODY
        try:
            run = actions.start_run(snapshot=snapshot, kind=kind, people=people, by=request.person)
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
        "form": form,
    }
    return render(request, "confirm.html", context, status=forms.status_of(form))


def _progress(run: ComparativeRun) -> Any:
    address = [run.pk]
    names = ("comparative_progress", "comparative_cancel", "comparative_run")
    poll, cancel, result = (reverse(name, args=address) for name in names)
    return progress_of(run, poll=poll, cancel=cancel, result=result)


@page(roles=ONLY)
def run_page(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Progress, failure or result. That a result was opened goes into the ledger."""
    run = get_object_or_404(ComparativeRun, pk=key)
    if run.look is not None:
        return redirect("look", run.look.number)
    title = str(KINDS[run.kind])
    context: dict[str, Any] = {
        "title": title, "crumbs": [(_("Comparative analyses"), reverse("comparative_runs")), (title, "")], "run": run, "record": record_facts(run),
        "history": run_history(history_of(("unblinded_comparative_run", run.pk), source=UnblindedHistory), KINDS),
    }  # fmt: skip
    if run.state != ComparativeRun.State.SUCCEEDED:
        resume_url = resume_address(run, request.person, "comparative_resume")
        return render(request, "analysis/run.html", context | {"job": _progress(run), "resume_url": resume_url})
    note(what="comparative result opened", subject=str(run.pk), by=request.person)
    stored = stored_of(run)
    if request.GET.get("format") == "arms":
        note(what="comparative extract taken", subject=str(run.pk), by=request.person)
        return arms_file(stored, bytes(run.extract or b""))
    file = asked(stored, request.GET)
    if file is not None:
        return file
    found = result_context(
        run.spec,
        run.result,
        address=lambda code: reverse("comparative_outcome", args=[run.pk, code]),
        source=source_of(run),
    )
    found["release_url"] = "" if is_released(run.result_sha256) else reverse("comparative_release", args=[run.pk])
    found["downloads"] = offered(stored, arms=True)
    return render(request, TEMPLATES[kind_of(run.spec)], context | with_figures(found))


@page(roles=ONLY)
def run_outcome(request: Request, key: uuid.UUID, code: str) -> HttpResponseBase:
    """One outcome of a run over all outcomes. That it was opened goes into the ledger."""
    run = get_object_or_404(
        ComparativeRun, pk=key, kind=ComparativeRun.Kind.SCALES, state=ComparativeRun.State.SUCCEEDED
    )
    context = outcome_context(run.spec, run.result, code, source=source_of(run))
    if context is None:
        raise Http404
    note(what="comparative result opened", subject=f"{run.pk} {code}", by=request.person)
    crumbs = [
        (_("Comparative analyses"), reverse("comparative_runs")),
        (str(KINDS[run.kind]), reverse("comparative_run", args=[run.pk])),
        (context["title"], ""),
    ]
    return render(request, "analysis/result.html", context | {"crumbs": crumbs, "record": record_facts(run)})


@page(roles=ONLY)
def run_progress(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """The part of the page that follows a run."""
    run = get_object_or_404(ComparativeRun, pk=key)
    return live.progress(request, _progress(run), is_over=run.is_over)


@page(roles=ONLY)
@require_POST
def run_cancel(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Ask a run to stop."""
    run = get_object_or_404(ComparativeRun, pk=key)
    actions.cancel_run(run=run, by=request.person)
    return redirect("look", run.look.number) if run.look else redirect("comparative_run", key)


@page(roles=ONLY)
@require_POST
def run_resume(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Go on with a run that failed or was canceled."""
    try:
        made = actions.resume_run(run=get_object_or_404(ComparativeRun, pk=key), by=request.person)
    except Refused as refusal:
        messages.error(request, str(refusal.message))
        return redirect("comparative_run", key)
    return redirect("comparative_run", made.pk)


@page(roles=ONLY)
@require_http_methods(["GET", "POST"])
def run_release(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Confirm and release."""
    run = get_object_or_404(ComparativeRun, pk=key, state=ComparativeRun.State.SUCCEEDED, look=None)
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
            (_("Sentence"), result_sentence(run.spec, run.result)),
        ],
        "consequence": _(
            "Everybody who works in this trial sees it from now on, on both sides. This cannot be taken back."
        ),
        "submit": _("Release result"),
        "cancel_url": reverse("comparative_run", args=[key]),
    }
    return render(request, "confirm.html", context)
