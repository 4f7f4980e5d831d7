"""The ledger and the reports in words, and the work of the independent statistician at the gate."""

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core.access import Person
from trial.core.access.roles import BY_CODE, IndependentStatistician
from trial.core.history.queries import names_of
from trial.core.models import ANY_SITE
from trial.core.ui.tables import Column, Link, Page, Table, as_csv, grouped
from trial.core.ui.text import Text
from trial.core.ui.work import WorkItem, WorkList
from trial.participants.contact.presenters import PAGES
from trial.participants.models import Participant, UnblindingReport
from trial.participants.queries import unblinding_request
from trial.participants.wording import CERTAINTIES, SOURCES
from trial.protocol.definition import Protocol
from trial.unblinded.disclosure.ledger import KINDS, Line
from trial.unblinded.disclosure.queries import planned_unblinding

NOTED: dict[str, Text] = {
    "allocation opened": gettext_lazy("Allocation of a participant opened"),
    "allocation list opened": gettext_lazy("List of allocations opened"),
    "allocation export taken": gettext_lazy("Revealed sequence taken"),
    "concealment monitor opened": gettext_lazy("Concealment monitor opened"),
    "contingency slots opened": gettext_lazy("Contingency slots opened"),
    "contingency slot released": gettext_lazy("Contingency slot released"),
    "treatment list opened": gettext_lazy("List of treatment opened"),
    "treatment of a participant opened": gettext_lazy("Treatment of a participant opened"),
    "unblinding reports opened": gettext_lazy("Reports of unblinding opened"),
    "history opened": gettext_lazy("History of this side opened"),
    "redaction opened": gettext_lazy("Text to be redacted opened"),
    "flow by arm opened": gettext_lazy("Flow by arm opened"),
    "guesses by arm opened": gettext_lazy("Guesses by arm opened"),
    "serious events opened": gettext_lazy("List of serious events opened"),
    "serious event opened": gettext_lazy("Serious event of a participant opened"),
    "serious events by arm opened": gettext_lazy("Serious events by arm opened"),
    "code broken": gettext_lazy("Code of a participant broken"),
    "code-break refused": gettext_lazy("Code-break refused: no such participant, or no arm yet"),
    "reason of a code-break given": gettext_lazy("Reason of a code-break given"),
    "hand-over ordered": gettext_lazy("Hand-over to another interviewer ordered"),
    "planned unblinding confirmed": gettext_lazy("Planned unblinding confirmed"),
    "comparative run started": gettext_lazy("Comparative analysis started"),
    "comparative extract taken": gettext_lazy("Table of arms of a comparative analysis taken"),
    "comparative result opened": gettext_lazy("Comparative result opened"),
    "look asked for": gettext_lazy("Look before the end asked for"),
    "look begun": gettext_lazy("Look before the end begun"),
    "look opened": gettext_lazy("Result of a look opened"),
    "recommendation signed": gettext_lazy("Recommendation after a look signed"),
    "recommendation released": gettext_lazy("Recommendation released to the team"),
    "result released": gettext_lazy("Result released"),
    "report by arm asked for": gettext_lazy("Report by arm asked for"),
    "closed report opened": gettext_lazy("Closed report opened"),
    "final report opened": gettext_lazy("Final report opened"),
}
"""What somebody came to know, by the text that the ledger keeps."""
DIGEST, KEY = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f-]{36}")
NUMBER = re.compile(r"\d{8}")


def ledger_table(
    listed: Sequence[Line],
    protocol: Protocol | None,
    *,
    csv_url: str = "",
    position: Page | None = None,
    filtered_url: str = "",
    most: int = 0,
) -> Table:
    """Who came to know what: roles from when to when, everything else with its moment. ``most``: so many participants a line, 0: all."""
    names = names_of(line.actor for line in listed)
    columns = [
        Column(_("From")), Column(_("Until")), Column(_("Who")), Column(_("Kind")), Column(_("What")), Column(_("About")),
        Column(_("In words")),
    ]  # fmt: skip
    shown = [
        [
            line.at, line.until or (_("still") if line.kind == "role" else None), names.get(line.actor, line.actor),
            str(KINDS[line.kind]), _what(line), _about(line, protocol, most), line.words,
        ]
        for line in listed
    ]  # fmt: skip
    empty = _("Nothing behind the wall has been opened yet.")
    return Table(
        columns, shown, caption=_("Ledger"), empty=empty, csv_url=csv_url, page=position, filtered_url=filtered_url
    )


def _what(line: Line) -> str:
    if line.kind == "role":
        return str(BY_CODE[line.what].title) if line.what in BY_CODE else line.what
    if line.kind == "names":
        return str(PAGES.get(line.what, line.what.replace("_", " ").capitalize()))
    return str(NOTED.get(line.what, line.what))


def _about(line: Line, protocol: Protocol | None, most: int) -> str:
    if line.kind == "role" and not line.about:
        return _("all sites")
    if most and len(line.participants) > most:
        return _("%(n)d participants") % {"n": len(line.participants)}
    return about(line.about, protocol)


def people_in(listed: Iterable[Line]) -> list[tuple[str, str]]:
    """Whom the ledger names, by name, for its filter."""
    names = names_of(line.actor for line in listed)
    return sorted(names.items(), key=lambda pair: (pair[1], pair[0]))


def page_hash(table: Table) -> str:
    """SHA-256 of the lines as the CSV gives them: two prints of the same lines carry the same."""
    return hashlib.sha256(as_csv(table).encode()).hexdigest()


def about(subject: str, protocol: Protocol | None) -> str:
    """What an entry is about, in words: sites, a study number, an analysis, an outcome. Of digests and keys the first letters."""
    sites = {site.code: site.name for site in protocol.sites} if protocol else {}
    scales = {s.code: s.name for i in protocol.instruments for s in i.scales} if protocol else {}
    said = []
    for part in re.split("[ ,]", subject):
        if part == ANY_SITE:
            said.append(_("all sites"))
        elif NUMBER.fullmatch(part):
            said.append(grouped(part))
        elif DIGEST.fullmatch(part):
            said.append(_("SHA-256 %(digest)s …") % {"digest": part[:16]})
        elif KEY.fullmatch(part):
            said.append(_("analysis %(key)s") % {"key": part[:8]})
        else:
            said.append(sites.get(part) or scales.get(part) or part)
    return ", ".join(said)


def report_table(
    rows: Iterable[UnblindingReport],
    people: Mapping[uuid.UUID, Participant],
    protocol: Protocol | None,
    position: Page | None = None,
    handovers: Mapping[uuid.UUID, Link | str | None] | None = None,
) -> Table:
    """Reports "I was told the arm"; ``handovers``: what followed each."""
    listed = list(rows)
    names = names_of(row.reported_by for row in listed)
    arms = {arm.code: arm.name for arm in protocol.arms} if protocol else {}
    visits = {visit.code: visit.name for visit in protocol.visits} if protocol else {}
    sources = dict(SOURCES)
    columns = [
        Column(_("When")), Column(_("Participant"), code=True), Column(_("Visit")), Column(_("How they learned it")),
        Column(_("Believed arm")), Column(_("Certainty")), Column(_("In words")), Column(_("Reported by")),
        Column(_("Hand-over")),
    ]  # fmt: skip
    shown = [
        [
            row.reported_at, grouped(people[row.participant_id].number) if row.participant_id in people else "",
            visits.get(row.visit, row.visit) or _("outside a visit"), str(sources.get(row.source, row.source)),
            arms.get(row.believed_arm, row.believed_arm) or _("does not know"), certainty_words(row.certainty), row.words,
            names.get(row.reported_by, row.reported_by), (handovers or {}).get(row.pk),
        ]
        for row in listed
    ]  # fmt: skip
    return Table(columns, shown, empty=_("Reports appear here when an assessor was told the arm."), page=position)


def certainty_words(certainty: int | None) -> str | None:
    """How sure the assessor is, "4 of 5"; the ends of the scale with their words."""
    if certainty is None:
        return None
    said = _("%(n)d of %(all)d") % {"n": certainty, "all": max(CERTAINTIES)}
    words = str(CERTAINTIES[certainty])
    return said if words.isdecimal() else f"{said}: {words.lower()}"


def work_for(person: Person) -> list[WorkList]:
    """The sponsor's request, while it waits for confirmation."""
    if not person.holds(IndependentStatistician):
        return []
    asked = unblinding_request()
    if asked is None or planned_unblinding() is not None:
        return []
    item = WorkItem(
        _("Confirm planned unblinding"),
        reverse("planned_unblinding"),
        asked.signature["name"],
        "due",
        asked.requested_at.date(),
    )
    return [WorkList(_("Planned unblinding"), [item], after_lock=True)]
