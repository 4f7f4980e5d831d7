"""Looking up hospital records: admissions, corrections, the sign-off of a window, and the one fact that the open side is told."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.access.signing import content_sha256
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants import actions as participants
from trial.participants.actions import refuse_if_locked
from trial.participants.queries import lock
from trial.protocol.queries import NoProtocol, current
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.randomization.queries import allocations, of_the_living
from trial.unblinded.records import queries
from trial.unblinded.records.models import Admission, LookUp, Source, Ward
from trial.unblinded.records.queries import RecordLine, stay_of
from trial.unblinded.records.rules import must_abstract, must_correct, plan_or_refuse
from trial.unblinded.records.stays import Stay, overlaps, touches


@dataclass(frozen=True)
class Found:
    """One admission as a file says it; ``discharged_on`` is None while the person is still in."""

    admitted_on: dt.date
    discharged_on: dt.date | None
    ward: str
    source: str

    @property
    def stay(self) -> Stay:
        """Its days."""
        return Stay(self.admitted_on, self.discharged_on)


@action
def record_admission(*, allocation: Allocation, window: str, found: Found, by: db.Actor, reason: str = "") -> Admission:
    """Record an admission. The same one twice is once.

    Refuses days in the future, a discharge before the admission, an admission without a day in the window, and one that overlaps
    another by more than the day of a transfer. After the sign-off it takes a reason.
    """
    if reason:
        must_correct(by)
    else:
        must_abstract(by)
    line = _hold(allocation, window)
    known = next((one for one in line.admissions if _of(one) == found), None)
    if known is not None:
        return known
    if line.looked_up is not None and not reason.strip():
        raise Refused("signed_off", _("This window is signed off. Say why an admission is added now."))
    _check(found, line, line.stays)
    row = _row(line, found, by, reason=reason.strip())
    row.save(force_insert=True)
    return row


@action
def correct_admission(*, admission: Admission, found: Found | None, reason: str, by: db.Actor) -> Admission:
    """Replace an admission, or (None) take it back as recorded by mistake. The old row stays. Returns the new row.

    Refuses what a new admission would be refused for, a correction without a reason, and one of a row that has been replaced already.
    """
    must_correct(by)
    line = _hold(admission.allocation, admission.window)
    if not reason.strip():
        raise Refused("reason_missing", _("Say why you change what is on record."))
    if admission.pk not in {one.pk for one in line.admissions}:
        raise Refused("replaced", _("Somebody else has corrected this admission meanwhile. Look at the record again."))
    if found is not None and found == _of(admission):
        raise Refused("unchanged", _("Nothing is different from what is on record. Change something, or cancel."))
    if found is not None:
        _check(found, line, [stay_of(one) for one in line.admissions if one.pk != admission.pk])
    row = _row(line, found or _of(admission), by, reason=reason.strip(), replaces=admission, void=found is None)
    row.save(force_insert=True)
    return row


@action
def sign_off(*, allocation: Allocation, window: str, by: db.Actor) -> LookUp:
    """Everything of this window has been looked up, whatever was found. Twice is once. Refused before its last day has passed."""
    must_abstract(by)
    line = _hold(allocation, window)
    return line.looked_up or _signed_off(line, [_of(one) for one in line.admissions], by)


@action
def look_up(*, allocation: Allocation, window: str, admissions: Sequence[Found], by: db.Actor) -> LookUp:
    """Record all admissions of a window in one insert and sign it off. A window that is signed off stays as it is.

    Refuses what a single admission would be refused for; then nothing is recorded.
    """
    must_abstract(by)
    line = _hold(allocation, window)
    if line.looked_up is not None:
        return line.looked_up
    there = line.stays
    for one in admissions:
        _check(one, line, there)
        there.append(one.stay)
    Admission.objects.bulk_create([_row(line, one, by) for one in admissions])
    return _signed_off(line, [*(_of(one) for one in line.admissions), *admissions], by)


@action
def record_completeness(*, by: db.Actor) -> bool:
    """Tell the open side, as one fact of the whole trial, whether every window of everybody has been looked up. Returns it.

    Everybody: randomized, living, consenting to the look-up now. Called every night, and never at the moment of a sign-off. Nothing is
    written after the lock, where the protocol has no records plan, and while nobody has been randomized.
    """
    must_abstract(by)
    if by.scope != db.EVERY_SITE:
        raise Refused("every_site", _("Only somebody who sees every site can say that records are complete."))
    try:
        plan = current().records
    except NoProtocol:
        return False
    people = allocations().count()
    if plan is None or not people or lock() is not None:
        return False
    complete = not any(line.is_open for line in queries.record_lines(of_the_living()))
    participants.record_records_state(complete=complete, people=people, by=by)
    return complete


def _hold(allocation: Allocation, window: str) -> RecordLine:
    """The window as it stands, until the end of the unit of work: nobody else writes about this person meanwhile."""
    refuse_if_locked()
    plan_or_refuse()
    db.take_turn(f"records {allocation.pk}")
    line = next((one for one in queries.record_lines([allocation]) if one.window == window), None)
    if line is None:
        raise Refused("window_unknown", _("The protocol does not look up this window."))
    if line.stopped:
        raise Refused(
            "no_consent",
            _("This person does not consent to records being looked up, or not any more. Leave the file closed."),
        )
    return line


def _of(admission: Admission) -> Found:
    return Found(admission.admitted_on, admission.discharged_on, admission.ward, admission.source)


def _row(
    line: RecordLine,
    found: Found,
    by: db.Actor,
    *,
    reason: str = "",
    replaces: Admission | None = None,
    void: bool = False,
) -> Admission:
    return Admission(
        site=line.allocation.site, allocation=line.allocation, window=line.window, admitted_on=found.admitted_on,
        discharged_on=found.discharged_on, ward=found.ward, source=found.source, reason=reason, replaces=replaces, void=void,
        recorded_by=by.actor_id,
    )  # fmt: skip


def _signed_off(line: RecordLine, admissions: Sequence[Found], by: db.Actor) -> LookUp:
    if not line.period.is_over(clock.today()):
        raise Refused(
            "window_open",
            _("This window ends on %(day)s. Sign it off when that day has passed.") % {"day": _day(line.period.last)},
        )
    content = sorted([str(one.admitted_on), str(one.discharged_on), one.ward, one.source] for one in admissions)
    row = LookUp(
        site=line.allocation.site, allocation=line.allocation, window=line.window, admissions=len(content),
        sha256=content_sha256(content), looked_up_by=by.actor_id,
    )  # fmt: skip
    row.save(force_insert=True)
    return row


def _check(found: Found, line: RecordLine, there: Sequence[Stay]) -> None:
    """Refuse what cannot be, by a sentence that says what and where."""
    if found.ward not in Ward.values or found.source not in Source.values:
        raise Refused("code_unknown", _("Choose ward and source from their lists."))
    if max(found.admitted_on, found.discharged_on or found.admitted_on) > clock.today():
        raise Refused("day_future", _("An admission or discharge lies in the future. Check the dates."))
    if found.discharged_on is not None and found.discharged_on < found.admitted_on:
        raise Refused(
            "discharge_early",
            _("The discharge on %(discharged)s lies before the admission on %(admitted)s. Check both dates.")
            % {"discharged": _day(found.discharged_on), "admitted": _day(found.admitted_on)},
        )
    if not touches(found.stay, line.period):
        raise Refused(
            "outside_window",
            _(
                "No day of this admission lies in the window, %(first)s to %(last)s. Only admissions of these days are recorded."
            )
            % {"first": _day(line.period.first), "last": _day(line.period.last)},
        )
    other = next((stay for stay in there if overlaps(found.stay, stay)), None)
    if other is not None:
        raise Refused(
            "overlap",
            _("It overlaps the admission of %(admitted)s to %(discharged)s. Correct that one, or check the dates.")
            % {
                "admitted": _day(other.admitted_on),
                "discharged": _day(other.discharged_on) if other.discharged_on else _("today (still in)"),
            },
        )


def _day(day: dt.date) -> str:
    return date_format(day, "j M Y")
