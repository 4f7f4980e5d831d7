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
        action="trial.participants.events.actions.report_event",
        table="participants_seriousevent",
        fields=("event", "kind", "began_on"),
        why="The care record of every participant is asked the same question, once a month, whoever was treated how; the report says what "
        "stands there and when it began. Neither author nor cause is shown, and what became of it is recorded by blind people.",
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
    Declassified(
        action="trial.unblinded.disclosure.actions.release_recommendation",
        table="participants_release",
        fields=("title", "payload"),
        why="The committee's recommendation after a look, one word of four and its day, sealed by the chair: that a look was held, and what "
        "follows from it for the conduct of the trial, is what the team is meant to hear; nothing of an arm goes with it.",
    ),
    Declassified(
        action="assessments.visits.actions.hand_over",
        table="visits_assessorassignment",
        fields=("number", "interviewer_id", "starts_at"),
        why="Hand-overs are written in one batch at night, those that were ordered among those that were drawn by lot from study numbers and "
        "a seed, in a shuffled order and at one instant; so one of them tells neither that there was a report nor what it said.",
    ),
    *(
        Declassified(
            action=f"trial.participants.actions.{name}",
            table=table,
            fields=fields,
            why="At a site with one person: "
            + why
            + " Of that person no arm exists yet; what past arms let one guess is the "
            "price of the setting, and load_protocol prints it.",
        )
        for name, table, fields, why in (
            (
                "open_screening",
                "participants_screeningentry",
                ("month", "age_band", "sex"),
                "who is considered for the trial is entered when they are considered.",
            ),
            (
                "record_consent",
                "participants_consent",
                ("part", "given", "signed_on"),
                "the decisions on the consent form, as signed.",
            ),
            (
                "assess_eligibility",
                "participants_screeningentry",
                ("criteria", "outcome", "reason", "assessed_at"),
                "every criterion is answered with yes or no, and the outcome follows.",
            ),
            (
                "close_screening",
                "participants_screeningentry",
                ("outcome", "reason"),
                "a code of the protocol's list.",
            ),
            (
                "register",
                "participants_screeningentry",
                ("outcome",),
                "registration follows eligibility and consent.",
            ),
            (
                "register",
                "participants_participant",
                ("number", "team_id"),
                "the number is drawn, in a stream that nothing else of that side moves.",
            ),
            (
                "request_randomization",
                "participants_randomizationrequest",
                ("requested_at",),
                "Randomize is pressed when baseline and consent are complete; the allocator answers as everywhere.",
            ),
        )
    ),
)

NAMES: frozenset[str] = frozenset(one.action for one in DECLASSIFIED)
"""The declared actions."""


def actions_on(table: str) -> tuple[str, ...]:
    """The declared actions that may write this open table from the unblinded side."""
    return tuple(one.action for one in DECLASSIFIED if one.table == table)
