"""Who may do what on the treatment side. System actors (import, demo player) stand for nobody and need no role."""

from typing import Any

from django.utils.translation import gettext as _

from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import FidelityRater, Therapist, TreatmentCoordinator, UnblindedDataManager
from trial.core.errors import NotAllowed, Refused
from trial.protocol.definition import SessionsPlan
from trial.protocol.queries import current
from trial.unblinded.sessions import queries
from trial.unblinded.sessions.models import FidelityRating, TherapyGroup
from trial.unblinded.sessions.queries import FidelityLine


def must(by: db.Actor, *roles: Any, site: str | None = None) -> None:
    """Refuse a person without one of these roles."""
    if isinstance(by, Person):
        by.must_hold(*roles, site=site)


def must_coordinate(by: db.Actor, site: str) -> None:
    """Groups, places in them, telling people and withdrawal are the treatment coordinator's."""
    must(by, TreatmentCoordinator, site=site)


def must_correct(by: db.Actor, site: str) -> None:
    """What stands in the records is put right by the treatment coordinator or the data manager of this side."""
    must(by, TreatmentCoordinator, UnblindedDataManager, site=site)


def may_see_group(person: Person, group: TherapyGroup) -> bool:
    """A therapist sees own groups only; coordinator and data manager those of their sites."""
    if person.holds(TreatmentCoordinator, UnblindedDataManager, site=group.site):
        return True
    return person.holds(Therapist, site=group.site) and queries.trains(person, group)


def may_record(person: Person, group: TherapyGroup) -> bool:
    """Whether this person records sessions of the group: its trainers; the data manager of this side, to clean."""
    if person.holds(UnblindedDataManager, site=group.site):
        return True
    return person.holds(Therapist, site=group.site) and queries.trains(person, group)


def may_name(person: Person, group: TherapyGroup) -> bool:
    """Whether this person reads the names of the members: the group's trainers, and the treatment coordinator of the site."""
    if person.holds(TreatmentCoordinator, site=group.site):
        return True
    return person.holds(Therapist, site=group.site) and queries.trains(person, group)


def must_record(by: db.Actor, group: TherapyGroup) -> None:
    """Refuse whoever may not record sessions of the group."""
    if isinstance(by, Person) and not may_record(by, group):
        raise NotAllowed(
            "not_trainer", _("Only a trainer of this group records its sessions. Ask the treatment coordinator.")
        )


def may_see_rating(actor: str, rating: FidelityRating, line: FidelityLine) -> bool:
    """Nobody sees another's rating until as many as the scale asks for have signed; one's own always."""
    return rating.rater == actor or line.is_rated


def must_rate(by: db.Actor, group: TherapyGroup) -> None:
    """Refuse whoever is no fidelity rater, or trains the group."""
    must(by, FidelityRater)
    if isinstance(by, Person) and group.trainers.filter(trainer_id=by.user_id).exists():
        raise NotAllowed("own_group", _("You train this group, or did: somebody else rates it."))


def plan_or_refuse() -> SessionsPlan:
    """The sessions plan of the protocol in force; refused where there is none."""
    plan = current().sessions
    if plan is None:
        raise Refused("no_sessions", _("The protocol of this trial plans no group sessions."))
    return plan
