"""Who may report a serious event, and who puts a report right. System actors (import, demo player) stand for nobody and need no role."""

from django.utils.translation import gettext as _

from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import (
    Coordinator,
    DataManager,
    Interviewer,
    Investigator,
    Monitor,
    TreatmentCoordinator,
    UnblindedCoordinator,
)
from trial.core.errors import NotAllowed
from trial.participants.models import Participant
from trial.participants.rules import coordinates_blind, may_follow
from trial.protocol.queries import current

DECLARED = (TreatmentCoordinator, UnblindedCoordinator)
"""Who reports from behind the wall. A therapist writes nothing on the open side and tells the treatment coordinator."""
READERS = (Coordinator, DataManager, Monitor, Investigator)
CORRECTORS = (Coordinator, Interviewer, DataManager)
REPORTERS = (*CORRECTORS, *DECLARED)


def may_correct(person: Person, participant: Participant) -> bool:
    """Who follows the participant or coordinates the site blind. Nobody of the unblinded side: what is corrected there might go by arm."""
    return may_follow(person, participant) or coordinates_blind(person, current().site(participant.site_id))


def may_report(person: Person, participant: Participant) -> bool:
    """The same, and at the site the people of the unblinded side to whom it is declared."""
    return person.holds(*DECLARED, site=participant.site_id) or may_correct(person, participant)


def may_read(person: Person, participant: Participant) -> bool:
    """Who oversees, and who may put a report right."""
    return person.holds(*READERS, site=participant.site_id) or may_correct(person, participant)


def must_report(by: db.Actor, participant: Participant) -> None:
    """Refuse whoever may not report."""
    if isinstance(by, Person) and not may_report(by, participant):
        raise NotAllowed(
            "role", _("Only who coordinates the site or interviews this participant reports a serious event.")
        )


def must_correct(by: db.Actor, participant: Participant) -> None:
    """Refuse whoever may not put a report right."""
    if isinstance(by, Person) and not may_correct(by, participant):
        raise NotAllowed(
            "role", _("Only who coordinates the site blind or interviews this participant puts a report right.")
        )
