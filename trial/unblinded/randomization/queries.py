"""Reading allocations, behind the wall."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from trial.participants.queries import deaths
from trial.unblinded.disclosure.models import UnblindedHistory
from trial.unblinded.randomization.models import Allocation


def allocations() -> QuerySet[Allocation]:
    """The allocations of the sites one may see, newest first."""
    return Allocation.objects.select_related("participant", "participant__team").order_by("-allocated_at", "id")


def of_the_living() -> QuerySet[Allocation]:
    """The same without those whose death was reported: no list of work names them."""
    return allocations().exclude(participant_id__in=deaths().values("participant_id"))


def arms_of(participants: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The arm of each of these participants that has been randomized. One query."""
    return dict(Allocation.objects.filter(participant__in=list(participants)).values_list("participant_id", "arm"))


@dataclass(frozen=True)
class Contribution:
    """That somebody gave a share of the seed. The share itself is readable by the allocator alone."""

    contributor: str
    at: dt.datetime
    receipt: str


def contributions() -> list[Contribution]:
    """Who has contributed to the seed, in order: from the history, since the drop box cannot be read here."""
    rows = UnblindedHistory.objects.filter(table_name="dropbox_seed_share", operation="INSERT").order_by("at", "id")
    return [Contribution(row.actor, row.at, str((row.new or {}).get("receipt", ""))) for row in rows]
