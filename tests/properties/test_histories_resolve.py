"""Laws of append-only histories: whatever was added in whichever order, one state is in force, and it is the one that a plain fold gives."""

import datetime as dt
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessments.visits.schedule import CLOSED, State, standing_of
from tests import world
from tests.blinding.one_database import reset
from trial.core import clock, db
from trial.core.errors import Refused
from trial.participants import queries
from trial.participants.course import actions as course
from trial.participants.models import Consent, Death, Participant, Transfer
from trial.protocol.models import Team

PARTS = ("interviews", "records", "clinician", "sharing")
PEOPLE = (db.System("one"), db.System("two"), db.System("three"))
START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
few = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@pytest.fixture(autouse=True)
def _no_broker(settings: Any) -> None:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"


def somebody(owner: psycopg.Connection[Any]) -> Participant:
    reset(owner)
    world.open_trial()
    with world.at_work(world.SETUP):
        team = Team.objects.order_by("code").first()
        assert team is not None
        return world.register(world.SETUP, team)


@few
@given(decisions=st.lists(st.tuples(st.sampled_from(PARTS), st.booleans()), max_size=12))
def test_each_part_of_the_consent_has_one_state(
    database: psycopg.Connection[Any], decisions: list[tuple[str, bool]]
) -> None:
    one, given_now = somebody(database), set(PARTS)
    with world.at_work(world.SETUP):
        for part, gives in decisions:
            before = Consent.objects.count()
            if gives:
                course.consent_again(participant=one, part=part, signed_on=clock.today(), by=world.SETUP)
            else:
                course.withdraw(participant=one, part=part, day=clock.today(), by=world.SETUP)
            # a row is added exactly when something changes
            assert Consent.objects.count() - before == (gives != (part in given_now))
            (given_now.add if gives else given_now.discard)(part)
        assert queries.parts_in_force([one.pk])[one.pk] == given_now
        for part in PARTS:
            assert queries.consent_in_force([one.pk], part) == ({one.pk} if part in given_now else set())


def folded(before: str, step: str, reporter: str, who: str) -> str | None:
    """The state after a step, None where it is refused; what is so already stays so."""
    if step == "reported":
        return before if before in ("reported", "confirmed") else "reported"
    if before == step:
        return before
    return step if before == "reported" and who != reporter else None


@few
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["reported", "confirmed", "rejected"]), st.sampled_from(PEOPLE)), max_size=10
    )
)
def test_a_death_has_one_state_and_takes_two_people(
    database: psycopg.Connection[Any], steps: list[tuple[str, db.System]]
) -> None:
    one, state, reporter = somebody(database), "", ""
    for step, who in steps:
        expected = folded(state, step, reporter, who.actor_id)
        try:
            with world.at_work(who):
                if step == "reported":
                    course.report_death(participant=one, by=who)
                else:
                    course.decide_death(participant=one, confirmed=step == "confirmed", by=who)
            assert expected is not None
        except Refused:
            assert expected is None
        if expected is not None:
            if expected == "reported" and state != "reported":
                reporter = who.actor_id
            state = expected
        with world.at_work(world.SETUP):
            rows = list(Death.objects.order_by("number"))
            assert [row.number for row in rows] == list(range(1, len(rows) + 1))
            assert (rows[-1].step if rows else "") == state
            assert queries.died([one.pk]) == ({one.pk} if state in ("reported", "confirmed") else set())
            listed = queries.participants().filter(pk=one.pk).exists()
            assert listed == (state not in ("reported", "confirmed"))


@few
@given(moves=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=8))
def test_on_each_day_one_team_treats_somebody(database: psycopg.Connection[Any], moves: list[tuple[int, int]]) -> None:
    with clock.frozen(START):
        one = somebody(database)
        clock.move_to(START + dt.timedelta(days=7))
        first = START.date()
        plain = {first + dt.timedelta(days=n): one.team_id for n in range(8)}
        with world.at_work(world.SETUP):
            teams = list(Team.objects.order_by("code")[:4])
            for day, team in moves:
                effective = first + dt.timedelta(days=day)
                try:
                    course.transfer(participant=one, team=teams[team], effective_on=effective, by=world.SETUP)
                except Refused:
                    continue
                plain |= {later: teams[team].pk for later in plain if later >= effective}
            assert {day: queries.teams_at([one], day)[one.pk].pk for day in plain} == plain
            assert set(Transfer.objects.values_list("site_id", flat=True)) <= {one.site_id}


@given(state=st.sampled_from(list(State)), withdrawn=st.booleans(), died=st.booleans())
def test_what_is_on_record_stays_whatever_becomes_of_the_person(state: State, withdrawn: bool, died: bool) -> None:
    after = standing_of(state, withdrawn=withdrawn, died=died)
    if state in (State.DONE, State.MISSED):
        assert after is state
    elif died or withdrawn:
        assert after in CLOSED
    else:
        assert after is state
    assert standing_of(after, withdrawn=withdrawn, died=died) is after
