"""Reading the treatment side: groups, who is in them, what was held, and how far everybody came.

Row policies keep other sites' rows away. What a therapist may see is narrower, see ``rules``.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from trial.core.access import Person
from trial.core.access.roles import Therapist
from trial.core.models import ANY_SITE, User
from trial.protocol.days import target_day
from trial.protocol.definition import FidelityScale, Protocol, SessionsPlan
from trial.protocol.queries import current
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.randomization.queries import allocations
from trial.unblinded.sessions import completion
from trial.unblinded.sessions.completion import Counts, End, Stay
from trial.unblinded.sessions.models import (
    Attendance,
    Completion,
    FidelityConsensus,
    FidelityRating,
    GroupSession,
    GroupTrainer,
    Member,
    TherapyGroup,
    Told,
    TreatmentWithdrawal,
)


@dataclass(frozen=True)
class Exposure:
    """One person's exposure to the program, in sessions. ``completed``: None until the program ended and completion was fixed.

    ``last_attended``: the day of the last session at which the person was, as the records say now.
    """

    group: str | None
    planned: int
    offered: int
    attended: int
    held: int
    completed: bool | None
    last_attended: dt.date | None = field(default=None, compare=False)


@dataclass(frozen=True)
class GroupFidelity:
    """A group's fidelity by consensus: the mean of the items, and its band."""

    score: Decimal
    band: str


def exposures() -> dict[uuid.UUID, Exposure]:
    """Exposure by participant: everybody whose arm is offered the program, and everybody else who was in a group or at a session.

    Once fixed, the numbers are those that completion was decided on. Nothing where the protocol plans no sessions.
    """
    found = {}
    for line in person_lines(allocations()):
        counts = line.counts
        if line.is_offered or line.members or counts.offered:
            group = line.group.code if line.group else None
            decided = line.completion.completed if line.completion else None
            found[line.allocation.participant_id] = Exposure(
                group, counts.planned, counts.offered, counts.attended, counts.held, decided, line.last_attended
            )
    return found


def group_fidelity() -> dict[str, GroupFidelity]:
    """The consensus on the protocol's first fidelity scale, by group code. Nothing where there is no such scale."""
    scales = current().fidelity
    if not scales:
        return {}
    rows = FidelityConsensus.objects.filter(scale=scales[0].code).select_related("group")
    return {row.group.code: GroupFidelity(row.score, row.band) for row in rows}


# --- groups


def groups() -> QuerySet[TherapyGroup]:
    """The groups of the sites one may see: open ones first, then by code."""
    return TherapyGroup.objects.order_by(F("closed_on").desc(nulls_first=True), "code")


def own_groups(person: Person) -> QuerySet[TherapyGroup]:
    """The groups that this person trains, closed ones too."""
    mine = GroupTrainer.objects.filter(trainer_id=person.user_id, until=None)
    return groups().filter(pk__in=mine.values("group_id"))


def trained_ever(person: Person) -> QuerySet[TherapyGroup]:
    """The groups that this person trains or trained: nobody rates those."""
    return groups().filter(pk__in=GroupTrainer.objects.filter(trainer_id=person.user_id).values("group_id"))


def trainers_of(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[User]]:
    """The trainers of each of these groups, by name. Two queries."""
    rows = GroupTrainer.objects.filter(group_id__in=list(keys), until=None).values_list("group_id", "trainer_id")
    pairs = list(rows)
    people = User.objects.in_bulk({trainer for _group, trainer in pairs})
    found: dict[uuid.UUID, list[User]] = defaultdict(list)
    for group, trainer in pairs:
        found[group].append(people[trainer])
    return {group: sorted(names, key=lambda user: user.full_name) for group, names in found.items()}


def trains(person: Person, group: TherapyGroup) -> bool:
    """Whether this person trains the group now."""
    return GroupTrainer.objects.filter(group=group, trainer_id=person.user_id, until=None).exists()


def therapists_at(site: str) -> list[User]:
    """Active people who hold the role of therapist at this site, by name."""
    held = {
        "memberships__role": Therapist.code,
        "memberships__site__in": [site, ANY_SITE],
        "memberships__ended_at": None,
    }
    people = User.objects.filter(is_active=True, memberships__confirmed_at__isnull=False, **held)
    return list(people.distinct().order_by("full_name", "username"))


def people_named(keys: Iterable[str]) -> list[User]:
    """The accounts of these keys, by name; whoever led a session stays on its list, whatever role they hold now."""
    return list(User.objects.filter(pk__in=list(keys)).order_by("full_name", "username"))


def members_on(group: TherapyGroup, day: dt.date) -> list[Member]:
    """Who belongs to the group on ``day``, by study number."""
    rows = Member.objects.filter(Q(left_on=None) | Q(left_on__gte=day), group=group, entered_on__lte=day)
    return list(rows.select_related("allocation__participant").order_by("allocation__participant__number"))


def active_counts(keys: Iterable[uuid.UUID], day: dt.date) -> dict[uuid.UUID, int]:
    """How many members each of these groups has on ``day``. One query."""
    rows = Member.objects.filter(Q(left_on=None) | Q(left_on__gte=day), group_id__in=list(keys), entered_on__lte=day)
    found: dict[uuid.UUID, int] = defaultdict(int)
    for group in rows.values_list("group_id", flat=True):
        found[group] += 1
    return found


def sessions_of(group: TherapyGroup) -> QuerySet[GroupSession]:
    """The sessions of a group, newest first."""
    return GroupSession.objects.filter(group=group).order_by("-day")


def next_day(group: TherapyGroup, last: dt.date | None, plan: SessionsPlan) -> dt.date:
    """When the next session of a group is due: an interval after the last one, or on the day the group opens."""
    return group.opened_on if last is None else last + dt.timedelta(days=plan.every_days)


def allocation_of(number: str) -> Allocation | None:
    """The allocation of the participant with this number (spaces allowed), or None."""
    return allocations().filter(participant__number="".join(number.split())).first()


# --- attendance that is missing


@dataclass(frozen=True)
class Gap:
    """A session that was held and lacks the attendance of some members."""

    session: GroupSession
    members: int
    recorded: int

    @property
    def missing(self) -> int:
        """How many members have no mark."""
        return self.members - self.recorded


def gaps(keys: Iterable[uuid.UUID]) -> list[Gap]:
    """Sessions of these groups whose attendance is not complete, oldest first. Three queries."""
    wanted = list(keys)
    held = GroupSession.objects.filter(group_id__in=wanted, state=GroupSession.State.HELD).select_related("group")
    stays: dict[uuid.UUID, list[Member]] = defaultdict(list)
    for member in Member.objects.filter(group_id__in=wanted):
        stays[member.group_id].append(member)
    marked = set(Attendance.objects.filter(session__in=held).values_list("session_id", "allocation_id"))
    found = []
    for session in held.order_by("day", "group__code"):
        there = {m.allocation_id for m in stays[session.group_id] if stay_of(m, session.group).covers(session.day)}
        recorded = sum((session.pk, allocation) in marked for allocation in there)
        if recorded < len(there):
            found.append(Gap(session, len(there), recorded))
    return found


def stay_of(member: Member, group: TherapyGroup) -> Stay:
    """A membership as the rule about completion reads it."""
    return Stay(member.entered_on, member.left_on, group.closed_on)


# --- people


@dataclass(frozen=True)
class PersonLine:
    """One allocated person on the treatment side, as it stands today.

    ``missing``: sessions of the own group without a mark. ``live``: what the records say now; ``counts``: what counts (fixed, if fixed).
    """

    allocation: Allocation
    is_offered: bool
    members: list[Member]
    live: Counts
    end: End
    missing: int
    deviates: bool
    told: Told | None
    withdrawal: TreatmentWithdrawal | None
    completion: Completion | None
    last_attended: dt.date | None

    @property
    def member(self) -> Member | None:
        """The membership that has not ended."""
        return next((m for m in self.members if m.left_on is None), None)

    @property
    def last(self) -> Member | None:
        """The latest membership."""
        return self.members[-1] if self.members else None

    @property
    def group(self) -> TherapyGroup | None:
        """The group that the person is, or was last, in."""
        return self.last.group if self.last else None

    @property
    def counts(self) -> Counts:
        """The exposure that counts: as fixed, else as the records say now."""
        one = self.completion
        return Counts(one.planned, one.offered, one.attended, one.held) if one else self.live

    @property
    def changed_since(self) -> bool:
        """Whether the records were corrected after completion was fixed."""
        return self.completion is not None and self.live != self.counts


@dataclass
class _Records:
    """Everything that the lines need, by allocation or by group; seven queries, however many people."""

    members: dict[uuid.UUID, list[Member]] = field(default_factory=lambda: defaultdict(list))
    attendance: dict[uuid.UUID, list[Attendance]] = field(default_factory=lambda: defaultdict(list))
    held: dict[uuid.UUID, list[dt.date]] = field(default_factory=lambda: defaultdict(list))
    told: dict[uuid.UUID, Told] = field(default_factory=dict)
    withdrawals: dict[uuid.UUID, TreatmentWithdrawal] = field(default_factory=dict)
    completions: dict[uuid.UUID, Completion] = field(default_factory=dict)


def person_lines(people: Iterable[Allocation]) -> list[PersonLine]:
    """These people on the treatment side. Nobody where the protocol plans no sessions."""
    protocol = current()
    if protocol.sessions is None:
        return []
    listed = list(people)
    records = _records([one.pk for one in listed])
    return [_line(one, records, protocol, protocol.sessions) for one in listed]


def _records(keys: Sequence[uuid.UUID]) -> _Records:
    found = _Records()
    mine = {"allocation_id__in": keys}
    for member in Member.objects.filter(**mine).select_related("group").order_by("entered_on", "placed_at"):
        found.members[member.allocation_id].append(member)
    rows = Attendance.objects.filter(session__state=GroupSession.State.HELD, **mine)
    for one in rows.select_related("session"):
        found.attendance[one.allocation_id].append(one)
    held = GroupSession.objects.filter(state=GroupSession.State.HELD)
    for group, day in held.values_list("group_id", "day"):
        found.held[group].append(day)
    found.told = {row.allocation_id: row for row in Told.objects.filter(**mine)}
    found.withdrawals = {row.allocation_id: row for row in TreatmentWithdrawal.objects.filter(**mine)}
    found.completions = {row.allocation_id: row for row in Completion.objects.filter(**mine)}
    return found


def _line(one: Allocation, records: _Records, protocol: Protocol, plan: SessionsPlan) -> PersonLine:
    members, withdrawal = records.members[one.pk], records.withdrawals.get(one.pk)
    stays = [stay_of(member, member.group) for member in members]
    allocated = timezone.localtime(one.allocated_at).date()
    # the program is over when the first follow-up is planned, whoever still comes
    target = target_day(protocol.follow_ups[0], allocated)
    end = completion.end_of(target, stays, withdrawal.day if withdrawal else None)
    rows = [row for row in records.attendance[one.pk] if row.session.day <= end.day]
    held = [day for day in records.held[members[-1].group_id] if day <= end.day] if members else []
    marks = {(row.session.group_id, row.session.day) for row in rows}
    missing = sum(
        stay.covers(day) and day <= end.day and (member.group_id, day) not in marks
        for member, stay in zip(members, stays, strict=True)
        for day in records.held[member.group_id]
    )
    counted = completion.count(
        planned=plan.planned_sessions, marks=[completion.Mark(row.mark) for row in rows], held=len(held)
    )
    return PersonLine(
        allocation=one,
        is_offered=one.arm in plan.arms,
        members=members,
        live=counted,
        end=end,
        missing=missing,
        deviates=any(m.deviates for m in members) or any(r.deviates and r.mark == "attended" for r in rows),
        told=records.told.get(one.pk),
        withdrawal=withdrawal,
        completion=records.completions.get(one.pk),
        last_attended=max((row.session.day for row in rows if row.mark == completion.Mark.ATTENDED), default=None),
    )


# --- fidelity


@dataclass(frozen=True)
class FidelityLine:
    """One group on one scale: its ratings (by rater) and the consensus."""

    group: TherapyGroup
    scale: FidelityScale
    ratings: list[FidelityRating]
    consensus: FidelityConsensus | None

    @property
    def is_rated(self) -> bool:
        """Whether as many people as the scale asks for have signed."""
        return sum(r.signed_at is not None for r in self.ratings) >= self.scale.raters

    def of(self, actor: str) -> FidelityRating | None:
        """The rating of this rater."""
        return next((r for r in self.ratings if r.rater == actor), None)


def fidelity_lines(of: Iterable[TherapyGroup], scales: Iterable[FidelityScale]) -> list[FidelityLine]:
    """Every group on every scale. Two queries. Whoever shows ratings asks ``rules.may_see_rating`` first."""
    listed = list(of)
    keys = [group.pk for group in listed]
    ratings: dict[tuple[uuid.UUID, str], list[FidelityRating]] = defaultdict(list)
    for rating in FidelityRating.objects.filter(group_id__in=keys).order_by("saved_at", "id"):
        ratings[rating.group_id, rating.scale].append(rating)
    agreed = {(row.group_id, row.scale): row for row in FidelityConsensus.objects.filter(group_id__in=keys)}
    return [
        FidelityLine(group, scale, ratings[group.pk, scale.code], agreed.get((group.pk, scale.code)))
        for group in listed
        for scale in scales
    ]


def held_counts(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many sessions each of these groups has held. One query."""
    rows = GroupSession.objects.filter(group_id__in=list(keys), state=GroupSession.State.HELD)
    found: dict[uuid.UUID, int] = defaultdict(int)
    for group in rows.values_list("group_id", flat=True):
        found[group] += 1
    return found


def last_days(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, dt.date]:
    """The day of the last session on record of each of these groups, held or canceled. One query."""
    rows = GroupSession.objects.filter(group_id__in=list(keys)).order_by("day").values_list("group_id", "day")
    return dict(rows)
