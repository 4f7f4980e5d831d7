"""Reading what the open side knows of the allocation."""

import uuid
from collections.abc import Iterable

from django.db.models import QuerySet

from trial.participants.randomization.models import Commitment, RandomizationError


def commitments() -> QuerySet[Commitment]:
    """Every commitment, the first one first."""
    return Commitment.objects.order_by("version")


def errors_of(participant_id: uuid.UUID) -> QuerySet[RandomizationError]:
    """The errors of randomization of one participant, in turn, with those that were taken back."""
    return RandomizationError.objects.filter(participant_id=participant_id).order_by("number")


def open_errors(rows: Iterable[RandomizationError]) -> dict[str, RandomizationError]:
    """Of the events of one participant those that stand: the last of each kind, unless it was taken back."""
    last = {row.kind: row for row in sorted(rows, key=lambda row: row.number)}
    return {kind: row for kind, row in last.items() if not row.void}


def open_flags() -> dict[uuid.UUID, list[str]]:
    """The kinds of error that stand, by participant; nobody else is in it. One query."""
    rows: dict[uuid.UUID, list[RandomizationError]] = {}
    for row in RandomizationError.objects.order_by("participant_id", "number"):
        rows.setdefault(row.participant_id, []).append(row)
    flags = {key: sorted(open_errors(events)) for key, events in rows.items()}
    return {key: kinds for key, kinds in flags.items() if kinds}
