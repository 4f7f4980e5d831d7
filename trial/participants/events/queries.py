"""Reading serious events. Row policies keep other sites' rows away."""

import uuid

from django.db.models import QuerySet

from trial.participants.events.models import SeriousEvent


def in_force() -> QuerySet[SeriousEvent]:
    """Of each event the row that counts, the latest beginning first; none that was taken back."""
    latest = SeriousEvent.objects.order_by("participant_id", "event", "-number").distinct("participant_id", "event")
    found = SeriousEvent.objects.filter(pk__in=latest.values("pk"), void=False)
    return found.select_related("participant__team", "site").order_by("-began_on", "participant__number", "event")


def rows_of(participant_id: uuid.UUID) -> list[SeriousEvent]:
    """Every row about one participant, event by event."""
    return list(SeriousEvent.objects.filter(participant_id=participant_id).order_by("event", "number"))


def event_or_none(key: uuid.UUID) -> SeriousEvent | None:
    """The row that counts of the event known by this key; None if there is no such event here."""
    first = SeriousEvent.objects.filter(pk=key, number=1).first()
    if first is None:
        return None
    rows = SeriousEvent.objects.filter(participant_id=first.participant_id, event=first.event)
    return rows.select_related("participant__team", "site").order_by("-number").first()
