"""A small trial, built by actions on the right sides, for tests of everything above the walls."""

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from trial.core import clock, db, ids, side
from trial.core.access import Person, person_of
from trial.core.access import actions as accounts
from trial.core.access.roles import BY_CODE
from trial.core.models import ANY_SITE, User
from trial.participants import actions as way_in
from trial.participants.models import Participant, RandomizationRequest, ScreeningEntry
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.definition import Protocol
from trial.protocol.loader import load
from trial.protocol.models import Team
from trial.protocol.queries import current
from trial.unblinded.randomization import actions as allocator
from trial.unblinded.randomization import schemes
from trial.unblinded.randomization.models import Sequence

ROOT = Path(__file__).resolve().parents[1]
SETUP = db.System("setup")
PASSWORD = "equipoise-demo"  # accepted in scratch databases


@cache
def read(protocol: str) -> Protocol:
    """A protocol of the examples, read once a process."""
    return load(ROOT / "protocols" / protocol)


def seeing(protocol: Protocol, *sites: str) -> Protocol:
    """The protocol with ``coordinator_sees_allocation`` at these sites and no others."""
    changed = tuple(replace(one, coordinator_sees_allocation=one.code in sites) for one in protocol.sites)
    return replace(protocol, sites=changed)


def open_trial(
    protocol: str = "imr",
    *,
    seed: bytes = b"",
    sizes: tuple[int, ...] = (5, 10),
    length: int = 40,
    seen_at: tuple[str, ...] = (),
) -> None:
    """Load the protocol and seal a sequence on the shares of two stand-ins; with ``seed`` the arms are drawn anew from it.

    ``seen_at``: sites whose coordinator sees allocations.
    """
    with side.opened(), db.unit_of_work(by=SETUP):
        load_version(protocol=seeing(read(protocol), *seen_at), used=Used(), by=SETUP)
    with ids.seeded(0):
        contribute_shares()
        seal(blocks(*sizes, protocol=protocol), length=length)
    if seed:
        _draw_again(seed, blocks(*sizes, protocol=protocol), length)


def _draw_again(seed: bytes, scheme: schemes.PermutedBlocks, length: int) -> None:
    """Draw the arms of the sealed slots anew, as the owner may in a scratch database, from ``seed``.

    Shares and salt stay, and so the public commitment: a digest over random bytes that nobody has would differ between two worlds, and
    tell nothing.
    """
    with side.opened(), db.unit_of_work(by=SETUP):
        protocol = current()
    drawn = [
        (draw.arm, stratum, position)
        for stratum in protocol.strata
        for position, draw in enumerate(scheme.sequence(seed, stratum, length), start=1)
    ]
    with psycopg.connect(os.environ["OWNER_DATABASE_URL"]) as owner:
        owner.execute("set local session_replication_role = replica")
        with owner.cursor() as cursor:
            cursor.executemany("update concealed_slot set arm = %s where stratum = %s and position = %s", drawn)


def contribute_shares() -> None:
    """Two stand-ins contribute to the seed."""
    for name in ("first contributor", "second contributor"):
        who = db.System(name)
        with side.unblinded(), db.unit_of_work(by=who):
            allocator.contribute_share(by=who)


def blocks(*sizes: int, protocol: str = "imr") -> schemes.PermutedBlocks:
    """Permuted blocks at the ratio of a protocol."""
    arms = schemes.Arms.of({arm.code: arm.ratio for arm in read(protocol).arms})
    return schemes.PermutedBlocks(arms, sizes)


def seal(scheme: schemes.Scheme, *, length: int = 40, for_site: str = "") -> Sequence:
    """What seal_allocation does."""
    with side.allocator(), db.unit_of_work(by=allocator.ALLOCATOR):
        sealed: Sequence = allocator.seal_sequence(
            scheme=scheme, length=length, for_site=for_site, by=allocator.ALLOCATOR
        )
    return sealed


def let_see(*sites: str) -> None:
    """A version of the protocol by which the coordinators of these sites see allocations."""
    with side.opened(), db.unit_of_work(by=SETUP):
        load_version(protocol=seeing(read("imr"), *sites), used=Used(), by=SETUP)


def make_user(username: str, role: str, site: str = ANY_SITE) -> User:
    """An account with one role in force, password ``equipoise-demo``."""
    from django.contrib.auth.hashers import make_password

    with side.unblinded(), db.unit_of_work(by=SETUP):
        user = User(
            username=username,
            full_name=username.replace("_", " ").title(),
            password=make_password(PASSWORD, salt="salt-for-tests"),
        )
        user.save(force_insert=True)
        accounts.give_role(user=user, role=role, site=site if BY_CODE[role].site_scoped else ANY_SITE, by=SETUP)
    return user


def person(user: User) -> Person:
    """The person of an account, read on the open side."""
    with side.opened():
        return person_of(User.objects.get(pk=user.pk))


@contextmanager
def at_work(someone: Person | db.System, on: side.Side | None = None) -> Iterator[Any]:
    """One unit of work of ``someone``, on their side."""
    where = on or (someone.side if isinstance(someone, Person) else side.OPEN)
    with side.on(where), db.unit_of_work(by=someone):
        yield someone


def register(by: Person | db.System, team: Team, *, month: dt.date | None = None) -> Participant:
    """Screening, consent, eligibility, registration. Needs an open unit of work."""
    from trial.protocol.queries import current

    protocol = current()
    entry: ScreeningEntry = way_in.open_screening(
        team=team, month=month or clock.today().replace(day=1), age_band="30-39", sex="female", by=by
    )
    way_in.record_consent(
        entry=entry, given=dict.fromkeys(protocol.consent_version.parts, True), signed_on=clock.today(), by=by
    )
    way_in.assess_eligibility(entry=entry, criteria={c.code: c.kind == "inclusion" for c in protocol.criteria}, by=by)
    participant: Participant = way_in.register(entry=entry, by=by)
    return participant


def ready_to_randomize(by: Person | db.System, team: Team) -> Participant:
    """A registered participant whose baseline is noted as complete. Needs an open unit of work."""
    participant = register(by, team)
    ready: Participant = way_in.record_baseline(participant=participant, by=SETUP)
    return ready


def randomize(request: RandomizationRequest) -> None:
    """What the allocator's worker does with a request."""
    with side.allocator(), db.unit_of_work(by=allocator.ALLOCATOR):
        allocator.allocate(request_id=request.pk, by=allocator.ALLOCATOR)
