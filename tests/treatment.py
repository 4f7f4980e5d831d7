"""A trial with allocated people, a treatment coordinator, therapists and fidelity raters, for tests of the treatment side."""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests import kept, world
from trial.core import clock, db, side
from trial.participants.actions import request_randomization
from trial.protocol.models import Team
from trial.protocol.queries import current
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.sessions import actions
from trial.unblinded.sessions.actions import Content, Marked
from trial.unblinded.sessions.models import GroupSession, Member, TherapyGroup

START = dt.datetime(2025, 1, 6, 9, 0, tzinfo=dt.UTC)
FIRST = dt.date(2025, 1, 8)
"""The first session of the group: two days after everybody was randomized."""

ROLES = {
    "thea": "treatment", "tim": "therapist", "tara": "therapist", "fay": "fidelity", "finn": "fidelity", "fred": "fidelity",
    "ursula": "datamanager_unblinded", "irma": "independent",
}  # fmt: skip


class Treatment:
    """Everything stands: people of one team randomized, staff of its site, one stranger of each role at the other site."""

    def __init__(self, people: int = 5) -> None:
        vars(self).update(kept.once("treatment", people, play=lambda: self._play(people)))

    def _play(self, people: int) -> dict[str, Any]:
        world.open_trial("imr", sizes=(5,))
        with world.at_work(world.SETUP):
            team = Team.objects.order_by("code").first()
            assert team is not None
            there = Team.objects.exclude(site=team.site_id).order_by("code").first()
            assert there is not None
            self.protocol = current()
        assert self.protocol.sessions is not None
        self.plan, self.team, self.site, self.other_team = self.protocol.sessions, team, team.site_id, there
        self.users = {name: world.make_user(name, role, self.site) for name, role in ROLES.items()}
        self.users |= {
            f"{name}2": world.make_user(f"{name}2", ROLES[name], there.site_id) for name in ("thea", "tim", "tara")
        }
        self.people = {name: world.person(user) for name, user in self.users.items()}
        self.randomize(people)
        return vars(self)

    def randomize(self, people: int) -> None:
        """Randomize so many more people of the team."""
        requests = []
        for _n in range(people):
            with world.at_work(world.SETUP):
                participant = world.ready_to_randomize(world.SETUP, self.team)
                requests.append(request_randomization(participant=participant, by=world.SETUP))
        _later()  # each side has its own stream of instants
        for request in requests:
            world.randomize(request)
        _later()

    @contextmanager
    def at_work(self, name: str = "") -> Iterator[Any]:
        """One unit of work on the unblinded side, of somebody or of the program."""
        by: Any = self.people[name] if name else world.SETUP
        with side.unblinded(), db.unit_of_work(by=by):
            yield by

    def on(self, day: dt.date) -> None:
        """Let the frozen clock go on to noon of a day."""
        clock.move_to(dt.datetime.combine(day, dt.time(12), dt.UTC))

    def of_arm(self, arm: str) -> list[Allocation]:
        """The allocations to an arm, by study number."""
        with self.at_work():
            rows = Allocation.objects.filter(arm=arm).select_related("participant")
            return list(rows.order_by("participant__number"))

    def group(self, code: str = "R1-A", opened_on: dt.date = FIRST) -> TherapyGroup:
        """A group with its two trainers."""
        with self.at_work("thea") as by:
            group: TherapyGroup = actions.open_group(
                site=self.site, code=code, name="Tuesday", trainers=self.trainers, opened_on=opened_on, by=by
            )
        return group

    @property
    def trainers(self) -> list[uuid.UUID]:
        """The two therapists of the site."""
        return [self.users["tim"].pk, self.users["tara"].pk]

    def place(self, group: TherapyGroup, allocation: Allocation, entered_on: dt.date = FIRST) -> Member:
        """Place somebody."""
        with self.at_work("thea") as by:
            member: Member = actions.place(group=group, allocation=allocation, entered_on=entered_on, by=by)
        return member

    def content(self, *modules: str) -> Content:
        """A session of ninety minutes, led by both."""
        return Content(modules or ("m01",), 90, tuple(self.trainers))

    def record(
        self,
        group: TherapyGroup,
        day: dt.date,
        marks: dict[Any, Marked],
        by: str = "tim",
        content: Content | None = None,
    ) -> GroupSession:
        """Record a session of the group; marks by allocation."""
        given = {allocation.pk: one for allocation, one in marks.items()}
        with self.at_work(by) as actor:
            session: GroupSession = actions.record_session(
                group=group, day=day, content=content or self.content(), marks=given, by=actor
            )
        return session


def _later() -> None:
    at = clock.frozen_at()
    if at is not None:
        clock.move_to(at + dt.timedelta(minutes=1))


HERE = Marked("attended")
ILL = Marked("absent", "ill")
NOT_ASKED = Marked("not_offered")


def week(n: int) -> dt.date:
    """The day of the n-th weekly session, from 0."""
    return FIRST + dt.timedelta(weeks=n)
