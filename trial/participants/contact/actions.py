"""The contact vault and the attempts to reach somebody. Rows are only added; the latest version of the contact data counts."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.access import Person
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants import queries
from trial.participants.actions import refuse_if_locked
from trial.participants.models import Contact, ContactAttempt, ContactReading, Participant
from trial.participants.rules import must_follow
from trial.protocol.queries import current

Outcome = ContactAttempt.Outcome


@dataclass(frozen=True)
class Details:
    """Who somebody is and how to reach them. ``preferred_way`` and ``best_time`` are codes."""

    name: str
    phone: str = ""
    email: str = ""
    address: str = ""
    birth_date: dt.date | None = None
    contact_person: str = ""
    contact_phone: str = ""
    preferred_way: str = ""
    best_time: str = ""


@action
def record_contact(*, participant: Participant, details: Details, by: db.Actor, seen: int | None = None) -> Contact:
    """Add a version of the contact data; what equals the version in force adds nothing.

    ``seen``: the number of the version that was changed. Refuses a change of an older one (somebody else was quicker), a birth date
    in the future and a person without a name. Possible after the database lock: people are still told the results.
    """
    must_follow(by, participant)
    if not details.name.strip():
        raise Refused("no_name", _("Fill in the name: contact data belong to a person."))
    if details.birth_date is not None and details.birth_date > clock.today():
        raise Refused("birth_future", _("The date of birth lies in the future. Check it."))
    _hold(participant)
    before = queries.contact_of(participant.pk)
    number = before.number if before else 0
    if seen is not None and seen != number:
        raise Refused(
            "contact_changed", _("Somebody else changed these contact data meanwhile. Open them again and compare.")
        )
    given = asdict(details)
    if before is not None and given == {name: getattr(before, name) for name in given}:
        return before
    row = Contact(
        participant=participant, site_id=participant.site_id, number=number + 1, recorded_by=by.actor_id, **given
    )
    row.save(force_insert=True)
    return row


@action
def log_reading(*, participants: Iterable[tuple[uuid.UUID, str]], page: str, by: Person) -> None:
    """Write down that the contact data of these participants (key and site) are about to be shown to somebody of the open side."""
    at = clock.now()
    ContactReading.objects.bulk_create(
        [
            ContactReading(participant_id=key, site_id=site, page=page, at=at, reader=by.actor_id)
            for key, site in participants
        ]
    )


@action
def record_attempt(
    *,
    participant: Participant,
    visit: str,
    day: dt.date,
    way: str,
    outcome: str,
    by: db.Actor,
    next_on: dt.date | None = None,
) -> ContactAttempt:
    """Record one attempt to reach a participant for a visit, in codes, with the day of the next step if there is one.

    Refuses a day in the future, a next step before it, an appointment without a day, and an unknown visit or code. Nobody is
    called any more whose death was reported.
    """
    must_follow(by, participant)
    refuse_if_locked()
    if visit not in {one.code for one in current().visits}:
        raise Refused("visit_unknown", _("The protocol has no visit %(visit)s.") % {"visit": visit})
    if way not in Contact.Way.values or outcome not in Outcome.values:
        raise Refused("attempt_unknown", _("Choose the way and the outcome from the lists."))
    if queries.died([participant.pk]):
        raise Refused("died", _("A death was reported for this participant. Nobody is called any more."))
    if day > clock.today():
        raise Refused("day_future", _("The day of the attempt lies in the future. Check the date."))
    if next_on is None and outcome == Outcome.APPOINTMENT:
        raise Refused("no_day", _("An appointment has a day: fill in the date of the next step."))
    if next_on is not None and next_on < day:
        raise Refused("next_early", _("The next step lies before the attempt. Check the dates."))
    _hold(participant)
    before = queries.attempts_of(participant.pk, visit)
    row = ContactAttempt(
        participant=participant,
        site_id=participant.site_id,
        visit=visit,
        number=before[0].number + 1 if before else 1,
        day=day,
        way=way,
        outcome=outcome,
        next_on=next_on,
        recorded_by=by.actor_id,
    )
    row.save(force_insert=True)
    return row


def _hold(participant: Participant) -> None:
    """Hold back a second change of this participant's rows until this one is committed."""
    Participant.objects.select_for_update(no_key=True).only("pk").get(pk=participant.pk)
