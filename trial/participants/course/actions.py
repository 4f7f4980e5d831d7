"""What becomes of a participant: withdrawal by part, transfer to another team, death. Rows are only added."""

import datetime as dt

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from trial.core import clock, db, ids
from trial.core.access import Person
from trial.core.actions import action, author
from trial.core.errors import Refused
from trial.participants import queries
from trial.participants.actions import record_consent, refuse_if_locked
from trial.participants.models import Consent, Death, Participant, Transfer
from trial.participants.rules import DECIDERS, SITE_ROLES, must_coordinate_blind, must_follow
from trial.protocol.models import Team
from trial.protocol.queries import current

Step = Death.Step


@action
def withdraw(*, participant: Participant, part: str, day: dt.date, by: db.Actor, reason_code: str = "") -> Consent:
    """The participant withdraws from one part of the consent; only the tasks of that part stop, and what was collected stays.

    ``reason_code``: of the protocol's list, or "" since nobody has to give a reason. A part that is withdrawn already: nothing changes.
    Refuses a part that was never given, an unknown reason, and a day in the future or before the decision that it takes back.
    Possible after the database lock.
    """
    must_follow(by, participant)
    if reason_code and reason_code not in {reason.code for reason in current().reasons.withdrawal}:
        raise Refused("reason_unknown", _("Choose a reason from the list of the protocol, or that none was given."))
    _hold(participant)
    before = queries.consents_in_force(participant.screening_id).get(part)
    if before is None:
        raise Refused("never_given", _("This part of the consent was never given; there is nothing to withdraw."))
    if not before.given:
        return before
    if day > clock.today():
        raise Refused("day_future", _("The day of the withdrawal lies in the future. Check the date."))
    if day < before.signed_on:
        raise Refused("day_early", _("The consent was signed after this day. Check the date."))
    row = Consent(
        site_id=participant.site_id,
        screening_id=participant.screening_id,
        version=before.version,
        part=part,
        given=False,
        signed_on=day,
        reason=reason_code,
        recorded_by=by.actor_id,
    )
    row.save(force_insert=True)
    return row


@action
def consent_again(*, participant: Participant, part: str, signed_on: dt.date, by: db.Actor) -> Consent:
    """The participant signs a part of the consent form in force that was refused or withdrawn before: its tasks go on.

    A part that is in force already: nothing changes.
    """
    _hold(participant)
    before = queries.consents_in_force(participant.screening_id).get(part)
    if before is not None and before.given:
        return before
    made: list[Consent] = record_consent(entry=participant.screening, given={part: True}, signed_on=signed_on, by=by)
    return made[0]


@action
def transfer(*, participant: Participant, team: Team, effective_on: dt.date, by: db.Actor) -> Transfer:
    """From this day on another team treats the participant. The stratum as randomized stays, and so do the readers of the rows.

    Refuses the team that treats the participant already, and a day in the future, before registration or before the last transfer.
    """
    must_coordinate_blind(by, participant.site_id)
    refuse_if_locked()
    _hold(participant)
    before = queries.transfers_of(participant.pk)
    if team.pk == (before[-1].team_id if before else participant.team_id):
        raise Refused("same_team", _("This team treats the participant already."))
    if effective_on > clock.today():
        raise Refused("day_future", _("The day of the transfer lies in the future. Record it when it has happened."))
    first = before[-1].effective_on if before else timezone.localtime(participant.registered_at).date()
    if effective_on < first:
        raise Refused("day_early", _("This day lies before the registration or the last transfer. Check the date."))
    row = Transfer(
        site_id=participant.site_id,
        participant=participant,
        number=len(before) + 1,
        team=team,
        effective_on=effective_on,
        recorded_by=by.actor_id,
    )
    row.save(force_insert=True)
    return row


@action
def report_death(*, participant: Participant, by: db.Actor, day: dt.date | None = None) -> Death:
    """Report that a participant has died. At once nobody is reminded of this person any more; a second person confirms.

    ``day``: of death, if it is known. Reported already: nothing changes. Open to every role at the site, on either side; an author of
    the unblinded side is "site staff" (declassified).
    """
    if isinstance(by, Person):
        by.must_hold(*SITE_ROLES, site=participant.site_id)
    before = queries.death_steps(participant.pk)
    if before and before[-1].step != Step.REJECTED:
        return before[-1]
    if day is not None and day > clock.today():
        raise Refused("day_future", _("The day of death lies in the future. Check the date."))
    return _step(participant, Step.REPORTED, day, by, len(before) + 1)


@action
def decide_death(*, participant: Participant, confirmed: bool, by: db.Actor) -> Death:
    """Confirm a report of death, or reject it: the person lives, and is on every list again. Confirmed is final.

    By another person than the reporter. Decided in the same way already: nothing changes. Refused without a report.
    """
    if isinstance(by, Person):
        by.must_hold(*DECIDERS, site=participant.site_id)
    before = queries.death_steps(participant.pk)
    step = Step.CONFIRMED if confirmed else Step.REJECTED
    if before and before[-1].step == step:
        return before[-1]
    if not before or before[-1].step != Step.REPORTED:
        raise Refused("no_report", _("There is no report of death to decide on, or it was decided already."))
    return _step(participant, step, before[-1].day, by, before[-1].number + 1)


def _step(participant: Participant, step: Death.Step, day: dt.date | None, by: db.Actor, number: int) -> Death:
    row = Death(
        id=ids.derived(participant.pk, "death", number),
        site_id=participant.site_id,
        participant=participant,
        number=number,
        step=step,
        day=day,
        recorded_by=author(by),
    )
    try:
        with db.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        # who reported on the unblinded side is known to the database alone
        if "another person decides" in str(error):
            raise Refused(
                "second_person", _("You reported this death yourself. Another person confirms or rejects it.")
            ) from error
        raise Refused("death_changed", _("Somebody else did this at the same moment. Open the page again.")) from error
    return row


def _hold(participant: Participant) -> None:
    """Hold back a second change of this participant's rows until this one is committed."""
    Participant.objects.select_for_update(no_key=True).only("pk").get(pk=participant.pk)
