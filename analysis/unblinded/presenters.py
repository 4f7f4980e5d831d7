"""Work of the independent statistician after planned unblinding."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.pooled.presenters import run_table
from analysis.unblinded.models import ComparativeRun
from trial.core.access import Person
from trial.core.access.roles import IndependentStatistician
from trial.core.ui.text import Text
from trial.core.ui.work import Panel, WorkItem, WorkList
from trial.participants.queries import releases
from trial.unblinded.disclosure.queries import planned_unblinding

KINDS: dict[str, Text] = {
    "plan": gettext_lazy("Primary outcome by the analysis plan"),
    "scales": gettext_lazy("All outcomes"),
    "primary": gettext_lazy("Primary outcome in full"),
    "published": gettext_lazy("Published comparisons, not randomized"),
    "look": gettext_lazy("Look before the end"),
}
HINTS: dict[str, Text] = {
    "plan": gettext_lazy("The planned model, and the sensitivity analyses that stand beside it."),
    "scales": gettext_lazy("Every outcome of the protocol, and admissions."),
    "primary": gettext_lazy("Each way of estimation that the plan names."),
    "published": gettext_lazy("Completers and classes of fidelity against all controls."),
}


def work_for(person: Person) -> list[WorkList]:
    """Run, then release."""
    if not person.holds(IndependentStatistician) or planned_unblinding() is None:
        return []
    runs = list(
        ComparativeRun.objects.filter(state="succeeded")
        .exclude(kind="look")
        .defer("result", "extract")
        .order_by("-created_at")
    )
    items = []
    if not runs:
        items.append(
            WorkItem(
                _("Run the comparative analysis"),
                reverse("comparative_new"),
                _("Planned unblinding is confirmed"),
                "due",
            )
        )
    elif not releases().exists():
        items.append(
            WorkItem(
                _("Release the result"),
                reverse("comparative_run", args=[runs[0].pk]),
                runs[0].result_sha256[:12],
                "due",
            )
        )
    return [WorkList(_("Comparative analysis"), items, empty=_("The result has been released."), after_lock=True)]


def panels_for(person: Person) -> list[Panel]:
    """The newest comparative runs, for the independent statistician alone."""
    if not person.holds(IndependentStatistician):
        return []
    runs = list(ComparativeRun.objects.defer("result", "spec", "extract").order_by("-created_at", "id")[:5])
    if not runs:
        return []
    context = {"table": run_table(runs, "comparative_run", KINDS), "url": reverse("comparative_runs")}
    return [Panel(_("Comparative analyses"), "analysis/runs_panel.html", context)]
