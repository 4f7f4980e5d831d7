"""What pages show of participants, and the work that waits for a coordinator."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core import side
from trial.core.access import Person
from trial.core.access.roles import DataManager, Investigator, Monitor, Sponsor, UnblindedCoordinator
from trial.core.ui.addresses import here
from trial.core.ui.tables import Column, Link, Page, State, Table, grouped
from trial.core.ui.work import WorkItem, WorkList
from trial.participants import queries
from trial.participants.forms import SEXES
from trial.participants.models import Participant, RandomizationRequest, ScreeningEntry
from trial.participants.rules import COORDINATORS
from trial.protocol.definition import Protocol
from trial.protocol.models import Team
from trial.protocol.queries import current

SEX_WORDS = dict(SEXES)

READERS = (*COORDINATORS, DataManager, Monitor, Investigator)
"""Who opens the pages of a participant's way in, each on the side where they work."""

OUTCOMES = {
    "in_screening": ("open", gettext_lazy("In screening")),
    "eligible": ("due", gettext_lazy("Eligible")),
    "excluded": ("info", gettext_lazy("Excluded")),
    "declined": ("info", gettext_lazy("Declined")),
    "registered": ("done", gettext_lazy("Registered")),
}


STATES = {
    "baseline": gettext_lazy("Baseline"),
    "ready": gettext_lazy("Ready to randomize"),
    "randomized": gettext_lazy("Randomized"),
    "died": gettext_lazy("Died"),
}
"""States of a participant that a list can be filtered by."""


def crumbs_to(person: Person, participant: Participant, *more: str) -> list[tuple[str, str]]:
    """The way to a page about one participant, by the station that this person has."""
    number = participant.number
    if side.current() == side.UNBLINDED and not person.holds(UnblindedCoordinator):
        steps = [(_("Participants"), reverse("people")), (grouped(number), reverse("person", args=[number]))]
    elif person.holds(*READERS):
        steps = [(_("Participants"), here("participants")), (grouped(number), here("participant", number))]
    else:
        steps = [(_("Work"), reverse("home")), (grouped(number), reverse("participant_visits", args=[number]))]
    return [*steps, *((name, "") for name in more)]


def state_of(participant: Participant, has_died: bool = False) -> State:
    """Where a participant is on the way in; the same words for every arm."""
    if has_died:
        return State("info", _("Died"))
    if participant.randomized_at is not None:
        return State("done", _("Randomized"))
    if participant.baseline_completed_at is not None:
        return State("due", _("Ready to randomize"))
    return State("open", _("Baseline"))


def participant_table(
    participants: list[Participant],
    teams: Mapping[uuid.UUID, Team],
    *,
    has_died: bool = False,
    csv_url: str = "",
    position: Page | None = None,
) -> Table:
    """Participants with their state and the team that treats them now."""
    columns = [
        Column(_("Participant"), code=True), Column(_("Team")), Column(_("Registered")), Column(_("State")), Column(_("Randomized")),
    ]  # fmt: skip
    rows = [
        [
            Link(grouped(p.number), here("participant", p.number)), teams[p.pk].name, p.registered_at.date(), state_of(p, has_died),
            p.randomized_at.date() if p.randomized_at else None,
        ]
        for p in participants
    ]  # fmt: skip
    return Table(
        columns,
        rows,
        empty=_("Participants appear here when they have been registered."),
        csv_url=csv_url,
        page=position,
    )


def screening_table(
    entries: list[ScreeningEntry],
    protocol: Protocol,
    later: Mapping[uuid.UUID, uuid.UUID],
    *,
    csv_url: str = "",
    position: Page | None = None,
) -> Table:
    """The screening log. No row names anybody. ``later``: the entry of those who were screened again."""
    reasons = reason_texts(protocol)
    columns = [
        Column(_("Month")),
        Column(_("Team")),
        Column(_("Age")),
        Column(_("Sex")),
        Column(_("Outcome")),
        Column(_("Reason")),
        Column(_("Linked to")),
        Column(""),
    ]
    rows: list[list[Any]] = []
    for entry in entries:
        kind, words = OUTCOMES[entry.outcome]
        open_it = Link(_("Open"), here("screening_entry", entry.pk))
        month = entry.month.strftime("%b %Y")
        rows.append(
            [
                month,
                entry.team.name,
                entry.age_band,
                str(SEX_WORDS.get(entry.sex, entry.sex)),
                State(kind, words),
                reasons.get(entry.reason, entry.reason),
                _linked(entry, later),
                open_it,
            ]
        )
    return Table(
        columns,
        rows,
        empty=_("Everybody who is considered for the trial stands here, without a name."),
        csv_url=csv_url,
        page=position,
    )


def _linked(entry: ScreeningEntry, later: Mapping[uuid.UUID, uuid.UUID]) -> Link | None:
    if entry.pk in later:
        return Link(_("later entry"), here("screening_entry", later[entry.pk]))
    if entry.previous_id is not None:
        return Link(_("earlier entry"), here("screening_entry", entry.previous_id))
    return None


def reason_texts(protocol: Protocol) -> dict[str, str]:
    """The words of each reason code."""
    texts = {c.code: c.text for c in protocol.criteria}
    return texts | {r.code: r.text for r in (*protocol.reasons.exclusion, *protocol.reasons.decline)}


def work_for(person: Person) -> list[WorkList]:
    """What waits for the coordinator, the data manager and the sponsor."""
    lists: list[WorkList] = []
    if person.holds(*COORDINATORS):
        lists += [_to_randomize(), _to_finish()]
    if person.holds(DataManager):
        lists += _data_manager()
    if person.holds(Sponsor):
        lists += _sponsor()
    return lists


def _to_randomize() -> WorkList:
    waiting = dict(RandomizationRequest.objects.filter(state="waiting").values_list("participant_id", "requested_at"))
    ready = queries.participants().filter(baseline_completed_at__isnull=False, randomized_at=None)
    consenting = _consenting(list(ready[:100]))
    items = [
        WorkItem(
            _("Randomize participant %(number)s") % {"number": grouped(p.number)},
            here("participant", p.number),
            _("Asked for; the answer is under way") if p.pk in waiting else p.team.name,
            "waiting" if p.pk in waiting else "due",
            p.baseline_completed_at.date() if p.baseline_completed_at else None,
        )
        for p in consenting
    ]
    return WorkList(_("To randomize"), items, empty=_("Participants appear here when their baseline is complete."))


def _consenting(people: list[Participant]) -> list[Participant]:
    """Those who have not withdrawn from a part without which nobody is randomized."""
    if not people:
        return []
    required = frozenset(part.code for part in current().consent_parts if part.required)
    given = queries.parts_in_force(p.pk for p in people)
    return [p for p in people if required <= given.get(p.pk, frozenset())]


def _to_finish() -> WorkList:
    entries = queries.screening_log().filter(
        outcome__in=[ScreeningEntry.Outcome.IN_SCREENING, ScreeningEntry.Outcome.ELIGIBLE]
    )
    items = [
        WorkItem(
            _("Register the person screened in %(team)s") % {"team": e.team.name}
            if e.outcome == ScreeningEntry.Outcome.ELIGIBLE
            else _("Finish screening in %(team)s") % {"team": e.team.name},
            here("screening_entry", e.pk),
            f"{e.age_band}, {SEX_WORDS.get(e.sex, e.sex)}",
            "due" if e.outcome == ScreeningEntry.Outcome.ELIGIBLE else "waiting",
            e.created_at.date(),
        )
        for e in entries[:100]
    ]
    return WorkList(_("Screening under way"), items, empty=_("Nobody is in screening."))


def _data_manager() -> list[WorkList]:
    items = [
        WorkItem(
            _("Answer is missing for participant %(number)s") % {"number": grouped(r.participant.number)},
            reverse("participant", args=[r.participant.number]), _("Randomization was asked for"), "waiting", r.requested_at.date(),
        )
        for r in queries.waiting_requests().select_related("participant")[:50]
    ]  # fmt: skip
    return [WorkList(_("Waiting for the allocator"), items, empty=_("No request is waiting."))]


def _sponsor() -> list[WorkList]:
    if queries.lock() is None or queries.unblinding_request() is not None:
        return []
    item = WorkItem(_("Ask for planned unblinding"), reverse("request_unblinding"), _("The database is locked"), "due")
    return [WorkList(_("After the lock"), [item], after_lock=True)]


def entry_links(
    entry: ScreeningEntry, participant: Participant | None, later: uuid.UUID | None
) -> list[tuple[str, Link]]:
    """Where an entry leads: who was registered from it, and other screenings of the same person."""
    links = []
    if participant is not None:
        links.append((_("Registered as"), Link(participant.number, here("participant", participant.number))))
    if entry.previous_id:
        links.append((_("Earlier screening"), Link(_("Entry"), here("screening_entry", entry.previous_id))))
    if later:
        links.append((_("Later screening"), Link(_("Entry"), here("screening_entry", later))))
    return links
