"""Which visits come near, for the hand-overs that the unblinded side writes at night (``settings.COMING_VISITS``). Open facts alone."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from assessments.visits.queries import interviewers_at, visit_lines
from trial.core.models import User
from trial.participants.models import Participant
from trial.participants.queries import participants
from trial.protocol.queries import NoProtocol, current

LEAD = dt.timedelta(days=14)
"""So long before its window opens a visit comes near: time to tell the new interviewer."""


@dataclass(frozen=True)
class ComingVisit:
    """The next follow-up visit of a participant: who assesses it, who else could, and the nights on which it may change hands by lot."""

    participant: Participant
    visit: str
    first_night: dt.date
    last_night: dt.date
    interviewer: User
    pool: Sequence[User]


def coming_visits(night: dt.date) -> list[ComingVisit]:
    """The next visit of each participant, where it comes near, somebody is assigned and no form has been begun."""
    try:
        protocol = current()
    except NoProtocol:
        return []
    lines = visit_lines(participants().filter(randomized_at__isnull=False), protocol, night)
    pools: dict[str, list[User]] = {}
    found: dict[str, ComingVisit] = {}
    for line in sorted((line for line in lines if line.window), key=lambda line: line.due_on or night):
        window, one = line.window, line.participant
        begun = line.forms.drafts + line.forms.signed > 0
        if window is None or not line.is_open or begun or line.interviewer is None or window.opens - LEAD > night:
            continue
        if one.site_id not in pools:
            pools[one.site_id] = interviewers_at(one.site_id)
        coming = ComingVisit(
            one, line.visit.code, window.opens - LEAD, window.target, line.interviewer, pools[one.site_id]
        )
        found.setdefault(one.number, coming)
    return list(found.values())
