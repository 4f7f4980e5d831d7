"""The plan of the demo, counted again from its events alone. The figures are those of the published flow (T/120, T/123)."""

import datetime as dt
import statistics
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pytest
import statsmodels.api as sm

from assessments.visits.schedule import Recorded, State, state_of, window_of
from tests import world
from tests.unit.config.worlds.shared import PERSONAL
from trial.config.worlds.plan import allocation, calendar, events, people
from trial.config.worlds.plan.script import of_sites, script, site_of
from trial.protocol.loader import load

IMR = load(world.ROOT / "protocols" / "imr")
E = TypeVar("E", bound=events.Event)

SINCE = {e.person: e.at for e in script() if isinstance(e, events.Randomized)}
ARM = {p.number: p.arm for p in people.people() if p.arm}


def of(kind: type[E]) -> list[E]:
    return [event for event in script() if isinstance(event, kind)]


def last_word(visit: str) -> dict[int, str]:
    """What became of a visit in the end: "" for made, else the reason."""
    found: dict[int, str] = {}
    for event in script():
        if isinstance(event, events.Sitting) and event.visit == visit and event.part != events.Part.FIRST:
            found[event.person] = ""
        elif isinstance(event, events.Missed) and event.visit == visit:
            found[event.person] = event.reason
    return found


def test_assessed_and_turned_away() -> None:
    assert len({e.person for e in of(events.Opened)}) == len(of(events.Opened)) == 238
    assert Counter(e.reason for e in of(events.TurnedAway)) == {
        "declined": 35,
        "condition": 7,
        "not_contacted": 5,
        "other": 4,
    }
    assert all(e.declined == (e.reason == "declined") for e in of(events.TurnedAway))
    assert len(SINCE) == 187
    assert not set(SINCE) & {e.person for e in of(events.TurnedAway)}


def test_one_person_is_screened_twice_before_the_demo_stops() -> None:
    (before,) = of(events.ScreenedBefore)
    (again,) = [e for e in of(events.Opened) if e.person == before.person]
    assert before.at < again.at < SINCE[before.person] < calendar.RUNNING


def test_the_list_gives_116_and_71_in_whole_blocks_of_five() -> None:
    lists = allocation.sequence()
    teams = {team.code for team in IMR.teams}
    assert set(lists) == teams
    assert len(teams) == 14
    for arms in lists.values():
        assert len(arms) % 5 == 0
        assert all(sorted(arms[n : n + 5]) == ["cau", "cau", "imr", "imr", "imr"] for n in range(0, len(arms), 5))
    taken: Counter[str] = Counter()
    given: Counter[str] = Counter()
    for person in sorted(SINCE, key=SINCE.__getitem__):
        team = people.people()[person].team
        assert people.people()[person].arm == lists[team][taken[team]]
        given[lists[team][taken[team]]] += 1
        taken[team] += 1
    assert given == {"imr": 116, "cau": 71}
    used = {arms[n : n + 5] for arms in lists.values() for n in range(0, len(arms), 5)}
    assert len(used) == 10, "every order of a block is used"


def test_the_list_is_one_that_the_allocator_reads() -> None:
    from trial.unblinded.randomization.actions import read_list

    rows, problems = read_list(allocation.as_csv(), IMR)
    assert not problems
    assert len(rows) >= 187
    assert "constructed" in allocation.ORIGIN


def test_teams_lie_where_the_protocol_says() -> None:
    assert {team.code: team.site for team in IMR.teams} == {code: people.site_of(code) for code in allocation.TEAMS}
    assert {visit.code: visit.offset for visit in IMR.follow_ups} == {"T2": 12, "T3": 18}


@pytest.mark.parametrize(
    ("visit", "arm", "made", "reasons"),
    [
        ("T2", "imr", 99, {"declined": 7, "not_located": 6, "psychiatric": 4}),
        ("T2", "cau", 58, {"declined": 10, "not_located": 2, "psychiatric": 1}),
        ("T3", "imr", 104, {"declined": 8, "not_located": 2, "psychiatric": 2}),
        ("T3", "cau", 61, {"declined": 9, "psychiatric": 1}),
    ],
)
def test_who_was_interviewed(visit: str, arm: str, made: int, reasons: dict[str, int]) -> None:
    words = Counter(word for person, word in last_word(visit).items() if ARM[person] == arm)
    assert words == {"": made, **reasons}


def test_eight_missed_the_visit_at_12_months_only_and_nobody_is_new_at_18() -> None:
    once = [n for n, word in last_word("T2").items() if word and not last_word("T3")[n]]
    assert Counter(ARM[n] for n in once) == {"imr": 5, "cau": 3}
    assert not [n for n, word in last_word("T3").items() if word and not last_word("T2")[n]]


def attendance() -> tuple[dict[int, int], dict[int, int]]:
    offered: Counter[int] = Counter()
    attended: Counter[int] = Counter()
    for session in of(events.SessionHeld):
        assert session.attended <= set(session.offered)
        offered.update(session.offered)
        attended.update(session.attended)
    return offered, attended


def test_sessions_of_the_116() -> None:
    offered, attended = attendance()
    treated = [n for n, arm in ARM.items() if arm == "imr"]
    assert set(offered) == set(treated) == {e.person for e in of(events.Joined)}
    assert sum(attended[n] == 0 for n in treated) == 21
    assert sum(attended[n] >= 1 for n in treated) == 95
    assert sum(attended[n] / offered[n] >= 0.5 for n in treated) == 57
    assert sum(attended[n] >= 10 for n in treated) == 68
    # by any of the three denominators
    assert sum(attended[n] / 40 >= 0.5 for n in treated) <= 57
    assert not [n for n in treated if 0.4 < attended[n] / offered[n] < 0.6]


def test_fifteen_groups_meet_weekly_forty_times() -> None:
    opened = {e.group: e for e in of(events.GroupOpened)}
    assert len(opened) == 15
    held: dict[int, list[events.SessionHeld]] = defaultdict(list)
    for session in of(events.SessionHeld):
        held[session.group].append(session)
    members = Counter(e.group for e in of(events.Joined))
    assert max(members.values()) <= IMR.sessions.max_group_size  # type: ignore[union-attr]
    modules = {m.code for m in IMR.sessions.modules}  # type: ignore[union-attr]
    for group, sessions in held.items():
        assert [s.number for s in sessions] == list(range(1, 41))
        assert {s.module for s in sessions} == modules
        gaps = {(b.at - a.at).days for a, b in pairwise(sessions)}
        assert {gap % 7 for gap in gaps} == {0}
        assert sessions[0].at > opened[group].at
    for joined in of(events.Joined):
        assert joined.at > SINCE[joined.person]
        assert people.people()[joined.person].site == opened[joined.group].site


def test_who_stops_is_offered_nothing_afterwards() -> None:
    stops = of(events.TreatmentWithdrawn)
    assert len(stops) == 9
    for stop in stops:
        assert ARM[stop.person] == "imr"
        assert not [s for s in of(events.SessionHeld) if stop.person in s.offered and s.at > stop.at]


def test_everybody_is_told_before_they_enter_a_group() -> None:
    told = {e.person: e.at for e in of(events.Told)}
    assert set(told) == set(SINCE)
    assert all(SINCE[person] < at for person, at in told.items())
    assert all(told[e.person] <= e.at for e in of(events.Joined))
    assert 0 < sum(at > calendar.RUNNING > SINCE[person] for person, at in told.items()) < 5


def test_groups_open_and_close_around_what_happens_in_them() -> None:
    """And nobody enters after the session of the same day: a member is one for the whole day."""
    opened, closed = ({e.group: e.at for e in of(kind)} for kind in (events.GroupOpened, events.GroupClosed))
    assert len(opened) == len(closed) == 15
    inside = [*of(events.Joined), *of(events.SessionHeld), *of(events.FidelityRated)]
    assert all(opened[e.group] <= e.at < closed[e.group] for e in inside)
    sessions = {(e.group, e.at.date()): e.at for e in of(events.SessionHeld)}
    assert all(e.at <= sessions.get((e.group, e.at.date()), e.at) for e in of(events.Joined))


def test_fidelity_of_the_fifteen_groups() -> None:
    agreed = {e.group: e.items for e in of(events.FidelityAgreed)}
    means = {group: statistics.mean(items) for group, items in agreed.items()}
    assert len(means) == 15
    assert all(len(items) == 13 and set(items) <= {1, 2, 3, 4, 5} for items in agreed.values())
    high = {group for group, mean in means.items() if mean >= 4}
    assert len(high) == 8
    assert (round(min(means[g] for g in high), 2), round(max(means[g] for g in high), 2)) == (4.00, 4.54)
    moderate = set(means) - high
    assert (round(min(means[g] for g in moderate), 2), round(max(means[g] for g in moderate), 2)) == (3.46, 3.92)
    assert round(statistics.mean(means.values()), 2) == 3.94
    assert round(statistics.stdev(means.values()), 2) == 0.29
    group_of = {e.person: e.group for e in of(events.Joined)}
    _offered, attended = attendance()
    many = [n for n in group_of if attended[n] >= 10]
    assert sum(group_of[n] in high for n in many) == 39
    assert sum(group_of[n] in moderate for n in many) == 29


def test_two_raters_agree_on_94_of_100_items() -> None:
    rated = {(e.group, e.rater): e.items for e in of(events.FidelityRated)}
    assert len(rated) == 30
    alike = [a == b for g in range(15) for a, b in zip(rated[g, 1], rated[g, 2], strict=True)]
    assert round(100 * sum(alike) / len(alike)) == 94


def test_admissions_lie_in_their_year_and_differ_as_published() -> None:
    nights: dict[tuple[int, str], int] = {}
    for read in of(events.RecordsRead):
        since = SINCE[read.person].date()
        follow_up = window_of(IMR.visit("T2"), since).target
        first, last = {
            "before": (since - dt.timedelta(days=360), since - dt.timedelta(days=10)),
            "after": (follow_up + dt.timedelta(days=76), follow_up + dt.timedelta(days=358)),
        }[read.period]
        for stay in read.stays:
            assert first <= stay.first
            assert stay.first + dt.timedelta(days=stay.nights) <= last
        nights[read.person, read.period] = sum(stay.nights for stay in read.stays)
        assert read.at < calendar.LOCK
    assert len(nights) == 2 * 187
    differences = {n: nights[n, "after"] - nights[n, "before"] for n in SINCE}
    assert sum(d == 0 for d in differences.values()) == 137
    by_arm = {arm: [d for n, d in differences.items() if ARM[n] == arm] for arm in ("imr", "cau")}
    assert statistics.mean(by_arm["imr"]) == pytest.approx(-7.72, abs=1)
    assert statistics.mean(by_arm["cau"]) == pytest.approx(-4.46, abs=1)
    assert statistics.stdev(by_arm["imr"]) == pytest.approx(51.19, rel=0.1)
    assert statistics.stdev(by_arm["cau"]) == pytest.approx(44.23, rel=0.1)
    y = np.array([nights[n, "after"] > 0 for n in sorted(SINCE)], dtype=float)
    x = np.array([[1, ARM[n] == "imr", nights[n, "before"] > 0] for n in sorted(SINCE)], dtype=float)
    fit: Any = sm.Logit(y, x).fit(disp=0)
    assert np.exp(fit.params[1]) == pytest.approx(1.22, abs=0.1)
    assert fit.bse[1] == pytest.approx(0.523, abs=0.03)


def test_incidents() -> None:
    assert Counter((ARM[e.person], e.visit) for e in of(events.UnblindingReported)) == {
        ("imr", "T2"): 9,
        ("cau", "T2"): 3,
        ("imr", "T3"): 2,
    }
    assert Counter(e.part for e in of(events.ConsentWithdrawn)) == {"interviews": 4, "sharing": 3}
    tried = Counter((e.person, e.visit) for e in of(events.ContactTried) if not e.reached)
    not_located = [(e.person, e.visit) for e in of(events.Missed) if e.reason == "not_located"]
    assert len(not_located) == 10
    assert all(tried[one] == 3 for one in not_located)
    assert len(of(events.ContactTried)) == 40
    (death,), (confirmed,) = of(events.DeathReported), of(events.DeathConfirmed)
    assert death.person == confirmed.person
    assert death.at < confirmed.at < calendar.RUNNING
    assert not [e for e in script() if isinstance(e, events.Sitting) and e.person == death.person and e.at > death.at]


def test_two_of_eight_serious_events_wait_for_their_narrative_at_month_24() -> None:
    reported = {e.number: e for e in of(events.SeriousEventReported)}
    told, settled = of(events.NarrativeWritten), of(events.SeriousEventSettled)
    assert len(reported) == len(told) == len(settled) == 8
    assert all(SINCE[e.person].date() < e.day <= e.at.date() and e.at < calendar.RUNNING for e in reported.values())
    assert all(reported[e.number].at < e.at < calendar.LOCK for e in (*told, *settled))
    waiting = [e.person for e in told if e.at > calendar.RUNNING]
    (death,) = of(events.DeathReported)
    assert len(waiting) == 2
    assert death.person not in waiting
    assert {e.is_behind for e in reported.values()} == {True, False}
    assert {ARM[e.person] for e in reported.values()} == {"imr", "cau"}


def test_two_queries_are_open_at_month_24_and_none_at_the_end() -> None:
    def open_at(at: dt.datetime) -> set[int]:
        raised = {e.number for e in of(events.QueryRaised) if e.at <= at}
        return raised - {e.number for e in of(events.QueryAnswered) if e.at <= at}

    assert len(open_at(calendar.RUNNING)) == 2
    assert len(of(events.QueryRaised)) == len(of(events.QueryClosed)) == 12
    assert open_at(calendar.LOCK) == set()
    signed = {(e.person, e.visit): e.at for e in of(events.Sitting)}
    assert all(signed[e.person, e.visit] < e.at for e in of(events.QueryRaised))


NOW = calendar.RUNNING


def states_now(site: str) -> Counter[tuple[str, State]]:
    """Where each follow-up visit of a site's people stands at month 24, by the calendar that the pages use."""
    words: dict[tuple[int, str], Recorded] = {}
    for event in script():
        if event.at > NOW:
            break
        if isinstance(event, events.Missed):
            words[event.person, event.visit] = Recorded.MISSED
        elif isinstance(event, events.Reopened):
            del words[event.person, event.visit]
        elif isinstance(event, events.Sitting) and event.part != events.Part.FIRST:
            words[event.person, event.visit] = Recorded.DONE
    return Counter(
        (
            visit.code,
            state_of(window_of(visit, at.date()), words.get((n, visit.code), Recorded.NOTHING), NOW.date()),
        )
        for n, at in SINCE.items()
        if at <= NOW and people.people()[n].site == site
        for visit in IMR.follow_ups
    )


@pytest.mark.parametrize("site", people.SITES)
def test_at_month_24_each_interviewer_has_visits_in_every_state(site: str) -> None:
    found = states_now(site)
    assert {state for visit, state in found if visit == "T2"} == set(State) - PERSONAL
    assert {State.OVERDUE, State.DONE, State.MISSED, State.UPCOMING} <= {s for v, s in found if v == "T3"}
    late = found["T2", State.OVERDUE] + found["T3", State.OVERDUE] + found["T2", State.WINDOW_CLOSED]
    assert late <= 12, "a worklist that can be finished"


def test_at_month_24_people_are_at_every_step_of_the_way_in() -> None:
    last: dict[int, str] = {}
    for event in script():
        if event.at <= NOW and isinstance(event, events.PersonEvent):
            part = event.part.value if isinstance(event, events.Sitting) else ""
            last[event.person] = f"{type(event).__name__} {part}".strip()
    steps = Counter(word for n, word in last.items() if n not in SINCE or SINCE[n] > NOW)
    assert steps == {
        "Opened": 3,
        "Assessed": 1,
        "Registered": 1,
        "Sitting first": 2,
        "Sitting whole": 3,
        "TurnedAway": 48,
    }
    back = [e for e in of(events.Reopened) if e.at <= NOW]
    made = {(e.person, e.visit): e.at for e in of(events.Sitting)}
    assert Counter(made[e.person, e.visit] <= NOW for e in back) == {True: 2, False: 2}


def test_every_life_is_in_order() -> None:
    order: dict[int, list[str]] = defaultdict(list)
    for event in script():
        if isinstance(event, events.PersonEvent):
            order[event.person].append(type(event).__name__)
    for steps in order.values():
        way = [s for s in steps if s in ("Opened", "Assessed", "Registered", "Randomized", "TurnedAway")]
        assert way in (["Opened", "Assessed", "Registered", "Randomized"], ["Opened", "TurnedAway"])
    baseline = {e.person: e.at for e in of(events.Sitting) if e.visit == "T1"}
    assert all(baseline[n] < at for n, at in SINCE.items())
    assert all(event.at.weekday() < 5 for event in of(events.Sitting))
    instants = sorted(SINCE.values())
    assert len(set(instants)) == len(instants)


def test_recruitment_is_as_long_to_the_whole_as_it_was() -> None:
    """18.3 of 51.9 months (T/174); here the same script is cut in the last weeks of recruitment."""
    whole = calendar.LOCK - calendar.BEGIN
    assert (max(SINCE.values()) - calendar.BEGIN) / whole < 0.53
    assert min(SINCE.values()) < calendar.RUNNING < max(SINCE.values())


def test_sites_part_the_script_between_two_players() -> None:
    first, second = of_sites(people.SITES[:1]), of_sites(people.SITES[1:])
    assert len(first) + len(second) == len(script())
    assert {site_of(e) for e in second} == {"dordrecht"}
    assert 0.8 < len(first) / len(second) < 1.25, "both have about the same to do"


def test_baseline_counts_are_the_published_ones() -> None:
    background = [dict(p.background or {}) for p in people.people() if p.arm]
    assert Counter(b["sex"] for b in background) == {0: 99, 1: 88}
    assert Counter(b["admissions"] for b in background) == {0: 48, 1: 69, 2: 70}
    assert Counter(b["hospital"] for b in background) == {0: 48, 1: 94, 2: 45}
    assert all((b["admissions"] == 0) == (b["hospital"] == 0) for b in background)
    ages = [float(b["age"] or 0) for b in background]
    assert statistics.mean(ages) == pytest.approx(44.29, abs=0.1)
    assert statistics.stdev(ages) == pytest.approx(10.38, abs=0.1)
