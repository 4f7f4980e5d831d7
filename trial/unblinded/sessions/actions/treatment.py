"""What happens to one person: told, withdrawn from treatment, and completion when the program has ended."""

import datetime as dt
from decimal import Decimal

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants.actions import refuse_if_locked
from trial.participants.queries import lock
from trial.protocol.queries import NoProtocol, current
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.randomization.queries import allocations
from trial.unblinded.sessions import completion, queries
from trial.unblinded.sessions.actions.groups import end_stay
from trial.unblinded.sessions.models import Completion, Member, Told, TreatmentWithdrawal, WithdrawalReason
from trial.unblinded.sessions.queries import PersonLine
from trial.unblinded.sessions.rules import must_coordinate


@action
def record_told(*, allocation: Allocation, told_on: dt.date, by: db.Actor) -> Told:
    """The participant and the care team have been told. Twice is once. Refuses a day before the allocation or in the future."""
    must_coordinate(by, allocation.site)
    refuse_if_locked()
    known = Told.objects.filter(allocation=allocation).first()
    if known is not None:
        return known
    _check_day(allocation, told_on)
    row = Told(site=allocation.site, allocation=allocation, told_on=told_on, recorded_by=by.actor_id)
    try:
        with db.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return Told.objects.get(allocation=allocation)
    return row


@action
def withdraw(*, allocation: Allocation, reason_code: str, day: dt.date, by: db.Actor) -> TreatmentWithdrawal:
    """Somebody withdrew from treatment: they leave their group, and nothing else stops. Twice is once.

    ``day``: the last day of treatment. Interviews and records go on: nothing on the open side is written.
    """
    must_coordinate(by, allocation.site)
    refuse_if_locked()
    known = TreatmentWithdrawal.objects.filter(allocation=allocation).first()
    if known is not None:
        return known
    if reason_code not in WithdrawalReason.values:
        raise Refused("reason_unknown", _("Choose a reason from the list."))
    _check_day(allocation, day)
    row = TreatmentWithdrawal(
        site=allocation.site, allocation=allocation, day=day, reason=reason_code, recorded_by=by.actor_id
    )
    try:
        with db.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return TreatmentWithdrawal.objects.get(allocation=allocation)
    for member in Member.objects.select_for_update().filter(allocation=allocation, left_on=None):
        end_stay(member, day)
    return row


@action
def fix_completions(*, by: db.Actor) -> int:
    """Fix exposure and completion of everybody whose program has ended and whose attendance is recorded. Returns how many.

    Whoever lacks a mark at a session of the own group waits until it is there. What is fixed stays as it is: called twice, or by two
    at once, nothing changes. Nothing happens after the database lock, or where the protocol plans no sessions.
    """
    try:
        plan = current().sessions
    except NoProtocol:
        return 0
    if plan is None or lock() is not None:
        return 0
    today = clock.today()
    rule = plan.completion
    rows = [
        _fixed(
            line,
            completion.exact(rule.share),
            rule.denominator,
            completion.completed(line.live, rule.share, rule.denominator),
        )
        for line in queries.person_lines(allocations())
        if _is_due(line, today)
    ]
    before = Completion.objects.count()
    Completion.objects.bulk_create(rows, ignore_conflicts=True)
    return Completion.objects.count() - before


def _is_due(line: PersonLine, today: dt.date) -> bool:
    takes_part = line.is_offered or bool(line.members) or line.live.offered > 0
    return takes_part and line.completion is None and line.end.is_over(today) and not line.missing


def _fixed(line: PersonLine, share: Decimal, denominator: completion.Denominator, completed: bool) -> Completion:
    counts = line.live
    return Completion(
        site=line.allocation.site, allocation=line.allocation, group=line.group, ended_on=line.end.day, ended_by=line.end.why.value,
        planned=counts.planned, offered=counts.offered, attended=counts.attended, held=counts.held,
        denominator=denominator, counted=counts.of(denominator), share=share, completed=completed,
    )  # fmt: skip


def _check_day(allocation: Allocation, day: dt.date) -> None:
    if day > clock.today():
        raise Refused("day_future", _("This day lies in the future. Check the date."))
    if day < timezone.localtime(allocation.allocated_at).date():
        raise Refused("day_early", _("This day lies before randomization. Check the date."))
