"""What becomes public of a sealed sequence, and the errors of randomization that the open side may know."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.access import Person
from trial.core.access.roles import Coordinator, DataManager
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants.actions import refuse_if_locked
from trial.participants.models import Participant
from trial.participants.randomization.models import Commitment, RandomizationError
from trial.participants.randomization.queries import errors_of, open_errors
from trial.protocol.queries import current

Kind = RandomizationError.Kind


@action
def publish_commitment(*, version: int, sha256: str, purpose: str, for_site: str, by: db.Actor) -> Commitment:
    """The public fact of a sealed sequence, before the first participant. Only the allocator's login may write it."""
    row = Commitment(version=version, sha256=sha256, purpose=purpose, for_site=for_site)
    row.save(force_insert=True)
    return row


@action
def record_error(
    *,
    participant: Participant,
    kind: str,
    day: dt.date,
    reason_code: str,
    by: db.Actor,
    corrected_stratum: str = "",
    other_number: str = "",
) -> RandomizationError:
    """Record that something went wrong when this participant was randomized. Coded, append-only.

    The allocation and the stratum as randomized stay, and no slot is used again: what should have been stands in fields of its own.
    Recorded already with the same content: nothing changes. Refuses somebody who is not randomized, an unknown code, a stratum that is
    the one as randomized or none, another participant who does not exist, and a day in the future.
    """
    _must_record(by, participant)
    if participant.randomized_at is None:
        raise Refused("not_randomized", _("This participant has not been randomized: there is no error to record."))
    if kind not in Kind.values or reason_code not in RandomizationError.Reason.values:
        raise Refused("code_unknown", _("Choose kind and reason from the lists."))
    if day > clock.today():
        raise Refused("day_future", _("The day lies in the future. Record the error when it has been found."))
    protocol = current()
    if kind == Kind.WRONG_STRATUM and corrected_stratum not in set(protocol.strata) - {participant.stratum}:
        raise Refused(
            "stratum", _("Choose the stratum in which this participant belonged: another one than as randomized.")
        )
    if kind == Kind.DUPLICATE and not _is_another(participant, other_number):
        raise Refused(
            "other_number", _("Type the other study number of the same person. There is no such participant here.")
        )
    content = {
        "day": day,
        "reason": reason_code,
        "corrected_stratum": corrected_stratum if kind == Kind.WRONG_STRATUM else "",
        "other_number": other_number if kind == Kind.DUPLICATE else "",
    }
    rows = _held(participant)
    standing = open_errors(rows).get(kind)
    if standing is not None and all(getattr(standing, name) == value for name, value in content.items()):
        return standing
    return _event(participant, len(rows) + 1, kind, content, by)


@action
def void_error(*, participant: Participant, kind: str, by: db.Actor) -> RandomizationError:
    """Take an error back that was recorded by mistake: a row that says so. Nothing is removed. Refused where none stands."""
    _must_record(by, participant)
    rows = _held(participant)
    standing = open_errors(rows).get(kind)
    if standing is None:
        raise Refused("nothing", _("No error of this kind stands for this participant."))
    content = {name: getattr(standing, name) for name in ("day", "reason", "corrected_stratum", "other_number")}
    return _event(participant, len(rows) + 1, kind, {**content, "void": True}, by)


def _must_record(by: db.Actor, participant: Participant) -> None:
    if isinstance(by, Person):
        by.must_hold(Coordinator, DataManager, site=participant.site_id)
    refuse_if_locked()


def _is_another(participant: Participant, number: str) -> bool:
    return number != participant.number and Participant.objects.filter(number=number).exists()


def _held(participant: Participant) -> list[RandomizationError]:
    """The events of this participant in turn; a second person waits until this one is done."""
    Participant.objects.select_for_update(no_key=True).only("pk").get(pk=participant.pk)
    return list(errors_of(participant.pk))


def _event(
    participant: Participant, number: int, kind: str, content: dict[str, Any], by: db.Actor
) -> RandomizationError:
    row = RandomizationError(
        site_id=participant.site_id,
        participant=participant,
        number=number,
        kind=kind,
        recorded_by=by.actor_id,
        **content,
    )
    row.save(force_insert=True)
    return row
