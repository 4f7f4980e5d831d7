"""Work of the independent statistician at the gate."""

from django.urls import reverse
from django.utils.translation import gettext as _

from trial.core.access import Person
from trial.core.access.roles import IndependentStatistician
from trial.core.ui.work import WorkItem, WorkList
from trial.participants.queries import unblinding_request
from trial.unblinded.disclosure.queries import planned_unblinding


def work_for(person: Person) -> list[WorkList]:
    """The sponsor's request, while it waits for confirmation."""
    if not person.holds(IndependentStatistician):
        return []
    asked = unblinding_request()
    if asked is None or planned_unblinding() is not None:
        return []
    item = WorkItem(
        _("Confirm planned unblinding"),
        reverse("planned_unblinding"),
        asked.signature["name"],
        "due",
        asked.requested_at.date(),
    )
    return [WorkList(_("Planned unblinding"), [item], after_lock=True)]
