"""Exposure and completion: open until the program ends for a person, then fixed once, with the denominator named."""

import datetime as dt
from decimal import Decimal

import pytest

from tests.treatment import FIRST, HERE, ILL, NOT_ASKED, START, Treatment, week
from trial.core import clock, side
from trial.core.errors import NotAllowed, Refused
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.sessions import actions, queries
from trial.unblinded.sessions.models import Completion, Member, TherapyGroup, TreatmentWithdrawal
from trial.unblinded.sessions.queries import Exposure
from trial.unblinded.sessions.tasks import sweep

TARGET = dt.date(2026, 1, 6)
"""Twelve months after randomization."""


@pytest.fixture
def group(trial: Treatment) -> TherapyGroup:
    return trial.group()


def exposure(trial: Treatment, allocation: Allocation) -> Exposure | None:
    with trial.at_work():
        return queries.exposures().get(allocation.participant_id)


def four_sessions(trial: Treatment, group: TherapyGroup) -> list[Allocation]:
    """One came to all, one from the third on and to half of those, one was never placed."""
    one, two, three = trial.of_arm("imr")
    trial.place(group, one)
    trial.place(group, two, week(2))
    trial.on(week(3))
    trial.record(group, week(0), {one: HERE})
    trial.record(group, week(1), {one: HERE})
    trial.record(group, week(2), {one: HERE, two: HERE})
    trial.record(group, week(3), {one: ILL, two: ILL})
    return [one, two, three]


def test_exposure_by_participant(trial: Treatment, group: TherapyGroup) -> None:
    one, two, three = four_sessions(trial, group)
    assert exposure(trial, one) == Exposure("R1-A", 40, 4, 3, 4, None)
    assert exposure(trial, two) == Exposure("R1-A", 40, 2, 1, 4, None)
    assert exposure(trial, three) == Exposure(None, 40, 0, 0, 0, None)
    usual = trial.of_arm("cau")
    assert exposure(trial, usual[0]) is None
    trial.on(week(4))
    trial.record(group, week(4), {usual[0]: HERE, one: NOT_ASKED, two: NOT_ASKED})
    assert exposure(trial, usual[0]) == Exposure(None, 40, 1, 1, 0, None)
    with trial.at_work():
        deviating = [line.allocation.pk for line in queries.person_lines(Allocation.objects.all()) if line.deviates]
    assert deviating == [usual[0].pk]


def test_nothing_is_fixed_before_the_program_ends(trial: Treatment, group: TherapyGroup) -> None:
    four_sessions(trial, group)
    with trial.at_work() as by:
        assert actions.fix_completions(by=by) == 0


def test_the_end_of_the_group_fixes_its_members_and_twice_is_once(trial: Treatment, group: TherapyGroup) -> None:
    one, two, three = four_sessions(trial, group)
    with trial.at_work("thea") as by:
        actions.close_group(group=group, closed_on=week(3), by=by)
    sweep()
    assert exposure(trial, one) == Exposure("R1-A", 40, 4, 3, 4, None)  # the last day still counts
    trial.on(week(4))
    for _night in range(2):
        sweep()
    assert exposure(trial, one) == Exposure("R1-A", 40, 4, 3, 4, True)
    assert exposure(trial, two) == Exposure("R1-A", 40, 2, 1, 4, True)
    assert exposure(trial, three) == Exposure(None, 40, 0, 0, 0, None)
    with trial.at_work() as by:
        assert actions.fix_completions(by=by) == 0
        row = Completion.objects.get(allocation=one)
    assert (row.denominator, row.counted, row.share, row.ended_by, row.ended_on) == (
        "offered",
        4,
        Decimal("0.5"),
        "group_closed",
        week(3),
    )


def test_whoever_lacks_a_mark_waits(trial: Treatment, group: TherapyGroup) -> None:
    one, two = trial.of_arm("imr")[:2]
    for person in (one, two):
        trial.place(group, person)
    trial.on(FIRST)
    session = trial.record(group, FIRST, {one: HERE})
    with trial.at_work("thea") as by:
        actions.close_group(group=group, closed_on=FIRST, by=by)
    trial.on(week(1))
    sweep()
    assert exposure(trial, one) == Exposure("R1-A", 40, 1, 1, 1, True)
    assert exposure(trial, two) == Exposure("R1-A", 40, 0, 0, 1, None)
    with trial.at_work("ursula") as by:
        actions.correct_session(
            session=session, day=FIRST, content=trial.content(), marks={two.pk: ILL}, revision=1, by=by
        )
    sweep()
    assert exposure(trial, two) == Exposure("R1-A", 40, 1, 0, 1, False)


def test_withdrawal_ends_the_program_and_nothing_else(trial: Treatment, group: TherapyGroup) -> None:
    one = four_sessions(trial, group)[0]
    with trial.at_work("thea") as by:
        for _time in range(2):
            actions.withdraw(allocation=one, reason_code="burden", day=week(1), by=by)
        row = TreatmentWithdrawal.objects.get()
    assert (row.day, row.reason) == (week(1), "burden")
    with trial.at_work():
        # attendance that was recorded after the day keeps its place
        assert Member.objects.get(allocation=one).left_on == week(3)
    trial.on(week(4))
    sweep()
    assert exposure(trial, one) == Exposure("R1-A", 40, 2, 2, 2, True)
    with pytest.raises(Refused, match="withdrew"):
        trial.place(group, one, week(4))


@pytest.mark.parametrize(
    ("reason", "day", "code"),
    [
        ("weather", FIRST, "reason_unknown"),
        ("burden", dt.date(2025, 1, 5), "day_early"),
        ("burden", week(9), "day_future"),
    ],
)
def test_a_withdrawal_that_cannot_be(trial: Treatment, reason: str, day: dt.date, code: str) -> None:
    trial.on(week(1))
    with trial.at_work("thea") as by, pytest.raises(Refused) as refused:
        actions.withdraw(allocation=trial.of_arm("imr")[0], reason_code=reason, day=day, by=by)
    assert refused.value.code == code


def test_only_the_coordinator_tells_and_withdraws(trial: Treatment) -> None:
    person = trial.of_arm("imr")[0]
    for name in ("tim", "ursula", "thea2"):
        with trial.at_work(name) as by:
            with pytest.raises(NotAllowed):
                actions.record_told(allocation=person, told_on=clock.today(), by=by)
            with pytest.raises(NotAllowed):
                actions.withdraw(allocation=person, reason_code="burden", day=clock.today(), by=by)
    with trial.at_work("thea") as by:
        first = actions.record_told(allocation=person, told_on=clock.today(), by=by)
        assert actions.record_told(allocation=person, told_on=clock.today(), by=by).pk == first.pk


def test_the_day_of_the_first_follow_up_ends_it_for_everybody(trial: Treatment, group: TherapyGroup) -> None:
    one, two, three = four_sessions(trial, group)
    trial.on(TARGET)
    sweep()
    with trial.at_work():
        assert not Completion.objects.exists()
    trial.on(TARGET + dt.timedelta(days=1))
    sweep()
    found = {person.pk: exposure(trial, person) for person in (one, two, three, *trial.of_arm("cau"))}
    assert [found[p.pk].completed if found[p.pk] else None for p in (one, two, three)] == [True, True, False]  # type: ignore[union-attr]
    assert [found[p.pk] for p in trial.of_arm("cau")] == [None, None]
    with trial.at_work():
        assert set(Completion.objects.values_list("ended_by", "ended_on")) == {("target_day", TARGET)}


def test_a_correction_after_the_end_changes_nothing_that_was_fixed(trial: Treatment, group: TherapyGroup) -> None:
    one = four_sessions(trial, group)[0]
    with trial.at_work("thea") as by:
        actions.close_group(group=group, closed_on=week(3), by=by)
    trial.on(week(4))
    sweep()
    with trial.at_work("ursula") as by:
        session = queries.sessions_of(group)[0]
        actions.correct_session(
            session=session, day=week(3), content=trial.content(), marks={one.pk: HERE}, revision=session.revision, reason="Was there", by=by
        )  # fmt: skip
        line = queries.person_lines([one])[0]
    assert (line.counts.attended, line.live.attended, line.changed_since) == (3, 4, True)


def test_a_trial_without_sessions_has_no_exposure(database: object) -> None:
    from tests import world

    with clock.frozen(START):
        world.open_trial("btheb", sizes=(10,))
        with world.at_work(world.SETUP, side.UNBLINDED) as by:
            assert queries.exposures() == {}
            assert queries.group_fidelity() == {}
            assert actions.fix_completions(by=by) == 0
