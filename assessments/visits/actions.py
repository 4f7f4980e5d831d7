"""Changing visits: assigning interviewers, and recording what became of a visit."""

import datetime as dt

from django.utils.translation import gettext as _

from assessments.entry.queries import days_in_force, forms_of, interview_instruments, unsigned
from assessments.visits import queries
from assessments.visits.models import AssessorAssignment, VisitOutcome
from assessments.visits.rules import must_close
from trial.core import clock, db, ids
from trial.core.actions import action, author, part
from trial.core.errors import Refused
from trial.core.models import User
from trial.participants.actions import refuse_if_locked
from trial.participants.models import Participant
from trial.participants.rules import must_coordinate_blind
from trial.protocol.definition import Protocol, Visit
from trial.protocol.queries import current

Outcome = VisitOutcome.Outcome


@action
def assign_interviewer(*, participant: Participant, interviewer: User, by: db.Actor) -> AssessorAssignment:
    """From now on this interviewer assesses the participant. The one who does already: nothing changes.

    Refuses somebody who is not an interviewer of the participant's site. Takes no reason: a reason could reveal an arm.
    """
    must_coordinate_blind(by, participant.site_id)
    refuse_if_locked()
    if interviewer.pk not in {one.pk for one in queries.interviewers_at(participant.site_id)}:
        raise Refused(
            "not_interviewer", _("%(name)s is no interviewer of this site.") % {"name": interviewer.full_name}
        )
    _hold(participant)
    before = queries.interviewer_of(participant.pk)
    if before is not None and before.interviewer_id == interviewer.pk:
        return before
    assignment = AssessorAssignment(
        site_id=participant.site_id,
        participant=participant,
        number=before.number + 1 if before else 1,
        interviewer=interviewer,
        assigned_by=by.actor_id,
    )
    assignment.save(force_insert=True)
    return assignment


@action
def hand_over(*, participant: Participant, interviewer: User, at: dt.datetime, by: db.Actor) -> AssessorAssignment:
    """From ``at`` on this interviewer assesses the participant, for no reason that the open side may read (declassified).

    Refuses somebody who is not an interviewer of the participant's site; the database refuses a first assignment.
    """
    refuse_if_locked()
    if interviewer.pk not in {one.pk for one in queries.interviewers_at(participant.site_id)}:
        raise Refused(
            "not_interviewer", _("%(name)s is no interviewer of this site.") % {"name": interviewer.full_name}
        )
    _hold(participant)
    before = queries.interviewer_of(participant.pk)
    number = before.number + 1 if before else 1
    assignment = AssessorAssignment(
        id=ids.derived(participant.pk, "assessor", number),
        site_id=participant.site_id,
        participant=participant,
        number=number,
        interviewer=interviewer,
        starts_at=at,
        assigned_by=author(by),
    )
    assignment.save(force_insert=True)
    return assignment


@action
def record_missed(
    *, participant: Participant, visit: str, reason_code: str, by: db.Actor, day: dt.date | None = None
) -> VisitOutcome:
    """Record that a visit did not take place, with a reason of the protocol's list. It is no withdrawal: people come back.

    ``day``: on which the visit was given up, today if not given. Refused for a visit that took place or is missed already.
    """
    must_close(by, participant)
    refuse_if_locked()
    protocol = current()
    planned = _planned(protocol, participant, visit)
    if reason_code not in {reason.code for reason in protocol.reasons.missed_visit}:
        raise Refused("reason_unknown", _("Choose a reason from the list of the protocol."))
    _hold(participant)
    before = queries.outcome_in_force(participant.pk, visit)
    attended = before is not None and before.outcome == Outcome.ATTENDED
    if attended or (planned.is_baseline and participant.baseline_completed_at is not None):
        raise Refused("visit_done", _("This visit took place: its forms are signed."))
    if before is not None and before.outcome == Outcome.MISSED:
        raise Refused("visit_missed", _("This visit is recorded as missed already."))
    return _add(participant, visit, Outcome.MISSED, by, before, day, reason_code)


@action
def reopen_visit(*, participant: Participant, visit: str, by: db.Actor) -> VisitOutcome:
    """A missed visit comes back: the person can be interviewed after all. Refused for a visit that is not missed."""
    must_close(by, participant)
    refuse_if_locked()
    _planned(current(), participant, visit)
    _hold(participant)
    before = queries.outcome_in_force(participant.pk, visit)
    if before is None or before.outcome != Outcome.MISSED:
        raise Refused("visit_not_missed", _("This visit is not recorded as missed: there is nothing to reopen."))
    return _add(participant, visit, Outcome.REOPENED, by, before, None)


@action
def close_visit(*, participant: Participant, visit: str, by: db.Actor, day: dt.date | None = None) -> VisitOutcome:
    """The visit took place: every form of the interview is signed. Twice is once.

    ``day``: of the interview; if not given, the latest day on which one of its forms was filled in.
    """
    must_close(by, participant)
    refuse_if_locked()
    protocol = current()
    _planned(protocol, participant, visit)
    forms = forms_of(participant.pk, visit)
    left = unsigned(interview_instruments(protocol, visit), forms)
    if left:
        names = ", ".join(instrument.name for instrument in left)
        raise Refused("forms_open", _("Sign these forms first: %(forms)s.") % {"forms": names})
    return record_attended(participant=participant, visit=visit, by=by, day=day)


@part
def record_attended(*, participant: Participant, visit: str, by: db.Actor, day: dt.date | None = None) -> VisitOutcome:
    """Add the outcome "attended". The caller has checked the person and the forms. Twice is once."""
    _hold(participant)
    before = queries.outcome_in_force(participant.pk, visit)
    if before is not None and before.outcome == Outcome.ATTENDED:
        return before
    if before is not None and before.outcome == Outcome.MISSED:
        raise Refused("visit_missed", _("This visit is recorded as missed. Reopen it first."))
    held = days_in_force(participant.pk, visit)
    return _add(participant, visit, Outcome.ATTENDED, by, before, day or max(held, default=None))


@part
def redate_attended(*, participant: Participant, visit: str, by: db.Actor) -> None:
    """The day of a form was amended. A visit that took place moves to the latest day of its forms."""
    _hold(participant)
    before = queries.outcome_in_force(participant.pk, visit)
    held = days_in_force(participant.pk, visit)
    if before is not None and before.outcome == Outcome.ATTENDED and held and before.day != held[-1]:
        _add(participant, visit, Outcome.ATTENDED, by, before, held[-1])


def _hold(participant: Participant) -> None:
    """Hold back a second change of this participant's visits until this one is committed."""
    Participant.objects.select_for_update(no_key=True).only("pk").get(pk=participant.pk)


def _planned(protocol: Protocol, participant: Participant, code: str) -> Visit:
    try:
        visit = protocol.visit(code)
    except KeyError:
        raise Refused("visit_unknown", _("The protocol has no visit %(visit)s.") % {"visit": code}) from None
    if not visit.is_baseline and participant.randomized_at is None:
        raise Refused(
            "not_randomized", _("Visits after the baseline begin with randomization; it has not taken place yet.")
        )
    return visit


def _add(
    participant: Participant,
    visit: str,
    outcome: VisitOutcome.Outcome,
    by: db.Actor,
    before: VisitOutcome | None,
    day: dt.date | None,
    reason: str = "",
) -> VisitOutcome:
    today = clock.today()
    if day is not None and day > today:
        raise Refused("day_future", _("This day lies in the future. Check the date."))
    row = VisitOutcome(
        site_id=participant.site_id,
        participant=participant,
        visit=visit,
        number=before.number + 1 if before else 1,
        outcome=outcome,
        reason=reason,
        day=day or today,
        recorded_by=by.actor_id,
    )
    row.save(force_insert=True)
    return row
