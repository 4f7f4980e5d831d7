"""Month 24, read from the played database by SQL and the visit calendar: people at every point of the way, work for everybody.

Playing it takes some 45 s of processor time, so that `make proof` does it; the same is asked of the plan in `test_plan`, each time.
"""

import datetime as dt
from collections import Counter
from typing import Any

import psycopg
import pytest

from assessments.visits.schedule import Recorded, State, state_of, window_of
from tests import world
from tests.unit.config.worlds.shared import PERSONAL
from trial.config.worlds import stage
from trial.config.worlds.plan.calendar import RUNNING
from trial.protocol.loader import load

pytestmark = pytest.mark.proof

Owner = psycopg.Connection[Any]
IMR = load(world.ROOT / "protocols" / "imr")
TODAY = RUNNING.date()
RECORDED = {"attended": Recorded.DONE, "missed": Recorded.MISSED}


def column(owner: Owner, query: str) -> list[Any]:
    return [row[0] for row in owner.execute(query).fetchall()]  # type: ignore[arg-type]


def states(owner: Owner, site: str) -> Counter[tuple[str, State]]:
    """Where each follow-up visit of a site's randomized people stands."""
    people = owner.execute(
        "select id, (randomized_at at time zone 'Europe/Amsterdam')::date from participants_participant"
        " where randomized_at is not null and site_id = %s",
        [site],
    ).fetchall()
    words = {
        (person, visit): outcome
        for person, visit, outcome in owner.execute(
            "select distinct on (participant_id, visit) participant_id, visit, outcome from visits_visitoutcome"
            " order by participant_id, visit, number desc"
        )
    }
    return Counter(
        (
            visit.code,
            state_of(
                window_of(visit, since), RECORDED.get(words.get((person, visit.code), ""), Recorded.NOTHING), TODAY
            ),
        )
        for person, since in people
        for visit in IMR.follow_ups
    )


def test_each_interviewer_has_visits_in_every_state(at_month_24: Owner) -> None:
    for site in ("rotterdam", "dordrecht"):
        found = states(at_month_24, site)
        assert {state for visit, state in found if visit == "T2"} == set(State) - PERSONAL
        assert {State.OVERDUE, State.DONE, State.MISSED, State.UPCOMING} <= {s for v, s in found if v == "T3"}
        late = found["T2", State.OVERDUE] + found["T3", State.OVERDUE] + found["T2", State.WINDOW_CLOSED]
        assert late <= 12, "a worklist that can be finished"


def test_people_are_at_every_step_of_the_way_in(at_month_24: Owner) -> None:
    outcomes = Counter(column(at_month_24, "select outcome from participants_screeningentry"))
    assert set(outcomes) == {"in_screening", "eligible", "registered", "excluded", "declined"}
    ready = (
        "select site_id from participants_participant where baseline_completed_at is not null and randomized_at is null"
    )
    assert len(column(at_month_24, ready)) == 3
    begun = (
        "select count(distinct participant_id) from entry_form f join participants_participant p on p.id = f.participant_id"
        " where f.visit = 'T1' and f.state = 'draft' and p.baseline_completed_at is null"
    )
    assert column(at_month_24, begun) == [2]
    randomized = column(at_month_24, "select count(*) from participants_participant where randomized_at is not null")
    assert randomized == [177]
    assert len(set(column(at_month_24, "select team_id from participants_participant"))) == 14


def test_visits_that_came_back(at_month_24: Owner) -> None:
    """At each site one that has been made since, and one still to be made."""
    words = (
        "select string_agg(outcome, ' ' order by number) from visits_visitoutcome where (participant_id, visit) in"
        " (select participant_id, visit from visits_visitoutcome where outcome = 'reopened') group by participant_id, visit"
    )
    assert Counter(column(at_month_24, words)) == {"missed reopened attended": 2, "missed reopened": 2}
    half = "select count(*) from entry_form where visit = 'T2' and state = 'draft'"
    assert column(at_month_24, half) == [2]


def test_the_statistician_has_something_to_look_at(at_month_24: Owner) -> None:
    assert column(at_month_24, "select kind || ' ' || state from pooled_pooledrun order by 1") == [
        "fake succeeded",
        "pooled succeeded",
        "published succeeded",
        "scales succeeded",
    ]
    assert column(at_month_24, "select count(*) from snapshots_snapshot") == [2]
    newest = (
        "select count(*) from pooled_pooledrun where snapshot_id ="
        " (select id from snapshots_snapshot order by made_at desc limit 1)"
    )
    assert column(at_month_24, newest) == [0]
    assert column(at_month_24, "select count(*) from unblinded_comparative_run") == [0]
    assert column(at_month_24, "select count(*) from participants_databaselock") == [0]


def test_nothing_lies_in_the_future(at_month_24: Owner) -> None:
    (latest,) = column(at_month_24, "select max(at) from core_history")
    assert RUNNING - dt.timedelta(days=1) < latest <= RUNNING + dt.timedelta(minutes=5)


def test_every_account_is_there(at_month_24: Owner) -> None:
    assert set(column(at_month_24, "select username from core_user")) == {name for name, *_rest in stage.ACCOUNTS}


def test_groups_are_under_way(at_month_24: Owner) -> None:
    """At each site some have closed and some go on; the demo's therapists have a group that does."""
    groups = Counter(
        column(
            at_month_24, "select site || case when closed_on is null then ' goes on' else '' end from unblinded_group"
        )
    )
    assert groups == {"rotterdam": 4, "dordrecht": 4, "rotterdam goes on": 3, "dordrecht goes on": 2}
    trainers = (
        "select distinct u.username from unblinded_group_trainer t join core_user u on u.id = t.trainer_id"
        " join unblinded_group g on g.id = t.group_id where g.closed_on is null"
    )
    assert {"therapist", "therapist2"} <= set(column(at_month_24, trainers))
    recent = "select count(distinct group_id) from unblinded_session where day >= %s"
    assert at_month_24.execute(recent, [TODAY - dt.timedelta(days=7)]).fetchone() == (5,)
    assert set(column(at_month_24, "select distinct group_id from unblinded_completion")) >= set(
        column(at_month_24, "select id from unblinded_group where closed_on is not null")
    )


def test_somebody_is_still_to_be_told(at_month_24: Owner) -> None:
    untold = "select count(*) from unblinded_allocation a where not exists (select 1 from unblinded_told where allocation_id = a.id)"
    (waiting,) = column(at_month_24, untold)
    assert 0 < waiting < 5


def test_two_queries_wait_for_an_answer(at_month_24: Owner) -> None:
    open_ones = "select count(*) from cleaning_dataquery q where not exists (select 1 from cleaning_queryevent where query_id = q.id)"
    assert column(at_month_24, open_ones) == [2]
    assert Counter(column(at_month_24, "select what from cleaning_queryevent")) == {"answered": 7, "closed": 7}


def test_one_person_has_died(at_month_24: Owner) -> None:
    assert column(at_month_24, "select step from participants_death order by number") == ["reported", "confirmed"]


def test_two_narratives_of_serious_events_are_missing(at_month_24: Owner) -> None:
    told = "select count(*) from unblinded_event_narrative"
    assert column(at_month_24, "select count(*) from participants_seriousevent where number = 1") == [8]
    assert column(at_month_24, told) == [6]


def test_somebody_is_to_be_called_again(at_month_24: Owner) -> None:
    """At each site: the last attempt failed, the day to try again has come, and the visit is open."""
    waiting = (
        "select distinct site_id from (select distinct on (participant_id, visit) * from participants_contactattempt"
        " order by participant_id, visit, number desc) t where next_on <= %s and not exists (select 1 from visits_visitoutcome o"
        " where o.participant_id = t.participant_id and o.visit = t.visit)"
    )
    found = {site for (site,) in at_month_24.execute(waiting, [TODAY]).fetchall()}
    assert found == {"rotterdam", "dordrecht"}
