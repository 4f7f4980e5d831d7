"""A small trial, built by actions on the right sides, for tests of everything above the walls."""

from functools import cache
from pathlib import Path

from tests import kept
from trial.config.leakcheck import world
from trial.config.leakcheck.world import (
    PASSWORD,
    SETUP,
    at_work,
    contribute_shares,
    make_user,
    person,
    randomize,
    register,
    seeing,
    sign_plan,
)
from trial.core import db, side
from trial.core.access import Person
from trial.participants import actions as way_in
from trial.participants.models import Participant
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.definition import Protocol
from trial.protocol.loader import load
from trial.protocol.models import Team
from trial.unblinded.randomization import schemes
from trial.unblinded.randomization.models import Sequence

__all__ = [
    "PASSWORD", "SETUP", "at_work", "contribute_shares", "make_user", "person", "randomize", "register", "seeing", "sign_plan",
]  # fmt: skip

ROOT = Path(__file__).resolve().parents[1]


@cache
def read(protocol: str) -> Protocol:
    """A protocol of the examples, read once a process."""
    return load(ROOT / "protocols" / protocol)


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

    def play() -> None:
        scheme = blocks(*sizes, protocol=protocol)
        world.open_trial(seeing(read(protocol), *seen_at), seed=seed, length=length, scheme=scheme)

    kept.once("open trial", protocol, seed, sizes, length, seen_at, play=play)


def blocks(*sizes: int, protocol: str = "imr") -> schemes.PermutedBlocks:
    """Permuted blocks at the ratio of a protocol."""
    arms = schemes.Arms.of({arm.code: arm.ratio for arm in read(protocol).arms})
    return schemes.PermutedBlocks(arms, sizes)


def seal(scheme: schemes.Scheme, *, length: int = 40, for_site: str = "") -> Sequence:
    """What seal_allocation does, with a list that is long enough for a test."""
    return world.seal(scheme, length=length, for_site=for_site)


def signed_plan() -> None:
    """A plan in force, signed by a statistician and an investigator of its own."""
    statistician, investigator = (
        person(make_user(f"{role}_of_the_plan", role)) for role in ("statistician", "investigator")
    )
    sign_plan(statistician, investigator)


def let_see(*sites: str) -> None:
    """A version of the protocol by which the coordinators of these sites see allocations."""
    with side.opened(), db.unit_of_work(by=SETUP):
        load_version(protocol=seeing(read("imr"), *sites), used=Used(), by=SETUP)


def ready_to_randomize(by: Person | db.System, team: Team) -> Participant:
    """A registered participant whose baseline is noted as complete. Needs an open unit of work."""
    participant = register(by, team)
    ready: Participant = way_in.record_baseline(participant=participant, by=SETUP)
    return ready
