"""Where a page of a visit is: the participant, the visit, the way to it; and what a form that was sent answers with."""

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from assessments.visits import presenters as show
from assessments.visits import queries, rules
from assessments.visits.queries import VisitLine
from trial.core import clock
from trial.core.access import Request
from trial.core.access.roles import ClinicianRater, Interviewer
from trial.core.ui.tables import grouped
from trial.participants.models import Participant
from trial.participants.queries import participant_numbered
from trial.protocol.definition import Protocol
from trial.protocol.queries import current


def find_participant(request: Request, number: str) -> Participant:
    """The participant with this number, or 404: somebody one may not assess answers like somebody who does not exist."""
    participant = participant_numbered(number)
    if participant is None or not rules.may_see_visits(request.person, participant):
        raise Http404
    return participant


def find_visit(participant: Participant, code: str) -> tuple[Protocol, VisitLine]:
    """The visit of this participant as it stands today, or 404."""
    protocol = current()
    for line in queries.visit_lines([participant], protocol, clock.today()):
        if line.visit.code == code:
            return protocol, line
    raise Http404


def crumbs_to(
    request: Request, participant: Participant, line: VisitLine | None = None, *more: str
) -> list[tuple[str, str]]:
    """The way to a page: station, participant, visit, and the names that follow."""
    steps = [_station(request), (grouped(participant.number), reverse("participant_visits", args=[participant.number]))]
    if line is not None:
        steps.append((line.visit.name, show.visit_url(line)))
    steps += [(name, "") for name in more]
    return [*steps[:-1], (steps[-1][0], "")]


def _station(request: Request) -> tuple[str, str]:
    """The list that this person comes from."""
    if request.person.holds(Interviewer):
        return _("Interviews"), reverse("interviews")
    if request.person.holds(ClinicianRater):
        return _("Ratings"), reverse("ratings")
    return _("Visits"), reverse("visits")


def participant_step(participant: Participant) -> tuple[str, str]:
    """The step of the participant on the way to a page."""
    return grouped(participant.number), reverse("participant_visits", args=[participant.number])
