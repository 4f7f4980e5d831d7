"""The program: 15 groups, their weekly sessions, who comes and how often, and how well each group keeps to the model.

Published: of 116, 21 attended none and 95 at least one session, of whom 57 at least half (T/120); 68 attended at least 10, of these 39
in 8 groups of high and 29 in 7 groups of moderate fidelity; fidelity 3.94 (SD .29), 4.00 to 4.54 and 3.46 to 3.92 (T/123). Who that
is, when sessions are and which items score what, is made up.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from trial.config.worlds.plan.calendar import T2_MONTHS, at_work
from trial.config.worlds.plan.events import (
    Event,
    FidelityAgreed,
    FidelityRated,
    GroupClosed,
    GroupOpened,
    Joined,
    SessionHeld,
    Told,
    TreatmentWithdrawn,
)
from trial.config.worlds.plan.order import spread
from trial.config.worlds.plan.people import SITES, Person, randomized
from trial.protocol.days import add_months

GROUPS = {"rotterdam": 8, "dordrecht": 7}
SESSIONS, MODULES = 40, 11
HOLIDAYS = frozenset({1, 30, 31, 52, 53})
"""ISO weeks without sessions."""
TOLD_AFTER = 6
"""Days from randomization until the treatment coordinator has told the person and the care team: before the first session."""

HIGH = (52, 52, 53, 53, 54, 54, 55, 59)
MODERATE = (45, 46, 47, 48, 48, 51, 51)
"""Sums of the 13 items by group: 4.00 to 4.54 and 3.46 to 3.92; over all fifteen mean 3.94, SD .29."""
AT_LEAST_TEN_HIGH = (5, 5, 5, 5, 5, 5, 5, 4)
AT_LEAST_TEN_MODERATE = (5, 4, 4, 4, 4, 4, 4)
"""People with at least 10 sessions by group: 39 and 29."""
NEVER, HALF, WITHDRAWN = 21, 57, 9
"""``WITHDRAWN``, from treatment, is made up: stopping was not counted apart."""
PROFILE = (5, 5, 5, 5, 3, 5, 4, 5, 5, 4, 3, 2, 2)
"""The 13 items of a middling group, in the manner of the pilot (PI-tab4): strong in form, weak in relatives and tailoring."""
DISAGREEING = 12
"""Of 15 x 13 items the second rater sees one differently in so many groups: item agreement 94 % (LIT)."""


class Dose(StrEnum):
    """How much of the program a person took."""

    NONE = "none"
    FEW = "few"  # under 10 sessions, and under half
    SOME = "some"  # at least 10, under half
    HALF = "half"  # at least half of those offered, at least 10


@dataclass(frozen=True)
class Group:
    """One group: its sessions, and its members by number with the instant from which sessions are offered to each."""

    number: int
    site: str
    opened_at: dt.datetime
    sessions: tuple[dt.datetime, ...]
    joined: Mapping[int, dt.datetime]
    fidelity: int

    @property
    def is_high(self) -> bool:
        """Whether the group keeps to the model closely."""
        return self.number % 2 == 0


@cache
def groups() -> tuple[Group, ...]:
    """All groups, by the day on which they open. A group takes the next seven or eight of a site and opens after the fourth."""
    chunks: list[tuple[str, list[Person]]] = []
    for site in SITES:
        treated = [p for p in randomized() if p.arm == "imr" and p.site == site]
        size, longer = divmod(len(treated), GROUPS[site])
        first = 0
        for n in range(GROUPS[site]):
            last = first + size + (n < longer)
            chunks.append((site, treated[first:last]))
            first = last
    chunks.sort(key=lambda chunk: chunk[1][3].since)
    high, moderate = iter(HIGH), iter(MODERATE)
    return tuple(
        _group(number, site, members, next(moderate if number % 2 else high))
        for number, (site, members) in enumerate(chunks)
    )


def _group(number: int, site: str, members: list[Person], fidelity: int) -> Group:
    opened = at_work(members[3].since.replace(hour=9, minute=0) + dt.timedelta(days=10))
    sessions: list[dt.datetime] = []
    following = opened.replace(hour=13) + dt.timedelta(days=4 + number % 3)
    following = at_work(following)
    while len(sessions) < SESSIONS:
        if following.isocalendar().week not in HOLIDAYS:
            sessions.append(following)
        following += dt.timedelta(days=7)
    joined = {p.number: _joins_at(max(opened, at_work(p.since + dt.timedelta(days=7))), sessions) for p in members}
    return Group(number, site, opened, tuple(sessions), joined, fidelity)


def _joins_at(at: dt.datetime, sessions: list[dt.datetime]) -> dt.datetime:
    """A member is one for the whole day: whoever would enter after the session of a day enters some days later."""
    too_late = any(session.date() == at.date() and session < at for session in sessions)
    return at_work(at + dt.timedelta(days=3)) if too_late else at


@cache
def doses() -> Mapping[int, Dose]:
    """How much each of the 116 takes, by person."""
    many: list[int] = []
    high, moderate = iter(AT_LEAST_TEN_HIGH), iter(AT_LEAST_TEN_MODERATE)
    for group in groups():
        members = list(group.joined)
        turned = members[group.number % len(members) :] + members[: group.number % len(members)]
        many += spread(turned, next(high if group.is_high else moderate))
    little = sorted(n for group in groups() for n in group.joined if n not in set(many))
    never = set(spread(little, NEVER))
    # at least 10 and yet under half takes a long offer: those who entered early
    early = sorted(many, key=lambda n: (-_offers(n), n))[: 3 * (len(many) - HALF)]
    some = set(spread(early, len(many) - HALF))
    return {
        **{n: Dose.SOME if n in some else Dose.HALF for n in many},
        **{n: Dose.NONE if n in never else Dose.FEW for n in little},
    }


def dose_of(person: int) -> Dose:
    """How much this person takes; nobody of the other arm takes anything."""
    return doses().get(person, Dose.NONE)


def group_of(person: int) -> Group:
    """The group of a person of the experimental arm."""
    return next(group for group in groups() if person in group.joined)


def _offers(person: int) -> int:
    """Sessions between entry and the end of the group, or the day of the 12-month visit."""
    return len(_sessions_for(person))


def _sessions_for(person: int) -> list[int]:
    """Numbers (from 0) of the sessions that lie in the person's time."""
    group = group_of(person)
    since = randomized()[person].since
    until = dt.datetime.combine(add_months(since.date(), T2_MONTHS), since.time(), dt.UTC)
    return [n for n, at in enumerate(group.sessions) if group.joined[person] <= at < until]


@dataclass(frozen=True)
class Course:
    """What one person was offered and came to, as numbers of sessions from 0; and from which on nothing is offered any more."""

    offered: tuple[int, ...]
    attended: frozenset[int]
    stops_after: int | None


@cache
def courses() -> Mapping[int, Course]:
    """The course of each of the 116."""
    rank = dict.fromkeys(Dose, 0)
    stopping = _withdrawn()
    found = {}
    for person, dose in sorted(doses().items()):
        found[person] = _course(person, dose, rank[dose], person in stopping)
        rank[dose] += 1
    return found


def _withdrawn() -> set[int]:
    by_dose = {d: sorted(n for n, one in doses().items() if one == d) for d in (Dose.FEW, Dose.NONE)}
    return set(spread(by_dose[Dose.FEW], WITHDRAWN - WITHDRAWN // 2) + spread(by_dose[Dose.NONE], WITHDRAWN // 2))


def _course(person: int, dose: Dose, rank: int, stops: bool) -> Course:
    """Who stays comes now and then not; who stops came to every other of the first sessions."""
    offered = _sessions_for(person)
    match dose:
        case Dose.HALF:
            wanted = -(-len(offered) * (60 + 5 * (rank % 9)) // 100)
            attended = spread(offered, wanted)
        case Dose.SOME:
            wanted = 10 + rank % 3
            attended = spread(offered[: 2 * wanted], wanted)
        case Dose.FEW:
            wanted = 1 + rank % 9
            attended = spread(offered[: 2 * wanted], wanted)
        case Dose.NONE:
            attended = []
    if stops:
        # under half of what had been offered by then
        offered = offered[: max(4, 5 * len(attended) // 2 + 2)]
    return Course(tuple(offered), frozenset(attended), offered[-1] if stops else None)


def events() -> Iterator[Event]:
    """Everybody is told; then everything that happens in groups, and who stops with one."""
    for told in randomized():
        yield Told(at=at_work(told.since + dt.timedelta(days=TOLD_AFTER)), person=told.number)
    for group in groups():
        yield GroupOpened(at=group.opened_at, group=group.number, site=group.site, name=f"Group {group.number + 1}")
        for person, at in group.joined.items():
            yield Joined(at=at, group=group.number, person=person)
        for n, at in enumerate(group.sessions):
            offered = tuple(p for p in group.joined if n in courses()[p].offered)
            yield SessionHeld(
                at=at,
                group=group.number,
                number=n + 1,
                module=f"m{1 + n * MODULES // SESSIONS:02d}",
                offered=offered,
                attended=frozenset(p for p in offered if n in courses()[p].attended),
            )
        for person in group.joined:
            last = courses()[person].stops_after
            if last is not None:
                stopped = group.sessions[last] + dt.timedelta(hours=3)
                yield TreatmentWithdrawn(at=stopped, person=person, group=group.number)
        yield from _fidelity(group)
        yield GroupClosed(at=group.sessions[-1] + dt.timedelta(hours=4), group=group.number)


def _fidelity(group: Group) -> Iterator[Event]:
    """Near the end of the curriculum two raters score, a week later they agree (T/73, T/150)."""
    seen = at_work(group.sessions[31] + dt.timedelta(days=1))
    items = fidelity_items(group.fidelity)
    other = list(items)
    if group.number < DISAGREEING:
        item = group.number % len(items)
        other[item] += -1 if items[item] > 1 else 1
    for rater, scores in ((1, items), (2, tuple(other))):
        yield FidelityRated(at=seen + dt.timedelta(minutes=rater), group=group.number, rater=rater, items=scores)
    yield FidelityAgreed(at=seen + dt.timedelta(days=7), group=group.number, items=items)


def fidelity_items(total: int) -> tuple[int, ...]:
    """The profile, with single items raised or lowered in a fixed order until it sums to ``total``."""
    items = list(PROFILE)
    step = 1 if total > sum(items) else -1
    order = (6, 4, 10, 9, 12, 11) if step > 0 else (6, 9, 4, 10, 7, 3, 12, 11)
    turn = 0
    while sum(items) != total:
        item = order[turn % len(order)]
        if 1 <= items[item] + step <= 5:
            items[item] += step
        turn += 1
    return tuple(items)
