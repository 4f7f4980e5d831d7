"""The declassification list: every action by which the unblinded side writes an open fact.

Blinded people read what such an action writes. So neither that it happens nor when may differ by arm, its fields are coded, and its
author is "site staff". The database refuses the unblinded login any other write of an open table (``equipoise_declassified``); accounts
are not on the list, since they hold nothing about a participant. ``docs/declassification.md`` says the same to people.
"""

from dataclasses import dataclass

SITE_STAFF = "site staff"


@dataclass(frozen=True)
class Declassified:
    """One declared write: the action by its full name, the open table, the fields it fills, and why it tells nothing of the arm."""

    action: str
    table: str
    fields: tuple[str, ...]
    why: str


DECLASSIFIED: tuple[Declassified, ...] = (
    Declassified(
        action="trial.participants.course.actions.report_death",
        table="participants_death",
        fields=("step", "day"),
        why="Everybody at the site is asked to report a death as soon as they hear of it, whoever was treated how. "
        "It is shown as a step and a day, never with its author or cause.",
    ),
    Declassified(
        action="trial.participants.course.actions.decide_death",
        table="participants_death",
        fields=("step", "day"),
        why="The second person looks into the care record, in the same way for every participant.",
    ),
    Declassified(
        action="trial.participants.actions.record_records_state",
        table="participants_recordsstate",
        fields=("complete", "people", "day"),
        why="One fact for the whole trial, of both arms together: records are looked up of everybody, whoever was treated how, and the "
        "program says so at night.",
    ),
    Declassified(
        action="trial.unblinded.disclosure.actions.release",
        table="participants_release",
        fields=("title", "payload"),
        why="The gate down: after database lock and planned unblinding only, when nobody assesses any more.",
    ),
)


def actions_on(table: str) -> tuple[str, ...]:
    """The declared actions that may write this open table from the unblinded side."""
    return tuple(one.action for one in DECLASSIFIED if one.table == table)
