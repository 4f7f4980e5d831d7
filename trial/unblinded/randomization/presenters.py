"""Work of the treatment coordinator: participants who have just been allocated."""

import datetime as dt

from django.urls import reverse
from django.utils.translation import gettext as _

from trial.core import clock
from trial.core.access import Person
from trial.core.access.roles import TreatmentCoordinator
from trial.core.ui.tables import grouped
from trial.core.ui.work import WorkItem, WorkList
from trial.participants.queries import deaths
from trial.unblinded.randomization.queries import allocations


def work_for(person: Person) -> list[WorkList]:
    """Allocations of the last two weeks: these people and their care team must be told."""
    if not person.holds(TreatmentCoordinator):
        return []
    since = clock.now() - dt.timedelta(days=14)
    items = [
        WorkItem(
            _("Tell participant %(number)s and the care team") % {"number": grouped(a.participant.number)},
            reverse("allocations"), a.participant.team.name, "due", a.allocated_at.date(),
        )
        for a in allocations()
        .filter(allocated_at__gte=since)
        .exclude(participant_id__in=deaths().values("participant_id"))[:50]
    ]  # fmt: skip
    return [
        WorkList(_("Allocated in the last two weeks"), items, empty=_("Nobody was allocated in the last two weeks."))
    ]
