"""Reading participants on the unblinded side: names by column, nothing else of the vault."""

import uuid

from django.db.models import QuerySet

from trial.core.access import Person
from trial.participants.models import Participant
from trial.participants.queries import participants
from trial.unblinded.disclosure.models import Reading, UnblindedHistory


def randomized() -> QuerySet[Participant]:
    """The randomized participants of the sites one may see; nobody who died."""
    return participants().filter(randomized_at__isnull=False)


def readings() -> QuerySet[Reading]:
    """Who opened whose name on the unblinded side, newest first."""
    return Reading.objects.order_by("-at", "id")


def reported_by(person: Person) -> frozenset[uuid.UUID]:
    """The keys of the steps of a death that this person wrote: the open row says "site staff" only."""
    rows = UnblindedHistory.objects.filter(
        table_name="participants_death", operation="INSERT", actor=person.actor_id
    ).values_list("row_id", flat=True)
    return frozenset(uuid.UUID(row) for row in rows)
