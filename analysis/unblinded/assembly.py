"""THE one join of outcomes and arms. No other module of this project may do it."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Protocol

from analysis.runs.joined import Joined, as_csv
from analysis.unblinded.flow import Course, Standing
from assessments.entry.models import Form, Score
from assessments.visits.models import VisitOutcome
from assessments.visits.queries import outcomes_in_force
from trial.participants.models import Guess, Participant
from trial.participants.queries import deaths
from trial.protocol import definition
from trial.protocol.days import target_day
from trial.protocol.queries import current
from trial.unblinded.randomization.queries import Entry, arms_of, entries, latest_reveals, wrongly_treated
from trial.unblinded.records.queries import admissions
from trial.unblinded.sessions.queries import exposures, group_fidelity


class Exposed(Protocol):
    """What the sessions say of one person."""

    @property
    def group(self) -> str | None: ...

    @property
    def attended(self) -> int: ...

    @property
    def completed(self) -> bool | None: ...

    @property
    def last_attended(self) -> dt.date | None: ...


class Faithful(Protocol):
    """How faithfully a group followed the program."""

    @property
    def band(self) -> str: ...


class Admitted(Protocol):
    """What the records say of one person."""

    @property
    def before_any(self) -> bool: ...

    @property
    def before_days(self) -> int: ...

    @property
    def after_any(self) -> bool: ...

    @property
    def after_days(self) -> int: ...


def join(numbers: Iterable[str]) -> dict[str, Joined]:
    """The allocated arm of each of these study numbers, what followed from it, and from which visit on stopping and death count."""
    people = dict(Participant.objects.filter(number__in=list(numbers)).values_list("pk", "number"))
    exposed, faithful, admitted = followed()
    wrong, order, died = wrongly_treated(), entries(people), dict(deaths().values_list("participant_id", "day"))
    follow_ups = current().follow_ups
    return {
        people[key]: replace(
            joined(arm, exposed.get(key), faithful, admitted.get(key), wrong=key in wrong),
            event_visit=event_visit(exposed.get(key), order[key], follow_ups),
            dead_from=first_after(died.get(key), order[key], follow_ups),
            entry=order[key].number,
        )
        for key, arm in arms_of(people).items()
    }


def event_visit(exposed: Exposed | None, entry: Entry, follow_ups: Iterable[definition.Visit]) -> str | None:
    """The first visit after the last session of somebody who did not complete the program; who never came, the first visit of all.

    None for who completed it, and as long as that is not decided.
    """
    if exposed is None or exposed.completed is not False:
        return None
    return first_after(exposed.last_attended or entry.day, entry, follow_ups)


def first_after(day: dt.date | None, entry: Entry, follow_ups: Iterable[definition.Visit]) -> str | None:
    """The first of these visits that is planned for a later day; None where there is none, or the day is not known."""
    if day is None:
        return None
    return next((visit.code for visit in follow_ups if target_day(visit, entry.day) > day), None)


def revealed() -> list[dict[str, Any]]:
    """What the allocator revealed of each sequence at the last verification; nothing before the first one."""
    return [one.content for one in latest_reveals()]


def followed() -> tuple[Mapping[uuid.UUID, Exposed], Mapping[str, Faithful], Mapping[uuid.UUID, Admitted]]:
    """What followed from the arms: sessions of each person, fidelity of each group, admissions of each person."""
    return exposures(), group_fidelity(), admissions()


def joined(
    arm: str,
    exposed: Exposed | None,
    faithful: Mapping[str, Faithful],
    admitted: Admitted | None,
    *,
    wrong: bool = False,
) -> Joined:
    """One person. Whose sessions or records are not known has None there, never 0."""
    group = exposed.group if exposed else None
    return Joined(
        arm=arm,
        group=group,
        attended=exposed.attended if exposed else None,
        completed=exposed.completed if exposed else None,
        fidelity_band=faithful[group].band if group is not None and group in faithful else None,
        admitted_before=admitted.before_any if admitted else None,
        days_before=admitted.before_days if admitted else None,
        admitted_after=admitted.after_any if admitted else None,
        days_after=admitted.after_days if admitted else None,
        wrong_treatment=wrong or None,
    )


def as_extract(joined_people: Mapping[str, Joined]) -> tuple[bytes, str]:
    """The join as CSV in the order of numbers, and its SHA-256: what a comparative run keeps."""
    content = as_csv(joined_people)
    return content, sha256(content).hexdigest()


def courses(protocol: definition.Protocol) -> list[Course]:
    """Every randomized person's way through the trial, with the arm: for the flow by arm. Five queries."""
    people = list(Participant.objects.filter(randomized_at__isnull=False).values_list("pk", flat=True))
    arms, outcomes, exposed = arms_of(people), outcomes_in_force(people), followed()[0]
    plan = protocol.analysis
    analyzed = set(
        Score.objects.filter(
            form__state=Form.State.SIGNED, scale=plan.outcome, form__visit__in=plan.visits, value__isnull=False
        ).values_list("form__participant_id", flat=True)
    )
    return [
        Course(
            arm=arms[key],
            visits={visit.code: _standing(outcomes.get((key, visit.code))) for visit in protocol.follow_ups},
            analyzed=key in analyzed,
            attended=exposed[key].attended if key in exposed else None,
            completed=exposed[key].completed if key in exposed else None,
        )
        for key in people
        if key in arms
    ]


@dataclass(frozen=True)
class Guessed:
    """One participant whose arm an assessor guessed, with who that was."""

    arm: str
    guess: str
    """The code of an arm; empty: does not know."""
    rater: str
    assessor: str


def guesses() -> list[Guessed]:
    """The first guess of each participant and rater, with the arm. Two queries."""
    rows = Guess.objects.order_by("participant_id", "rater", "guessed_at", "id").distinct("participant_id", "rater")
    listed = list(rows)
    arms = arms_of({row.participant_id for row in listed})
    return [
        Guessed(arms[row.participant_id], row.guess, row.rater, row.guessed_by)
        for row in listed
        if row.participant_id in arms
    ]


def _standing(outcome: VisitOutcome | None) -> Standing:
    if outcome is None or outcome.outcome == VisitOutcome.Outcome.REOPENED:
        return Standing("pending")
    return Standing("missed", outcome.reason) if outcome.reason else Standing("done")
