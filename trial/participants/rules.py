"""Who may follow a participant: read and change contact data, record attempts and withdrawals, report a death."""

from collections.abc import Callable

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import (
    ClinicianRater,
    Coordinator,
    DataManager,
    Interviewer,
    TreatmentCoordinator,
    UnblindedCoordinator,
)
from trial.core.errors import NotAllowed
from trial.participants.models import Participant
from trial.protocol.definition import Site
from trial.protocol.queries import current

COORDINATORS = (Coordinator, UnblindedCoordinator)
"""Who screens, takes consent, registers and asks to randomize; at each site the protocol says which of the two."""
SITE_ROLES = (*COORDINATORS, Interviewer, ClinicianRater, TreatmentCoordinator)
"""Who hears of a death first. Several of them work at one site, so that a second person is at hand."""
DECIDERS = (*SITE_ROLES, DataManager)


def coordinates_blind(person: Person, site: Site) -> bool:
    """Who does the coordinator's work on randomized participants: assigns interviewers, records transfers.

    Whoever does it sees no arm. So where the coordinator sees allocations it is the data manager of the trial.
    """
    return person.holds(DataManager if site.coordinator_sees_allocation else Coordinator, site=site.code)


def must_coordinate_blind(by: db.Actor, site: str) -> None:
    """Refuse whoever does not coordinate this site blind. System actors need no role."""
    if isinstance(by, Person) and not coordinates_blind(by, current().site(site)):
        raise NotAllowed(
            "role",
            _(
                "The coordinator of the site does this; where that person sees allocations, the data manager of the trial."
            ),
        )


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
