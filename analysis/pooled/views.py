"""Snapshots and runs of the open side."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from analysis.pooled import actions
from analysis.pooled.models import PooledRun
from analysis.pooled.presenters import HINTS, KINDS, progress_of, resume_address, run_history, run_table
from analysis.pooled.queries import kinds_offered
from analysis.pooled.rehearsals import fakes
from analysis.reports.downloads import arms_file, asked, offered, stored_of, with_figures
from analysis.reports.looks import blinded_facts
from analysis.reports.people import PEOPLE, PEOPLE_HINTS, source_of
from analysis.reports.presenters import TEMPLATES, kind_of, outcome_context, record_facts, result_context
from analysis.reports.rendering import FAKE, pooled_result
from analysis.runs.compute import numbers_of
from analysis.runs.joined import as_csv
from analysis.runs.people import EVERYBODY
from analysis.snapshots.actions import make_snapshot
from analysis.snapshots.models import Snapshot
from analysis.snapshots.presenters import earlier_table, named_facts
from analysis.snapshots.queries import content_of, snapshots
from trial.core.access import Request, page
from trial.core.access.roles import DataManager, Investigator, Monitor, TrialStatistician
from trial.core.errors import Refused
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui import forms, live
from trial.core.ui.parts import Progress
from trial.core.ui.tables import Column, Link, Table, page_of, shown
from trial.protocol.queries import protocol_of

HANDLERS = (TrialStatistician, DataManager)
READERS = (TrialStatistician, DataManager, Monitor, Investigator)
PAGE_SIZE = 50


@page(roles=HANDLERS)
@require_http_methods(["GET", "POST"])
def snapshot_list(request: Request) -> HttpResponseBase:
    """All snapshots; making one is a press of the button."""
    if request.method == "POST":
        make_snapshot(by=request.person)
        return redirect("snapshots")
    rows, position = page_of(list(snapshots()), request.GET.get("page"), PAGE_SIZE)
    columns = [
        Column(_("Made")),
        Column(_("Participants"), number=True),
        Column(_("Rows"), number=True),
        Column(_("Data")),
        Column(_("SHA-256"), code=True),
        Column(""),
    ]
    shown_rows = [
        [
            Link(shown(s.made_at), reverse("snapshot", args=[s.pk])),
            s.participants,
            s.rows,
            _stage(s),
            s.sha256[:16],
            Link("CSV", reverse("snapshot_csv", args=[s.pk])),
        ]
        for s in rows
    ]
    table = Table(
        columns, shown_rows, empty=_("A snapshot freezes the data for analysis. Make the first one."), page=position
    )
    return render(
        request,
        "analysis/snapshots.html",
        {"title": _("Snapshots"), "lead": _("Frozen data for analysis. No arm is in them."), "table": table},
    )


def _stage(snapshot: Snapshot) -> str:
    return _("locked") if snapshot.after_lock else _("running trial")


@page(roles=HANDLERS)
def snapshot_page(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One snapshot: what it is of, what its columns mean, who made it."""
    found = get_object_or_404(Snapshot.objects.defer("content").select_related("protocol_version"), pk=key)
    columns = [Column(_("Column"), code=True), Column(_("Name"))]
    context = {
        "title": _("Snapshot of %(at)s") % {"at": shown(found.made_at)},
        "crumbs": [(_("Snapshots"), reverse("snapshots")), (shown(found.made_at), "")],
        "csv_url": reverse("snapshot_csv", args=[found.pk]),
        "facts": [
            (_("Participants"), found.participants), (_("Rows"), found.rows), (_("Data"), _stage(found)),
            (_("SHA-256"), found.sha256), *named_facts(found),
        ],
        "parquet_url": reverse("snapshot_parquet", args=[found.pk]), "earlier": earlier_table(found),
        "table": Table(columns, [[one["column"], one["name"]] for one in found.dictionary], caption=_("Dictionary")),
        "history": lines(history_of(("snapshots_snapshot", found.pk)), without=("made_at",)),
    }  # fmt: skip
    return render(request, "analysis/snapshot.html", context)


@page(roles=HANDLERS)
def snapshot_csv(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """The bytes of a snapshot."""
    found = get_object_or_404(Snapshot, pk=key)
    response = HttpResponse(bytes(found.content), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="snapshot-{found.sha256[:12]}.csv"'
    return response


class StartForm(forms.Form):
    """What to run."""

    kind = forms.ChoiceField(gettext_lazy("What shall be run?"), choices=list(KINDS.items()), hints=HINTS)
    people = forms.ChoiceField(
        gettext_lazy("Who takes part?"),
        choices=list(PEOPLE.items()),
        hints=PEOPLE_HINTS,
        required=False,
        initial=EVERYBODY,
    )

    def __init__(self, *args: Any, offered: list[PooledRun.Kind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["kind"]
        field.choices = [(code, words) for code, words in KINDS.items() if code in offered]


@page(roles=READERS)
def run_list(request: Request) -> HttpResponseBase:
    """Runs of the open side."""
    rows, position = page_of(
        list(PooledRun.objects.defer("result", "spec").order_by("-created_at", "id")),
        request.GET.get("page"),
        PAGE_SIZE,
    )
    table = run_table(list(rows), "run", KINDS)
    context = {
        "title": _("Analyses"),
        "table": table,
        "page": position,
        "may_start": request.person.holds(TrialStatistician),
    }
    if live.asks(request, "runs"):
        return live.answer(request, "runs", "analysis/runs_table.html", context)
    return render(request, "analysis/runs.html", context)


@page(roles=(TrialStatistician,))
@require_http_methods(["GET", "POST"])
def run_new(request: Request) -> HttpResponseBase:
    """Confirm and start on the newest snapshot."""
    newest = snapshots().select_related("protocol_version").first()
    if newest is None:
        messages.info(request, _("A run needs frozen data: make a snapshot first."))
        return redirect("snapshots")
    form = StartForm(request.POST or None, offered=kinds_offered(protocol_of(newest.protocol_version)))
    if request.method == "POST" and form.is_valid():
        people = form.cleaned_data["people"] or EVERYBODY
        run = actions.start_run(snapshot=newest, kind=form.cleaned_data["kind"], people=people, by=request.person)
        return redirect("run", run.pk)
    context = {
        "title": _("Start an analysis"),
        "crumbs": [(_("Analyses"), reverse("runs")), (_("New"), "")],
        "facts": [
            (_("Snapshot"), shown(newest.made_at)),
            (_("SHA-256"), newest.sha256[:16]),
            (_("Participants"), newest.participants),
        ],
        "form": form,
        "submit": _("Start analysis"),
        "cancel_url": reverse("runs"),
    }
    return render(request, "confirm.html", context, status=422 if form.is_bound and not form.is_valid() else 200)


def _progress(run: PooledRun) -> Progress:
    address = [run.pk]
    return progress_of(
        run,
        poll=reverse("run_progress", args=address),
        cancel=reverse("run_cancel", args=address),
        result=reverse("run", args=address),
    )


@page(roles=READERS)
def run_page(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Progress while it runs, the result when it is done, the failure in words."""
    run = get_object_or_404(PooledRun, pk=key)
    context = {
        "title": str(KINDS[run.kind]),
        "crumbs": [(_("Analyses"), reverse("runs")), (str(KINDS[run.kind]), "")],
        "run": run,
        "record": record_facts(run),
        "marked": FAKE if run.is_rehearsal else "",
        "history": run_history(history_of(("pooled_pooledrun", run.pk)), KINDS),
    }
    if run.state != PooledRun.State.SUCCEEDED:
        resume_url = resume_address(run, request.person, "run_resume")
        return render(request, "analysis/run.html", context | {"job": _progress(run), "resume_url": resume_url})
    if not run.is_rehearsal:
        if request.GET.get("format"):
            raise Http404
        found = {
            "result": pooled_result(run.spec, run.result, source=source_of(run)), "parts": [],
            "blinded": blinded_facts(run.spec, run.result),
        }  # fmt: skip
        return render(request, "analysis/result.html", context | found)
    stored, may_take_arms = stored_of(run, fake=True), request.person.holds(*HANDLERS)
    file = _fake_arms(run) if may_take_arms and request.GET.get("format") == "arms" else asked(stored, request.GET)
    if file is not None:
        return file
    found = result_context(
        run.spec,
        run.result,
        address=lambda code: reverse("run_outcome", args=[run.pk, code]),
        fake=True,
        source=source_of(run),
    )
    found["downloads"] = offered(stored, arms=may_take_arms)
    return render(request, TEMPLATES[kind_of(run.spec)], context | with_figures(found))


def _fake_arms(run: PooledRun) -> HttpResponse:
    """What this rehearsal drew by lot for each study number: for those who may have the snapshot."""
    numbers = numbers_of(content_of(run.snapshot_id, run.snapshot_sha256))
    return arms_file(stored_of(run, fake=True), as_csv(fakes(run, numbers), marked="fake"))


@page(roles=READERS)
def run_outcome(request: Request, key: uuid.UUID, code: str) -> HttpResponseBase:
    """One outcome of a rehearsal of all outcomes."""
    run = get_object_or_404(PooledRun, pk=key, kind=PooledRun.Kind.SCALES, state=PooledRun.State.SUCCEEDED)
    context = outcome_context(run.spec, run.result, code, fake=True, source=source_of(run))
    if context is None:
        raise Http404
    name = str(KINDS[run.kind])
    crumbs = [(_("Analyses"), reverse("runs")), (name, reverse("run", args=[run.pk])), (context["title"], "")]
    return render(request, "analysis/result.html", context | {"crumbs": crumbs, "record": record_facts(run)})


@page(roles=READERS)
def run_progress(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """The part of the page that follows a run; when it is over the page loads anew."""
    run = get_object_or_404(PooledRun, pk=key)
    return live.progress(request, _progress(run), is_over=run.is_over)


@page(roles=(TrialStatistician,))
@require_POST
def run_cancel(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Ask a run to stop."""
    run = PooledRun.objects.filter(pk=key).first()
    if run is None:
        raise Http404
    try:
        actions.cancel_run(run=run, by=request.person)
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    return redirect("run", key)


@page(roles=(TrialStatistician,))
@require_POST
def run_resume(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Go on with a run that failed or was canceled."""
    try:
        made = actions.resume_run(run=get_object_or_404(PooledRun, pk=key), by=request.person)
    except Refused as refusal:
        messages.error(request, str(refusal.message))
        return redirect("run", key)
    return redirect("run", made.pk)
