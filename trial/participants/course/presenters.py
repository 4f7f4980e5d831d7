"""What pages show of withdrawals, transfers and deaths."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core import side
from trial.core.access import Person
from trial.core.access.roles import ClinicianRater, DataManager, Investigator, Monitor
from trial.core.declassified import SITE_STAFF
from trial.core.history.queries import names_of
from trial.core.ui.addresses import here
from trial.core.ui.tables import Column, Link, State, Table, grouped
from trial.core.ui.work import WorkItem, WorkList
from trial.participants import queries
from trial.participants.events import presenters as events
from trial.participants.events.queries import in_force
from trial.participants.models import Consent, Death, Participant, Transfer
from trial.participants.presenters import READERS
from trial.participants.rules import COORDINATORS, DECIDERS, SITE_ROLES, coordinates_blind, may_follow
from trial.participants.wording import STEPS
from trial.protocol.definition import Protocol
from trial.protocol.queries import current

OVERSEERS = (DataManager, Monitor, Investigator)

STOPS = {
    queries.INTERVIEWS: gettext_lazy(
        "Interviews: nobody is called or interviewed any more; the visits are shown as withdrawn."
    ),
    queries.RECORDS: gettext_lazy("Records: no more admissions are looked up."),
    queries.CLINICIAN: gettext_lazy("Clinician: no more forms are asked of the clinician."),
    queries.SHARING: gettext_lazy("Further use: the data are left out of what is given to other researchers."),
}
"""What stops when a part is withdrawn, by the code of the part."""
OTHERWISE = gettext_lazy("The tasks that need this part.")

STANDS = {
    Death.Step.REPORTED: ("waiting", gettext_lazy("Death reported, to be confirmed")),
    Death.Step.CONFIRMED: ("info", gettext_lazy("Died")),
}


def part_state(decisions: list[Consent]) -> State:
    """Where one part of the consent stands; ``decisions`` in their order."""
    if not decisions:
        return State("open", _("Not asked"))
    if decisions[-1].given:
        return State("done", _("Given again") if any(not one.given for one in decisions) else _("Given"))
    return State("cancelled", _("Withdrawn") if any(one.given for one in decisions) else _("Not given"))


def part_table(participant: Participant, protocol: Protocol, decisions: list[Consent], *, may_change: bool) -> Table:
    """The parts of the consent: where each stands, since when, and what its withdrawal stops."""
    reasons = {one.code: one.text for one in protocol.reasons.withdrawal}
    columns = [
        Column(_("Part")),
        Column(_("State")),
        Column(_("Since")),
        Column(_("Reason")),
        Column(_("A withdrawal stops")),
        *([Column("")] if may_change else []),
    ]
    rows: list[list[Any]] = []
    is_open = queries.lock() is None
    for part in protocol.consent_parts:
        mine = [one for one in decisions if one.part == part.code]
        last = mine[-1] if mine else None
        withdrawn = last is not None and not last.given and any(one.given for one in mine)
        reason = (reasons.get(last.reason, last.reason) or _("No reason given")) if last and withdrawn else None
        row: list[Any] = [
            part.name,
            part_state(mine),
            last.signed_on if last else None,
            reason,
            str(STOPS.get(part.code, OTHERWISE)),
        ]
        if may_change:
            words = _("Withdraw") if last and last.given else _("Consents again") if is_open else ""
            row.append(Link(words, reverse("withdraw", args=[participant.number, part.code])) if words else None)
        rows.append(row)
    note = _(
        "What was collected lawfully before stays. Withdrawal from treatment is no matter of this side of the trial."
    )
    return Table(columns, rows, caption=_("Parts of the consent"), note=note)


def death_facts(steps: list[Death]) -> list[tuple[str, Any]]:
    """Every step of the reports of one person, with author and time."""
    names = names_of(one.recorded_by for one in steps)
    facts: list[tuple[str, Any]] = []
    for one in steps:
        who = _("site staff") if one.recorded_by == SITE_STAFF else names.get(one.recorded_by, one.recorded_by)
        facts += [(str(STEPS[one.step]), one.recorded_at), (_("By"), who)]
    if steps and steps[-1].day:
        facts.append((_("Day of death"), steps[-1].day))
    return facts


def death_state(steps: list[Death]) -> State | None:
    """What is known of a death, None while nobody reported one or the report was wrong."""
    if not steps or steps[-1].step == Death.Step.REJECTED:
        return None
    kind, words = STANDS[Death.Step(steps[-1].step)]
    return State(kind, words)


def deaths_to_confirm(person: Person, mine: frozenset[Any] = frozenset()) -> WorkList | None:
    """Reports of death that wait for this person; ``mine``: keys of the reports that this person made, as the unblinded side knows."""
    if not person.holds(*DECIDERS):
        return None
    items = [
        WorkItem(
            _("Confirm the death of participant %(number)s") % {"number": grouped(row.participant.number)},
            here("death_decide", row.participant.number),
            _("Reported by a colleague; nobody is reminded of this person any more"),
            "due",
            row.recorded_at.date(),
        )
        for row in queries.deaths_to_decide()
        if row.recorded_by != person.actor_id and row.pk not in mine and person.holds(*DECIDERS, site=row.site_id)
    ]
    return WorkList(
        _("Deaths to confirm"), items, empty=_("A death that a colleague reports appears here."), after_lock=True
    )


def links_to(person: Person, participant: Participant, *, at: str = "participant") -> list[tuple[str, str]]:
    """Where this person goes on from a participant; ``at`` is the name of the page's own address. What would be refused is not there.

    Of who died there is nobody to reach, and nothing to change; what was collected stays readable.
    """
    site, number = participant.site_id, participant.number
    is_alive, follows = not queries.died([participant.pk]), may_follow(person, participant)
    moves = is_alive and coordinates_blind(person, current().site(site)) and queries.lock() is None
    ways: list[tuple[bool, str, str]] = [
        (person.holds(*READERS), _("Way in and consent"), "participant"),
        (follows or person.holds(ClinicianRater, DataManager, Monitor, site=site), _("Visits"), "participant_visits"),
        (is_alive and follows, _("Contact data"), "contact"),
        (follows or person.holds(*OVERSEERS), _("Consent and withdrawal"), "withdrawals"),
        (moves, _("Transfer to another team"), "transfer"),
        (is_alive and person.holds(*SITE_ROLES, site=site), _("This participant has died"), "death"),
        *events.links_to(person, participant, is_open=is_alive and queries.lock() is None),
    ]
    lists: list[tuple[bool, str, str]] = [
        (person.holds(DataManager, Monitor), _("Forms"), "records"),
        (
            person.holds(*COORDINATORS, DataManager, Monitor) and side.current() != side.UNBLINDED,
            _("Queries"),
            "data_queries",
        ),
        (person.holds(*OVERSEERS), _("Readings of contact data"), "readings"),
    ]
    links = [(words, here(name, number)) for opens, words, name in ways if opens and name != at]
    return links + [(words, f"{reverse(name)}?participant={number}") for opens, words, name in lists if opens]


def standing(participant: Participant, person: Person) -> dict[str, Any]:
    """What the page of a participant says of the course: death, teams, serious events, and where this person goes on from there."""
    steps, moves = queries.death_steps(participant.pk), queries.transfers_of(participant.pk)
    happened = list(in_force().filter(participant=participant))
    return {
        "death": death_state(steps),
        "steps": death_facts(steps),
        "links": links_to(person, participant),
        "transfers": transfer_table(participant, moves) if moves else None,
        "events": events.event_table(happened) if happened else None,
        "rows": [
            *(("participants_death", one.pk) for one in steps),
            *(("participants_transfer", one.pk) for one in moves),
        ],
    }


def transfer_table(participant: Participant, moves: list[Transfer]) -> Table:
    """The teams of one participant, since when."""
    first: list[Any] = [participant.team.name, participant.site.name, participant.registered_at.date()]
    rows = [first, *([one.team.name, one.team.site.name, one.effective_on] for one in moves)]
    columns = [Column(_("Team")), Column(_("Institution")), Column(_("In care there since"))]
    note = _(
        "The stratum as randomized stays, and the institution that included the participant goes on following them."
    )
    return Table(columns, rows, note=note)


def work_for(person: Person) -> list[WorkList]:
    """Deaths that wait for a second person, on the open side."""
    if side.current() != side.OPEN:
        return []
    waiting = deaths_to_confirm(person)
    return [waiting] if waiting else []
