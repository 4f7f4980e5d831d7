"""What pages show of serious events, of all arms together."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core import side
from trial.core.access import Person
from trial.core.declassified import SITE_STAFF
from trial.core.history.queries import names_of
from trial.core.ui.addresses import here
from trial.core.ui.tables import Column, Link, Page, State, Table, grouped
from trial.core.ui.text import Text
from trial.participants.events.models import Kind, Outcome, SeriousEvent
from trial.participants.events.rules import may_read, may_report
from trial.participants.models import Participant

STATES = {Outcome.UNKNOWN: "waiting", Outcome.ONGOING: "open", Outcome.RECOVERED: "done", Outcome.SEQUELAE: "done"}
HISTORY_WORDS: dict[str, Text] = {
    "report_event": gettext_lazy("Serious event reported"),
    "correct_event": gettext_lazy("Report of a serious event put right"),
    "kind": gettext_lazy("kind"),
    "began_on": gettext_lazy("began"),
    "outcome": gettext_lazy("what became of it"),
    "void": gettext_lazy("reported by mistake"),
    "event": gettext_lazy("event"),
    **{f"kind:{code}": words for code, words in Kind.choices},
    **{f"outcome:{code}": words for code, words in Outcome.choices},
}
EMPTY = gettext_lazy("Serious events appear here when somebody of the site has reported them.")


def kind_words(event: SeriousEvent) -> str:
    """The kind of an event in words."""
    return str(Kind(event.kind).label)


def outcome_state(event: SeriousEvent) -> State:
    """What became of an event."""
    return State(STATES[Outcome(event.outcome)], str(Outcome(event.outcome).label))


def event_table(events: Iterable[SeriousEvent], *, may_correct: bool = False) -> Table:
    """The events of one participant."""
    listed = list(events)
    names = names_of(one.recorded_by for one in listed)
    columns = [
        Column(_("Kind")), Column(_("Began")), Column(_("Outcome")), Column(_("Recorded")), Column(_("By")),
        *([Column("")] if may_correct else []),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for one in listed:
        by = _("site staff") if one.recorded_by == SITE_STAFF else names.get(one.recorded_by, one.recorded_by)
        row: list[Any] = [kind_words(one), one.began_on, outcome_state(one), one.recorded_at, by]
        rows.append(
            [*row, Link(_("Put right"), reverse("serious_event_correct", args=[one.key]))] if may_correct else row
        )
    return Table(columns, rows, empty=EMPTY)


def list_table(
    events: Sequence[SeriousEvent], *, csv_url: str = "", position: Page | None = None, filtered_url: str = ""
) -> Table:
    """The events of the sites one may see; which site, where there are several."""
    several = len({one.site_id for one in events}) > 1
    columns = [
        Column(_("Participant"), code=True), *([Column(_("Site"))] if several else []), Column(_("Kind")), Column(_("Began")),
        Column(_("Outcome")), Column(_("Recorded")),
    ]  # fmt: skip
    rows = [
        [
            Link(grouped(one.participant.number), reverse("participant_events", args=[one.participant.number])),
            *([one.site.name] if several else []), kind_words(one), one.began_on, outcome_state(one), one.recorded_at,
        ]
        for one in events
    ]  # fmt: skip
    return Table(
        columns,
        rows,
        empty=EMPTY,
        csv_url=csv_url,
        page=position,
        filtered_url=filtered_url,
    )


def pooled_table(events: Sequence[SeriousEvent], *, csv_url: str = "") -> Table:
    """How many events of each kind, and of how many people: of all arms together, those who died included."""
    columns = [Column(_("Kind")), Column(_("Events"), number=True), Column(_("People"), number=True)]
    of_kind = [(str(kind.label), [one for one in events if one.kind == kind]) for kind in Kind]
    rows: list[list[Any]] = [
        [words, len(found), len({one.participant_id for one in found})]
        for words, found in [*of_kind, (_("All kinds"), list(events))]
    ]
    return Table(columns, rows, caption=_("By kind, of all arms together"), csv_url=csv_url)


def links_to(person: Person, participant: Participant, *, is_open: bool) -> list[tuple[bool, str, str]]:
    """Where this person goes on from a participant: to the events, or behind the wall to a report, while there ``is_open`` work."""
    if side.current() == side.UNBLINDED:
        return [(is_open and may_report(person, participant), _("Report a serious event"), "serious_event_new")]
    return [(may_read(person, participant), _("Serious events"), "participant_events")]


def after_report(participant: Participant) -> str:
    """Where a report leads: to the events of the participant, behind the wall to the work."""
    if side.current() == side.UNBLINDED:
        return here("home")
    return reverse("participant_events", args=[participant.number])
