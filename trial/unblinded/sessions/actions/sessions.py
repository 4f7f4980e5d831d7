"""Sessions and attendance: one save for a whole session."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.actions import action
from trial.core.errors import Conflict, Refused
from trial.participants.actions import refuse_if_locked
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.sessions import queries
from trial.unblinded.sessions.models import AbsenceReason, Attendance, CancelReason, GroupSession, TherapyGroup
from trial.unblinded.sessions.rules import must_record, plan_or_refuse

State = GroupSession.State
Mark = Attendance.Mark


@dataclass(frozen=True)
class Content:
    """What a session was: modules (codes), minutes and who led it (keys of persons); or the code of the reason why it was canceled."""

    modules: tuple[str, ...] = ()
    minutes: int | None = None
    led_by: tuple[uuid.UUID, ...] = ()
    canceled: str = ""


@dataclass(frozen=True)
class Marked:
    """What became of one person at a session: attended, absent with the code of a reason, or not offered."""

    mark: str
    reason: str = ""


Marks = Mapping[uuid.UUID, Marked]
"""By allocation. Whoever is not a member of the group on that day is kept as a guest."""


@action
def record_session(*, group: TherapyGroup, day: dt.date, content: Content, marks: Marks, by: db.Actor) -> GroupSession:
    """Record a session of a group and the attendance of everybody, members and guests, in one go. The same twice is once.

    Members without a mark stay open and are asked for again. Attendance of any randomized person can be recorded, of whichever arm:
    another arm is kept as a deviation. Refuses a day in the future, outside the group's time, or with another session on record.
    """
    must_record(by, group)
    refuse_if_locked()
    group = TherapyGroup.objects.select_for_update().get(pk=group.pk)
    _check(group, day, content, marks)
    known = GroupSession.objects.filter(group=group, day=day).first()
    if known is not None:
        if _content_of(known) == content and _marks_of(known) == dict(marks):
            return known
        raise Refused(
            "session_exists",
            _("A session on %(day)s is on record already. Open it to correct it, or choose another day.")
            % {"day": _day(day)},
        )
    session = GroupSession(site=group.site, group=group, day=day, recorded_by=by.actor_id)
    _fill(session, content)
    session.save(force_insert=True)
    _add(session, marks, by)
    return session


@action
def correct_session(
    *,
    session: GroupSession,
    day: dt.date,
    content: Content,
    marks: Marks,
    revision: int,
    by: db.Actor,
    reason: str = "",
) -> GroupSession:
    """Correct a session and its attendance, or add the marks that were open. What stood there before stays in the history.

    ``revision``: of the session that the person saw; refused (Conflict) when somebody else has changed it since. A change of what is on
    record needs a ``reason``. Marks are never taken away: who was not asked is marked as not offered. Nothing changed: nothing happens.
    """
    must_record(by, session.group)
    refuse_if_locked()
    group = TherapyGroup.objects.select_for_update().get(pk=session.group_id)
    session = GroupSession.objects.select_for_update().get(pk=session.pk)
    before, recorded = _content_of(session), _marks_of(session)
    wanted = {**recorded, **marks}
    if content.canceled:
        wanted = dict.fromkeys(recorded, Marked(Mark.NOT_OFFERED.value))
    if (day, content, wanted) == (session.day, before, recorded):
        return session
    if revision != session.revision:
        raise Conflict("changed", _("Somebody else has changed this session meanwhile. Compare, then save again."))
    _check(group, day, content, wanted)
    _check_move(session, day)
    changed = {key: one for key, one in wanted.items() if key in recorded and recorded[key] != one}
    if not reason.strip() and (changed or day != session.day or content != before):
        raise Refused("reason_missing", _("Say why you change what is on record."))
    if content.canceled:
        _change(session, changed)
    session.day, session.revision = day, session.revision + 1
    _fill(session, content)
    session.save(update_fields=["day", "state", "cancel_reason", "modules", "minutes", "led_by", "revision"])
    if not content.canceled:
        _change(session, changed)
        _add(session, {key: one for key, one in wanted.items() if key not in recorded}, by)
    return session


def _content_of(session: GroupSession) -> Content:
    return Content(
        tuple(session.modules), session.minutes, tuple(uuid.UUID(key) for key in session.led_by), session.cancel_reason
    )


def _marks_of(session: GroupSession) -> dict[uuid.UUID, Marked]:
    rows = Attendance.objects.filter(session=session).values_list("allocation_id", "mark", "reason")
    return {key: Marked(mark, reason) for key, mark, reason in rows}


def _fill(session: GroupSession, content: Content) -> None:
    session.state = State.CANCELED if content.canceled else State.HELD
    session.cancel_reason = content.canceled
    session.modules = list(content.modules)
    session.minutes = content.minutes
    session.led_by = [str(key) for key in content.led_by]


def _check(group: TherapyGroup, day: dt.date, content: Content, marks: Marks) -> None:
    plan = plan_or_refuse()
    if day > clock.today():
        raise Refused("day_future", _("This day lies in the future. Record the session when it has taken place."))
    if day < group.opened_on or (group.closed_on is not None and day > group.closed_on):
        raise Refused("outside_group", _("This day lies outside the time of the group. Check the date."))
    _check_marks(marks)
    if content.canceled:
        if content.canceled not in CancelReason.values:
            raise Refused("reason_unknown", _("Choose a reason from the list."))
        if content.modules or content.minutes or content.led_by:
            raise Refused("canceled", _("A canceled session has no modules, minutes or leaders."))
        if any(one.mark != Mark.NOT_OFFERED for one in marks.values()):
            raise Refused("canceled", _("Nobody attends a canceled session."))
        return
    known = {module.code for module in plan.modules}
    if not content.modules or not set(content.modules) <= known or len(set(content.modules)) < len(content.modules):
        raise Refused("modules", _("Choose the modules of the session, each once."))
    if content.minutes is None or not 1 <= content.minutes <= 1440:
        raise Refused("minutes", _("Say how many minutes the session took."))
    leaders = set(content.led_by)
    if not leaders or len(leaders) < len(content.led_by):
        raise Refused("leaders", _("Say who led the session, each person once."))
    if not leaders <= {user.pk for user in queries.therapists_at(group.site)} | _former(group):
        raise Refused("not_therapist", _("Sessions are led by therapists of the site. Choose from the list."))


def _former(group: TherapyGroup) -> set[uuid.UUID]:
    """Who trained the group at some time: they may have led a session that is recorded or corrected later."""
    return set(group.trainers.values_list("trainer_id", flat=True))


def _check_marks(marks: Marks) -> None:
    for one in marks.values():
        if one.mark not in Mark.values:
            raise Refused("mark_unknown", _("Choose attended, absent or not offered."))
        if (one.mark == Mark.ABSENT) != (one.reason in AbsenceReason.values) or (
            one.reason and one.mark != Mark.ABSENT
        ):
            raise Refused("absence_reason", _("Absence has a reason from the list; nothing else has one."))


def _check_move(session: GroupSession, day: dt.date) -> None:
    if day == session.day:
        return
    if GroupSession.objects.filter(group=session.group_id, day=day).exclude(pk=session.pk).exists():
        raise Refused("session_exists", _("A session on %(day)s is on record already.") % {"day": _day(day)})
    there = {member.allocation_id for member in queries.members_on(session.group, day)}
    rows = Attendance.objects.filter(session=session).values_list("allocation_id", "guest")
    if any(guest == (key in there) for key, guest in rows):
        raise Refused(
            "session_moved",
            _("On %(day)s other people belonged to the group. Correct their days in the group first.")
            % {"day": _day(day)},
        )


def _change(session: GroupSession, changed: Marks) -> None:
    for row in Attendance.objects.filter(session=session, allocation__in=list(changed)):
        one = changed[row.allocation_id]
        row.mark, row.reason = one.mark, one.reason
        row.save(update_fields=["mark", "reason"])


def _add(session: GroupSession, marks: Marks, by: db.Actor) -> None:
    """One insert for everybody, however many."""
    people = Allocation.objects.in_bulk(list(marks))
    if len(people) < len(marks) or any(one.site != session.site for one in people.values()):
        raise Refused("other_site", _("Somebody on the list is not of this site. Look at the list again."))
    members = {member.allocation_id: member for member in queries.members_on(session.group, session.day)}
    arms = plan_or_refuse().arms
    now = clock.now()
    Attendance.objects.bulk_create(
        [
            Attendance(
                site=session.site, session=session, allocation=people[key], mark=one.mark, reason=one.reason,
                guest=key not in members,
                deviates=members[key].deviates if key in members else people[key].arm not in arms,
                recorded_at=now, recorded_by=by.actor_id,
            )
            for key, one in marks.items()
        ]
    )  # fmt: skip


def _day(day: dt.date) -> str:
    return date_format(day, "j M Y")
