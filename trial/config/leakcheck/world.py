"""What the script stands on: a trial opened under a protocol, accounts, and units of work on the right side. Scratch databases only."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
from django.contrib.auth.hashers import make_password

from analysis.plans import actions as plans
from analysis.plans.plain import plain_plan
from trial.core import clock, db, ids, side
from trial.core.access import Person, person_of
from trial.core.access import actions as accounts
from trial.core.access.roles import BY_CODE
from trial.core.access.sign_in import DEMO_PASSWORD
from trial.core.management.commands.setup_database import current_plan
from trial.core.models import ANY_SITE, User
from trial.participants import actions as way_in
from trial.participants.models import Participant, RandomizationRequest, ScreeningEntry
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.definition import Protocol
from trial.protocol.models import Team
from trial.protocol.queries import current
from trial.unblinded.randomization import actions as allocator
from trial.unblinded.randomization import schemes
from trial.unblinded.randomization.models import Sequence

SETUP = db.System("setup")
PASSWORD = DEMO_PASSWORD


def seeing(protocol: Protocol, *sites: str) -> Protocol:
    """The protocol with ``coordinator_sees_allocation`` at these sites and no others."""
    changed = tuple(replace(one, coordinator_sees_allocation=one.code in sites) for one in protocol.sites)
    return replace(protocol, sites=changed)


def open_trial(
    protocol: Protocol,
    *,
    seed: bytes,
    length: int,
    scheme: schemes.ListScheme | None = None,
    contingency: tuple[str, ...] = (),
) -> None:
    """Load the protocol and seal a sequence (of permuted blocks of two sizes when no scheme is given), and one for each site in ``contingency``.

    With ``seed`` their arms are drawn anew.
    """
    arms = schemes.Arms.of({arm.code: arm.ratio for arm in protocol.arms})
    wanted = scheme or schemes.PermutedBlocks(arms, (arms.total, 2 * arms.total))
    with side.opened(), db.unit_of_work(by=SETUP):
        load_version(protocol=protocol, used=Used(), by=SETUP)
    with ids.seeded(0):
        contribute_shares()
        seal(wanted, length=length)
        for site in contingency:
            seal(wanted, length=length, for_site=site)
    if seed:
        _draw_again(seed, wanted, (*protocol.strata, *map(allocator.contingency_stratum, contingency)), length)


def seal(scheme: schemes.Scheme, *, length: int, for_site: str = "") -> Sequence:
    """What seal_allocation does."""
    with side.allocator(), db.unit_of_work(by=allocator.ALLOCATOR):
        sealed: Sequence = allocator.seal_sequence(
            scheme=scheme, length=length, for_site=for_site, by=allocator.ALLOCATOR
        )
    return sealed


def _draw_again(seed: bytes, scheme: schemes.ListScheme, strata: tuple[str, ...], length: int) -> None:
    """Draw the arms of the sealed slots anew, as the owner may in a scratch database.

    Shares and salt stay, and so the public commitment: a digest over random bytes that nobody has would differ between two worlds, and
    tell nothing.
    """
    drawn = [
        (draw.arm, stratum, position)
        for stratum in strata
        for position, draw in enumerate(scheme.sequence(seed, stratum, length), start=1)
    ]
    with psycopg.connect(current_plan().owner) as owner:
        owner.execute("set local session_replication_role = replica")
        with owner.cursor() as cursor:
            cursor.executemany("update concealed_slot set arm = %s where stratum = %s and position = %s", drawn)


def contribute_shares() -> None:
    """Two stand-ins contribute to the seed."""
    for name in ("first contributor", "second contributor"):
        who = db.System(name)
        with side.unblinded(), db.unit_of_work(by=who):
            allocator.contribute_share(by=who)


def make_user(username: str, role: str, site: str = ANY_SITE) -> User:
    """An account with one role in force and the password of scratch databases."""
    with side.unblinded(), db.unit_of_work(by=SETUP):
        user = User(
            username=username.lower(),  # sites may have capitals in their codes
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


def sign_plan(statistician: Person, investigator: Person) -> None:
    """The least plan of the protocol in force, loaded and signed by both."""
    with at_work(statistician) as by:
        version = plans.load_plan(plan=plain_plan(current()), by=by)
    for who, capacity in ((statistician, "statistician"), (investigator, "investigator")):
        with at_work(who) as by:
            plans.sign_plan(version=version, capacity=capacity, password=PASSWORD, by=by)


def now() -> dt.datetime:
    """The instant at which the clock of a played world stands."""
    at = clock.frozen_at()
    if at is None:
        raise RuntimeError("A world is played under a frozen clock.")
    return at


def is_offered(arm: str) -> bool:
    """Whether more happens to people of this arm, as the script will have it."""
    return arm == current().experimental_arm.code


@contextmanager
def at_work(someone: Person | db.System, on: side.Side | None = None) -> Iterator[Any]:
    """One unit of work of ``someone``, on their side."""
    where = on or (someone.side if isinstance(someone, Person) else side.OPEN)
    with side.on(where), db.unit_of_work(by=someone):
        yield someone


def register(by: Person | db.System, team: Team, *, month: dt.date | None = None) -> Participant:
    """Screening, consent, eligibility, registration. Needs an open unit of work."""
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


def randomize(request: RandomizationRequest) -> None:
    """What the allocator's worker does with a request."""
    with side.allocator(), db.unit_of_work(by=allocator.ALLOCATOR):
        allocator.allocate(request_id=request.pk, by=allocator.ALLOCATOR)
