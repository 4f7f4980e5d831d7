"""Groups and the people in them: who may, what is refused, what stays."""

import datetime as dt
from typing import Any

import pytest

from tests import world
from tests.records import look_up_everybody
from tests.treatment import FIRST, HERE, ILL, Treatment, week
from trial.config.worlds.stage import StandIn
from trial.core import db, side
from trial.core.errors import NotAllowed, Refused
from trial.participants.actions import lock_database
from trial.unblinded.sessions import actions, queries
from trial.unblinded.sessions.models import Attendance, GroupTrainer, Member, TherapyGroup


def open_group(trial: Treatment, by: str = "thea", **given: Any) -> TherapyGroup:
    values = {"site": trial.site, "code": "R1-B", "name": "Thursday", "trainers": trial.trainers, "opened_on": FIRST}
    with trial.at_work(by) as actor:
        group: TherapyGroup = actions.open_group(**{**values, **given}, by=actor)
    return group


def test_only_the_treatment_coordinator_of_the_site_makes_groups(trial: Treatment) -> None:
    for stranger in ("thea2", "tim", "fay", "ursula"):
        with pytest.raises(NotAllowed):
            open_group(trial, stranger)
    assert open_group(trial).code == "R1-B"


@pytest.mark.parametrize(
    ("trainers", "code"),
    [
        (["tim"], "trainers"), (["tim", "tim"], "trainers"), (["tim", "tara", "tim2"], "trainers"),
        (["tim", "tim2"], "not_therapist"), (["tim", "fay"], "not_therapist"),
    ],
)  # fmt: skip
def test_a_group_has_two_therapists_of_its_site(trial: Treatment, trainers: list[str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        open_group(trial, trainers=[trial.users[name].pk for name in trainers])
    assert refused.value.code == code


def test_a_code_is_taken_once_in_the_whole_trial(trial: Treatment) -> None:
    trial.group("R1-A")
    with pytest.raises(Refused, match="has the code R1-A"):
        open_group(
            trial,
            "thea2",
            site=trial.other_team.site_id,
            code="R1-A",
            trainers=[trial.users[n].pk for n in ("tim2", "tara2")],
        )


def test_stand_ins_and_system_actors_need_no_role(trial: Treatment) -> None:
    thea = trial.people["thea"]
    player = StandIn(thea.actor_id, thea.scope, "Thea")
    for n, by in enumerate((player, world.SETUP)):
        with side.unblinded(), db.unit_of_work(by=by):
            actions.open_group(site=trial.site, code=f"P{n}", name="P", trainers=trial.trainers, opened_on=FIRST, by=by)


def test_another_trainer_takes_over(trial: Treatment) -> None:
    group = trial.group()
    new = world.person(world.make_user("tess", "therapist", trial.site))
    trial.on(week(3))
    with trial.at_work("thea") as by:
        keys = [trial.users["tim"].pk, new.user_id]
        actions.change_group(group=group, name="Friday", trainers=keys, opened_on=FIRST, by=by)
        assert not queries.trains(trial.people["tara"], group)
        assert queries.trains(new, group)
        left = GroupTrainer.objects.get(trainer_id=trial.users["tara"].pk)
    assert (left.since, left.until) == (FIRST, week(3))


def test_anybody_randomized_can_be_placed_and_another_arm_is_a_deviation(trial: Treatment) -> None:
    group = trial.group()
    assert not trial.place(group, trial.of_arm("imr")[0]).deviates
    assert trial.place(group, trial.of_arm("cau")[0]).deviates


def test_placed_twice_is_once_and_in_one_group_only(trial: Treatment) -> None:
    group, other = trial.group(), trial.group("R1-B")
    person = trial.of_arm("imr")[0]
    assert trial.place(group, person).pk == trial.place(group, person, week(1)).pk
    with pytest.raises(Refused, match="is in group R1-A"):
        trial.place(other, person)
    with trial.at_work():
        assert Member.objects.count() == 1


def test_a_full_group_grows_all_the_same(trial: Treatment) -> None:
    group = trial.group()
    more = Treatment.of_arm(trial, "imr") + trial.of_arm("cau")
    for person in more:
        trial.place(group, person)
    with trial.at_work():
        assert queries.active_counts([group.pk], FIRST) == {group.pk: 5}


@pytest.mark.parametrize(
    ("entered_on", "code"), [(FIRST - dt.timedelta(days=1), "before_group"), (dt.date(2024, 12, 1), "before_group")]
)
def test_nobody_enters_before_the_group_opens(trial: Treatment, entered_on: dt.date, code: str) -> None:
    group = trial.group()
    with pytest.raises(Refused) as refused:
        trial.place(group, trial.of_arm("imr")[0], entered_on)
    assert refused.value.code == code


def test_nobody_enters_before_randomization(trial: Treatment) -> None:
    group = trial.group(opened_on=dt.date(2024, 12, 1))
    with pytest.raises(Refused, match="before randomization"):
        trial.place(group, trial.of_arm("imr")[0], dt.date(2024, 12, 20))


def test_leaving_and_entering_another_group(trial: Treatment) -> None:
    group, other = trial.group(), trial.group("R1-B")
    person = trial.of_arm("imr")[0]
    member = trial.place(group, person)
    trial.on(week(4))
    trial.record(group, week(2), {person: HERE})
    with trial.at_work("thea") as by:
        with pytest.raises(Refused, match="Attendance on 22 Jan 2025"):
            actions.change_stay(member=member, entered_on=FIRST, left_on=week(1), reason="moved", by=by)
        member = actions.change_stay(member=member, entered_on=FIRST, left_on=week(2), reason="moved", by=by)
    assert trial.place(other, person, week(2)).entered_on == week(2)
    with trial.at_work("ursula") as by, pytest.raises(Refused, match="group R1-B"):
        actions.change_stay(member=member, entered_on=FIRST, left_on=week(3), reason="typed wrong", by=by)


def test_whoever_was_a_guest_on_days_of_the_own_stay_is_none_any_more(trial: Treatment) -> None:
    group, person = trial.group(), trial.of_arm("imr")[0]
    trial.on(week(2))
    trial.record(group, FIRST, {person: HERE})
    trial.record(group, week(1), {person: HERE})
    trial.place(group, person, week(1))
    with trial.at_work():
        assert dict(Attendance.objects.values_list("session__day", "guest")) == {FIRST: True, week(1): False}


def test_closing_takes_the_members_with_it(trial: Treatment) -> None:
    group, person = trial.group(), trial.of_arm("imr")[0]
    trial.place(group, person)
    trial.on(week(5))
    trial.record(group, week(4), {person: ILL})
    with trial.at_work("thea") as by:
        with pytest.raises(Refused, match="up to 5 Feb 2025"):
            actions.close_group(group=group, closed_on=week(3), by=by)
        for _time in range(2):
            group = actions.close_group(group=group, closed_on=week(4), by=by)
        with pytest.raises(Refused, match="was closed on"):
            actions.close_group(group=group, closed_on=week(5), by=by)
        assert Member.objects.get().left_on == week(4)
    with pytest.raises(Refused, match="closed on"):
        trial.place(group, trial.of_arm("imr")[1], week(5))


def test_nothing_changes_after_the_lock(trial: Treatment) -> None:
    group, person = trial.group(), trial.of_arm("imr")[0]
    member = trial.place(group, person)
    trial.on(week(1))
    session = trial.record(group, FIRST, {person: HERE})
    manager = world.person(world.make_user("dana", "datamanager"))
    look_up_everybody()
    with world.at_work(manager):
        lock_database(password=world.PASSWORD, by=manager)
    scores: dict[str, int | None] = {}
    late = [
        ("thea", lambda by: actions.open_group(site=trial.site, code="X", name="X", trainers=trial.trainers, opened_on=FIRST, by=by)),
        ("thea", lambda by: actions.change_group(group=group, name="X", trainers=trial.trainers, opened_on=FIRST, by=by)),
        ("thea", lambda by: actions.close_group(group=group, closed_on=FIRST, by=by)),
        ("thea", lambda by: actions.place(group=group, allocation=trial.of_arm("imr")[1], entered_on=FIRST, by=by)),
        ("thea", lambda by: actions.change_stay(member=member, entered_on=FIRST, left_on=FIRST, by=by)),
        ("thea", lambda by: actions.record_told(allocation=person, told_on=FIRST, by=by)),
        ("thea", lambda by: actions.withdraw(allocation=person, reason_code="burden", day=FIRST, by=by)),
        ("tim", lambda by: actions.record_session(group=group, day=week(1), content=trial.content(), marks={}, by=by)),
        ("tim", lambda by: actions.correct_session(session=session, day=FIRST, content=trial.content(), marks={}, revision=1, by=by)),
        ("fay", lambda by: actions.save_rating(group=group, scale="imr_fidelity", scores=scores, visited_on=FIRST, by=by)),
        ("fay", lambda by: actions.reach_consensus(group=group, scale="imr_fidelity", decided=scores, by=by)),
    ]  # fmt: skip
    for name, change in late:
        with trial.at_work(name) as by, pytest.raises(Refused, match="database is locked"):
            change(by)
    with trial.at_work() as by:
        assert actions.fix_completions(by=by) == 0
