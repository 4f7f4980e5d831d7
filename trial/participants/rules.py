"""Who may follow a participant: read and change contact data, record attempts and withdrawals, report a death."""

from collections.abc import Callable

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import ClinicianRater, Coordinator, DataManager, Interviewer, TreatmentCoordinator
from trial.core.errors import NotAllowed
from trial.participants.models import Participant

SITE_ROLES = (Coordinator, Interviewer, ClinicianRater, TreatmentCoordinator)
"""Who hears of a death first. Several of them work at one site, so that a second person is at hand."""
DECIDERS = (*SITE_ROLES, DataManager)


def is_assigned(person: Person, participant: Participant) -> bool:
    """Whether this person is the participant's interviewer now; assessments knows (``settings.ASSIGNED``)."""
    asked: Callable[..., bool] = import_string(settings.ASSIGNED)
    return asked(person, participant.pk)


def may_follow(person: Person, participant: Participant) -> bool:
    """The coordinator of the site, and the interviewer to whom the participant is assigned."""
    site = participant.site_id
    if person.holds(Coordinator, site=site):
        return True
    return person.holds(Interviewer, site=site) and is_assigned(person, participant)


def must_follow(by: db.Actor, participant: Participant) -> None:
    """Refuse whoever may not follow this participant. System actors (import, demo player) stand for nobody and need no role."""
    if isinstance(by, Person) and not may_follow(by, participant):
        raise NotAllowed(
            "not_assigned",
            _("Only the coordinator of the site and the interviewer who is assigned to this participant do this."),
        )
