"""What is refused and must be known all the same: pages of other roles, wrong passwords, names and tokens.

Source: 21 CFR Part 11, 11.300(d) (attempts at unauthorized use are detected and reported). A refusal rolls back what it wrote; this line
is written when that is over.
"""

from trial.core import db
from trial.core.access.actions import record_refusal
from trial.core.models import Refusal


class Visitor:
    """Somebody who has not signed in, as the author of a refusal."""

    actor_id = "system:visitor"
    scope = db.NO_SITE


VISITOR = Visitor()


def note_refusal(what: Refusal.What, *, place: str, by: db.Actor, about: str = "") -> None:
    """Write down that somebody was refused, when this unit of work has ended."""

    def write() -> None:
        with db.unit_of_work(by=by):
            record_refusal(what=what, place=place, about=about, by=by)

    db.after_end(write)
