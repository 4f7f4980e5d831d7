"""Downtime: the next slot of a site's contingency sequence, let go by two people for a named participant. On the unblinded side.

The arms stand in the database from the beginning and nobody can ask for them: which slot it is, is filled in when the second person lets
it go. When the allocator is back it writes the allocation from that slot (:func:`allocate`), by the sweep of waiting requests.
"""

from django.db import IntegrityError
from django.utils.translation import gettext as _

from trial.core import clock
from trial.core import db as database
from trial.core.access import Person
from trial.core.access.roles import IndependentStatistician, TreatmentCoordinator
from trial.core.access.signing import prove
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants import queries as participants
from trial.participants.models import Participant
from trial.participants.randomization.queries import commitments
from trial.protocol.queries import current
from trial.unblinded.disclosure.actions import note
from trial.unblinded.randomization.models import ContingencyRelease, ContingencyRequest
from trial.unblinded.randomization.queries import WAIT


@action
def ask_contingency(*, participant: Participant, reason_code: str, by: Person) -> ContingencyRequest:
    """Ask for the next contingency slot for one participant whose request waits. Twice is once.

    Refused before the request has waited for 15 minutes, without consent, after a death, and where the site has no contingency sequence.
    """
    by.must_hold(TreatmentCoordinator, site=participant.site_id)
    known = ContingencyRequest.objects.filter(participant_id=participant.pk).first()
    if known is not None:
        return known
    if reason_code not in ContingencyRequest.Reason.values:
        raise Refused("reason_unknown", _("Choose a reason from the list."))
    waiting = participants.waiting_requests().filter(participant_id=participant.pk).first()
    if waiting is None:
        raise Refused(
            "not_waiting", _("No request to randomize waits for this participant. The coordinator asks first.")
        )
    if waiting.requested_at > clock.now() - WAIT:
        raise Refused("too_soon", _("The request has not waited for 15 minutes yet. The allocator may still answer."))
    if not commitments().filter(for_site=participant.site_id).exists():
        raise Refused("no_sequence", _("No contingency sequence was sealed for this site. The request has to wait."))
    _refuse_unfit(participant)
    row = ContingencyRequest(
        participant_id=participant.pk, site=participant.site_id, reason=reason_code, asked_by=by.actor_id
    )
    row.save(force_insert=True)
    return row


@action
def release_contingency(*, request: ContingencyRequest, password: str, by: Person) -> ContingencyRelease:
    """Let the slot go, as another person. Irrevocable; twice is once. Returns which arm it is.

    Refused once the allocator has answered, and when the list of the site is used up. Goes into the ledger.
    """
    by.must_hold(IndependentStatistician)
    known = ContingencyRelease.objects.filter(request=request).first()
    if known is not None:
        return known
    if request.asked_by == by.actor_id:
        raise Refused("same_person", _("Who asked does not let the slot go. Another person does."))
    participant = Participant.objects.get(pk=request.participant_id)
    _refuse_unfit(participant)
    prove(person=by, password=password)
    row = ContingencyRelease(
        request=request, participant_id=request.participant_id, site=request.site, released_by=by.actor_id
    )
    try:
        with database.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Refused("refused", _refusal(str(error))) from error
    row.refresh_from_db()
    note(what="contingency slot released", subject=participant.number, by=by)
    return row


def _refusal(said: str) -> str:
    if "answered meanwhile" in said:
        return _("The allocator has answered meanwhile: the participant is randomized. No slot was used.")
    if "no contingency slot is left" in said:
        return _("No contingency slot is left for this site. The request has to wait for the allocator.")
    return _("Somebody else did this at the same moment. Open the page again.")


def _refuse_unfit(participant: Participant) -> None:
    """What the allocator would check: nobody is randomized who died or withdrew."""
    if participants.lock() is not None:
        raise Refused("locked", _("The database is locked: nobody is randomized any more."))
    if participants.missing_consent(participant.screening_id, current()):
        raise Refused("no_consent", _("A required part of the consent is missing or withdrawn."))
    if participants.died([participant.pk]):
        raise Refused("died", _("A death was reported for this participant. Nobody who died is randomized."))
