"""A trial of one site with randomized participants, interviewers, and the people of the gates."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.test import Client

from assessments.visits.actions import assign_interviewer
from tests import kept, world
from trial.core import clock, ids, side
from trial.core.access import Person
from trial.core.models import User
from trial.participants.actions import report_unblinding, request_randomization
from trial.participants.models import Participant, UnblindingReport
from trial.protocol.models import Team
from trial.unblinded.randomization.queries import arms_of

START = dt.datetime(2025, 1, 6, 9, 0, tzinfo=dt.UTC)
NEAR = START + dt.timedelta(days=350)
"""Twelve months later, in the days before the first follow-up visit."""


@dataclass
class Gates:
    """Who is there."""

    investigator: Person
    manager: Person
    interviewers: list[User]
    people: list[Participant] = field(default_factory=list)
    unrandomized: Participant | None = None

    def arm(self, one: Participant) -> str:
        """For the test's own eyes."""
        with world.at_work(world.SETUP, on=side.UNBLINDED):
            return arms_of([one.pk])[one.pk]

    def report(self, one: Participant, by: User | None = None) -> UnblindingReport:
        """The interviewer (the first, if not given) was told the arm."""
        with world.at_work(world.person(by or self.interviewers[0])) as author:
            report_unblinding(
                participant_id=one.pk, visit="", source="participant", believed_arm="imr", certainty=5, by=author
            )
        with world.at_work(world.SETUP, on=side.UNBLINDED):
            return UnblindingReport.objects.filter(participant_id=one.pk).order_by("-reported_at")[0]


def play(people: int = 1, interviewers: int = 2, seed: bytes = b"a seed for tests") -> Gates:
    """Needs a frozen clock."""
    made: Gates = kept.once("gates", people, interviewers, seed, play=lambda: _play(people, interviewers, seed))
    return made


def _play(people: int, interviewers: int, seed: bytes) -> Gates:
    world.open_trial(seed=seed)
    with world.at_work(world.SETUP):
        team = Team.objects.order_by("code")[0]
    staff = [world.make_user(f"ida_{n}", "interviewer", team.site_id) for n in range(interviewers)]
    made = Gates(
        world.person(world.make_user("pien", "investigator")),
        world.person(world.make_user("udo", "datamanager_unblinded")),
        staff,
    )
    for _n in range(people):
        with world.at_work(world.SETUP):
            one = world.ready_to_randomize(world.SETUP, team)
            assign_interviewer(participant=one, interviewer=staff[0], by=world.SETUP)
            request = request_randomization(participant=one, by=world.SETUP)
        # each side has its own stream of instants: the allocator answers a minute later
        clock.move_to(clock.frozen_at() + dt.timedelta(minutes=1))  # type: ignore[operator]
        world.randomize(request)
        with world.at_work(world.SETUP):
            made.people.append(Participant.objects.get(pk=one.pk))
    with world.at_work(world.SETUP):
        made.unrandomized = world.register(world.SETUP, team)
    return made


@contextmanager
def frozen(seed: int = 7) -> Iterator[None]:
    """The clock and the identifiers of a played world."""
    with clock.frozen(START), ids.seeded(seed):
        yield


def signed_in(username: str, form: str = "/login/") -> Client:
    client = Client()
    assert client.post(form, {"username": username, "password": world.PASSWORD}).status_code == 302
    return client
