"""Runs of the open side as pages show them."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.pooled.models import PooledRun
from analysis.pooled.queries import newest_runs
from analysis.reports.rendering import pooled_result
from analysis.runs.models import Execution, Run
from analysis.runs.parts import names_of
from analysis.snapshots.queries import snapshots
from trial.core import clock
from trial.core.access import Person
from trial.core.access.roles import DataManager, Investigator, Monitor, TrialStatistician
from trial.core.history.presenters import lines
from trial.core.history.queries import Change as Recorded
from trial.core.ui.parts import Change, Progress
from trial.core.ui.tables import Column, Link, State, Table
from trial.core.ui.text import Text
from trial.core.ui.work import Panel, WorkItem, WorkList

KINDS = {
    "plan": gettext_lazy("Analysis plan on a fake arm"),
    "fake": gettext_lazy("Rehearsal on a fake arm"),
    "scales": gettext_lazy("All outcomes on a fake arm"),
    "published": gettext_lazy("Published comparisons on a fake arm"),
    "look": gettext_lazy("Looks before the end on a fake arm"),
    "pooled": gettext_lazy("Pooled figures"),
}
HINTS = {
    "plan": gettext_lazy("The primary outcome as the analysis plan has it, with what stands beside it, on a fake arm."),
    "fake": gettext_lazy("The primary outcome on arms that are drawn by lot: a rehearsal, no result."),
    "scales": gettext_lazy("Every outcome of the protocol, and admissions, on fake arms."),
    "published": gettext_lazy(
        "Completers and classes of fidelity, on fake arms, sessions and groups. Not randomized comparisons."
    ),
    "look": gettext_lazy(
        "Every look of the plan in its order, and the final analysis after them, on arms that are drawn by lot. No alpha is spent."
    ),
    "pooled": gettext_lazy(
        "All participants together; with a plan also spread, information and sample size, without arms."
    ),
}
STATES = {
    "queued": ("waiting", gettext_lazy("Waiting")),
    "running": ("running", gettext_lazy("Running")),
    "cancelling": ("running", gettext_lazy("Stopping")),
    "succeeded": ("done", gettext_lazy("Done")),
    "failed": ("failed", gettext_lazy("Failed")),
    "cancelled": ("cancelled", gettext_lazy("Canceled")),
}
HISTORY: dict[str, Text] = {
    "start_run": gettext_lazy("Started"),
    "claim": gettext_lazy("Taken up by a worker"),
    "finish": gettext_lazy("Finished"),
    "cancel_run": gettext_lazy("Asked to stop"),
    "resume_run": gettext_lazy("Resumed from an earlier run"),
    "resume": gettext_lazy("Resumed from an earlier run"),
    "leave_part": gettext_lazy("A part of it failed"),
    "resumes_id": gettext_lazy("goes on from the run"),
    "ask_to_cancel": gettext_lazy("Asked to stop"),
    "put_back_stale": gettext_lazy("Put back: its worker was lost"),
    "requeue_stale": gettext_lazy("Put back: its worker was lost"),
    "keep_extract": gettext_lazy("Extract kept"),
    "kind": gettext_lazy("what"),
    "snapshot_sha256": gettext_lazy("snapshot, SHA-256"),
    "result_sha256": gettext_lazy("result, SHA-256"),
    "extract_sha256": gettext_lazy("extract, SHA-256"),
    "code_version": gettext_lazy("program, SHA-256"),
    "environment_hash": gettext_lazy("environment, SHA-256"),
    "seed": gettext_lazy("seed"),
    "attempt": gettext_lazy("attempt"),
    "started_at": gettext_lazy("started"),
    "finished_at": gettext_lazy("finished"),
    "failure": gettext_lazy("failure"),
    **{f"state:{code}": words for code, (_kind, words) in STATES.items()},
}
"""What happens to a run, in words."""
STAGES = {
    "reading": gettext_lazy("Reading the table"),
    "describing": gettext_lazy("Describing"),
    "fitting": gettext_lazy("Fitting the model"),
    "polishing": gettext_lazy("Polishing the optimum"),
    "contrasting": gettext_lazy("Computing differences"),
    "simulating": gettext_lazy("Simulating trials"),
}

PARTS = {
    "models": gettext_lazy("Fitting the models of the primary outcome"),
    "outcome": gettext_lazy("Outcome"),
    "subgroup": gettext_lazy("Subgroup"),
    "imputation": gettext_lazy("Imputing what is missing"),
    "tipping": gettext_lazy("Looking for the tipping point"),
    "replicates": gettext_lazy("Drawing the lot again"),
    "admissions": gettext_lazy("Admissions"),
    "bootstrap": gettext_lazy("Drawing people again"),
    "joint": gettext_lazy("Drawing the lot again for several outcomes"),
}
"""Parts of a run that several workers share."""


def run_history(
    changes: Iterable[Recorded], kinds: Mapping[str, Text], words: Mapping[str, Text] | None = None
) -> list[Change]:
    """The history beside a run; ``kinds``: what each is called on its side, ``words``: further ones. The specification, which never changes,
    stands in the record.
    """
    told = [replace(one, fields=[field for field in one.fields if field[0] != "spec"]) for one in changes]
    return lines(told, {**HISTORY, **(words or {}), **{f"kind:{code}": name for code, name in kinds.items()}})


def run_table(runs: list[Any], url_name: str, kinds: Mapping[str, Text]) -> Table:
    """Runs, newest first; ``kinds``: what each is called on its side."""
    columns = [
        Column(_("Started")),
        Column(_("What")),
        Column(_("State")),
        Column(_("Snapshot"), code=True),
        Column(""),
    ]
    rows = []
    for run in runs:
        kind, words = STATES[run.state]
        rows.append(
            [
                run.created_at,
                str(kinds[run.kind]),
                State(kind, words),
                run.snapshot_sha256[:8],
                Link(_("Open"), reverse(url_name, args=[run.pk])),
            ]
        )
    return Table(columns, rows, empty=_("Runs appear here when one has been started."))


def progress_of(run: Execution, *, poll: str, cancel: str, result: str) -> Progress:
    """A run as the progress component shows it."""
    remaining = None
    if run.state == Run.State.RUNNING and run.started_at and 0.1 < run.progress < 1:
        took = clock.now() - run.started_at
        remaining = dt.timedelta(seconds=round(took.total_seconds() * (1 - run.progress) / run.progress))
    states: dict[str, Any] = {
        "queued": "waiting",
        "running": "running",
        "cancelling": "running",
        "succeeded": "done",
        "failed": "failed",
        "cancelled": "cancelled",
    }
    stopping = run.state == Run.State.CANCELLING
    message = _("Stopping at the next step") if stopping else stage_words(run) if not run.is_over else ""
    return Progress(
        state=states[run.state], done=round(100 * run.progress), total=100, title=_("Analysis"), message=message, remaining=remaining,
        poll_url="" if run.is_over else poll, cancel_url="" if run.is_over or stopping else cancel, result_url=result,
    )  # fmt: skip


def stage_words(run: Execution) -> Text:
    """What the run does now: of a run that goes through several outcomes or parts, which one."""
    step, _space, what = run.stage.partition(" ")
    if step in PARTS:
        return _part_words(run, step, what)
    number, slash, of = step.partition("/")
    if not slash:
        return STAGES.get(run.stage, "")
    return _("Outcome %(n)s of %(of)s: %(name)s") % {"n": number, "of": of, "name": _outcome_name(run, what)}


def _part_words(run: Execution, step: str, what: str) -> Text:
    if step == "outcome":
        return _("Outcome: %(name)s") % {"name": _outcome_name(run, what)}
    if step == "subgroup":
        names = {one["code"]: one["name"] for one in run.spec.get("subgroups", ())}
        return _("Subgroup: %(name)s") % {"name": names.get(what, what)}
    if step == "replicates":
        total = (run.spec.get("rerandomization") or {}).get("replicates", "")
        return _("Drawing the lot again: from %(n)s of %(of)s") % {"n": what, "of": total}
    return PARTS[step]


def _outcome_name(run: Execution, code: str) -> str:
    names = {outcome["code"]: outcome["name"] for outcome in run.spec.get("outcomes", ())}
    return str(names.get(code, code))


def resume_address(run: Run, person: Person, url_name: str) -> str:
    """Where a run that failed or was canceled is gone on with: for who started it, if its parts can be shared out; otherwise empty."""
    stopped = run.state in (Run.State.FAILED, Run.State.CANCELLED)
    mine = run.created_by == person.actor_id
    return reverse(url_name, args=[run.pk]) if stopped and mine and names_of(run.spec) else ""


def work_for(person: Person) -> list[WorkList]:
    """For the trial statistician: runs that failed, and the newest snapshot nobody has rehearsed on."""
    if not person.holds(TrialStatistician):
        return []
    items = [
        WorkItem(
            _("Look at the run that failed"),
            reverse("run", args=[r.pk]),
            str(KINDS[r.kind]),
            "blocked",
            r.created_at.date(),
        )
        for r in PooledRun.objects.filter(state="failed").order_by("-created_at")[:5]
    ]
    newest = snapshots().first()
    if newest is None:
        items.append(WorkItem(_("Make the first snapshot"), reverse("snapshots"), _("A run needs frozen data"), "due"))
    elif not PooledRun.objects.filter(snapshot_id=newest.pk).exclude(kind="pooled").exists():
        items.append(
            WorkItem(
                _("Rehearse the analysis on the newest snapshot"),
                reverse("run_new"),
                newest.sha256[:8],
                "due",
                newest.made_at.date(),
            )
        )
    return [
        WorkList(
            _("Analysis"), items, empty=_("Nothing waits: the newest snapshot has been rehearsed on."), after_lock=True
        )
    ]


def panels_for(person: Person) -> list[Panel]:
    """The newest pooled figures, on the blind dashboards; for who runs and who cleans also the newest runs of this side."""
    if not person.holds(TrialStatistician, DataManager, Monitor, Investigator):
        return []
    return _runs_panel(person) + _pooled_panel()


def _runs_panel(person: Person) -> list[Panel]:
    runs = newest_runs(5) if person.holds(TrialStatistician, DataManager) else []
    if not runs:
        return []
    context = {"table": run_table(runs, "run", KINDS), "url": reverse("runs")}
    return [Panel(_("Analyses"), "analysis/runs_panel.html", context)]


def _pooled_panel() -> list[Panel]:
    run = PooledRun.objects.filter(kind="pooled", state="succeeded").order_by("-created_at", "id").first()
    if run is None:
        return []
    context = {"result": pooled_result(run.spec, run.result), "url": reverse("run", args=[run.pk])}
    return [Panel(_("Pooled figures"), "analysis/pooled_panel.html", context)]
