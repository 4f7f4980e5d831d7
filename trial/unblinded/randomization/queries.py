"""Reading allocations, behind the wall."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from trial.core import clock
from trial.participants.models import Participant, RandomizationRequest
from trial.participants.queries import deaths, waiting_requests
from trial.unblinded.disclosure.models import UnblindedHistory
from trial.unblinded.randomization.concealment import Person as Monitored
from trial.unblinded.randomization.models import (
    Allocation,
    ContingencyRelease,
    ContingencyRequest,
    Reveal,
    VerificationOrder,
    WrongTreatment,
)


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
class Entry:
    """An allocation by its place in the order of all, and its day."""

    number: int
    day: dt.date


def entries(participants: Iterable[uuid.UUID]) -> dict[uuid.UUID, Entry]:
    """When each of these participants was allocated. One query."""
    rows = Allocation.objects.filter(participant__in=list(participants))
    listed = rows.values_list("participant_id", "number", "allocated_at")
    return {key: Entry(number, timezone.localtime(at).date()) for key, number, at in listed}


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


def latest_reveals() -> list[Reveal]:
    """What the allocator answered last, by sequence; nothing before the first verification."""
    last = Reveal.objects.order_by("-at").values_list("order_id", flat=True).first()
    return list(Reveal.objects.filter(order_id=last).order_by("version")) if last else []


def waiting_order() -> VerificationOrder | None:
    """The order to verify that has no answer yet."""
    answered = Reveal.objects.values_list("order_id", flat=True)
    return VerificationOrder.objects.exclude(pk__in=list(answered)).order_by("-ordered_at").first()


WAIT = dt.timedelta(minutes=15)
"""So long a request to randomize has waited before the fallback opens; the database says so too."""
ABANDONED = dt.timedelta(days=14)
"""Ready for so long and not asked for: somebody may be waiting for something."""


def long_waiting() -> list[RandomizationRequest]:
    """Requests that the allocator has left waiting for so long that the fallback is open, and nobody asked for a slot yet."""
    asked = ContingencyRequest.objects.values_list("participant_id", flat=True)
    found = waiting_requests().filter(requested_at__lte=clock.now() - WAIT).exclude(participant_id__in=list(asked))
    return list(found.select_related("participant", "participant__team", "participant__site"))


@dataclass(frozen=True)
class Asked:
    """A contingency slot that was asked for, what became of it, and whether the allocator has written it since."""

    request: ContingencyRequest
    participant: Participant
    release_or_none: ContingencyRelease | None
    is_written: bool


def contingency_requests() -> list[Asked]:
    """The contingency slots of the sites one may see, newest first. Three queries."""
    rows = list(ContingencyRequest.objects.select_related("release").order_by("-asked_at", "id"))
    people = Participant.objects.select_related("site").in_bulk([row.participant_id for row in rows])
    written = set(Allocation.objects.filter(participant__in=list(people)).values_list("participant_id", flat=True))
    return [
        Asked(row, people[row.participant_id], getattr(row, "release", None), row.participant_id in written)
        for row in rows
        if row.participant_id in people
    ]


def wrong_treatments(allocation: Allocation) -> list[WrongTreatment]:
    """The events of one allocation, in turn."""
    return list(WrongTreatment.objects.filter(allocation=allocation).order_by("number"))


def wrongly_treated() -> set[uuid.UUID]:
    """Participants of whom a wrong treatment stands. Secret: it may reveal an arm. One query."""
    rows = WrongTreatment.objects.order_by("allocation_id", "-number").distinct("allocation_id")
    return {one.allocation.participant_id for one in rows.select_related("allocation") if not one.void}


def monitored() -> list[Monitored]:
    """Everybody randomized, in their order, as the concealment monitor sees them. Two queries."""
    rows = list(Allocation.objects.select_related("participant__screening").order_by("number"))
    asked = dict(RandomizationRequest.objects.values_list("participant_id", "requested_by"))
    return [
        Monitored(
            recruiter=asked.get(one.participant_id, ""),
            arm=one.arm,
            stratum=one.stratum,
            days=(one.allocated_at - one.participant.screening.created_at) / dt.timedelta(days=1),
            levels=one.levels,
        )
        for one in rows
        if one.levels
    ]


@dataclass(frozen=True)
class Unfinished:
    """Somebody who was ready and is not randomized: refused, still waiting, or never asked for."""

    participant: Participant
    recruiter: str
    since: dt.datetime
    code: str


def unfinished_requests() -> list[Unfinished]:
    """Requests that were refused or wait for a day, and people ready for 14 days for whom nobody asked. Two queries."""
    now = clock.now()
    requests = RandomizationRequest.objects.exclude(state=RandomizationRequest.State.DONE).select_related("participant")
    found = [
        Unfinished(one.participant, one.requested_by, one.requested_at, one.refusal or "waiting")
        for one in requests.order_by("requested_at", "id")
        if one.refusal or one.requested_at < now - dt.timedelta(days=1)
    ]
    idle = Participant.objects.filter(baseline_completed_at__lt=now - ABANDONED, randomization_request=None)
    return found + [
        Unfinished(one, "", one.baseline_completed_at, "abandoned")
        for one in idle.order_by("baseline_completed_at", "id")
        if one.baseline_completed_at is not None
    ]
