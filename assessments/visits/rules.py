"""Who may assess whom. System actors (import, demo player) stand for nobody and need no role."""

from django.utils.translation import gettext as _

from assessments.entry.queries import OWN, PART_OF
from assessments.visits.queries import is_assigned
from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import ClinicianRater, Coordinator, DataManager, Interviewer, Monitor
from trial.core.errors import NotAllowed, Refused
from trial.participants.models import Participant
from trial.participants.queries import stopped_parts
from trial.protocol.definition import Instrument, Protocol


def may_enter(person: Person, participant: Participant, instrument: Instrument) -> bool:
    """Whether this person fills in this form.

    The interview's forms: the assigned interviewer, and nobody else. What a clinician rates: a clinician-rater of the site, or the
    coordinator who copies the clinician's paper form. What comes from records: the coordinator.
    """
    site = participant.site_id
    if instrument.rater in OWN:
        return person.holds(Interviewer, site=site) and is_assigned(person, participant.pk)
    if instrument.rater == "clinician":
        return person.holds(ClinicianRater, Coordinator, site=site)
    return person.holds(Coordinator, site=site)


def must_enter(by: db.Actor, participant: Participant, instrument: Instrument) -> None:
    """Refuse whoever may not fill in this form, and say who may."""
    if not isinstance(by, Person) or may_enter(by, participant, instrument):
        return
    if instrument.rater in OWN:
        raise NotAllowed(
            "not_assigned",
            _("Only the interviewer who is assigned to this participant fills in this form. Ask the coordinator."),
        )
    raise NotAllowed("not_rater", _("This form is filled in by a clinician-rater or the coordinator of the site."))


def must_be_asked(protocol: Protocol, participant: Participant, instrument: Instrument) -> None:
    """Refuse a new form of a part of the consent that is not in force. What was filled in before stays."""
    if PART_OF[instrument.rater] in stopped_parts([participant.pk], protocol).get(participant.pk, frozenset()):
        raise Refused(
            "withdrawn",
            _("The participant does not consent to this part, or has withdrawn from it. No new form is begun."),
        )


def may_see_visits(person: Person, participant: Participant) -> bool:
    """Whether this person may open the visits of a participant: an interviewer those of assigned participants only."""
    if person.holds(Coordinator, ClinicianRater, DataManager, Monitor, site=participant.site_id):
        return True
    return person.holds(Interviewer, site=participant.site_id) and is_assigned(person, participant.pk)


def may_close(person: Person, participant: Participant) -> bool:
    """Whether this person records that a visit was missed, or comes back: its interviewer, or the coordinator."""
    if person.holds(Coordinator, site=participant.site_id):
        return True
    return person.holds(Interviewer, site=participant.site_id) and is_assigned(person, participant.pk)


def must_close(by: db.Actor, participant: Participant) -> None:
    """Refuse whoever may not record what became of a visit."""
    if isinstance(by, Person) and not may_close(by, participant):
        raise NotAllowed(
            "not_assigned",
            _("Only the interviewer who is assigned to this participant, or the coordinator, records this."),
        )
