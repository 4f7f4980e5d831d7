"""Telling what happened in a serious event, behind the wall. Rows are only added."""

from django.db import IntegrityError
from django.utils.translation import gettext as _

from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import TreatmentCoordinator, UnblindedCoordinator
from trial.core.actions import action
from trial.core.errors import Refused
from trial.unblinded.events.models import EventNarrative, Expectedness, Relatedness
from trial.unblinded.events.queries import EventLine, narratives

WRITERS = (TreatmentCoordinator, UnblindedCoordinator)


@action
def write_narrative(
    *, line: EventLine, words: str, relatedness: str, expectedness: str, by: db.Actor
) -> EventNarrative:
    """Tell what happened, and judge whether the treatment may have caused it and whether it was expected. The last narrative counts.

    Told already in the same way: nothing changes. Refuses unknown codes, an empty narrative, and an event that was taken back. Possible
    after the database lock: who locks is blind and cannot know whether a narrative is missing.
    """
    if isinstance(by, Person):
        by.must_hold(*WRITERS, site=line.allocation.site)
    if relatedness not in Relatedness.values or expectedness not in Expectedness.values:
        raise Refused("code_unknown", _("Choose from the lists."))
    if not words.strip():
        raise Refused("words_missing", _("Tell what happened, in a few sentences."))
    if line.event.void:
        raise Refused(
            "taken_back", _("The report of this event was taken back as a mistake. There is nothing to tell.")
        )
    before = narratives(line.event.key)
    content = {"words": words.strip(), "relatedness": relatedness, "expectedness": expectedness}
    if before and all(getattr(before[-1], name) == value for name, value in content.items()):
        return before[-1]
    row = EventNarrative(
        site=line.allocation.site,
        allocation=line.allocation,
        event=line.event.key,
        number=len(before) + 1,
        written_by=by.actor_id,
        **content,
    )
    try:
        with db.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Refused("event_changed", _("Somebody else did this at the same moment. Open the page again.")) from error
    return row
