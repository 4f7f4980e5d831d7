"""Groups and the people in them."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import IntegrityError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.actions import action, part
from trial.core.errors import Refused
from trial.participants.actions import refuse_if_locked
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.sessions import queries
from trial.unblinded.sessions.models import (
    Attendance,
    FidelityRating,
    GroupSession,
    GroupTrainer,
    Member,
    TherapyGroup,
    TreatmentWithdrawal,
)
from trial.unblinded.sessions.rules import must_coordinate, must_correct, plan_or_refuse


@action
def open_group(
    *, site: str, code: str, name: str, trainers: Sequence[uuid.UUID], opened_on: dt.date, by: db.Actor
) -> TherapyGroup:
    """Make a group of a site with its trainers. ``opened_on``: its first day, planned or past.

    Refuses a code that is taken, and trainers who are not as many as the protocol says or no therapists of the site.
    """
    must_coordinate(by, site)
    refuse_if_locked()
    group = TherapyGroup(site=site, code=code, name=name.strip(), opened_on=opened_on, created_by=by.actor_id)
    _check_trainers(group, trainers)
    try:
        with db.atomic():
            group.save(force_insert=True)
    except IntegrityError as error:
        # perhaps at a site one may not see
        if "code" not in str(error):
            raise
        raise Refused(
            "code_taken", _("Another group has the code %(code)s. Choose another.") % {"code": code}
        ) from error
    _add_trainers(group, trainers, opened_on)
    return group


@action
def change_group(
    *, group: TherapyGroup, name: str, trainers: Sequence[uuid.UUID], opened_on: dt.date, by: db.Actor, reason: str = ""
) -> TherapyGroup:
    """Correct name and first day of a group, and who trains it from today on. Refused where sessions or members lie before that day."""
    must_correct(by, group.site)
    refuse_if_locked()
    group = _hold(group)
    _check_trainers(group, trainers)
    first = _first_day(group)
    if first is not None and opened_on > first:
        raise Refused(
            "opened_late",
            _("The group has sessions or members from %(day)s on; it cannot begin later.") % {"day": _day(first)},
        )
    if group.closed_on is not None and opened_on > group.closed_on:
        raise Refused("opened_late", _("The group is closed before that day."))
    group.name, group.opened_on = name.strip(), opened_on
    group.save(update_fields=["name", "opened_on"])
    wanted, today = set(trainers), clock.today()
    standing = {row.trainer_id: row for row in GroupTrainer.objects.filter(group=group, until=None)}
    for key, row in standing.items():
        if key not in wanted:
            row.until = max(today, row.since)
            row.save(update_fields=["until"])
    _add_trainers(group, [key for key in trainers if key not in standing], max(today, opened_on))
    return group


@action
def close_group(*, group: TherapyGroup, closed_on: dt.date, by: db.Actor) -> TherapyGroup:
    """The program of a group ended on this day: its members leave with it. Twice, with the same day, is once.

    Refuses another day than the one on record, a day in the future, and one before a session or an entry.
    """
    must_coordinate(by, group.site)
    refuse_if_locked()
    group = _hold(group)
    if group.closed_on == closed_on:
        return group
    if group.closed_on is not None:
        raise Refused("closed", _("This group was closed on %(day)s.") % {"day": _day(group.closed_on)})
    _not_in_future(closed_on)
    last = _last_day(group)
    if last is not None and closed_on < last:
        raise Refused(
            "closed_early",
            _("The group has sessions or entries up to %(day)s; close it then or later.") % {"day": _day(last)},
        )
    if closed_on < group.opened_on:
        raise Refused("closed_early", _("The group opens on %(day)s.") % {"day": _day(group.opened_on)})
    for member in Member.objects.filter(group=group, left_on=None):
        member.left_on = closed_on
        member.save(update_fields=["left_on"])
    group.closed_on = closed_on
    group.save(update_fields=["closed_on"])
    return group


@action
def place(*, group: TherapyGroup, allocation: Allocation, entered_on: dt.date, by: db.Actor) -> Member:
    """Place somebody in a group from a day on. Anybody randomized can be placed, of whichever arm; another arm is kept as a deviation.

    Placed in this group already: that place. Refuses somebody who is in another group, withdrew, or enters outside the group's time.
    A group may grow beyond the protocol's size: the page warns, nothing refuses.
    """
    must_coordinate(by, group.site)
    refuse_if_locked()
    plan, group = plan_or_refuse(), _hold(group)
    if allocation.site != group.site:
        raise Refused("other_site", _("This person is of another site. Choose a group of their site."))
    known = Member.objects.filter(allocation=allocation, left_on=None).select_related("group").first()
    if known is not None and known.group_id == group.pk:
        return known
    if known is not None:
        raise Refused(
            "in_group", _("This person is in group %(code)s. Let them leave it first.") % {"code": known.group.code}
        )
    withdrawn = TreatmentWithdrawal.objects.filter(allocation=allocation).first()
    if withdrawn is not None and entered_on >= withdrawn.day:
        raise Refused("withdrawn", _("This person withdrew from treatment on %(day)s.") % {"day": _day(withdrawn.day)})
    _within(group, entered_on)
    _not_before_randomization(allocation, entered_on)
    _no_overlap(allocation, entered_on, group.closed_on, None)
    member = Member(
        site=group.site, group=group, allocation=allocation, entered_on=entered_on, left_on=group.closed_on,
        deviates=allocation.arm not in plan.arms, placed_by=by.actor_id,
    )  # fmt: skip
    try:
        with db.atomic():
            member.save(force_insert=True)
    except IntegrityError as error:
        raise Refused("in_group", _("Somebody else has just placed this person. Look at the list again.")) from error
    _no_guest_any_more(member)
    return member


@action
def change_stay(
    *, member: Member, entered_on: dt.date, left_on: dt.date | None, by: db.Actor, reason: str = ""
) -> Member:
    """Let somebody leave a group, or correct the days. ``left_on``: the last day in the group, None while they stay.

    Refuses days outside the group's time, in another group's, or that would leave recorded attendance outside.
    """
    must_correct(by, member.site)
    refuse_if_locked()
    group = _hold(member.group)
    member = Member.objects.select_for_update().get(pk=member.pk)
    _within(group, entered_on)
    _not_before_randomization(member.allocation, entered_on)
    if left_on is None and group.closed_on is not None:
        raise Refused("group_closed", _("The group is closed: its members left it then, or before."))
    if left_on is not None:
        _within(group, left_on)
        _not_in_future(left_on)
        if left_on < entered_on:
            raise Refused("left_early", _("The last day lies before the first. Check the dates."))
    _no_overlap(member.allocation, entered_on, left_on, member.pk)
    outside = _attended_outside(member, entered_on, left_on)
    if outside is not None:
        raise Refused(
            "attendance_outside",
            _("Attendance on %(day)s is recorded. Correct that session first, or choose other days.")
            % {"day": _day(outside)},
        )
    member.entered_on, member.left_on = entered_on, left_on
    member.save(update_fields=["entered_on", "left_on"])
    _no_guest_any_more(member)
    return member


@part
def end_stay(member: Member, day: dt.date) -> None:
    """The member leaves on ``day``, or on the day of a later attendance on record."""
    last = (
        Attendance.objects.filter(allocation=member.allocation_id, session__group=member.group_id, guest=False)
        .order_by("-session__day")
        .values_list("session__day", flat=True)
        .first()
    )
    member.left_on = max(day, member.entered_on, last or day)
    member.save(update_fields=["left_on"])


def _hold(group: TherapyGroup) -> TherapyGroup:
    """Hold back a second change of this group until this one is committed."""
    return TherapyGroup.objects.select_for_update().get(pk=group.pk)


def _check_trainers(group: TherapyGroup, trainers: Sequence[uuid.UUID]) -> None:
    plan = plan_or_refuse()
    if len(set(trainers)) != plan.trainers or len(trainers) != plan.trainers:
        raise Refused("trainers", _("A group has %(count)d different trainers.") % {"count": plan.trainers})
    allowed = {user.pk for user in queries.therapists_at(group.site)}
    if not set(trainers) <= allowed:
        raise Refused("not_therapist", _("Trainers are therapists of the site of the group. Choose from the list."))
    raters = {str(key) for key in trainers} & set(
        FidelityRating.objects.filter(group=group.pk).values_list("rater", flat=True)
    )
    if raters:
        raise Refused("rates_group", _("One of them has rated this group and cannot train it."))


def _add_trainers(group: TherapyGroup, trainers: Sequence[uuid.UUID], since: dt.date) -> None:
    GroupTrainer.objects.bulk_create(
        [GroupTrainer(site=group.site, group=group, trainer_id=key, since=since) for key in trainers]
    )


def _first_day(group: TherapyGroup) -> dt.date | None:
    session = GroupSession.objects.filter(group=group).order_by("day").values_list("day", flat=True).first()
    member = Member.objects.filter(group=group).order_by("entered_on").values_list("entered_on", flat=True).first()
    return min((day for day in (session, member) if day is not None), default=None)


def _last_day(group: TherapyGroup) -> dt.date | None:
    session = GroupSession.objects.filter(group=group).order_by("-day").values_list("day", flat=True).first()
    member = Member.objects.filter(group=group).order_by("-entered_on").values_list("entered_on", flat=True).first()
    return max((day for day in (session, member) if day is not None), default=None)


def _within(group: TherapyGroup, day: dt.date) -> None:
    if day < group.opened_on:
        raise Refused(
            "before_group", _("The group opens on %(day)s; nobody is in it before.") % {"day": _day(group.opened_on)}
        )
    if group.closed_on is not None and day > group.closed_on:
        raise Refused("after_group", _("The group closed on %(day)s.") % {"day": _day(group.closed_on)})


def _no_overlap(allocation: Allocation, entered_on: dt.date, left_on: dt.date | None, own: uuid.UUID | None) -> None:
    for other in Member.objects.filter(allocation=allocation).select_related("group"):
        if other.pk == own:
            continue
        begins_before_it_ends = other.left_on is None or entered_on < other.left_on
        ends_after_it_begins = left_on is None or other.entered_on < left_on
        if begins_before_it_ends and ends_after_it_begins:
            raise Refused(
                "in_group",
                _("These days lie in this person's time in group %(code)s. Choose other days.")
                % {"code": other.group.code},
            )


def _attended_outside(member: Member, entered_on: dt.date, left_on: dt.date | None) -> dt.date | None:
    days = Attendance.objects.filter(allocation=member.allocation_id, session__group=member.group_id, guest=False)
    for day in days.order_by("session__day").values_list("session__day", flat=True):
        was_inside = member.entered_on <= day and (member.left_on is None or day <= member.left_on)
        if was_inside and (day < entered_on or (left_on is not None and day > left_on)):
            return day
    return None


def _no_guest_any_more(member: Member) -> None:
    """Sessions that somebody attended as a guest, on days on which they now belong to the group."""
    rows = Attendance.objects.filter(
        allocation=member.allocation_id, session__group=member.group_id, session__day__gte=member.entered_on, guest=True
    )
    if member.left_on is not None:
        rows = rows.filter(session__day__lte=member.left_on)
    rows.update(guest=False)


def _not_before_randomization(allocation: Allocation, day: dt.date) -> None:
    if day < timezone.localtime(allocation.allocated_at).date():
        raise Refused("day_early", _("This day lies before randomization. Check the date."))


def _not_in_future(day: dt.date) -> None:
    if day > clock.today():
        raise Refused("day_future", _("This day lies in the future. Check the date."))


def _day(day: dt.date) -> str:
    return date_format(day, "j M Y")
