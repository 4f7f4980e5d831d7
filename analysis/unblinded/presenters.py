"""Work of the independent statistician after planned unblinding."""

from django.urls import reverse
from django.utils.translation import gettext as _

from analysis.unblinded.models import ComparativeRun
from trial.core.access import Person
from trial.core.access.roles import IndependentStatistician
from trial.core.ui.work import WorkItem, WorkList
from trial.participants.models import Release
from trial.unblinded.disclosure.queries import planned_unblinding


def work_for(person: Person) -> list[WorkList]:
    """Run, then release."""
    if not person.holds(IndependentStatistician) or planned_unblinding() is None:
        return []
    runs = list(ComparativeRun.objects.filter(state="succeeded").defer("result", "extract").order_by("-created_at"))
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
    elif not Release.objects.exists():
        items.append(
            WorkItem(
                _("Release the result"),
                reverse("comparative_run", args=[runs[0].pk]),
                runs[0].result_sha256[:12],
                "due",
            )
        )
    return [WorkList(_("Comparative analysis"), items, empty=_("The result has been released."))]
