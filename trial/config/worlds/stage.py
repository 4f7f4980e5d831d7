"""What a player stands on: demo accounts, units of work on the right side, and a clock that is moved."""

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import CommandError

from trial.core import clock, db, ids, side
from trial.core.access import Person, person_of
from trial.core.access import actions as accounts
from trial.core.access.roles import BY_CODE
from trial.core.access.sign_in import DEMO_PASSWORD
from trial.core.errors import Refused
from trial.core.models import ANY_SITE, Membership, User
from trial.participants import queries as participants
from trial.participants.models import Participant
from trial.unblinded.randomization import actions as allocator

PLAYER = db.System("demo player")

ACCOUNTS: tuple[tuple[str, str, str, int], ...] = (
    ("coordinator", "Carla de Groot", "coordinator", 0),
    ("coordinator2", "Kees Bakker", "coordinator", 1),
    ("interviewer", "Ineke Visser", "interviewer", 0),
    ("interviewer2", "Imran Yilmaz", "interviewer", 1),
    ("treatment", "Thea Mulder", "treatment", 0),
    ("treatment2", "Tom van Dijk", "treatment", 1),
    ("therapist", "Tessa Hendriks", "therapist", 0),
    ("therapist2", "Teun Dijkstra", "therapist", 1),
    ("therapist3", "Trudy Kok", "therapist", 0),
    ("therapist4", "Tarik Demir", "therapist", 1),
    ("therapist5", "Titus Jacobs", "therapist", 0),
    ("therapist6", "Tineke Maas", "therapist", 1),
    ("therapist7", "Tamara Willems", "therapist", 0),
    ("therapist8", "Theo Verhoeven", "therapist", 1),
    ("fidelity1", "Femke Schouten", "fidelity", 0),
    ("fidelity2", "Farid Haddad", "fidelity", 0),
    ("rater", "Roos van den Berg", "rater", 0),
    ("rater2", "Ruben Kok", "rater", 1),
    ("abstractor", "Ada Schouten", "abstractor", 0),
    ("datamanager", "Dana Smit", "datamanager", 0),
    ("datamanager_unblinded", "Daan Verhoeven", "datamanager_unblinded", 0),
    ("monitor", "Mieke Brouwer", "monitor", 0),
    ("statistician", "Stijn Meijer", "statistician", 0),
    ("independent", "Irma de Boer", "independent", 0),
    ("dmc", "Coen Maas", "dmc", 0),
    ("chair", "Cornelia Prins", "chair", 0),
    ("investigator", "Pieter van Leeuwen", "investigator", 0),
    ("sponsor", "Saskia Bos", "sponsor", 0),
    ("admin", "Anton Vos", "admin", 0),
    ("admin2", "Annelies Dekker", "admin", 0),
)
"""User name, invented full name, role, and which site (first or second) for roles that belong to one."""


@dataclass(frozen=True)
class StandIn:
    """A demo account as the player acts for it: its name in the history, without a password to type."""

    actor_id: str
    scope: str
    name: str


def refuse_outside_demo(what: str) -> None:
    """Worlds are played in demo and scratch databases only."""
    if not (settings.DEMO or settings.SCRATCH):
        raise CommandError(f"{what} is for demo and scratch databases only (DEMO=1). Nothing was done.")


@contextmanager
def working(by: db.Actor, on: side.Side = side.OPEN) -> Iterator[None]:
    """One unit of work of ``by`` on a side."""
    with side.on(on), db.unit_of_work(by=by):
        yield


def make_accounts(sites: list[str]) -> None:
    """The demo accounts, each with its role; what exists is left as it is."""
    _STAND_INS.clear()
    password = make_password(DEMO_PASSWORD)
    with working(PLAYER, side.UNBLINDED):
        for username, name, role, place in ACCOUNTS:
            if place >= len(sites):
                continue
            user = User.objects.filter(username=username).first()
            if user is None:
                user = User(username=username, full_name=name, password=password)
                user.save(force_insert=True)
            if not Membership.objects.filter(user=user, role=role, ended_at=None).exists():
                site = sites[place] if BY_CODE[role].site_scoped else ANY_SITE
                accounts.give_role(user=user, role=role, site=site, by=PLAYER)


def person(username: str) -> Person:
    """The person of a demo account."""
    with side.opened():
        return person_of(User.objects.get(username=username))


def contribute_shares() -> None:
    """Both contributors drop their share of the seed, once: a play that was cut off has done so."""
    for username in ("independent", "datamanager_unblinded"):
        who = stand_in(username)
        try:
            with working(who, side.UNBLINDED):
                allocator.contribute_share(by=who)
        except Refused:
            continue


_STAND_INS: dict[str, StandIn] = {}


def stand_in(username: str) -> StandIn:
    """Somebody who acts for a demo account. Looked up once a play: roles do not change meanwhile."""
    if username not in _STAND_INS:
        who = person(username)
        _STAND_INS[username] = StandIn(who.actor_id, who.scope, who.name)
    return _STAND_INS[username]


def therapists(place: int) -> list[str]:
    """The accounts of the therapists at the first or second site."""
    return [username for username, _name, role, where in ACCOUNTS if role == "therapist" and where == place]


def answer_request(participant: Participant) -> None:
    """What the allocator's worker does with the request of this participant; nothing where it has been answered."""
    with working(allocator.ALLOCATOR, side.ALLOCATOR):
        request = participants.waiting_requests().filter(participant_id=participant.pk).first()
    if request is not None:
        with working(allocator.ALLOCATOR, side.ALLOCATOR):
            allocator.allocate(request_id=request.pk, by=allocator.ALLOCATOR)


@contextmanager
def played(start: dt.datetime, seed: int) -> Iterator[None]:
    """Play under a frozen clock and seeded identifiers, from ``start``. Who randomizes does it :func:`alone`."""
    with _unsent(), clock.frozen(start), ids.seeded(seed):
        yield


@contextmanager
def alone() -> Iterator[None]:
    """One player at a time, and no worker answers a request meanwhile: its answer would carry today's date.

    The lock of allocations is held by this process's own session on the allocator's login, where it can be taken again and again;
    everybody else's allocation waits for it, and finds its request answered. Tasks are not sent: the player does their work itself.
    """
    with side.allocator(), db.cursor() as c:
        c.execute("select pg_advisory_lock(%s)", [allocator.LOCK])
    try:
        with _unsent():
            yield
    finally:
        with side.allocator(), db.cursor() as c:
            c.execute("select pg_advisory_unlock(%s)", [allocator.LOCK])


@contextmanager
def _unsent() -> Iterator[None]:
    """Tasks are not sent: the player does their work itself."""
    sender, settings.TASK_SENDER = settings.TASK_SENDER, f"{__name__}.send_nothing"
    try:
        yield
    finally:
        settings.TASK_SENDER = sender


def send_nothing(queue: str, name: str, args: Sequence[str]) -> None:
    """In place of the broker while a world is played."""


def later(minutes: int = 1) -> None:
    """Let the frozen clock go on a little: each side has its own stream of instants, and an answer follows its question."""
    at = clock.frozen_at()
    assert at is not None  # noqa: S101 - the player runs under a frozen clock
    clock.move_to(at + dt.timedelta(minutes=minutes))


def world_folder(world: str) -> Path:
    """The data folder of a world."""
    folder = Path(os.environ.get("VAR") or "var") / world
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def leave_clock_at(at: dt.datetime, world: str) -> None:
    """Let the clock of the demo go on from ``at``: the supervisor reads the offset at the next start of each process."""
    offset = (at - dt.datetime.now(dt.UTC)).total_seconds()
    (world_folder(world) / "clock_offset").write_text(f"{offset:.0f}\n", encoding="utf-8")
