"""Proving the allocation after planned unblinding: the order, and the allocator's answer."""

import uuid
from typing import Any

from django.utils.translation import gettext as _

from trial.core import db, ids
from trial.core.access import Person
from trial.core.access.roles import IndependentStatistician
from trial.core.access.signing import content_sha256
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants.randomization.models import SeedShare
from trial.participants.randomization.queries import commitments
from trial.unblinded.disclosure.queries import planned_unblinding
from trial.unblinded.randomization.commitments import revealed
from trial.unblinded.randomization.models import Allocation, Reveal, Sequence, VerificationOrder
from trial.unblinded.randomization.queries import waiting_order
from trial.unblinded.randomization.replay import differences

NO_COMMITMENT = "0" * 64
"""Stands in an export where nothing was made public: no reveal has this digest."""


@action
def order_verification(*, by: Person) -> VerificationOrder:
    """Ask the allocator to reveal the sequences and replay every allocation. It answers within a minute.

    An order that waits for its answer is not given twice. Refused before planned unblinding.
    """
    by.must_hold(IndependentStatistician)
    _refuse_before_unblinding()
    waiting = waiting_order()
    if waiting is not None:
        return waiting
    order = VerificationOrder(ordered_by=by.actor_id)
    order.save(force_insert=True)
    return order


@action
def verify(*, by: db.Actor, order_id: uuid.UUID | None = None) -> list[Reveal]:
    """Reveal every sequence, replay the allocations from it, and keep what does not agree. On the allocator's login.

    An order is answered once. Refused before planned unblinding, and where nothing was sealed.
    """
    _refuse_before_unblinding()
    if order_id is not None and (known := list(Reveal.objects.filter(order_id=order_id).order_by("version"))):
        return known
    sequences = list(Sequence.objects.order_by("version"))
    if not sequences:
        raise Refused("nothing_sealed", _("No sequence has been sealed: there is nothing to verify."))
    order = order_id or ids.new()
    made = []
    for sequence in sequences:
        content = export_of(sequence)
        reveal = Reveal(
            order_id=order, version=sequence.version, allocations=len(content["allocations"]),
            differences=differences(content), content=content, sha256=content_sha256(content),
        )  # fmt: skip
        reveal.save(force_insert=True)
        made.append(reveal)
    return made


@action
def answer_orders(*, by: db.Actor) -> int:
    """Answer every order that has no answer yet. Returns how many there were."""
    answered = Reveal.objects.values_list("order_id", flat=True)
    waiting = list(VerificationOrder.objects.exclude(pk__in=list(answered)).order_by("ordered_at"))
    for order in waiting:
        verify(order_id=order.pk, by=by)
    return len(waiting)


def export_of(sequence: Sequence) -> dict[str, Any]:
    """What ``verifier.py`` reads: the commitment as it is public, the reveal, and the allocations from this sequence in their order."""
    public = {one.version: one.sha256 for one in commitments()}
    receipts = dict(SeedShare.objects.values_list("share", "receipt"))
    is_list = not sequence.algorithm.startswith("minimization/")
    rows = Allocation.objects.filter(sequence_version=sequence.version).order_by("number")
    return {
        "version": sequence.version,
        "purpose": sequence.purpose,
        "site": sequence.for_site,
        "commitment": public.get(sequence.version, NO_COMMITMENT),
        "receipts": [receipts.get(share, "") for share in sequence.shares],
        "revealed": revealed(
            algorithm=sequence.algorithm, parameters=sequence.parameters, shares=sequence.shares, salt=sequence.salt
        ),
        # minimization draws one sequence for the whole trial, whatever the stratum
        "allocations": [
            {
                "order": one.number,
                "stratum": one.slot_stratum if is_list else "",
                "position": one.position,
                "arm": one.arm,
                "levels": one.levels,
            }
            for one in rows
        ],
    }


def _refuse_before_unblinding() -> None:
    if planned_unblinding() is None:
        raise Refused(
            "before_unblinding",
            _("The sequence is revealed after planned unblinding has been confirmed, and not before. Until then its commitment is public."),
        )  # fmt: skip
