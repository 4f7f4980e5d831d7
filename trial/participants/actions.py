"""The way in: screening, consent, eligibility, registration, baseline, the request to randomize; and the lock at the end."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from trial.core import clock, db, ids, side
from trial.core.access import Person
from trial.core.access.roles import ClinicianRater, Coordinator, DataManager, Interviewer, Sponsor
from trial.core.access.signing import sign
from trial.core.actions import action, author
from trial.core.errors import Refused
from trial.core.tasks import enqueue
from trial.participants import queries
from trial.participants.lock_checks import open_checks
from trial.participants.models import (
    Consent,
    DatabaseLock,
    Guess,
    Participant,
    RandomizationRequest,
    RecordsState,
    ScreeningEntry,
    UnblindingReport,
    UnblindingRequest,
)
from trial.participants.rules import COORDINATORS
from trial.protocol.models import Team
from trial.protocol.queries import current

Outcome = ScreeningEntry.Outcome

ALLOCATE_TASK = "trial.unblinded.randomization.tasks.allocate"


def _must(by: db.Actor, *roles: Any, site: str | None = None) -> None:
    """Persons need a role; the system's own actors (import, demo player, allocator) need none."""
    if isinstance(by, Person):
        by.must_hold(*roles, site=site)


def refuse_if_locked() -> None:
    """Refuse when the database is locked; the database refuses too."""
    if queries.lock() is not None:
        raise Refused("locked", _("The database is locked: trial data do not change any more. Ask the data manager."))


@action
def open_screening(
    *,
    team: Team,
    month: dt.date,
    age_band: str,
    sex: str,
    by: db.Actor,
    previous: ScreeningEntry | None = None,
) -> ScreeningEntry:
    """Add a person to the screening log, without identifiers. Re-screening is a new entry linked to the old one."""
    _must(by, *COORDINATORS, site=team.site_id)
    refuse_if_locked()
    if month > clock.today():
        raise Refused(
            "month_future", _("The month of screening lies in the future. Choose this month or an earlier one.")
        )
    if previous is not None:
        _may_screen_again(previous)
    entry = ScreeningEntry(
        team=team, site_id=team.site_id, month=month.replace(day=1), age_band=age_band, sex=sex, previous=previous
    )
    entry.save(force_insert=True)
    return entry


def _may_screen_again(previous: ScreeningEntry) -> None:
    """The line of entries of one person has one end, and only a closed end is gone on from."""
    if previous.outcome == Outcome.REGISTERED:
        raise Refused("already_registered", _("That person is registered already; there is nothing to screen again."))
    if previous.outcome not in (Outcome.EXCLUDED, Outcome.DECLINED):
        raise Refused("screening_open", _("That person is still in screening. Go on with the entry that there is."))
    if queries.screened_again([previous.pk]):
        raise Refused("screened_again", _("That person was screened again already. Go on from the later entry."))


@action
def record_consent(
    *, entry: ScreeningEntry, given: Mapping[str, bool], signed_on: dt.date, by: db.Actor
) -> list[Consent]:
    """Record the decisions on the parts of the consent in force. Append-only: a later decision on a part replaces an earlier one.

    On the unblinded side only before randomization: afterwards whoever knows the arm records no open fact.
    """
    _must(by, *COORDINATORS, site=entry.site_id)
    refuse_if_locked()
    protocol = current()
    version = protocol.consent_version
    unknown = sorted(set(given) - set(version.parts))
    if unknown:
        raise Refused(
            "consent_part", _("These parts are not in the consent form: %(parts)s.") % {"parts": ", ".join(unknown)}
        )
    if signed_on > clock.today():
        raise Refused("consent_future", _("The consent is dated in the future. Check the date on the form."))
    if version.approved_on is not None and signed_on < version.approved_on:
        raise Refused(
            "consent_early",
            _("The consent is dated before its form was approved (%(day)s). Check the date on the form.")
            % {"day": date_format(version.approved_on, "j M Y")},
        )
    if entry.outcome in (Outcome.EXCLUDED, Outcome.DECLINED):
        raise Refused("screening_closed", _("This entry is closed. Screen the person again to go on."))
    if side.current() == side.UNBLINDED and queries.is_randomized(entry.pk):
        raise Refused(
            "consent_after",
            _("This person has been randomized. Later decisions on the consent are recorded by the interviewer."),
        )
    now = clock.now()
    rows = [
        Consent(
            site_id=entry.site_id, screening=entry, version=version.code, part=part, given=is_given,
            signed_on=signed_on, recorded_at=now, recorded_by=author(by),
        )
        for part, is_given in given.items()
    ]  # fmt: skip
    return Consent.objects.bulk_create(rows)


@action
def assess_eligibility(*, entry: ScreeningEntry, criteria: Mapping[str, bool], by: db.Actor) -> ScreeningEntry:
    """Record which criteria are met. All of them must be answered; the outcome follows from them.

    Not eligible is an outcome, with the first criterion that fails as its reason.
    """
    _must(by, *COORDINATORS, site=entry.site_id)
    refuse_if_locked()
    protocol = current()
    missing = [c.text for c in protocol.criteria if c.code not in criteria]
    if missing:
        raise Refused(
            "criteria_open", _("Answer every criterion. Still open: %(criteria)s.") % {"criteria": "; ".join(missing)}
        )
    entry = ScreeningEntry.objects.select_for_update().get(pk=entry.pk)
    if entry.outcome not in (Outcome.IN_SCREENING, Outcome.ELIGIBLE):
        raise Refused("screening_closed", _("This entry is closed. Screen the person again to go on."))
    failed = [c for c in protocol.criteria if criteria[c.code] != (c.kind == "inclusion")]
    entry.criteria = {c.code: criteria[c.code] for c in protocol.criteria}
    entry.outcome = Outcome.EXCLUDED if failed else Outcome.ELIGIBLE
    entry.reason = failed[0].code if failed else ""
    entry.assessed_at = clock.now()
    entry.save(update_fields=["criteria", "outcome", "reason", "assessed_at"])
    return entry


@action
def close_screening(*, entry: ScreeningEntry, declined: bool, reason_code: str, by: db.Actor) -> ScreeningEntry:
    """Close an entry: the person declined, or is excluded for a reason of the protocol's list."""
    _must(by, *COORDINATORS, site=entry.site_id)
    refuse_if_locked()
    reasons = current().reasons
    allowed = {r.code for r in (reasons.decline if declined else reasons.exclusion)}
    if reason_code not in allowed:
        raise Refused("reason_unknown", _("Choose a reason from the list of the protocol."))
    entry = ScreeningEntry.objects.select_for_update().get(pk=entry.pk)
    if entry.outcome not in (Outcome.IN_SCREENING, Outcome.ELIGIBLE):
        raise Refused("screening_closed", _("This entry is closed already."))
    entry.outcome = Outcome.DECLINED if declined else Outcome.EXCLUDED
    entry.reason = reason_code
    entry.save(update_fields=["outcome", "reason"])
    return entry


@action
def register(*, entry: ScreeningEntry, by: db.Actor) -> Participant:
    """Register an eligible person who consented, under a number that carries no information. Twice gives the same participant."""
    _must(by, *COORDINATORS, site=entry.site_id)
    refuse_if_locked()
    entry = ScreeningEntry.objects.select_for_update().get(pk=entry.pk)
    known = Participant.objects.filter(screening=entry).first()
    if known is not None:
        return known
    if entry.outcome != Outcome.ELIGIBLE:
        raise Refused("not_eligible", _("Only an eligible person is registered. Assess eligibility first."))
    protocol = current()
    missing = queries.missing_consent(entry.pk, protocol)
    if missing:
        names = ", ".join(part.name for part in protocol.consent_parts if part.code in missing)
        raise Refused("no_consent", _("Consent is missing for: %(parts)s. Record it first.") % {"parts": names})
    participant = _with_new_number(entry)
    entry.outcome = Outcome.REGISTERED
    entry.save(update_fields=["outcome"])
    return participant


def _with_new_number(entry: ScreeningEntry) -> Participant:
    for _attempt in range(20):
        participant = Participant(
            number=ids.participant_number(), site_id=entry.site_id, team_id=entry.team_id, screening=entry
        )
        try:
            with db.atomic():
                participant.save(force_insert=True)
        except IntegrityError as error:
            # the number is taken, perhaps at a site one may not see: draw again
            if "number" not in str(error):
                raise
            continue
        return participant
    raise Refused(
        "numbers_used_up", _("No free study number was found. Try again; if it happens again tell the data manager.")
    )


@action
def record_baseline(*, participant: Participant, by: db.Actor) -> Participant:
    """Note that the baseline is complete: every form signed, the primary score computable. The caller has checked it."""
    _must(by, Interviewer, ClinicianRater, Coordinator, DataManager, site=participant.site_id)
    refuse_if_locked()
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    if participant.baseline_completed_at is None:
        participant.baseline_completed_at = clock.now()
        participant.save(update_fields=["baseline_completed_at"])
    return participant


@action
def request_randomization(*, participant: Participant, by: db.Actor) -> RandomizationRequest:
    """Ask the allocator to randomize. Irrevocable; twice, from two tabs or by two people, is once.

    Refused without complete baseline or consent. The allocator checks again, and answers in its own transaction.
    """
    _must(by, *COORDINATORS, site=participant.site_id)
    refuse_if_locked()
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    request = RandomizationRequest.objects.filter(participant=participant).first()
    if request is None:
        if participant.baseline_completed_at is None:
            raise Refused(
                "no_baseline",
                _("The baseline is not complete. All baseline forms must be signed before randomization."),
            )
        if queries.missing_consent(participant.screening_id, current()):
            raise Refused("no_consent", _("A required part of the consent is missing or withdrawn. Record it first."))
        if queries.died([participant.pk]):
            raise Refused("died", _("A death was reported for this participant. Nobody who died is randomized."))
        request = RandomizationRequest(participant=participant, site_id=participant.site_id, requested_by=author(by))
        request.save(force_insert=True)
    if request.state == RandomizationRequest.State.WAITING:
        enqueue("allocation", ALLOCATE_TASK, str(request.pk))
    return request


@action
def mark_randomized(*, request: RandomizationRequest, stratum: str, at: dt.datetime, by: db.Actor) -> None:
    """The public fact, the same for every arm. Only the allocator's login may write it."""
    participant = request.participant
    participant.randomized_at, participant.stratum = at, stratum
    participant.save(update_fields=["randomized_at", "stratum"])
    request.state, request.answered_at = RandomizationRequest.State.DONE, at
    request.save(update_fields=["state", "answered_at"])


@action
def refuse_randomization(*, request: RandomizationRequest, code: str, by: db.Actor) -> None:
    """The allocator's refusal, for an open reason that every blinded person may know."""
    request.state, request.answered_at, request.refusal = RandomizationRequest.State.REFUSED, clock.now(), code
    request.save(update_fields=["state", "answered_at", "refusal"])


@action
def report_unblinding(
    *,
    participant_id: uuid.UUID,
    visit: str,
    source: str,
    by: db.Actor,
    believed_arm: str = "",
    certainty: int | None = None,
    words: str = "",
) -> None:
    """Drop a report "I was told the arm". Write-only: its author cannot read or count it again, and gets nothing back.

    Refuses a participant who is not of a site of the author's.
    """
    _must(by, Interviewer, Coordinator, DataManager)
    participant = Participant.objects.filter(pk=participant_id).only("site_id").first()
    if participant is None:
        raise Refused("not_there", _("There is no such participant at your site. Check the number."))
    report = UnblindingReport(
        participant_id=participant_id, site=participant.site_id, visit=visit, source=source, believed_arm=believed_arm,
        certainty=certainty, words=words.strip(), reported_by=by.actor_id,
    )  # fmt: skip
    UnblindingReport.objects.bulk_create([report])


@action
def drop_guess(
    *, participant_id: uuid.UUID, visit: str, by: db.Actor, guess: str = "", certainty: int | None = None
) -> None:
    """Drop an interviewer's guess of the arm (none: does not know). Write-only, and the same whatever was guessed.

    Refuses a participant who is not of a site of the author's.
    """
    _must(by, Interviewer)
    refuse_if_locked()
    participant = Participant.objects.filter(pk=participant_id).only("site_id").first()
    if participant is None:
        raise Refused("not_there", _("There is no such participant at your site. Check the number."))
    row = Guess(
        participant_id=participant_id, site=participant.site_id, visit=visit, rater="interviewer", guess=guess,
        certainty=certainty if guess else None, guessed_by=by.actor_id,
    )  # fmt: skip
    Guess.objects.bulk_create([row])


@action
def record_records_state(*, complete: bool, people: int, by: db.Actor) -> RecordsState:
    """Whether hospital records are complete: one fact for the whole trial. Only the unblinded side may write it (declassified).

    What is known already changes nothing. The database refuses what is not so.
    """
    state = RecordsState.objects.select_for_update().first()
    if state is None:
        state = RecordsState(complete=complete, people=people, day=clock.today())
        state.save(force_insert=True)
    elif (state.complete, state.people) != (complete, people):
        state.complete, state.people, state.day = complete, people, clock.today()
        state.save(update_fields=["complete", "people", "day"])
    return state


@action
def lock_database(*, password: str, by: Person) -> DatabaseLock:
    """Lock the database, with a signature. Irrevocable. Twice is once.

    Refused while a request waits, hospital records of the protocol's plan are not all looked up, or a check is open.
    """
    by.must_hold(DataManager)
    known = queries.lock()
    if known is not None:
        return known
    if queries.waiting_requests().exists():
        raise Refused(
            "requests_waiting", _("A randomization is waiting for its answer. Lock when it has been answered.")
        )
    if queries.waits_for_records(current()):
        raise Refused(
            "records_open",
            _(
                "Hospital records have not all been looked up. Lock when the abstractor has finished; this page says so then."
            ),
        )
    waiting = [str(check.title) for check in open_checks()]
    if waiting:
        raise Refused("checks_open", _("Settle this before the lock: %(what)s.") % {"what": ", ".join(waiting)})
    signature = sign(person=by, password=password, meaning="database lock", content={"lock": True})
    lock = DatabaseLock(locked_by=by.actor_id, signature=signature)
    lock.save(force_insert=True)
    return lock


@action
def request_unblinding(*, password: str, by: Person) -> UnblindingRequest:
    """The sponsor's signed request for planned unblinding. Only after the lock. Twice is once."""
    by.must_hold(Sponsor)
    known = queries.unblinding_request()
    if known is not None:
        return known
    lock = queries.lock()
    if lock is None:
        raise Refused(
            "not_locked", _("The database is not locked. Planned unblinding follows the lock; ask the data manager.")
        )
    signature = sign(
        person=by, password=password, meaning="request for planned unblinding", content={"lock": str(lock.pk)}
    )
    request = UnblindingRequest(lock=lock, requested_by=by.actor_id, signature=signature)
    request.save(force_insert=True)
    return request
