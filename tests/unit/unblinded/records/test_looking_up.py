"""Admissions, corrections and the sign-off: what is recorded, what follows from it, and what is refused with a sentence."""

import datetime as dt
from typing import Any

import pytest

from tests import world
from tests.records import AFTER_BOTH, T1, T2, stay
from tests.treatment import Treatment
from trial.core.errors import NotAllowed, Refused
from trial.participants.course.actions import withdraw
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.records import actions, queries
from trial.unblinded.records.models import Admission, LookUp
from trial.unblinded.records.queries import Admissions

DAY = dt.timedelta(days=1)


@pytest.fixture
def person(trial: Treatment) -> Allocation:
    return trial.of_arm("imr")[0]


def test_the_windows_are_the_year_before_the_baseline_and_the_year_from_the_follow_up_on(
    trial: Treatment, person: Allocation
) -> None:
    with trial.at_work():
        before, after = queries.record_lines([person])
    assert (before.period.first, before.period.last, before.period.days) == (T1 - 365 * DAY, T1 - DAY, 365)
    assert (after.period.first, after.period.last, after.period.days) == (T2, T2 + 364 * DAY, 365)


def test_days_are_clipped_to_the_window_and_a_transfer_counts_once(trial: Treatment, person: Allocation) -> None:
    trial.on(AFTER_BOTH)
    first = T1 - 365 * DAY
    with trial.at_work("ada") as by:
        for found in (
            stay(first - 9 * DAY, first + DAY),
            stay(first + DAY, first + 4 * DAY),
            stay(T1 - DAY, T1 + 30 * DAY),
        ):
            actions.record_admission(allocation=person, window="before", found=found, by=by)
        actions.sign_off(allocation=person, window="before", by=by)
        assert queries.admissions() == {}
        actions.look_up(allocation=person, window="after", admissions=[stay(T2 + 360 * DAY, None)], by=by)
        assert queries.admissions() == {person.participant_id: Admissions(True, 6, True, 5)}


def test_looking_up_is_once_and_all_or_nothing(trial: Treatment, person: Allocation) -> None:
    trial.on(AFTER_BOTH)
    with trial.at_work("ada") as by:
        with pytest.raises(Refused, match="overlaps"):
            actions.look_up(
                allocation=person, window="before", admissions=[stay(T1 - 20 * DAY, T1 - 9 * DAY), stay(T1 - 10 * DAY, None)], by=by
            )  # fmt: skip
        assert not Admission.objects.exists()
        done = actions.look_up(
            allocation=person, window="before", admissions=[stay(T1 - 20 * DAY, T1 - 9 * DAY)], by=by
        )
        again = actions.look_up(allocation=person, window="before", admissions=[], by=by)
        assert done.pk == again.pk == actions.sign_off(allocation=person, window="before", by=by).pk
        assert Admission.objects.count() == done.admissions == 1
        twice = actions.record_admission(
            allocation=person, window="before", found=stay(T1 - 20 * DAY, T1 - 9 * DAY), by=by
        )
        assert twice.pk == Admission.objects.get().pk


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        (stay(T1 - 9 * DAY, T1 - 10 * DAY), "discharge_early", "27 Dec 2024 lies before the admission"),
        (stay(T1, T1 + DAY), "outside_window", "7 Jan 2024 to 5 Jan 2025"),
        (stay(T1 - 400 * DAY, T1 - 366 * DAY), "outside_window", "No day"),
        (stay(T1 - 55 * DAY, T1 - 45 * DAY), "overlap", "overlaps the admission"),
        (stay(T1 - 9 * DAY, AFTER_BOTH + DAY), "day_future", "future"),
        (stay(T1 - 9 * DAY, None, ward="hotel"), "code_unknown", "Choose ward"),
    ],
)
def test_what_cannot_be_is_refused(trial: Treatment, person: Allocation, found: Any, code: str, words: str) -> None:
    trial.on(AFTER_BOTH)
    with trial.at_work("ada") as by:
        actions.record_admission(allocation=person, window="before", found=stay(T1 - 60 * DAY, T1 - 50 * DAY), by=by)
        with pytest.raises(Refused, match=words) as refusal:
            actions.record_admission(allocation=person, window="before", found=found, by=by)
    assert refusal.value.code == code


def test_a_correction_replaces_and_the_old_row_stays(trial: Treatment, person: Allocation) -> None:
    trial.on(AFTER_BOTH)
    with trial.at_work("ada") as by:
        actions.look_up(allocation=person, window="before", admissions=[stay(T1 - 20 * DAY, T1 - 11 * DAY)], by=by)
        old = Admission.objects.get()
        with pytest.raises(Refused, match="Say why"):
            actions.correct_admission(admission=old, found=stay(T1 - 20 * DAY, None), reason=" ", by=by)
        with pytest.raises(Refused, match="Nothing is different"):
            actions.correct_admission(admission=old, found=stay(T1 - 20 * DAY, T1 - 11 * DAY), reason="x", by=by)
        new = actions.correct_admission(
            admission=old, found=stay(T1 - 20 * DAY, T1 - 16 * DAY), reason="misread", by=by
        )
        assert (new.replaces_id, new.reason, Admission.objects.count()) == (old.pk, "misread", 2)
        with pytest.raises(Refused, match="has corrected this admission"):
            actions.correct_admission(admission=old, found=None, reason="again", by=by)
        assert [line.days for line in queries.record_lines([person])] == [5, 0]
    with trial.at_work("ursula") as by:
        actions.correct_admission(admission=new, found=None, reason="another person's file", by=by)
        assert [line.days for line in queries.record_lines([person])] == [0, 0]
        with pytest.raises(Refused, match="signed off"):
            actions.record_admission(
                allocation=person, window="before", found=stay(T1 - 9 * DAY, None), by=trial.people["ada"]
            )
        late = actions.record_admission(
            allocation=person, window="before", found=stay(T1 - 9 * DAY, T1 - DAY), reason="found later", by=by
        )
    assert late.reason == "found later"


def test_a_window_is_signed_off_when_it_is_over(trial: Treatment, person: Allocation) -> None:
    with trial.at_work("ada") as by:
        actions.sign_off(allocation=person, window="before", by=by)  # it ended yesterday
        with pytest.raises(Refused, match="ends on 5 Jan 2027"):
            actions.sign_off(allocation=person, window="after", by=by)
    trial.on(AFTER_BOTH - DAY)
    with trial.at_work("ada") as by, pytest.raises(Refused, match="ends on 5 Jan 2027"):
        actions.look_up(allocation=person, window="after", admissions=[], by=by)
    trial.on(AFTER_BOTH)
    with trial.at_work("ada") as by:
        actions.sign_off(allocation=person, window="after", by=by)
        assert LookUp.objects.count() == 2


def test_without_consent_the_file_stays_closed(trial: Treatment, person: Allocation) -> None:
    with world.at_work(world.SETUP):
        withdraw(participant=person.participant, part="records", day=T1, by=world.SETUP)
    with trial.at_work("ada") as by:
        for window, words in (("before", "does not consent"), ("between", "does not look up")):
            with pytest.raises(Refused, match=words):
                actions.sign_off(allocation=person, window=window, by=by)


@pytest.mark.parametrize("name", ["thea", "tim", "irma", "mona", "ursula"])
def test_only_the_abstractor_looks_up(trial: Treatment, person: Allocation, name: str) -> None:
    with trial.at_work(name) as by:
        for act in (
            lambda: actions.sign_off(allocation=person, window="before", by=by),
            lambda: actions.look_up(allocation=person, window="before", admissions=[], by=by),
            lambda: actions.record_admission(allocation=person, window="before", found=stay(T1 - DAY, None), by=by),
            lambda: actions.record_completeness(by=by),
        ):
            with pytest.raises(NotAllowed):
                act()
