"""Serious events in words, behind the wall; their count by arm; and the narratives that are missing."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from trial.core import side
from trial.core.access import Person
from trial.core.history.presenters import lines
from trial.core.history.queries import names_of
from trial.core.ui.parts import Change
from trial.core.ui.tables import Column, Link, Page, State, Table, grouped
from trial.core.ui.text import Text
from trial.core.ui.work import WorkItem, WorkList
from trial.participants.events import presenters as open_side
from trial.participants.events.models import Kind
from trial.participants.events.queries import rows_of
from trial.participants.queries import died
from trial.protocol.definition import Protocol
from trial.unblinded.disclosure.queries import true_history
from trial.unblinded.events.actions import WRITERS
from trial.unblinded.events.counts import Happened, by_arm
from trial.unblinded.events.models import EventNarrative, Expectedness, Relatedness
from trial.unblinded.events.queries import EventLine, event_lines

HISTORY: dict[str, Text] = {
    **open_side.HISTORY_WORDS,
    "write_narrative": gettext_lazy("Narrative of a serious event written"),
    "words": gettext_lazy("what happened"),
    "relatedness": gettext_lazy("related to the treatment"),
    "expectedness": gettext_lazy("expected"),
    **{f"relatedness:{code}": words for code, words in Relatedness.choices},
    **{f"expectedness:{code}": words for code, words in Expectedness.choices},
}
LEFT_OUT = (
    "site",
    "site_id",
    "participant_id",
    "allocation_id",
    "recorded_at",
    "recorded_by",
    "written_at",
    "written_by",
    "event",
    "number",
)


def narrative_state(line: EventLine) -> State:
    """Whether the narrative is there."""
    return State("done", _("Written")) if line.narrative else State("due", _("Missing"))


def judged(line: EventLine) -> tuple[str | None, str | None]:
    """Relatedness and expectedness in words, None before there is a narrative."""
    if line.narrative is None:
        return None, None
    return (
        str(Relatedness(line.narrative.relatedness).label),
        str(Expectedness(line.narrative.expectedness).label),
    )


def event_table(
    found: Sequence[EventLine], *, csv_url: str = "", position: Page | None = None, filtered_url: str = ""
) -> Table:
    """The serious events of people who were randomized, with the state of the narrative."""
    columns = [
        Column(_("Participant"), code=True), Column(_("Kind")), Column(_("Began")), Column(_("Outcome")), Column(_("Narrative")),
        Column(_("Related")), Column(_("Expected")),
    ]  # fmt: skip
    rows = [
        [
            Link(grouped(one.event.participant.number), reverse("event", args=[one.event.key])), open_side.kind_words(one.event),
            one.event.began_on, open_side.outcome_state(one.event), narrative_state(one), *judged(one),
        ]
        for one in found
    ]  # fmt: skip
    empty = _("Serious events of randomized people appear here when they have been reported, on either side.")
    return Table(
        columns,
        rows,
        empty=empty,
        csv_url=csv_url,
        page=position,
        filtered_url=filtered_url,
    )


def event_facts(line: EventLine, protocol: Protocol) -> list[tuple[str, Any]]:
    """One event with the arm, and how it is judged."""
    arms = {arm.code: arm.name for arm in protocol.arms}
    related, expected = judged(line)
    return [
        (_("Kind"), open_side.kind_words(line.event)),
        (_("Began"), line.event.began_on),
        (
            _("Outcome"),
            _("reported by mistake") if line.event.void else str(open_side.outcome_state(line.event)),
        ),
        (_("Team"), line.event.participant.team.name),
        (_("Arm"), arms.get(line.allocation.arm, line.allocation.arm)),
        (_("Randomized"), line.allocation.allocated_at),
        (_("Related to the treatment"), related or _("not judged yet")),
        (_("Expected"), expected or _("not judged yet")),
    ]


def narrative_table(told: Sequence[EventNarrative]) -> Table:
    """Every narrative of one event, the one that counts first."""
    names = names_of(one.written_by for one in told)
    columns = [
        Column(_("Written")), Column(_("By")), Column(_("What happened")), Column(_("Related")), Column(_("Expected")),
    ]  # fmt: skip
    rows = [
        [
            one.written_at, names.get(one.written_by, one.written_by), one.words,
            str(Relatedness(one.relatedness).label), str(Expectedness(one.expectedness).label),
        ]
        for one in reversed(told)
    ]  # fmt: skip
    return Table(columns, rows, caption=_("Narratives"), empty=_("Nobody has told yet what happened."))


def event_history(line: EventLine, told: Iterable[EventNarrative]) -> list[Change]:
    """What was written of one event on both sides, with its true authors."""
    reported = [row.pk for row in rows_of(line.event.participant_id) if row.event == line.event.event]
    rows = [("participants_seriousevent", key) for key in reported]
    rows += [("unblinded_event_narrative", one.pk) for one in told]
    return lines(true_history(*rows, without=LEFT_OUT), HISTORY)


def arm_table(found: Sequence[Happened], randomized: dict[str, int], protocol: Protocol, *, csv_url: str = "") -> Table:
    """Events, and people with at least one, by arm: all, by kind, by relatedness, by expectedness."""
    arms = [arm.code for arm in protocol.arms]
    columns = [Column("")]
    for arm in protocol.arms:
        columns += [
            Column(_("%(arm)s: events") % {"arm": arm.name}, number=True),
            Column(_("%(arm)s: people") % {"arm": arm.name}, number=True),
        ]
    parts: list[tuple[str, str, str]] = [(_("All serious events"), "", "")]
    parts += [(str(kind.label), "kind", kind.value) for kind in Kind]
    for title, choices, part in (
        (_("Relatedness: %(answer)s"), Relatedness.choices, "relatedness"),
        (_("Expectedness: %(answer)s"), Expectedness.choices, "expectedness"),
    ):
        parts += [(title % {"answer": str(words).lower()}, part, code) for code, words in choices]
        parts.append((title % {"answer": _("not judged yet")}, part, ""))
    people: list[Any] = [_("Randomized")]
    for one in arms:
        people += [None, randomized.get(one, 0)]
    rows: list[list[Any]] = [people]
    for words, part, code in parts:
        counted = by_arm(found, arms, part, code)
        rows.append([words, *(n for arm in arms for n in (counted[arm].events, counted[arm].people))])
    return Table(columns, rows, csv_url=csv_url)


def arm_sentence(found: Sequence[Happened], *, before: int) -> str:
    """How many events of how many people, and how many are left out since they began ``before`` randomization."""
    people = len({one.person for one in found})
    said = _("%(events)s of %(people)s since randomization.") % {
        "events": ngettext("%(n)d serious event", "%(n)d serious events", len(found)) % {"n": len(found)},
        "people": ngettext("%(n)d person", "%(n)d people", people) % {"n": people},
    }
    left_out = _("Left out: %(n)d that began between consent and randomization, and deaths.") % {"n": before}
    return f"{said} {left_out}"


def work_for(person: Person) -> list[WorkList]:
    """The narratives that are missing, of the living. The database lock does not end this: nobody blind can know of it."""
    if side.current() != side.UNBLINDED or not person.holds(*WRITERS):
        return []
    missing = [one for one in event_lines() if one.narrative is None]
    gone = died(one.event.participant_id for one in missing)
    items = [
        WorkItem(
            _("Tell what happened to participant %(number)s") % {"number": grouped(one.event.participant.number)},
            reverse("event_narrative", args=[one.event.key]),
            open_side.kind_words(one.event),
            "due",
            one.event.began_on,
        )
        for one in missing
        if one.event.participant_id not in gone and person.holds(*WRITERS, site=one.allocation.site)
    ]
    return [WorkList(_("Narratives to write"), items, after_lock=True)] if items else []
