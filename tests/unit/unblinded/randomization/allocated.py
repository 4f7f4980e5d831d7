"""A trial with people randomized under any scheme, up to planned unblinding."""

import datetime as dt

import psycopg

from tests import world
from trial.core import clock, db, side
from trial.participants import actions as way_in
from trial.participants.models import Participant
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.models import Team
from trial.unblinded.disclosure.actions import confirm_planned_unblinding
from trial.unblinded.randomization import schemes
from trial.unblinded.randomization.models import Allocation

ARMS = schemes.Arms.of({"imr": 3, "cau": 2})
MINIMIZED = schemes.Minimization(ARMS, (("team", 2), ("sex", 1)), (4, 5))
Owner = psycopg.Connection[object]


def opened(scheme: schemes.Scheme | None, length: int = 20) -> None:
    """The protocol, two shares, and the scheme sealed."""
    with world.at_work(world.SETUP):
        load_version(protocol=world.read("imr"), used=Used(), by=world.SETUP)
    world.contribute_shares()
    if scheme is not None:
        world.seal(scheme, length=length)


def ask(place: int) -> Participant:
    """Somebody of a team is ready, and randomization is asked for."""
    with world.at_work(world.SETUP):
        team = Team.objects.order_by("code")[place]
        participant = world.ready_to_randomize(world.SETUP, team)
        way_in.request_randomization(participant=participant, by=world.SETUP)
    return participant


def randomized(people: int, teams: int = 3) -> list[Allocation]:
    """So many people, in turn over some teams. Returns the allocations in their order."""
    for n in range(people):
        participant = ask(n % teams)
        with world.at_work(world.SETUP):
            request = participant.randomization_request
        at = clock.frozen_at()
        if at is not None:  # each side has its own stream of instants
            clock.move_to(at + dt.timedelta(minutes=1))
        world.randomize(request)
    return allocations()


def allocations() -> list[Allocation]:
    """Every allocation in its order."""
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        return list(Allocation.objects.select_related("participant").order_by("number"))


def unblind(owner: psycopg.Connection[object]) -> None:
    """Lock, the sponsor's request, confirmation. Records are not looked up in this trial: the guard of the lock steps aside."""
    people = {
        name: world.person(world.make_user(name, role))
        for name, role in (("dana", "datamanager"), ("saskia", "sponsor"), ("irma", "independent"))
    }
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        owner.execute(
            'insert into participants_databaselock(id, "only", locked_at, locked_by, signature)'
            " values (gen_random_uuid(), true, now(), 'x', '{\"name\": \"Dana\"}')"
        )
    with world.at_work(people["saskia"]):
        way_in.request_unblinding(password=world.PASSWORD, by=people["saskia"])
    with world.at_work(people["irma"]):
        confirm_planned_unblinding(password=world.PASSWORD, by=people["irma"])
