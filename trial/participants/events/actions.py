"""Serious events: reported from either side, put right on the open side. Rows are only added."""

import datetime as dt

from django.db import IntegrityError
from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.actions import action, author
from trial.core.errors import Refused
from trial.participants.actions import refuse_if_locked
from trial.participants.events import queries
from trial.participants.events.models import Kind, Outcome, SeriousEvent, key_of
from trial.participants.events.rules import must_correct, must_report
from trial.participants.models import Consent, Participant


@action
def report_event(*, participant: Participant, kind: str, began_on: dt.date, by: db.Actor) -> SeriousEvent:
    """Report a serious event: its kind and the day on which it began, coded. What became of it is recorded later.

    Reported already, of the same kind and day: nothing changes. Refuses an unknown kind, a day in the future, and one before the consent.
    Open to who follows the participant, and to the treatment coordinator of the site; an author of the unblinded side is "site staff"
    (declassified). Deaths are reported as such.
    """
    must_report(by, participant)
    refuse_if_locked()
    _check(participant, kind, began_on, Outcome.UNKNOWN)
    rows = queries.rows_of(participant.pk)
    last = {row.event: row for row in rows}
    for one in last.values():
        if not one.void and (one.kind, one.began_on) == (kind, began_on):
            return one
    return _row(participant, max(last, default=0) + 1, 1, by, kind=kind, began_on=began_on, outcome=Outcome.UNKNOWN)


@action
def correct_event(
    *, event: SeriousEvent, kind: str, began_on: dt.date, outcome: str, by: db.Actor, void: bool = False
) -> SeriousEvent:
    """What became of it, a correction, or (``void``) that it was reported by mistake: a new row that counts from now on.

    Nothing is different: nothing changes. Refuses what a report would be refused for, an unknown outcome, and an event that was taken back.
    """
    participant = event.participant
    must_correct(by, participant)
    refuse_if_locked()
    _check(participant, kind, began_on, outcome)
    last = [row for row in queries.rows_of(participant.pk) if row.event == event.event][-1]
    if last.void:
        raise Refused(
            "taken_back", _("This report was taken back as a mistake. Report the event anew if there was one.")
        )
    if (last.kind, last.began_on, last.outcome) == (kind, began_on, outcome) and not void:
        return last
    content = {"kind": kind, "began_on": began_on, "outcome": outcome, "void": void}
    return _row(participant, event.event, last.number + 1, by, **content)


def _check(participant: Participant, kind: str, began_on: dt.date, outcome: str) -> None:
    if kind not in Kind.values or outcome not in Outcome.values:
        raise Refused("code_unknown", _("Choose from the lists."))
    if began_on > clock.today():
        raise Refused("day_future", _("The day lies in the future. Check the date."))
    signed = Consent.objects.filter(screening_id=participant.screening_id, given=True).order_by("signed_on").first()
    if signed is None or began_on < signed.signed_on:
        raise Refused(
            "day_early",
            _("The consent was signed after this day. An event counts from the consent on. Check the date."),
        )


def _row(participant: Participant, event: int, number: int, by: db.Actor, **content: object) -> SeriousEvent:
    row = SeriousEvent(
        id=key_of(participant.pk, event, number),
        site_id=participant.site_id,
        participant=participant,
        event=event,
        number=number,
        recorded_by=author(by),
        **content,
    )
    try:
        with db.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Refused("event_changed", _("Somebody else did this at the same moment. Open the page again.")) from error
    return row
