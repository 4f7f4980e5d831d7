"""Sealing a sequence and allocating from it. Everything in here runs on the allocator's login."""

import csv
import io
import uuid
from collections import Counter
from collections.abc import Sequence as Seq

from django.db.models import Max
from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.access.signing import content_sha256
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants import actions as participants
from trial.participants import queries
from trial.participants.models import RandomizationRequest
from trial.protocol.definition import Protocol
from trial.protocol.queries import current
from trial.unblinded.randomization import schemes
from trial.unblinded.randomization.models import Allocation, Sequence, Slot

ALLOCATOR = db.System("allocator")
LOCK = 7_305_132
"""The advisory lock of allocations."""

Rows = list[tuple[str, int, str, int | None]]
"""Slots as stratum, position, arm, block."""


@action
def seal_sequence(*, seed: bytes, sizes: Seq[int], length: int, by: db.Actor) -> Sequence:
    """Make and seal the sequence of every stratum by permuted blocks. Returns the sealed version; shows nothing of it.

    Refuses block sizes that do not hold the ratio, and a second sequence once somebody has been randomized from a first.
    """
    protocol = current()
    try:
        arms = schemes.Arms.of({arm.code: arm.ratio for arm in protocol.arms})
        scheme = schemes.PermutedBlocks(arms, tuple(sizes))
    except schemes.SchemeError as error:
        raise Refused("scheme", str(error)) from error
    rows: Rows = [
        (stratum, position, draw.arm, draw.block)
        for stratum in protocol.strata
        for position, draw in enumerate(scheme.sequence(seed, stratum, length), start=1)
    ]
    parameters = {**scheme.parameters(), "length": length, "strata": list(protocol.strata)}
    return _store(rows, Sequence.Origin.SEALED, scheme.algorithm, parameters, seed.hex(), by)


@action
def import_sequence(*, text: str, origin: str, by: db.Actor) -> Sequence:
    """Seal a list made elsewhere: CSV with the columns stratum, position, arm. Every bad row is named; nothing is stored then."""
    protocol = current()
    rows, problems = read_list(text, protocol)
    if problems:
        raise Refused("list_invalid", "\n".join(problems))
    return _store(rows, Sequence.Origin.IMPORTED, schemes.IMPORTED, {"origin": origin}, "", by)


def read_list(text: str, protocol: Protocol) -> tuple[Rows, list[str]]:
    """The rows of an imported list, and what is wrong with it, row by row."""
    reader = csv.DictReader(io.StringIO(text))
    if reader.fieldnames is None or not {"stratum", "position", "arm"} <= set(reader.fieldnames):
        return [], [_("The list needs the columns stratum, position and arm.")]
    arms, strata = {arm.code for arm in protocol.arms}, set(protocol.strata)
    rows: Rows = []
    problems: list[str] = []
    seen: Counter[tuple[str, int]] = Counter()
    for line, row in enumerate(reader, start=2):
        stratum, position, arm = row["stratum"] or "", row["position"] or "", row["arm"] or ""
        if stratum not in strata:
            problems.append(_("Row %(line)d: no stratum %(value)s.") % {"line": line, "value": stratum})
        if arm not in arms:
            problems.append(_("Row %(line)d: no such arm in the protocol.") % {"line": line})
        if not position.isdecimal() or int(position) < 1:
            problems.append(_("Row %(line)d: the position is a whole number from 1.") % {"line": line})
            continue
        seen[stratum, int(position)] += 1
        if seen[stratum, int(position)] > 1:
            problems.append(
                _("Row %(line)d: position %(value)s stands twice in its stratum.") % {"line": line, "value": position}
            )
        rows.append((stratum, int(position), arm, None))
    return rows, problems


def _store(rows: Rows, origin: str, algorithm: str, parameters: dict[str, object], seed: str, by: db.Actor) -> Sequence:
    _one_at_a_time()
    version = (Sequence.objects.aggregate(last=Max("version"))["last"] or 0) + 1
    if Allocation.objects.exists():
        raise Refused(
            "already_randomizing", _("Somebody has been randomized already: the sequence in use is not replaced.")
        )
    sequence = Sequence(
        version=version, origin=origin, algorithm=algorithm, parameters=parameters, seed=seed, sealed_by=by.actor_id,
        sha256=content_sha256([list(row[:3]) for row in rows]),
    )  # fmt: skip
    sequence.save(force_insert=True)
    Slot.objects.bulk_create(
        [
            Slot(sequence=sequence, stratum=stratum, position=position, arm=arm, block=block)
            for stratum, position, arm, block in rows
        ],
        batch_size=2000,
    )
    return sequence


def _one_at_a_time() -> None:
    """Serial by construction (one solo worker) and by lock: two workers by mistake still take turns."""
    with db.cursor() as c:
        c.execute("select pg_advisory_xact_lock(%s)", [LOCK])


@action
def allocate(*, request_id: uuid.UUID, by: db.Actor) -> bool:
    """Answer one request: allocation and public fact in one transaction. Idempotent; returns whether the request is answered.

    Checks again what the request checked. A request for which there is no slot waits: its page names the fallback.
    """
    _one_at_a_time()
    request = RandomizationRequest.objects.select_for_update().filter(pk=request_id).first()
    if request is None or request.state != RandomizationRequest.State.WAITING:
        return request is not None
    participant, protocol = request.participant, current()
    refusal = _refusal(request, protocol)
    if refusal:
        participants.refuse_randomization(request=request, code=refusal, by=by)
        return True
    stratum = queries.stratum_of(participant, protocol)
    slot = _next_slot(stratum)
    if slot is None:
        return False
    at = clock.now()
    allocation = Allocation(
        participant=participant, site=participant.site_id, stratum=stratum, position=slot.position,
        sequence_version=slot.sequence.version, arm=slot.arm, allocated_at=at,
    )  # fmt: skip
    allocation.save(force_insert=True)
    participants.mark_randomized(request=request, stratum=stratum, at=at, by=by)
    return True


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


def _next_slot(stratum: str) -> Slot | None:
    """The first slot of the newest sequence that no allocation has used. Positions are taken in order, never again."""
    sequence = Sequence.objects.order_by("-version").first()
    if sequence is None:
        return None
    used = (
        Allocation.objects.filter(sequence_version=sequence.version, stratum=stratum).aggregate(last=Max("position"))[
            "last"
        ]
        or 0
    )
    slots = Slot.objects.select_related("sequence").filter(sequence=sequence, stratum=stratum, position__gt=used)
    return slots.order_by("position").first()
