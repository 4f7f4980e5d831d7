"""The gates: planned unblinding by two persons, the release of a result or a recommendation, and the ledger of who came to know what."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.access import Person
from trial.core.access.roles import CommitteeChair, IndependentStatistician
from trial.core.access.signing import content_sha256, sign
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants import queries as participants
from trial.participants.models import Release
from trial.unblinded.disclosure import queries
from trial.unblinded.disclosure.models import LedgerEntry, PlannedUnblinding, Reading, Reentry


@action
def confirm_planned_unblinding(*, password: str, by: Person) -> PlannedUnblinding:
    """Confirm the sponsor's request, as another person. Twice is once. Refused without lock and request."""
    by.must_hold(IndependentStatistician)
    known = queries.planned_unblinding()
    if known is not None:
        return known
    request = participants.unblinding_request()
    if request is None:
        raise Refused(
            "no_request", _("The sponsor has not asked for planned unblinding. It follows the database lock.")
        )
    if request.requested_by == by.actor_id:
        raise Refused("same_person", _("Who asked does not confirm. Another person confirms planned unblinding."))
    signature = sign(person=by, password=password, meaning="planned unblinding", content={"request": str(request.pk)})
    done = PlannedUnblinding(
        request_id=request.pk, requested_by=request.requested_by, confirmed_by=by.actor_id, signature=signature
    )
    done.save(force_insert=True)
    note(what="planned unblinding confirmed", subject="", by=by)
    return done


@action
def release(*, title: str, payload: dict[str, Any], by: Person) -> Release:
    """The gate down: one generic public row. Refused before database lock and planned unblinding. The same payload twice is once."""
    by.must_hold(IndependentStatistician)
    if participants.lock() is None or queries.planned_unblinding() is None:
        raise Refused("gate_closed", _("Nothing passes the gate before database lock and planned unblinding."))
    sha256 = content_sha256(payload)
    known = Release.objects.filter(sha256=sha256).first()
    if known is not None:
        return known
    row = Release(title=title, payload=payload, sha256=sha256)
    row.save(force_insert=True)
    note(what="result released", subject=sha256, by=by)
    return row


@action
def release_recommendation(*, word: str, day: dt.date, by: Person) -> Release:
    """The gate down for the committee's recommendation: its coded word and its day, at any time of the trial.

    The database lets through only the word of a recommendation that the chair has sealed. The same word of the same day twice is once.
    """
    by.must_hold(CommitteeChair)
    payload = {"recommendation": word, "day": day.isoformat()}
    sha256 = content_sha256(payload)
    known = Release.objects.filter(sha256=sha256).first()
    if known is not None:
        return known
    row = Release(title=Release.RECOMMENDATION, kind=Release.RECOMMENDATION, payload=payload, sha256=sha256)
    row.save(force_insert=True)
    note(what="recommendation released", subject=word, by=by)
    return row


@action
def note(*, what: str, subject: str, by: db.Actor) -> LedgerEntry:
    """Write into the ledger who came to know what."""
    entry = LedgerEntry(actor=by.actor_id, what=what, subject=subject)
    entry.save(force_insert=True)
    return entry


@action
def mark_reentry(*, session: str, by: Person) -> None:
    """Note that this person has just proved who they are at the form of the unblinded side. ``session``: the hashed key."""
    Reentry(user_id=by.user_id, session=session).save(force_insert=True)


@action
def end_reentry(*, session: str, by: Person) -> None:
    """The session ends: its mark counts no more."""
    Reentry.objects.filter(session=session, user_id=by.user_id, ended_at=None).update(ended_at=clock.now())


@action
def log_reading(*, participants: Iterable[uuid.UUID], page: str, by: db.Actor) -> None:
    """Write down that a page with the names of these participants is about to be shown to somebody of this side: one row, if it names anybody.

    Nothing on the open side.
    """
    named = sorted(map(str, participants))
    if named:
        Reading(participants=named, page=page, reader=by.actor_id).save(force_insert=True)
