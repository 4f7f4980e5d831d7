"""A trial with the people of two sites, and one participant of the first."""

from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from django.test import Client

from tests import kept, world
from trial.core import side
from trial.core.access import Person
from trial.participants.contact.actions import record_contact
from trial.participants.contact.synthetic import synthetic
from trial.participants.models import Participant
from trial.protocol.models import Team

LOCAL = ("coordinator", "interviewer", "rater", "treatment")
CENTRAL = ("datamanager", "datamanager_unblinded", "monitor", "sponsor")


@dataclass
class Staffed:
    """``people`` by role; of the second site ``coordinator2`` and so on; ``second`` is another coordinator of the first site."""

    here: Team
    there: Team
    participant: Participant
    people: dict[str, Person] = field(default_factory=dict)

    def client(self, name: str) -> Client:
        client = Client()
        own = "/login/" if self.people[name].side == side.OPEN else "/unblinded/login/"
        answer = client.post(own, {"username": name, "password": world.PASSWORD})
        assert answer.status_code == 302, answer.content.decode()[:2000]
        return client

    def address(self, *parts: str) -> str:
        return "/".join(["/participants", self.participant.number, *parts, ""])


@pytest.fixture
def staffed(database: psycopg.Connection[Any], settings: Any) -> Staffed:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    made: Staffed = kept.once("staffed", play=_play)
    return made


def _play() -> Staffed:
    world.open_trial()
    with world.at_work(world.SETUP):
        here = Team.objects.order_by("code").first()
        assert here is not None
        there = Team.objects.exclude(site=here.site_id).order_by("code").first()
        assert there is not None
    people = {role: world.person(world.make_user(role, role, here.site_id)) for role in LOCAL}
    people |= {f"{role}2": world.person(world.make_user(f"{role}2", role, there.site_id)) for role in LOCAL}
    people |= {role: world.person(world.make_user(role, role)) for role in CENTRAL}
    people["second"] = world.person(world.make_user("second", "coordinator", here.site_id))
    people["treatment_too"] = world.person(world.make_user("treatment_too", "treatment", here.site_id))
    with world.at_work(people["coordinator"]) as by:
        participant = world.register(by, here)
        record_contact(participant=participant, details=synthetic(participant.number), by=by)
    return Staffed(here, there, participant, people)
