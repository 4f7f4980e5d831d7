"""Names on the pages of groups, for those who know the members anyway; each reading is written down behind the wall."""

import uuid
from collections.abc import Iterable

from trial.core import db
from trial.core.access import Request
from trial.participants.queries import names_of
from trial.unblinded.disclosure.actions import log_reading
from trial.unblinded.sessions import rules
from trial.unblinded.sessions.models import TherapyGroup
from trial.unblinded.sessions.presenters.words import Names


def names_for(
    request: Request, group: TherapyGroup, people: Iterable[uuid.UUID], page: str, *, is_refused: bool = False
) -> Names:
    """The names of these participants for a trainer of the group and the treatment coordinator of its site; of nobody for others.

    One row of the log for the page. ``is_refused``: the page is an answer of 422, whose transaction is rolled back; the row is written
    after it, in one of its own.
    """
    if not rules.may_name(request.person, group):
        return {}
    names, by = names_of(people), request.person

    def log() -> None:
        with db.unit_of_work(by=by):
            log_reading(participants=names, page=page, by=by)

    if is_refused:
        db.after_end(log)
    else:
        log_reading(participants=names, page=page, by=by)
    return names
