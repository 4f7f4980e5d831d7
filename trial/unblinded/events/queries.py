"""Reading serious events behind the wall, with what is told of them."""

import uuid
from collections import Counter
from dataclasses import dataclass

from django.utils import timezone

from trial.participants.events import queries as open_side
from trial.participants.events.models import SeriousEvent
from trial.unblinded.events.counts import Happened
from trial.unblinded.events.models import EventNarrative
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.randomization.queries import allocations


@dataclass(frozen=True)
class EventLine:
    """A serious event of somebody randomized, and the narrative that counts; None while it is missing."""

    event: SeriousEvent
    allocation: Allocation
    narrative: EventNarrative | None

    @property
    def is_since_allocation(self) -> bool:
        """Whether it began on the day of randomization or later."""
        return self.event.began_on >= timezone.localtime(self.allocation.allocated_at).date()


def event_lines() -> list[EventLine]:
    """The events in force of everybody randomized at the sites one may see, the latest beginning first. Three queries."""
    events = list(open_side.in_force())
    of = {one.participant_id: one for one in allocations().filter(participant__in={e.participant_id for e in events})}
    told = {one.event: one for one in EventNarrative.objects.order_by("event", "-number").distinct("event")}
    return [EventLine(one, of[one.participant_id], told.get(one.key)) for one in events if one.participant_id in of]


def line_or_none(key: uuid.UUID) -> EventLine | None:
    """One event, taken back or not; None for an event of somebody who has no arm, and for one that is not there."""
    event = open_side.event_or_none(key)
    found = allocations().filter(participant=event.participant_id).first() if event else None
    if event is None or found is None:
        return None
    told = narratives(key)
    return EventLine(event, found, told[-1] if told else None)


def narratives(key: uuid.UUID) -> list[EventNarrative]:
    """Every narrative of one event, in turn."""
    return list(EventNarrative.objects.filter(event=key).order_by("number"))


def happened(lines: list[EventLine]) -> list[Happened]:
    """The events since randomization, as the count reads them."""
    return [
        Happened(
            one.event.participant_id,
            one.allocation.arm,
            one.event.kind,
            one.narrative.relatedness if one.narrative else "",
            one.narrative.expectedness if one.narrative else "",
        )
        for one in lines
        if one.is_since_allocation
    ]


def randomized_by_arm() -> Counter[str]:
    """How many people were allocated to each arm."""
    return Counter(Allocation.objects.values_list("arm", flat=True))
