"""What pages show of contact data, of their readings, and of attempts."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core.history.presenters import lines
from trial.core.history.queries import history_of, names_of
from trial.core.ui.parts import Change
from trial.core.ui.tables import Column, Page, Table, grouped
from trial.core.ui.text import Text
from trial.participants.contact.forms import OUTCOMES, TIMES, WAYS
from trial.participants.models import Contact, ContactAttempt, ContactReading, Participant

PAGES = {
    "contact": gettext_lazy("Contact data"),
    "contact_edit": gettext_lazy("Contact data, to change them"),
    "people": gettext_lazy("List of participants"),
    "person": gettext_lazy("Participant"),
    "records": gettext_lazy("Hospital records"),
}
"""The pages that show contact data, by the code that is logged."""

_WAYS: dict[str, Text] = {str(code): words for code, words in WAYS}
_TIMES: dict[str, Text] = {str(code): words for code, words in TIMES}
_OUTCOMES: dict[str, Text] = {str(code): words for code, words in OUTCOMES}


def contact_history(participant: Participant) -> list[Change]:
    """Who recorded which version of the contact data, and when; what they hold stands in no history."""
    keys = Contact.objects.filter(participant=participant).values_list("pk", flat=True)
    words = {"record_contact": _("Contact data recorded"), "number": _("version")}
    return lines(history_of(*(("participants_contact", key) for key in keys)), words)


def contact_facts(contact: Contact) -> list[tuple[str, Any]]:
    """The vault's page."""
    return [
        (_("Name"), contact.name),
        (_("Telephone"), contact.phone),
        (_("E-mail"), contact.email),
        (_("Address"), contact.address),
        (_("Date of birth"), contact.birth_date),
        (_("Preferred way"), _WAYS.get(contact.preferred_way, _("No preference"))),
        (_("Best time"), _TIMES.get(contact.best_time, _("Any time"))),
        (_("Contact person"), contact.contact_person),
        (_("Telephone of the contact person"), contact.contact_phone),
    ]


def version_words(contact: Contact) -> str:
    """Which version this is, when it was written and by whom."""
    who = names_of([contact.recorded_by]).get(contact.recorded_by, contact.recorded_by)
    return _("Version %(number)d, recorded by %(who)s.") % {"number": contact.number, "who": who}


def reading_table(rows: Iterable[ContactReading], *, csv_url: str = "", position: Page | None = None) -> Table:
    """Who opened whose contact data; no row names a participant."""
    listed = list(rows)
    names = names_of(row.reader for row in listed)
    columns = [Column(_("When")), Column(_("Who")), Column(_("Participant"), code=True), Column(_("Page"))]
    shown = [
        [row.at, names.get(row.reader, row.reader), grouped(row.participant.number), str(PAGES.get(row.page, row.page))]
        for row in listed
    ]
    empty = _("Each time that somebody opens contact data it is written down here.")
    return Table(columns, shown, empty=empty, csv_url=csv_url, page=position)


def attempt_table(attempts: Iterable[ContactAttempt]) -> Table:
    """Attempts for one visit, newest first."""
    listed = list(attempts)
    names = names_of(row.recorded_by for row in listed)
    columns = [Column(_("Day")), Column(_("Way")), Column(_("Outcome")), Column(_("Next step")), Column(_("By"))]
    rows: list[list[Any]] = [
        [
            row.day,
            str(_WAYS[row.way]),
            str(_OUTCOMES[row.outcome]),
            row.next_on,
            names.get(row.recorded_by, row.recorded_by),
        ]
        for row in listed
    ]
    return Table(columns, rows, caption=_("Attempts to reach the participant"), empty=_("Nobody has tried yet."))
