"""Reading participants. Row policies keep other sites' rows away; what does not exist and what may not be seen answer alike."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from trial.core import clock
from trial.participants.models import (
    Consent,
    Contact,
    ContactAttempt,
    ContactReading,
    DatabaseLock,
    Death,
    Participant,
    RandomizationRequest,
    RecordsState,
    Release,
    ScreeningEntry,
    Transfer,
    UnblindingRequest,
)
from trial.protocol.definition import Protocol
from trial.protocol.models import Team

Outcome = ScreeningEntry.Outcome
INTERVIEWS, RECORDS, CLINICIAN, SHARING = "interviews", "records", "clinician", "sharing"
"""Parts of the consent that stop tasks of ours when they are withdrawn."""


def participants() -> QuerySet[Participant]:
    """The participants of the sites one may see, with team and site, for lists of people: without those reported as died."""
    return everybody().exclude(pk__in=deaths().values("participant_id"))


def everybody() -> QuerySet[Participant]:
    """All participants of the sites one may see, those who died too: for counts, and for a page that somebody asks for by number."""
    return Participant.objects.select_related("team", "site").order_by("number")


def participant_numbered(number: str) -> Participant | None:
    """The participant with this number (spaces allowed), or None."""
    return everybody().filter(number=number.replace(" ", "")).first()


def keys_numbered(number: str) -> list[str]:
    """The keys under which the history knows the participant with this number: their own and their screening's; none, if there is nobody."""
    found = participant_numbered(number)
    return [str(found.pk), str(found.screening_id)] if found else []


def numbers_of(keys: Iterable[uuid.UUID]) -> dict[str, str]:
    """The numbers of participants, by key; one query."""
    rows = Participant.objects.filter(pk__in=set(keys)).values_list("pk", "number")
    return {str(key): number for key, number in rows}


def screening_log() -> QuerySet[ScreeningEntry]:
    """The log, newest first."""
    return ScreeningEntry.objects.select_related("team", "site").order_by("-created_at", "id")


def screening_months() -> list[dt.date]:
    """The months in which somebody was screened, newest first."""
    return list(ScreeningEntry.objects.order_by("-month").values_list("month", flat=True).distinct())


def teams_seen() -> list[Team]:
    """The teams of the people one may see, by name."""
    codes = ScreeningEntry.objects.values("team_id").distinct()
    return list(Team.objects.filter(pk__in=codes).order_by("name"))


def is_randomized(screening_id: uuid.UUID) -> bool:
    """Whether the person of this screening entry has been randomized."""
    return Participant.objects.filter(screening=screening_id, randomized_at__isnull=False).exists()


def screened_again(entries: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The later entry of those among ``entries`` who were screened again. One query."""
    rows = ScreeningEntry.objects.filter(previous_id__in=list(entries)).values_list("previous_id", "pk")
    return {earlier: later for earlier, later in rows if earlier is not None}


def people_screened() -> QuerySet[ScreeningEntry]:
    """The latest entry of each person: whoever was screened again counts once."""
    earlier = ScreeningEntry.objects.exclude(previous=None).values("previous_id")
    return ScreeningEntry.objects.exclude(pk__in=earlier)


def screening_counts() -> Counter[tuple[str, str]]:
    """Persons by outcome and coded reason. One query."""
    rows = people_screened().values_list("outcome", "reason").annotate(n=Count("id"))
    return Counter({(outcome, reason): n for outcome, reason, n in rows})


def consents_in_force(screening_id: uuid.UUID) -> dict[str, Consent]:
    """The latest decision on each part."""
    rows = Consent.objects.filter(screening_id=screening_id).order_by("recorded_at", "id")
    return {row.part: row for row in rows}


def consent_decisions(screening_id: uuid.UUID) -> dict[str, list[Consent]]:
    """Every decision on each part, in their order."""
    decisions: dict[str, list[Consent]] = {}
    for row in Consent.objects.filter(screening_id=screening_id).order_by("recorded_at", "id"):
        decisions.setdefault(row.part, []).append(row)
    return decisions


def parts_in_force(participant_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, frozenset[str]]:
    """The parts of the consent that each of these participants gives now: of each part the latest decision. One query."""
    rows = (
        Participant.objects.filter(pk__in=list(participant_ids))
        .order_by("screening__consents__recorded_at", "screening__consents__id")
        .values_list("pk", "screening__consents__part", "screening__consents__given")
    )
    given: dict[uuid.UUID, set[str]] = {}
    for person, part, is_given in rows:
        parts = given.setdefault(person, set())
        (parts.add if is_given else parts.discard)(part)
    return {person: frozenset(parts) for person, parts in given.items()}


def consent_in_force(participant_ids: Iterable[uuid.UUID], part: str) -> set[uuid.UUID]:
    """Those of these participants who consent to this part now: neither refused nor withdrawn. One query."""
    return {person for person, parts in parts_in_force(participant_ids).items() if part in parts}


def stopped_parts(participant_ids: Iterable[uuid.UUID], protocol: Protocol) -> dict[uuid.UUID, frozenset[str]]:
    """The parts of the protocol's consent that are not in force: their tasks have stopped. One query.

    A part that the protocol does not ask for stops nothing.
    """
    asked = frozenset(part.code for part in protocol.consent_parts)
    return {person: asked - given for person, given in parts_in_force(participant_ids).items()}


def deaths() -> QuerySet[Death]:
    """The deaths that are reported or confirmed and not rejected; a report counts from its first minute."""
    latest = Death.objects.order_by("participant_id", "-number").distinct("participant_id")
    return Death.objects.filter(pk__in=latest.values("pk")).exclude(step=Death.Step.REJECTED)


def died(participant_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these participants whose death was reported, confirmed already or not. One query."""
    return set(deaths().filter(participant_id__in=list(participant_ids)).values_list("participant_id", flat=True))


def death_steps(participant_id: uuid.UUID) -> list[Death]:
    """Every step of the reports of death of one participant, in turn."""
    return list(Death.objects.filter(participant_id=participant_id).order_by("number"))


def deaths_to_decide() -> QuerySet[Death]:
    """Reports that wait for a second person, oldest first."""
    return deaths().filter(step=Death.Step.REPORTED).select_related("participant").order_by("recorded_at", "id")


def contact_of(participant_id: uuid.UUID) -> Contact | None:
    """The version of the contact data that counts. Whoever shows it logs the reading first."""
    return Contact.objects.filter(participant_id=participant_id).order_by("-number").first()


class Reach(NamedTuple):
    """What the unblinded side may read of a participant's contact data."""

    name: str
    phone: str


def reach_of(participant_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Reach]:
    """Name and telephone of these participants, on either side. One query. Nobody who died is named."""
    rows = Contact.objects.filter(participant_id__in=list(participant_ids))
    rows = rows.exclude(participant_id__in=deaths().values("participant_id"))
    latest = rows.order_by("participant_id", "-number").distinct("participant_id")
    return {person: Reach(name, phone) for person, name, phone in latest.values_list("participant_id", "name", "phone")}


def names_of(participant_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of these participants, on either side; who shows them logs the reading first. One query. Nobody who died is named."""
    return {person: reach.name for person, reach in reach_of(participant_ids).items()}


def readings() -> QuerySet[ContactReading]:
    """Who opened whose contact data on the open side, newest first."""
    return ContactReading.objects.select_related("participant").order_by("-at", "id")


def attempts_of(participant_id: uuid.UUID, visit: str) -> list[ContactAttempt]:
    """The attempts to reach a participant for one visit, newest first."""
    return list(ContactAttempt.objects.filter(participant_id=participant_id, visit=visit).order_by("-number"))


def next_attempts(participant_ids: Iterable[uuid.UUID]) -> dict[tuple[uuid.UUID, str], ContactAttempt]:
    """The latest attempt for each visit of these participants that names a next day. One query."""
    latest = ContactAttempt.objects.filter(participant_id__in=list(participant_ids))
    latest = latest.order_by("participant_id", "visit", "-number").distinct("participant_id", "visit")
    return {(row.participant_id, row.visit): row for row in latest if row.next_on is not None}


def transfers_of(participant_id: uuid.UUID) -> list[Transfer]:
    """The transfers of one participant, in turn."""
    rows = Transfer.objects.filter(participant_id=participant_id).select_related("team", "team__site")
    return list(rows.order_by("number"))


def teams_at(people: Iterable[Participant], day: dt.date | None = None) -> dict[uuid.UUID, Team]:
    """The team that treats each of these participants on ``day`` (today): of the latest transfer, else that of registration. One query."""
    listed = list(people)
    teams = {one.pk: one.team for one in listed}
    rows = Transfer.objects.filter(participant_id__in=list(teams), effective_on__lte=day or clock.today())
    rows = rows.order_by("participant_id", "-number").distinct("participant_id").select_related("team", "team__site")
    return teams | {row.participant_id: row.team for row in rows}


def randomized_by_day() -> list[tuple[dt.date, int]]:
    """The cumulative number of randomized participants by day, over the sites one may see. One query."""
    instants = Participant.objects.filter(randomized_at__isnull=False).values_list("randomized_at", flat=True)
    days = Counter(timezone.localtime(at).date() for at in instants if at is not None)
    total, curve = 0, []
    for day in sorted(days):
        total += days[day]
        curve.append((day, total))
    return curve


def randomized_by_month_and_site() -> Counter[tuple[dt.date, str]]:
    """How many were randomized in each month (its first day) at each site, over the sites one may see. One query."""
    rows = Participant.objects.filter(randomized_at__isnull=False).values_list("randomized_at", "site_id")
    return Counter((timezone.localtime(at).date().replace(day=1), site) for at, site in rows if at is not None)


def randomized_by_site() -> dict[str, tuple[int, int]]:
    """Registered and randomized by site code, over the sites one may see. One query."""
    rows = Participant.objects.values_list("site_id").annotate(
        registered=Count("id"), randomized=Count("id", filter=Q(randomized_at__isnull=False))
    )
    return {site: (registered, randomized) for site, registered, randomized in rows}


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


def locked_at() -> dt.datetime | None:
    """When the database was locked, for every page of both sides (``settings.LOCKED_AT``). One query."""
    return DatabaseLock.objects.values_list("locked_at", flat=True).first()


def records_state() -> RecordsState | None:
    """What the unblinded side said last about the hospital records: complete or not, for the whole trial."""
    return RecordsState.objects.first()


def waits_for_records(protocol: Protocol) -> bool:
    """Whether the database lock waits for hospital records: there is a plan, somebody was randomized, and not all is looked up."""
    randomized = Participant.objects.filter(randomized_at__isnull=False).count()
    if protocol.records is None or not randomized:
        return False
    state = records_state()
    return state is None or not state.complete or state.people != randomized


def unblinding_request() -> UnblindingRequest | None:
    """The sponsor's request for planned unblinding, if there is one."""
    return UnblindingRequest.objects.first()


def releases() -> QuerySet[Release]:
    """The results that were released, newest first."""
    return Release.objects.filter(kind=Release.RESULT).order_by("-released_at", "id")


def is_released(result_sha256: str) -> bool:
    """Whether the result of this digest has passed the gate."""
    return Release.objects.filter(payload__result_sha256=result_sha256).exists()


def recommendations() -> QuerySet[Release]:
    """What the committee recommended, newest first: a word and a day."""
    return Release.objects.filter(kind=Release.RECOMMENDATION).order_by("-released_at", "id")


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
    """Counts of persons over the sites one may see: whoever was screened again counts once, by the latest entry. Two queries."""
    log = people_screened() if sites is None else people_screened().filter(site__in=list(sites))
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
