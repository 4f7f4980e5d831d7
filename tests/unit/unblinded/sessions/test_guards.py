"""The database refuses what the actions refuse: each fault is planted once, past the actions, on the unblinded login."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from tests import world
from tests.records import look_up_everybody
from tests.treatment import FIRST, HERE, ILL, Treatment, week
from trial.core import clock, db
from trial.participants.actions import lock_database
from trial.unblinded.randomization.models import Allocation
from trial.unblinded.sessions import actions
from trial.unblinded.sessions.models import (
    Attendance,
    Completion,
    FidelityConsensus,
    FidelityRating,
    GroupSession,
    GroupTrainer,
    Member,
    TherapyGroup,
    Told,
    TreatmentWithdrawal,
)

FOUR: dict[str, int | None] = {f"fid{n:02d}": 4 for n in range(1, 14)}


class Standing:
    """A group with a member, a guest, a session; a second group; one signed rating by fay."""

    def __init__(self, trial: Treatment) -> None:
        self.trial, self.group, self.other = trial, trial.group(), trial.group("R1-B")
        self.one, self.two, self.three = trial.of_arm("imr")
        self.usual = trial.of_arm("cau")[0]
        self.member = trial.place(self.group, self.one)
        trial.on(week(3))
        self.session = trial.record(self.group, week(1), {self.one: HERE, self.two: HERE})
        with trial.at_work("fay") as by:
            rating = actions.save_rating(group=self.group, scale="imr_fidelity", scores=FOUR, visited_on=week(1), by=by)
            self.rating = actions.sign_rating(rating=rating, password=world.PASSWORD, by=by)
        self.third = world.make_user("tess", "therapist", trial.site).pk
        self.fay, self.tim = trial.people["fay"].actor_id, trial.users["tim"].pk

    def member_of(self, allocation: Allocation, **given: Any) -> Member:
        values = {
            "site": allocation.site,
            "group": self.group,
            "entered_on": FIRST,
            "deviates": False,
            "placed_by": "x",
        }
        return Member(allocation=allocation, **{**values, **given})

    def mark(self, allocation: Allocation, **given: Any) -> Attendance:
        values = {
            "site": allocation.site,
            "session": self.session,
            "mark": "attended",
            "guest": True,
            "deviates": False,
        }
        return Attendance(allocation=allocation, recorded_by="x", **{**values, **given})

    def session_on(self, day: dt.date, **given: Any) -> GroupSession:
        values = {
            "site": self.group.site, "group": self.group, "state": "held", "modules": ["m01"], "minutes": 90, "led_by": ["x"],
        }  # fmt: skip
        return GroupSession(day=day, recorded_by="x", **{**values, **given})

    def rated(self, **given: Any) -> FidelityRating:
        values = {
            "site": self.group.site,
            "group": self.group,
            "scale": "imr_fidelity",
            "visited_on": FIRST,
            "scores": FOUR,
        }
        return FidelityRating(**{"rater": self.trial.people["finn"].actor_id, **values, **given})

    def agreed(self, **given: Any) -> FidelityConsensus:
        values = {
            "site": self.group.site, "group": self.group, "scale": "imr_fidelity", "scores": FOUR, "score": 4, "band": "high",
            "reached_by": self.fay, "signature": {},
        }  # fmt: skip
        return FidelityConsensus(**{**values, **given})

    def second_rating(self, **given: Any) -> None:
        self.rated(signed_at=clock.now(), signature={}, **given).save(force_insert=True)

    def done(self, **given: Any) -> Completion:
        values = {
            "site": self.one.site, "allocation": self.one, "ended_on": week(2), "ended_by": "withdrawn", "planned": 40, "offered": 4,
            "attended": 2, "held": 5, "denominator": "offered", "counted": 4, "share": "0.5", "completed": True,
        }  # fmt: skip
        return Completion(**{**values, **given})


def add(row: Any) -> None:
    row.save(force_insert=True)


def change(row: Any, **values: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**values)


def then(*steps: Callable[[], None]) -> None:
    for step in steps:
        step()


def trainer(s: Standing, key: uuid.UUID, **given: Any) -> GroupTrainer:
    values = {"site": s.group.site, "group": s.other, "since": FIRST}
    return GroupTrainer(trainer_id=key, **{**values, **given})


def in_tim_s_place(s: Standing, key: uuid.UUID, **given: Any) -> None:
    GroupTrainer.objects.filter(group=s.other, trainer_id=s.tim).update(until=week(1))
    add(trainer(s, key, **given))


FAULTS: list[tuple[str, Callable[[Standing], None]]] = [
    (
        "unblinded_group_code_plain",
        lambda s: add(TherapyGroup(site=s.group.site, code="a b", name="X", opened_on=FIRST, created_by="x")),
    ),
    ("unblinded_group_closes_after", lambda s: change(s.other, closed_on=FIRST - dt.timedelta(days=1))),
    ("group_time", lambda s: change(s.group, opened_on=week(2))),
    ("group_time", lambda s: change(s.group, closed_on=FIRST)),
    (
        "row-level security",
        lambda s: add(TherapyGroup(site="elsewhere", code="X", name="X", opened_on=FIRST, created_by="x")),
    ),
    ("trainer_count", lambda s: add(trainer(s, s.third))),
    ("trainer_is_therapist", lambda s: in_tim_s_place(s, s.trial.users["tim2"].pk)),
    ("trainer_is_therapist", lambda s: in_tim_s_place(s, s.trial.users["fay"].pk)),
    ("trainer_site", lambda s: in_tim_s_place(s, s.trial.users["tim2"].pk, site=s.trial.other_team.site_id)),
    ("member_site", lambda s: add(s.member_of(s.two, site=s.trial.other_team.site_id))),
    ("member_time", lambda s: add(s.member_of(s.two, entered_on=FIRST - dt.timedelta(days=1)))),
    ("member_overlap", lambda s: add(s.member_of(s.one, group=s.other, entered_on=week(1), left_on=week(2)))),
    ("member_deviates", lambda s: add(s.member_of(s.usual))),
    ("member_deviates", lambda s: add(s.member_of(s.two, deviates=True))),
    ("unblinded_member_leaves_after", lambda s: add(s.member_of(s.two, entered_on=week(2), left_on=week(1)))),
    ("member_attendance", lambda s: change(s.member, left_on=FIRST)),
    ("session_time", lambda s: add(s.session_on(FIRST - dt.timedelta(days=1)))),
    ("unblinded_session_once_a_day", lambda s: add(s.session_on(week(1)))),
    ("unblinded_session_held_or_canceled", lambda s: add(s.session_on(week(2), cancel_reason="holiday"))),
    (
        "unblinded_session_held_or_canceled",
        lambda s: add(s.session_on(week(2), state="canceled", modules=[], led_by=[], minutes=None)),
    ),
    ("unblinded_session_content", lambda s: add(s.session_on(week(2), modules=[]))),
    (
        "session_canceled",
        lambda s: change(s.session, state="canceled", cancel_reason="other", modules=[], led_by=[], minutes=None),
    ),
    (
        "session_moved",
        lambda s: then(lambda: change(s.member, left_on=week(1)), lambda: change(s.session, day=week(2))),
    ),
    ("attendance_guest", lambda s: add(s.mark(s.three, guest=False))),
    ("attendance_guest", lambda s: change(Attendance.objects.get(allocation=s.one), guest=True)),
    ("attendance_deviates", lambda s: add(s.mark(s.usual))),
    ("attendance_site", lambda s: add(s.mark(s.three, site=s.trial.other_team.site_id))),
    ("unblinded_attendance_once", lambda s: add(s.mark(s.two))),
    ("unblinded_attendance_mark", lambda s: add(s.mark(s.three, mark="absent"))),
    ("unblinded_attendance_mark", lambda s: add(s.mark(s.three, reason="ill"))),
    (
        "same_site",
        lambda s: add(Told(site=s.trial.other_team.site_id, allocation=s.one, told_on=FIRST, recorded_by="x")),
    ),
    (
        "unblinded_withdrawal_reason_known",
        lambda s: add(TreatmentWithdrawal(site=s.one.site, allocation=s.one, day=FIRST, reason="x", recorded_by="x")),
    ),
    ("unblinded_completion_follows_rule", lambda s: add(s.done(attended=1))),
    ("unblinded_completion_follows_rule", lambda s: add(s.done(completed=False))),
    ("unblinded_completion_denominator", lambda s: add(s.done(counted=5))),
    ("unblinded_completion_attended_offered", lambda s: add(s.done(attended=5))),
    ("unblinded_completion_ending", lambda s: add(s.done(ended_by="boredom"))),
    ("rating_signed", lambda s: change(s.rating, scores={**FOUR, "fid01": 1})),
    ("rating_complete", lambda s: s.second_rating(scores={"fid01": 4})),
    ("rating_complete", lambda s: s.second_rating(scores={**FOUR, "fid01": 6})),
    ("rating_complete", lambda s: s.second_rating(scores={**FOUR, "fid01": None})),
    ("rating_complete", lambda s: s.second_rating(scores={**FOUR, "fid01": 3.5})),
    ("rating_scale", lambda s: add(s.rated(scale="moods"))),
    ("rating_own_group", lambda s: add(s.rated(rater=str(s.tim)))),
    ("rating_rater", lambda s: add(s.rated(rater=s.trial.people["thea"].actor_id))),
    ("rating_count", lambda s: then(s.second_rating, lambda: add(s.rated(rater=s.trial.people["fred"].actor_id)))),
    ("unblinded_rating_once", lambda s: add(s.rated(rater=s.fay))),
    ("consensus_ratings", lambda s: add(s.agreed())),
    (
        "consensus_rater",
        lambda s: then(s.second_rating, lambda: add(s.agreed(reached_by=s.trial.people["fred"].actor_id))),
    ),
    (
        "consensus_scores",
        lambda s: then(s.second_rating, lambda: add(s.agreed(scores={**FOUR, "fid01": 5}, score="4.0769"))),
    ),
    ("consensus_scores", lambda s: then(s.second_rating, lambda: add(s.agreed(scores={"fid01": 4})))),
    ("consensus_score", lambda s: then(s.second_rating, lambda: add(s.agreed(score=5)))),
    ("consensus_score", lambda s: then(s.second_rating, lambda: add(s.agreed(band="low")))),
]


def test_every_planted_fault_is_refused(trial: Treatment) -> None:
    """In one trial, since each fault is rolled back."""
    s = Standing(trial)
    passed = []
    for constraint, plant in FAULTS:
        try:
            with trial.at_work():
                plant(s)
                raise NotRefused
        except DatabaseError as error:
            if constraint not in str(error) and constraint != getattr(
                getattr(error.__cause__, "diag", None), "constraint_name", ""
            ):
                passed.append(f"{constraint}: {error}")
        except NotRefused:
            passed.append(f"{constraint}: nothing was refused")
    assert passed == []


class NotRefused(Exception):
    """The fault was planted and stood."""


def test_what_is_right_is_not_refused(trial: Treatment) -> None:
    s = Standing(trial)
    with trial.at_work():
        add(s.mark(s.three))
        add(s.mark(s.usual, deviates=True))
        add(s.member_of(s.three))
        add(s.done())
        s.second_rating()
        add(s.agreed())
        change(s.member, left_on=week(1))


@pytest.mark.parametrize("table", ["told", "withdrawal", "completion", "fidelity_consensus"])
def test_rows_that_are_only_added(trial: Treatment, database: psycopg.Connection[Any], table: str) -> None:
    s = Standing(trial)
    with trial.at_work("thea") as by:
        actions.record_told(allocation=s.one, told_on=FIRST, by=by)
        actions.withdraw(allocation=s.one, reason_code="burden", day=week(2), by=by)
    with trial.at_work():
        add(s.done())
        s.second_rating()
        add(s.agreed())
    with database.transaction(), pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
        database.execute("select set_config('equipoise.actor', 'system:test', true)")
        database.execute(f"update unblinded_{table} set site = 'elsewhere'")


def test_the_lock_stops_every_table_of_the_treatment_side(trial: Treatment) -> None:
    s = Standing(trial)
    with trial.at_work():
        s.second_rating()
    manager = world.person(world.make_user("dana", "datamanager"))
    look_up_everybody()
    with world.at_work(manager):
        lock_database(password=world.PASSWORD, by=manager)
    late: list[Callable[[], None]] = [
        lambda: add(TherapyGroup(site=s.group.site, code="X", name="X", opened_on=FIRST, created_by="x")),
        lambda: change(s.group, name="X"),
        lambda: add(trainer(s, s.tim)),
        lambda: add(Told(site=s.one.site, allocation=s.one, told_on=FIRST, recorded_by="x")),
        lambda: add(s.member_of(s.two)),
        lambda: change(s.member, left_on=week(2)),
        lambda: add(s.session_on(week(2))),
        lambda: change(s.session, minutes=60),
        lambda: add(s.mark(s.three)),
        lambda: change(Attendance.objects.get(allocation=s.one), mark=ILL.mark, reason=ILL.reason),
        lambda: add(
            TreatmentWithdrawal(site=s.one.site, allocation=s.one, day=FIRST, reason="burden", recorded_by="x")
        ),
        lambda: add(s.done()),
        lambda: add(s.rated(scale="it_is", scores={})),
        lambda: add(s.agreed()),
    ]
    for change_it in late:
        with trial.at_work(), pytest.raises(DatabaseError, match="database is locked"):
            change_it()


@pytest.mark.parametrize("table", ["group", "member", "session", "attendance", "completion", "fidelity_rating"])
def test_the_unblinded_login_deletes_nothing(trial: Treatment, table: str) -> None:
    with trial.at_work(), db.cursor() as c, pytest.raises(DatabaseError, match="permission denied"):
        c.execute(f"delete from unblinded_{table}")
