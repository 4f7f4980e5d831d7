"""Reading hospital records: what is to be looked up of whom, what was found, and the days in hospital that follow."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from trial.participants.models import Participant
from trial.participants.queries import RECORDS, stopped_parts
from trial.protocol.days import target_day
from trial.protocol.definition import Protocol, RecordsPlan
from trial.protocol.queries import current
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.randomization.queries import allocations
from trial.unblinded.records.models import Admission, LookUp, RecordWindow
from trial.unblinded.records.stays import Period, Stay, days_in_hospital, period_before, period_from


@dataclass(frozen=True)
class Admissions:
    """One person's admissions: whether there was any, and the days in hospital, in the window before and in the window after."""

    before_any: bool
    before_days: int
    after_any: bool
    after_days: int


def admissions() -> dict[uuid.UUID, Admissions]:
    """Admissions by participant, for those whose windows have both been looked up. Nobody where the protocol has no records plan."""
    found = {}
    people: dict[uuid.UUID, list[RecordLine]] = defaultdict(list)
    for line in record_lines(allocations()):
        people[line.allocation.participant_id].append(line)
    for person, lines in people.items():
        if all(line.looked_up is not None for line in lines):
            days = {line.window: line.days for line in lines}
            before, after = days.get(RecordWindow.BEFORE, 0), days.get(RecordWindow.AFTER, 0)
            found[person] = Admissions(before > 0, before, after > 0, after)
    return found


@dataclass(frozen=True)
class RecordLine:
    """One window of one person, as it stands. ``stopped``: the person does not consent to the look-up, or not any more."""

    allocation: Allocation
    window: RecordWindow
    period: Period
    admissions: list[Admission]
    looked_up: LookUp | None
    stopped: bool

    @property
    def stays(self) -> list[Stay]:
        """The admissions in force, as the rule reads them."""
        return [stay_of(one) for one in self.admissions]

    @property
    def days(self) -> int:
        """Days in hospital within the window."""
        return days_in_hospital(self.stays, self.period)

    @property
    def is_open(self) -> bool:
        """Whether it is still to be looked up, now or when its days have passed."""
        return self.looked_up is None and not self.stopped

    def is_due(self, today: dt.date) -> bool:
        """Whether it can be looked up and has not been."""
        return self.is_open and self.period.is_over(today)


def stay_of(admission: Admission) -> Stay:
    """An admission as the rule reads it."""
    return Stay(admission.admitted_on, admission.discharged_on)


def windows_of(plan: RecordsPlan) -> dict[RecordWindow, int]:
    """The windows that have days, with their length."""
    lengths = {RecordWindow.BEFORE: plan.before_days, RecordWindow.AFTER: plan.after_days}
    return {window: days for window, days in lengths.items() if days > 0}


def record_lines(people: Iterable[Allocation]) -> list[RecordLine]:
    """The windows of these people, person by person. Three queries and the protocol; nothing where it has no records plan."""
    protocol = current()
    plan = protocol.records
    if plan is None:
        return []
    listed = list(people)
    keys = [one.pk for one in listed]
    found: dict[tuple[uuid.UUID, str], list[Admission]] = defaultdict(list)
    for row in in_force().filter(allocation_id__in=keys).order_by("admitted_on", "recorded_at"):
        found[row.allocation_id, row.window].append(row)
    done = {(row.allocation_id, row.window): row for row in LookUp.objects.filter(allocation_id__in=keys)}
    stopped = stopped_parts((one.participant_id for one in listed), protocol)
    return [
        RecordLine(
            one,
            window,
            period_of(one.participant, window, protocol, plan),
            found[one.pk, window],
            done.get((one.pk, window)),
            RECORDS in stopped[one.participant_id],
        )
        for one in listed
        for window in windows_of(plan)
    ]


def in_force() -> QuerySet[Admission]:
    """The admissions that count: replaced by no other, and no mistake."""
    replaced = Admission.objects.exclude(replaces=None).values("replaces_id")
    return Admission.objects.filter(void=False).exclude(pk__in=replaced)


def period_of(participant: Participant, window: RecordWindow, protocol: Protocol, plan: RecordsPlan) -> Period:
    """The days of a window. They count from the day of baseline completion, or from the target day of a later visit, held or not."""
    if window == RecordWindow.BEFORE:
        return period_before(_day_of(plan.before_visit, participant, protocol), plan.before_days)
    return period_from(_day_of(plan.after_visit, participant, protocol), plan.after_days)


def _day_of(code: str, participant: Participant, protocol: Protocol) -> dt.date:
    visit = protocol.visit(code)
    at = participant.baseline_completed_at if visit.is_baseline else participant.randomized_at
    if at is None:
        raise ValueError("Records are looked up of randomized people.")
    day = timezone.localtime(at).date()
    return day if visit.is_baseline else target_day(visit, day)


def every_row_of(allocation: Allocation) -> list[Admission]:
    """Every row about one person, replaced ones too, oldest first."""
    return list(Admission.objects.filter(allocation=allocation).order_by("recorded_at", "id"))
