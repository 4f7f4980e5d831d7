"""Answering a request to randomize. Runs on the allocator's login."""

import uuid
from dataclasses import dataclass

from django.db.models import Max
from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants import actions as participants
from trial.participants import queries
from trial.participants.models import Participant, RandomizationRequest
from trial.protocol.definition import Protocol
from trial.protocol.queries import current
from trial.unblinded.randomization import schemes
from trial.unblinded.randomization.allocator import one_at_a_time
from trial.unblinded.randomization.commitments import seed_of
from trial.unblinded.randomization.models import Allocation, ContingencyRelease, Draw, Sequence, Slot


@dataclass(frozen=True)
class Taken:
    """Where an arm comes from: a slot of a list, or a place that minimization drew."""

    version: int
    slot_stratum: str
    position: int
    arm: str


@action
def allocate(*, request_id: uuid.UUID, by: db.Actor) -> bool:
    """Answer one request: allocation and public fact in one transaction. Idempotent; returns whether the request is answered.

    Checks again what the request checked. A request for which there is no slot waits: its page names the fallback. Where a contingency
    slot was let go meanwhile, the allocation is that slot, at the instant at which it was let go: the arm is known since then.
    """
    one_at_a_time()
    request = RandomizationRequest.objects.select_for_update().filter(pk=request_id).first()
    if request is None or request.state != RandomizationRequest.State.WAITING:
        return request is not None
    participant, protocol = request.participant, current()
    let_go = ContingencyRelease.objects.filter(participant_id=participant.pk).first()
    refusal = "" if let_go else _refusal(request, protocol)
    if refusal:
        participants.refuse_randomization(request=request, code=refusal, by=by)
        return True
    stratum, levels = queries.stratum_of(participant, protocol), levels_of(participant)
    if let_go is not None:
        taken: Taken | None = Taken(let_go.sequence_version, let_go.slot_stratum, let_go.position, let_go.arm)
    else:
        taken = _next(stratum, levels)
    if taken is None:
        return False
    at = let_go.released_at if let_go is not None else clock.now()
    allocation = Allocation(
        participant=participant, site=participant.site_id, stratum=stratum, levels=levels, allocated_at=at, arm=taken.arm,
        number=(Allocation.objects.aggregate(last=Max("number"))["last"] or 0) + 1,
        slot_stratum=taken.slot_stratum, position=taken.position, sequence_version=taken.version,
    )  # fmt: skip
    allocation.save(force_insert=True)
    participants.mark_randomized(request=request, stratum=stratum, at=at, by=by)
    return True


def levels_of(participant: Participant) -> dict[str, str]:
    """The levels of the factors that minimization may balance, as they are now."""
    screened = participant.screening
    return {
        "age_band": screened.age_band,
        "sex": screened.sex,
        "site": participant.site_id,
        "team": participant.team_id,
    }


def _refusal(request: RandomizationRequest, protocol: Protocol) -> str:
    participant = request.participant
    if participant.baseline_completed_at is None:
        return "no_baseline"
    if queries.missing_consent(participant.screening_id, protocol):
        return "no_consent"
    if queries.died([participant.pk]):
        return "died"
    if queries.lock() is not None:
        return "locked"
    return ""


def _next(stratum: str, levels: dict[str, str]) -> Taken | None:
    """From the newest main sequence: the next slot of the stratum, or what minimization draws. None when nothing is left."""
    sequence = Sequence.objects.filter(purpose=Sequence.Purpose.MAIN).order_by("-version").first()
    if sequence is None:
        return None
    if sequence.algorithm.startswith("minimization/"):
        return _drawn(sequence, stratum, levels)
    # positions are taken in order, never again
    mine = Allocation.objects.filter(sequence_version=sequence.version, slot_stratum=stratum)
    used = mine.aggregate(last=Max("position"))["last"] or 0
    slot = Slot.objects.filter(sequence=sequence, stratum=stratum, position__gt=used).order_by("position").first()
    return Taken(sequence.version, stratum, slot.position, slot.arm) if slot is not None else None


def _drawn(sequence: Sequence, stratum: str, levels: dict[str, str]) -> Taken:
    scheme = schemes.of_parameters(sequence.algorithm, sequence.parameters)
    if not isinstance(scheme, schemes.Minimization):
        raise Refused("scheme", _("The sealed scheme is not minimization."))
    past = [schemes.Placed(one.levels, one.place) for one in Draw.objects.filter(sequence=sequence).order_by("number")]
    place = scheme.place(seed_of(sequence.shares), past, levels)
    draw = Draw(sequence=sequence, number=len(past) + 1, place=place, arm=scheme.arm_of(place), levels=levels)
    draw.save(force_insert=True)
    return Taken(sequence.version, stratum, draw.number, draw.arm)
