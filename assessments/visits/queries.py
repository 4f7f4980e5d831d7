"""Reading visits: who interviews whom, what became of each visit, and the work that follows. Row policies keep other sites away."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from assessments.entry.queries import OWN, PART_OF, FormCounts, form_counts
from assessments.visits.models import AssessorAssignment, VisitOutcome
from assessments.visits.schedule import CLOSED, Recorded, State, Window, standing_of, state_of, window_of
from trial.core.access import Person
from trial.core.models import User
from trial.participants.models import Participant
from trial.participants.queries import INTERVIEWS, died, participants, stopped_parts
from trial.protocol.definition import Instrument, Protocol, Visit

ON_RECORD = {
    VisitOutcome.Outcome.MISSED.value: Recorded.MISSED,
    VisitOutcome.Outcome.ATTENDED.value: Recorded.DONE,
    VisitOutcome.Outcome.REOPENED.value: Recorded.NOTHING,
}


def assignments_in_force() -> QuerySet[AssessorAssignment]:
    """The latest assignment of each participant."""
    return AssessorAssignment.objects.order_by("participant_id", "-number").distinct("participant_id")


def interviewer_of(participant_id: uuid.UUID) -> AssessorAssignment | None:
    """The assignment in force of one participant, with the interviewer."""
    rows = (
        AssessorAssignment.objects.filter(participant_id=participant_id)
        .select_related("interviewer")
        .defer("interviewer__password")
    )
    return rows.order_by("-number").first()


def is_assigned(person: Person, participant_id: uuid.UUID) -> bool:
    """Whether this person is the interviewer of the participant now."""
    assignment = interviewer_of(participant_id)
    return assignment is not None and assignment.interviewer_id == person.user_id


def assigned_participants(person: Person) -> QuerySet[Participant]:
    """The participants whose interviewer is this person now."""
    mine = AssessorAssignment.objects.filter(pk__in=assignments_in_force().values("pk"), interviewer_id=person.user_id)
    return participants().filter(pk__in=mine.values("participant_id"))


def interviewers_at(site: str) -> list[User]:
    """Who may be assigned at this site: active people who hold the role of interviewer there, by name."""
    held = {"memberships__role": "interviewer", "memberships__site": site, "memberships__ended_at": None}
    people = User.objects.filter(is_active=True, memberships__confirmed_at__isnull=False, **held)
    return list(people.distinct().order_by("full_name", "username"))


def outcome_in_force(participant_id: uuid.UUID, visit: str) -> VisitOutcome | None:
    """The latest outcome of one visit."""
    return VisitOutcome.objects.filter(participant_id=participant_id, visit=visit).order_by("-number").first()


def outcomes_in_force(people: Iterable[uuid.UUID]) -> dict[tuple[uuid.UUID, str], VisitOutcome]:
    """The latest outcome of every visit of these participants. One query."""
    rows = VisitOutcome.objects.filter(participant_id__in=list(people))
    rows = rows.order_by("participant_id", "visit", "-number").distinct("participant_id", "visit")
    return {(row.participant_id, row.visit): row for row in rows}


@dataclass(frozen=True)
class VisitLine:
    """One visit of one participant as it stands today.

    ``window`` is None for the baseline visit. ``forms`` counts the visit's forms; ``instruments`` is how many it should have, given
    the parts of the consent that are not in force (``stopped``), and ``interview`` how many of these belong to the interview.
    """

    participant: Participant
    visit: Visit
    window: Window | None
    state: State
    outcome: VisitOutcome | None
    interviewer: User | None
    forms: FormCounts
    instruments: int
    interview: int
    stopped: frozenset[str] = frozenset()

    def asks(self, instrument: Instrument) -> bool:
        """Whether this form is asked of the participant: consent to its part is in force."""
        return PART_OF[instrument.rater] not in self.stopped

    def has_opened(self, today: dt.date) -> bool:
        """Whether the window has opened; that of the baseline always has."""
        return self.window is None or self.window.opens <= today

    @property
    def due_on(self) -> dt.date | None:
        """The target day, or for the baseline the day of registration."""
        return self.window.target if self.window else timezone.localtime(self.participant.registered_at).date()

    @property
    def is_open(self) -> bool:
        """Whether something can still be done for this visit."""
        return self.state not in CLOSED


def randomized_on(participant: Participant) -> dt.date | None:
    """The day of randomization in the trial's time zone."""
    return timezone.localtime(participant.randomized_at).date() if participant.randomized_at else None


def assignments_of(participant: uuid.UUID) -> list[uuid.UUID]:
    """The keys of all assignments of a participant, for their history."""
    return list(AssessorAssignment.objects.filter(participant_id=participant).values_list("pk", flat=True))


def interviewers_ever(participant: uuid.UUID) -> dict[str, str]:
    """Who was ever to assess a participant: names by key."""
    rows = AssessorAssignment.objects.filter(participant_id=participant).values_list(
        "interviewer_id", "interviewer__full_name"
    )
    return {str(key): name for key, name in rows}


def outcomes_of(participant: uuid.UUID, visit: str) -> list[uuid.UUID]:
    """The keys of everything that became of a visit, for its history."""
    return list(VisitOutcome.objects.filter(participant_id=participant, visit=visit).values_list("pk", flat=True))


def visit_lines(people: Iterable[Participant], protocol: Protocol, today: dt.date) -> list[VisitLine]:
    """Every visit of these participants: the baseline of all, follow-up visits of the randomized. Five queries.

    Lists of people take ``participants()``, which leaves out who died; counts take ``everybody()``.
    """
    listed = list(people)
    keys = [one.pk for one in listed]
    outcomes = outcomes_in_force(keys)
    counts = form_counts(keys)
    assigned = (
        assignments_in_force()
        .filter(participant_id__in=keys)
        .select_related("interviewer")
        .defer("interviewer__password")
    )
    interviewers = {row.participant_id: row.interviewer for row in assigned}
    gone, stopped = died(keys), stopped_parts(keys, protocol)
    raters = {visit.code: [i.rater for i in protocol.instruments_at(visit.code)] for visit in protocol.visits}
    lines = []
    for one in listed:
        without = stopped.get(one.pk, frozenset())
        for visit in protocol.visits:
            standing = _standing(one, visit, outcomes.get((one.pk, visit.code)), today)
            if standing is None:
                continue
            window, state = standing
            state = standing_of(state, withdrawn=INTERVIEWS in without, died=one.pk in gone)
            forms = counts.get((one.pk, visit.code), FormCounts())
            lines.append(
                VisitLine(
                    participant=one,
                    visit=visit,
                    window=window,
                    state=state,
                    outcome=outcomes.get((one.pk, visit.code)),
                    interviewer=interviewers.get(one.pk),
                    forms=forms,
                    instruments=max(sum(PART_OF[rater] not in without for rater in raters[visit.code]), forms.signed),
                    interview=max(
                        sum(rater in OWN and PART_OF[rater] not in without for rater in raters[visit.code]),
                        forms.interview,
                    ),
                    stopped=without,
                )
            )
    return lines


def _standing(
    one: Participant, visit: Visit, outcome: VisitOutcome | None, today: dt.date
) -> tuple[Window | None, State] | None:
    recorded = ON_RECORD[outcome.outcome] if outcome else Recorded.NOTHING
    if visit.is_baseline:
        done = one.baseline_completed_at is not None
        return None, State.DONE if done else State.MISSED if recorded is Recorded.MISSED else State.DUE
    randomized = randomized_on(one)
    if randomized is None:
        return None
    window = window_of(visit, randomized)
    return window, state_of(window, recorded, today)
