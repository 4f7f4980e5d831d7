"""Tables of the treatment side."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from trial.core.history.queries import names_of
from trial.core.ui.tables import Column, Link, Page, State, Table, shown
from trial.protocol.definition import Protocol, SessionsPlan
from trial.unblinded.sessions import queries
from trial.unblinded.sessions.models import Attendance, GroupSession, Member, TherapyGroup
from trial.unblinded.sessions.presenters.words import (
    Names,
    mark_words,
    member_label,
    module_names,
    session_state,
    state_of,
)
from trial.unblinded.sessions.queries import FidelityLine, PersonLine
from trial.unblinded.sessions.raters import Pair


def percent(part: int, whole: int) -> float | None:
    """A share in percent; nothing where there is nothing to take it of."""
    return 100 * part / whole if whole else None


def _count(label: str) -> Column:
    return Column(label, number=True, decimals=0)


def _name() -> Column:
    """Who a member is: on the page alone, in no file."""
    return Column(_("Name"), shows="participants_contact.name")


def group_state(group: TherapyGroup, today: dt.date) -> State:
    """Planned, under way or closed."""
    if group.closed_on is not None:
        return State("done", _("Closed"))
    return State("upcoming", _("Planned")) if group.opened_on > today else State("open", _("Under way"))


def group_table(
    groups: Sequence[TherapyGroup],
    plan: SessionsPlan,
    sites: Mapping[str, str],
    today: dt.date,
    *,
    csv_url: str = "",
    position: Page | None = None,
) -> Table:
    """Groups with trainers, members and sessions. Four queries, however many."""
    keys = [group.pk for group in groups]
    trainers, members = queries.trainers_of(keys), queries.active_counts(keys, today)
    held, last = queries.held_counts(keys), queries.last_days(keys)
    columns = [
        Column(_("Group"), code=True), Column(_("Name")), Column(_("Site")), Column(_("Trainers")), Column(_("State")),
        Column(_("Opened")), _count(_("Members")), _count(_("Sessions held")), Column(_("Last session")),
    ]  # fmt: skip
    rows = [
        [
            Link(group.code, reverse("treatment_group", args=[group.pk])), group.name, sites.get(group.site, group.site),
            ", ".join(user.full_name for user in trainers.get(group.pk, [])), group_state(group, today), group.opened_on,
            members.get(group.pk, 0), held.get(group.pk, 0), last.get(group.pk),
        ]
        for group in groups
    ]  # fmt: skip
    note = _("Plan: %(sessions)d sessions, every %(days)d days, at most %(size)d members.") % {
        "sessions": plan.planned_sessions, "days": plan.every_days, "size": plan.max_group_size,
    }  # fmt: skip
    empty = _("Groups appear here when the treatment coordinator of the site has made them.")
    return Table(columns, rows, empty=empty, csv_url=csv_url, page=position, note=note)


def member_table(
    members: Sequence[Member],
    lines: Mapping[uuid.UUID, PersonLine],
    names: Names,
    *,
    oversees: bool,
    may_change: bool,
) -> Table:
    """Members of a group with their sessions; names for who may know them. Arms and deviations are for those who oversee treatment."""
    columns = [
        Column(_("Participant"), code=True), *([_name()] if names else []),
        Column(_("Entered")), Column(_("Left")), _count(_("Attended")), _count(_("Offered")),
        *([Column(_("Note"))] if oversees else []), *([Column("")] if may_change else []),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for member in members:
        number, counts = member.allocation.participant.number, lines[member.allocation_id].counts
        name = member_label(member.allocation)
        row: list[Any] = [
            Link(name, reverse("treatment_person", args=[number])) if oversees else name,
            *([names.get(member.allocation.participant_id, "")] if names else []), member.entered_on, member.left_on, counts.attended, counts.offered,
        ]  # fmt: skip
        if oversees:
            row.append(State("blocked", _("Deviation")) if member.deviates else None)
        if may_change:
            row.append(Link(_("Change the days"), reverse("treatment_stay", args=[member.pk])))
        rows.append(row)
    return Table(
        columns, rows, caption=_("Members"), empty=_("People appear here when the treatment coordinator has placed them in this group."),
    )  # fmt: skip


def session_table(sessions: Sequence[GroupSession], plan: SessionsPlan, missing: Mapping[uuid.UUID, int]) -> Table:
    """Sessions of a group, newest first. ``missing``: members without a mark, by session. Two queries."""
    attended: dict[uuid.UUID, int] = {}
    asked: dict[uuid.UUID, int] = {}
    rows_of = Attendance.objects.filter(session__in=[one.pk for one in sessions]).exclude(
        mark=Attendance.Mark.NOT_OFFERED
    )
    for key, mark in rows_of.values_list("session_id", "mark"):
        asked[key] = asked.get(key, 0) + 1
        attended[key] = attended.get(key, 0) + (mark == Attendance.Mark.ATTENDED)
    columns = [
        Column(_("Date")), Column(_("State")), Column(_("Modules")), Column(_("Length"), number=True, decimals=0, unit=_("min")),
        _count(_("Attended")), _count(_("Offered")), Column(_("Attendance")),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for one in sessions:
        held = one.state == GroupSession.State.HELD
        left = missing.get(one.pk, 0)
        rows.append(
            [
                Link(shown(one.day), reverse("treatment_session", args=[one.pk])), session_state(one), module_names(one.modules, plan), one.minutes,
                attended.get(one.pk, 0) if held else None, asked.get(one.pk, 0) if held else None,
                State("due", _("%(count)d open") % {"count": left}) if left else State("done", _("complete")) if held else None,
            ]
        )  # fmt: skip
    return Table(
        columns, rows, caption=_("Sessions"), empty=_("Sessions appear here when a trainer of the group has recorded them."),
    )  # fmt: skip


def attendance_table(rows: Iterable[Attendance], missing: Iterable[Member], names: Names, *, oversees: bool) -> Table:
    """Everybody at one session: members, guests, and members without a mark; names for who may know them."""
    columns = [
        Column(_("Participant"), code=True), *([_name()] if names else []), Column(_("Attendance")), Column(_("Note")),
    ]  # fmt: skip

    def person(one: Attendance | Member) -> list[Any]:
        name = [names.get(one.allocation.participant_id, "")] if names else []
        return [member_label(one.allocation), *name]

    kinds = {Attendance.Mark.ATTENDED: "done", Attendance.Mark.ABSENT: "missed", Attendance.Mark.NOT_OFFERED: "info"}
    listed: list[list[Any]] = []
    for row in rows:
        notes = [_("guest")] if row.guest else []
        if oversees and row.deviates:
            notes.append(_("deviation: no program in this arm"))
        state = State(kinds[Attendance.Mark(row.mark)], mark_words(row.mark, row.reason))
        listed.append([*person(row), state, ", ".join(notes)])
    listed += [[*person(member), State("due", _("Not recorded")), ""] for member in missing]
    return Table(columns, listed, caption=_("Attendance"), empty=_("Nobody belonged to the group on this day."))


def people_table(
    lines: Sequence[PersonLine],
    protocol: Protocol,
    plan: SessionsPlan,
    today: dt.date,
    *,
    csv_url: str = "",
    position: Page | None = None,
) -> Table:
    """Everybody allocated, with exposure and where they are. What needs attention first is the caller's order."""
    names = {arm.code: arm.name for arm in protocol.arms}
    columns = [
        Column(_("Participant"), code=True), Column(_("Arm")), Column(_("State")), Column(_("Told")), Column(_("Group"), code=True),
        _count(_("Attended")), _count(_("Offered")), _count(_("Held")),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for line in lines:
        counts = line.counts
        rows.append(
            [
                Link(member_label(line.allocation), reverse("treatment_person", args=[line.allocation.participant.number])),
                names.get(line.allocation.arm, line.allocation.arm), state_of(line, today), line.told.told_on if line.told else None,
                line.group.code if line.group else None,
                *([counts.attended, counts.offered, counts.held] if line.is_offered or line.deviates else [None] * 3),
            ]
        )  # fmt: skip
    note = _("Planned for each person: %(count)d sessions. Held: by the person's last group, until the program ended.") % {
        "count": plan.planned_sessions
    }  # fmt: skip
    empty = _("People appear here when they have been randomized.")
    return Table(columns, rows, empty=empty, csv_url=csv_url, page=position, note=note)


def rater_table(pairs: Iterable[Pair], sites: Mapping[str, str]) -> Table:
    """Clinician-raters whose name is that of a therapist's account."""
    columns = [
        Column(_("Name")), Column(_("Account of the rater"), code=True), Column(_("Rates at")),
        Column(_("Account of the therapist"), code=True), Column(_("Trains or trained"), code=True),
    ]  # fmt: skip
    rows: list[list[Any]] = [
        [
            pair.rater.full_name, pair.rater.username, ", ".join(sites.get(site, site) for site in pair.sites),
            pair.therapist.username, ", ".join(pair.groups),
        ]
        for pair in pairs
    ]  # fmt: skip
    empty = _("No clinician-rater bears the name of a therapist. If one does, both accounts stand here.")
    return Table(columns, rows, empty=empty)


@dataclass
class GroupCounts:
    """One group's attendance and completion, over everybody whose last group it is."""

    people: int = 0
    attended: int = 0
    offered: int = 0
    ended: int = 0
    completed: int = 0


def counts_by_group(lines: Iterable[PersonLine]) -> dict[uuid.UUID, GroupCounts]:
    """Attendance and completion by group."""
    found: dict[uuid.UUID, GroupCounts] = {}
    for line in lines:
        if line.group is None:
            continue
        one = found.setdefault(line.group.pk, GroupCounts())
        one.people += 1
        one.attended += line.counts.attended
        one.offered += line.counts.offered
        if line.completion is not None:
            one.ended += 1
            one.completed += line.completion.completed
    return found


def attendance_by_group(lines: Sequence[PersonLine], rule_words: str, *, link: bool) -> Table:
    """The table of the panel: attendance and completion by group. ``link``: to the groups, for who may open them."""
    counts = counts_by_group(lines)
    groups = {line.group.pk: line.group for line in lines if line.group is not None}
    held = queries.held_counts(groups)
    columns = [
        Column(_("Group"), code=True), _count(_("People")), _count(_("Sessions held")), _count(_("Attended")), _count(_("Offered")),
        Column(_("Attended"), number=True, decimals=1, unit="%"), _count(_("Programs ended")), _count(_("Completed")),
    ]  # fmt: skip
    rows = []
    for key, group in sorted(groups.items(), key=lambda pair: pair[1].code):
        one = counts[key]
        share = percent(one.attended, one.offered)
        name = Link(group.code, reverse("treatment_group", args=[key])) if link else group.code
        rows.append([name, one.people, held.get(key, 0), one.attended, one.offered, share, one.ended, one.completed])
    empty = _("Groups are counted here when people have been placed in them.")
    return Table(columns, rows, caption=_("Attendance and completion by group"), empty=empty, note=rule_words)


def fidelity_state(line: FidelityLine) -> State:
    """How far the rating of a group is."""
    if line.consensus is not None:
        return State("done", _("Consensus"))
    if line.is_rated:
        return State("due", _("Consensus to reach"))
    signed = sum(rating.signed_at is not None for rating in line.ratings)
    if line.ratings:
        return State("waiting", _("%(signed)d of %(all)d signed") % {"signed": signed, "all": line.scale.raters})
    return State("upcoming", _("Not rated"))


def fidelity_table(lines: Sequence[FidelityLine], *, link: bool, csv_url: str = "") -> Table:
    """Groups by scale: state, raters, score and band of the consensus. Whose rating says what is not here."""
    names = names_of(rating.rater for line in lines for rating in line.ratings)
    columns = [
        Column(_("Group"), code=True), Column(_("Scale")), Column(_("State")), Column(_("Raters")),
        Column(_("Score"), number=True, decimals=2), Column(_("Band")), Column(_("Reached")),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for line in lines:
        bands = {band.code: band.name for band in line.scale.bands}
        url = reverse("fidelity_group", args=[line.group.pk, line.scale.code])
        agreed = line.consensus
        rows.append(
            [
                Link(line.group.code, url) if link else line.group.code, line.scale.name, fidelity_state(line),
                ", ".join(names.get(rating.rater, rating.rater) for rating in line.ratings),
                agreed.score if agreed else None, bands.get(agreed.band, agreed.band) if agreed else None,
                agreed.reached_at.date() if agreed else None,
            ]
        )  # fmt: skip
    empty = _("Groups appear here when the treatment coordinator of a site has made them.")
    return Table(columns, rows, empty=empty, csv_url=csv_url)


def stay_table(members: Sequence[Member]) -> Table:
    """The places of one person in groups, the latest first."""
    columns = [Column(_("Group")), Column(_("Name")), Column(_("Entered on")), Column(_("Left on")), Column(_("State"))]
    rows = [
        [
            Link(one.group.code, reverse("treatment_group", args=[one.group_id])), one.group.name, one.entered_on, one.left_on,
            State("blocked", _("Deviation")) if one.deviates else "",
        ]
        for one in reversed(members)
    ]  # fmt: skip
    return Table(columns, rows, caption=_("Groups"))
