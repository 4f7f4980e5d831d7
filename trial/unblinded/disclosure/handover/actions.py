"""Hand-overs of assessors: ordered behind the wall, written at night among random ones, without a reason on the open side."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from trial.core import clock, db, ids, side
from trial.core.access import Person
from trial.core.access.roles import UnblindedDataManager
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants.actions import refuse_if_locked
from trial.participants.models import UnblindingReport
from trial.participants.queries import lock
from trial.unblinded.disclosure.actions import note
from trial.unblinded.disclosure.handover import queries, rules
from trial.unblinded.disclosure.handover.queries import Coming
from trial.unblinded.disclosure.models import Handover, HandoverNight, HandoverOrder, HandoverSeed
from trial.unblinded.randomization.models import Allocation

Outcome = Handover.Outcome


@action
def order_handover(*, report: UnblindingReport, by: Person) -> HandoverOrder:
    """Another interviewer is to assess the participant of this report. A night writes it; twice is once.

    Refused for somebody who has no arm yet, and after the database lock.
    """
    by.must_hold(UnblindedDataManager)
    refuse_if_locked()
    allocation = Allocation.objects.select_related("participant").filter(participant=report.participant_id).first()
    if allocation is None:
        raise Refused("not_randomized", _("This participant has not been randomized: nobody can know an arm yet."))
    order = HandoverOrder(
        allocation=allocation,
        site=allocation.site,
        report_id=report.pk,
        assessor=queries.assessor_of(report.participant_id),
        ordered_by=by.actor_id,
    )
    try:
        with db.atomic():
            order.save(force_insert=True)
    except IntegrityError:
        return HandoverOrder.objects.get(report_id=report.pk)
    note(what="hand-over ordered", subject=allocation.participant.number, by=by)
    return order


@dataclass(frozen=True)
class _Wanted:
    """A hand-over that this night is to write: for orders, or for none (by lot)."""

    coming: Coming
    allocation: Allocation
    orders: Sequence[HandoverOrder]
    after: uuid.UUID | None


@action
def write_handovers(*, by: db.Actor) -> int:
    """The batch of tonight: ordered hand-overs and random ones, in a shuffled order, all of one instant. Twice a night is once.

    Where nobody is left the visit goes ahead with whoever assesses now, and the row here says so. After the lock nothing is written.
    Returns how many were handed over.
    """
    night = clock.today()
    if lock() is not None or not _claim(night):
        return 0
    seed = _seed()
    wanted = {one.coming.participant.pk: one for one in _wanted(night, seed)}
    with side.writing_open(True):
        at = clock.now()
    for key in rules.shuffled(seed, night, wanted):
        _write(wanted[key], night, at, by)
    return sum(one.after is not None for one in wanted.values())


def _claim(night: dt.date) -> bool:
    """Whether this night is ours: the row is unique, and a second worker waits for the first and finds it."""
    try:
        with db.atomic():
            HandoverNight(night=night).save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _seed() -> str:
    """The seed of the lots, drawn once. Open rows follow from it: it is drawn from their stream, which no arm moves."""
    known = HandoverSeed.objects.first()
    if known is not None:
        return known.seed
    with side.writing_open(True):
        seed = ids.token()
    HandoverSeed(seed=seed).save(force_insert=True)
    return seed


def _wanted(night: dt.date, seed: str) -> list[_Wanted]:
    coming = queries.coming_visits(night)
    keys = [one.participant.pk for one in coming]
    allocations = {row.participant_id: row for row in Allocation.objects.filter(participant__in=keys)}
    told = queries.reporters(keys)
    pending: dict[uuid.UUID, list[HandoverOrder]] = {}
    for order in queries.pending_orders():
        pending.setdefault(order.allocation_id, []).append(order)
    drawn_before = set(Handover.objects.filter(order=None).values_list("allocation_id", "visit"))
    found = []
    for one in coming:
        person, allocation = one.participant.pk, allocations[one.participant.pk]
        orders, knowing = pending.get(allocation.pk, []), told.get(person, set())
        needed = [o for o in orders if o.assessor == one.interviewer.pk or str(one.interviewer.pk) in knowing]
        if orders and not needed:  # the coordinator has assigned somebody else meanwhile
            _settle(_Wanted(one, allocation, orders, None), night, Outcome.NOT_NEEDED)
            orders = []
        if not orders and (
            (allocation.pk, one.visit) in drawn_before
            or not rules.is_drawn(seed, person, one.visit, settings.RANDOM_HANDOVERS)
            or night < rules.night_of(seed, person, one.visit, one.first_night, one.last_night)
        ):
            continue
        pool = [user.pk for user in one.pool if user.pk != one.interviewer.pk and str(user.pk) not in knowing]
        found.append(_Wanted(one, allocation, orders, rules.chosen(seed, person, night, pool)))
    return found


def _write(wanted: _Wanted, night: dt.date, at: dt.datetime, by: db.Actor) -> None:
    if wanted.after is None:
        _settle(wanted, night, Outcome.NOBODY_LEFT)
        return
    hand_over: Callable[..., Any] = import_string(settings.HAND_OVER)
    interviewer = next(user for user in wanted.coming.pool if user.pk == wanted.after)
    hand_over(participant=wanted.coming.participant, interviewer=interviewer, at=at, by=by)
    _settle(wanted, night, Outcome.HANDED_OVER)


def _settle(wanted: _Wanted, night: dt.date, outcome: Handover.Outcome) -> None:
    """What became of the orders, or of a draw by lot where there is none. That nobody is left is written once a visit."""
    visit = wanted.coming.visit
    orders: Sequence[HandoverOrder | None] = wanted.orders or [None]
    for order in orders:
        if outcome == Outcome.NOBODY_LEFT and order and order.results.filter(visit=visit, outcome=outcome).exists():
            continue
        row = Handover(
            allocation=wanted.allocation, site=wanted.allocation.site, order=order, visit=visit, night=night, outcome=outcome,
            before=wanted.coming.interviewer.pk, after=wanted.after,
        )  # fmt: skip
        row.save(force_insert=True)
