"""The error of randomization that would reveal an arm: the wrong treatment was given. On the unblinded side."""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _

from trial.core import clock
from trial.core.access import Person
from trial.core.access.roles import TreatmentCoordinator, UnblindedDataManager
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants.queries import lock
from trial.protocol.queries import current
from trial.unblinded.randomization.models import Allocation, WrongTreatment

RECORDERS = (TreatmentCoordinator, UnblindedDataManager)


@action
def record_wrong_treatment(
    *, allocation: Allocation, given_arm: str, day: dt.date, reason_code: str, by: Person
) -> WrongTreatment:
    """Record that another treatment was given than allocated. The allocation stands, and the slot is not used again.

    Recorded already in the same way: nothing changes. Refuses the allocated arm, an unknown arm or reason, a day before the allocation
    or in the future, and any day once the database is locked.
    """
    by.must_hold(*RECORDERS, site=allocation.site)
    _refuse_if_locked()
    last = _hold(allocation)
    if last is not None and not last.void and last.given_arm == given_arm:
        return last
    if given_arm == allocation.arm or given_arm not in {arm.code for arm in current().arms}:
        raise Refused("arm", _("The wrong treatment is that of another arm of the protocol."))
    if reason_code not in WrongTreatment.Reason.values:
        raise Refused("reason_unknown", _("Choose a reason from the list."))
    if not timezone.localtime(allocation.allocated_at).date() <= day <= clock.today():
        raise Refused("day", _("The day lies between the allocation and today. Check the date."))
    return _event(allocation, last, by, given_arm=given_arm, day=day, reason=reason_code)


@action
def void_wrong_treatment(*, allocation: Allocation, by: Person) -> WrongTreatment:
    """Take the last event back: it was recorded by mistake. Nothing is removed. Refused where nothing stands."""
    by.must_hold(*RECORDERS, site=allocation.site)
    _refuse_if_locked()
    last = _hold(allocation)
    if last is None or last.void:
        raise Refused("nothing", _("No wrong treatment is recorded for this participant."))
    return _event(allocation, last, by, given_arm=last.given_arm, day=last.day, reason=last.reason, void=True)


def _refuse_if_locked() -> None:
    if lock() is not None:
        raise Refused("locked", _("The database is locked: trial data do not change any more."))


def _hold(allocation: Allocation) -> WrongTreatment | None:
    """The last event of this allocation; the unique number holds back a second one at the same moment."""
    return WrongTreatment.objects.filter(allocation=allocation).order_by("-number").first()


def _event(
    allocation: Allocation,
    last: WrongTreatment | None,
    by: Person,
    *,
    given_arm: str,
    day: dt.date,
    reason: str,
    void: bool = False,
) -> WrongTreatment:
    row = WrongTreatment(
        allocation=allocation, site=allocation.site, number=(last.number if last else 0) + 1, void=void,
        given_arm=given_arm, day=day, reason=reason, recorded_by=by.actor_id,
    )  # fmt: skip
    row.save(force_insert=True)
    return row
