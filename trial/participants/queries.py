"""Reading participants. Row policies keep other sites' rows away; what does not exist and what may not be seen answer alike."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from trial.participants.models import (
    Consent,
    DatabaseLock,
    Participant,
    RandomizationRequest,
    Release,
    ScreeningEntry,
    UnblindingRequest,
)
from trial.protocol.definition import Protocol


def participants() -> QuerySet[Participant]:
    """All participants of the sites one may see, with team and site."""
    return Participant.objects.select_related("team", "site").order_by("number")


def participant_numbered(number: str) -> Participant | None:
    """The participant with this number (spaces allowed), or None."""
    return participants().filter(number=number.replace(" ", "")).first()


def screening_log() -> QuerySet[ScreeningEntry]:
    """The log, newest first."""
    return ScreeningEntry.objects.select_related("team", "site").order_by("-created_at", "id")


def consents_in_force(screening_id: uuid.UUID) -> dict[str, Consent]:
    """The latest decision on each part."""
    rows = Consent.objects.filter(screening_id=screening_id).order_by("recorded_at", "id")
    return {row.part: row for row in rows}


def missing_consent(screening_id: uuid.UUID, protocol: Protocol) -> list[str]:
    """The required parts of consent that are not given, in the order of the protocol."""
    decided = consents_in_force(screening_id)
    needed = [part for part in protocol.consent_parts if part.required and part.code in protocol.consent_version.parts]
    return [part.code for part in needed if part.code not in decided or not decided[part.code].given]


def stratum_of(participant: Participant, protocol: Protocol) -> str:
    """The stratum a participant is randomized in."""
    return protocol.stratum_of(participant.team_id)


def lock() -> DatabaseLock | None:
    """The database lock, if the database is locked."""
    return DatabaseLock.objects.first()


def unblinding_request() -> UnblindingRequest | None:
    """The sponsor's request for planned unblinding, if there is one."""
    return UnblindingRequest.objects.first()


def releases() -> QuerySet[Release]:
    """What was released, newest first."""
    return Release.objects.order_by("-released_at", "id")


def waiting_requests() -> QuerySet[RandomizationRequest]:
    """Requests that the allocator has not answered, oldest first."""
    return RandomizationRequest.objects.filter(state=RandomizationRequest.State.WAITING).order_by("requested_at", "id")


@dataclass(frozen=True)
class Recruitment:
    """Pooled counts of the way in; nothing by arm."""

    screened: int
    excluded: int
    declined: int
    in_screening: int
    registered: int
    baseline_done: int
    randomized: int


def recruitment(sites: Iterable[str] | None = None) -> Recruitment:
    """Counts over the sites one may see. Two queries."""
    log = ScreeningEntry.objects.all() if sites is None else ScreeningEntry.objects.filter(site__in=list(sites))
    people = Participant.objects.all() if sites is None else Participant.objects.filter(site__in=list(sites))
    screened = log.aggregate(
        screened=Count("id"),
        excluded=Count("id", filter=Q(outcome=ScreeningEntry.Outcome.EXCLUDED)),
        declined=Count("id", filter=Q(outcome=ScreeningEntry.Outcome.DECLINED)),
        in_screening=Count(
            "id", filter=Q(outcome__in=[ScreeningEntry.Outcome.IN_SCREENING, ScreeningEntry.Outcome.ELIGIBLE])
        ),
    )
    registered = people.aggregate(
        registered=Count("id"),
        baseline_done=Count("id", filter=Q(baseline_completed_at__isnull=False)),
        randomized=Count("id", filter=Q(randomized_at__isnull=False)),
    )
    return Recruitment(**screened, **registered)
