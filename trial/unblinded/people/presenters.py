"""Participants as the treatment coordinator sees them, and the deaths that wait for a second person."""

import uuid
from collections.abc import Iterable, Mapping

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core import side
from trial.core.access import Person
from trial.core.access.roles import TreatmentCoordinator, UnblindedCoordinator
from trial.core.history.presenters import lines
from trial.core.history.queries import names_of
from trial.core.ui.parts import Change
from trial.core.ui.tables import Column, Link, Page, Table, grouped
from trial.core.ui.work import WorkList
from trial.participants.contact.presenters import PAGES
from trial.participants.course.presenters import deaths_to_confirm
from trial.participants.events.presenters import HISTORY_WORDS
from trial.participants.events.queries import rows_of
from trial.participants.models import Participant
from trial.participants.queries import Reach, death_steps, transfers_of
from trial.protocol.models import Team
from trial.unblinded.disclosure.models import Reading
from trial.unblinded.disclosure.queries import true_history
from trial.unblinded.people.queries import reported_by

NOBODY = Reach("", "")
GROUP_PAGES = {
    "group": gettext_lazy("Group"),
    "session": gettext_lazy("Session of a group"),
    "session_record": gettext_lazy("Session of a group, to record it"),
}
"""Pages of the treatment side that show names, by the code that is logged."""


def people_table(
    people: Iterable[Participant],
    reach: Mapping[uuid.UUID, Reach],
    teams: Mapping[uuid.UUID, Team],
    position: Page | None = None,
) -> Table:
    """Randomized participants with name, telephone and the team that treats them now."""
    columns = [
        Column(_("Participant"), code=True),
        Column(_("Name"), shows="participants_contact.name"),
        Column(_("Telephone"), shows="participants_contact.phone"),
        Column(_("Team")),
        Column(_("Randomized")),
    ]
    rows = [
        [
            Link(grouped(one.number), reverse("person", args=[one.number])),
            reach.get(one.pk, NOBODY).name,
            reach.get(one.pk, NOBODY).phone,
            teams[one.pk].name,
            one.randomized_at.date() if one.randomized_at else None,
        ]
        for one in people
    ]
    empty = _("Participants of your site appear here when they have been randomized.")
    return Table(columns, rows, empty=empty, page=position)


def person_history(participant: Participant) -> list[Change]:
    """What became of a participant on the open side, with the true authors of what this side reported."""
    rows = [("participants_participant", participant.pk)]
    rows += [("participants_transfer", one.pk) for one in transfers_of(participant.pk)]
    rows += [("participants_death", one.pk) for one in death_steps(participant.pk)]
    rows += [("participants_seriousevent", one.pk) for one in rows_of(participant.pk)]
    return lines(true_history(*rows), HISTORY_WORDS)


def reading_table(
    rows: Iterable[Reading],
    numbers: Mapping[str, str],
    csv_url: str = "",
    position: Page | None = None,
    *,
    most: int | None = None,
) -> Table:
    """Who opened whose names on this side; no row names a participant. ``most``: how many numbers of a page are written out."""
    listed = list(rows)
    names = names_of(row.reader for row in listed)
    columns = [Column(_("When")), Column(_("Who")), Column(_("Participants"), code=True), Column(_("Page"))]
    shown = [
        [
            row.at,
            names.get(row.reader, row.reader),
            _numbers(row, numbers, most),
            str({**PAGES, **GROUP_PAGES}.get(row.page, row.page)),
        ]
        for row in listed
    ]
    empty = _("Each time that somebody opens a name on this side it is written down here.")
    return Table(columns, shown, empty=empty, csv_url=csv_url, page=position)


def _numbers(row: Reading, numbers: Mapping[str, str], most: int | None) -> str:
    shown = [grouped(numbers[key]) for key in row.participants if key in numbers]
    left = len(shown) - most if most is not None else 0
    words = ", ".join(shown[:most])
    return _("%(numbers)s and %(count)d more") % {"numbers": words, "count": left} if left > 0 else words


def work_for(person: Person) -> list[WorkList]:
    """Deaths that wait for a second person, on the unblinded side."""
    if side.current() != side.UNBLINDED or not person.holds(TreatmentCoordinator, UnblindedCoordinator):
        return []
    waiting = deaths_to_confirm(person, reported_by(person))
    return [waiting] if waiting else []
