"""AT=end, counted by SQL on the played database alone: nothing in here reads the plan."""

import json
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import psycopg
import pytest

from tests import database as server
from tests.unit.config.worlds.contrast import differences

Owner = psycopg.Connection[Any]

LAST_WORD = (
    "select distinct on (o.participant_id, o.visit) a.arm, o.visit, o.outcome, o.reason, o.participant_id"
    " from visits_visitoutcome o join unblinded_allocation a using (participant_id)"
    " order by o.participant_id, o.visit, o.number desc"
)


def one(owner: Owner, query: str) -> Any:
    return owner.execute(query).fetchone()[0]  # type: ignore[arg-type, index]


def counted(owner: Owner, query: str) -> Counter[Any]:
    """Rows of ``query`` with their number."""
    return Counter(tuple(row) if len(row) > 1 else row[0] for row in owner.execute(query).fetchall())  # type: ignore[arg-type]


PERSONS = (
    "(select e.* from participants_screeningentry e where not exists"
    " (select 1 from participants_screeningentry l where l.previous_id = e.id)) persons"
)
"""Each person by the latest entry."""


def test_assessed_excluded_randomized(at_end: Owner) -> None:
    assert counted(at_end, f"select outcome from {PERSONS}") == {"registered": 187, "declined": 35, "excluded": 16}
    assert one(at_end, f"select count(*) from {PERSONS}") == 238
    reasons = counted(at_end, f"select reason from {PERSONS} where outcome = 'excluded'")
    assert reasons == {"condition": 7, "not_contacted": 5, "other": 4}
    assert one(at_end, "select count(*) from participants_participant where randomized_at is not null") == 187


def test_116_and_71_from_an_imported_list_of_blocks_of_five_in_14_teams(at_end: Owner) -> None:
    assert counted(at_end, "select arm from unblinded_allocation") == {"imr": 116, "cau": 71}
    assert counted(at_end, "select origin from concealed_sequence where purpose = 'main'") == {"imported": 1}
    assert "constructed" in one(at_end, "select parameters->>'origin' from concealed_sequence where purpose = 'main'")
    blocks = counted(
        at_end,
        "select string_agg(arm, '' order by arm) from concealed_slot group by stratum, (position - 1) / 5",
    )
    assert set(blocks) == {"caucauimrimrimr"}
    assert one(at_end, "select count(distinct stratum) from unblinded_allocation") == 14
    gaps = (
        "select count(*) from (select position - row_number() over (partition by stratum order by allocated_at) as gap"
        " from unblinded_allocation) g where gap <> 0"
    )
    assert one(at_end, gaps) == 0, "slots are taken in the order of randomization"


@pytest.mark.parametrize(
    ("visit", "arm", "expected"),
    [
        ("T1", "imr", {("attended", ""): 116}),
        ("T1", "cau", {("attended", ""): 71}),
        (
            "T2",
            "imr",
            {
                ("attended", ""): 99,
                ("missed", "declined"): 7,
                ("missed", "not_located"): 6,
                ("missed", "psychiatric"): 4,
            },
        ),
        (
            "T2",
            "cau",
            {
                ("attended", ""): 58,
                ("missed", "declined"): 10,
                ("missed", "not_located"): 2,
                ("missed", "psychiatric"): 1,
            },
        ),
        (
            "T3",
            "imr",
            {
                ("attended", ""): 104,
                ("missed", "declined"): 8,
                ("missed", "not_located"): 2,
                ("missed", "psychiatric"): 2,
            },
        ),
        ("T3", "cau", {("attended", ""): 61, ("missed", "declined"): 9, ("missed", "psychiatric"): 1}),
    ],
)
def test_what_became_of_each_visit(at_end: Owner, visit: str, arm: str, expected: dict[Any, int]) -> None:
    found = counted(at_end, f"select outcome, reason from ({LAST_WORD}) w where visit = '{visit}' and arm = '{arm}'")
    assert found == expected


def test_eight_missed_only_the_visit_at_12_months(at_end: Owner) -> None:
    pairs = (
        f"select a.arm, a.outcome, b.outcome from ({LAST_WORD}) a join ({LAST_WORD}) b using (participant_id)"
        " where a.visit = 'T2' and b.visit = 'T3'"
    )
    found = counted(at_end, pairs)
    assert (found["imr", "missed", "attended"], found["cau", "missed", "attended"]) == (5, 3)
    assert (found["imr", "attended", "missed"], found["cau", "attended", "missed"]) == (0, 0)


def test_who_was_interviewed_has_every_form_signed_and_a_primary_score(at_end: Owner) -> None:
    forms = counted(at_end, "select visit, instrument, state from entry_form")
    for visit, people in (("T1", 187), ("T2", 157), ("T3", 165)):
        instruments = {i for v, i, _s in forms if v == visit}
        assert len(instruments) == (5 if visit == "T1" else 4)
        assert all(forms[visit, instrument, "signed"] == people for instrument in instruments)
    assert not [key for key in forms if key[2] != "signed"]
    primary = "select count(*) from entry_score where scale = 'imrs_client' and value is not null"
    assert one(at_end, primary) == 187 + 157 + 165


SCORES = (
    "select f.participant_id::text, f.visit, a.arm, s.value::float from entry_score s"
    " join entry_form f on f.id = s.form_id join unblinded_allocation a using (participant_id)"
    " where s.scale = '{}'"
)


def stored_differences(owner: Owner, scale: str, direction: str) -> list[float]:
    """The contrast of the stored scores, by the analysis engine. People without a visit have no row there."""
    rows = owner.execute(SCORES.format(scale)).fetchall()  # type: ignore[arg-type]
    return differences([tuple(row) for row in rows], direction)  # type: ignore[misc]


@pytest.mark.parametrize(("scale", "direction"), [("ses", "higher_is_better"), ("asi", "higher_is_worse")])
def test_elsewhere_the_stored_difference_is_small(at_end: Owner, scale: str, direction: str) -> None:
    assert abs(stored_differences(at_end, scale, direction)[2]) < 0.15


def test_stored_differences_at_18_months_are_the_published_ones(at_end: Owner) -> None:
    assert stored_differences(at_end, "imrs_client", "higher_is_better")[2] == pytest.approx(0.34, abs=0.03)
    assert stored_differences(at_end, "sers", "higher_is_better")[2] == pytest.approx(0.52, abs=0.03)


def test_locked_unblinded_analyzed_released_by_those_whose_work_it_is(at_end: Owner) -> None:
    who = "select u.username from {} r join core_user u on u.id::text = r.{}"
    for table, column, username in (
        ("participants_databaselock", "locked_by", "datamanager"),
        ("participants_unblindingrequest", "requested_by", "sponsor"),
        ("unblinded_planned_unblinding", "confirmed_by", "independent"),
        ("unblinded_comparative_run", "created_by", "independent"),
    ):
        analyses = 4 if table == "unblinded_comparative_run" else 1
        assert counted(at_end, who.format(table, column)) == {username: analyses}
    runs = "select state from pooled_pooledrun union all select state from unblinded_comparative_run"
    assert set(counted(at_end, runs)) == {"succeeded"}
    assert one(at_end, "select count(*) from participants_release where payload -> 'spec' ->> 'kind' <> 'report'") == 3
    assert one(at_end, "select count(*) from participants_release") == 5
    assert one(at_end, "select count(*) from participants_randomizationrequest where state = 'waiting'") == 0


def test_the_final_report_says_how_the_data_were_made_and_holds_both_published_effects(at_end: Owner) -> None:
    """Inside its intervals, with the right sign; and that this is no evidence."""
    made = counted(
        at_end,
        "select kind || ' ' || state from unblinded_report union all select kind || ' ' || state from reports_report",
    )
    assert made == {"final succeeded": 1, "closed succeeded": 1, "open succeeded": 1}
    document = one(
        at_end, "select payload -> 'result' from participants_release where payload -> 'spec' ->> 'kind' = 'report'"
    )
    first = document["sections"][0]
    assert first["title"] == "How the data were made"
    told = " ".join(block["text"] for block in first["blocks"])
    assert "put in by construction" in told
    assert "Both published effects lie inside the intervals estimated here, with the same sign" in told
    assert "IMR Scale, client version: published d = 0.34" in told
    assert "Self-esteem (SERS-SF): published d = 0.52" in told
    assert "no evidence about the treatment" in told
    captions = [
        block["caption"] for part in document["sections"] for block in part["blocks"] if block["kind"] == "table"
    ]
    assert "Differences at T3, 18 months by subgroup" in captions
    kind = "payload -> 'spec' ->> 'kind' = 'plan'"
    divided = one(at_end, f"select payload -> 'result' -> 'subgroups' from participants_release where {kind}")
    assert [(part["code"], len(part["levels"])) for part in divided] == [
        ("institution", 2),
        ("severity", 2),
        ("sex", 2),
    ]
    assert one(at_end, "select result_sha256 from unblinded_report where kind = 'final'") == one(
        at_end,
        "select payload ->> 'result_sha256' from participants_release where payload -> 'spec' ->> 'kind' = 'report'",
    )


def test_the_history_carries_the_played_times(at_end: Owner) -> None:
    years = counted(at_end, "select extract(year from at)::int from core_history where table_name = 'entry_form'")
    assert set(years) == {2024, 2025, 2026, 2027, 2028}
    strange = (
        "select count(*) from core_history h join entry_form f on f.id::text = h.row_id"
        " where h.table_name = 'entry_form' and h.operation = 'UPDATE' and h.new ? 'signed_at'"
        " and h.at::date <> f.held_on"
    )
    assert one(at_end, strange) == 0
    late = "select count(*) from core_history where at > (select max(released_at) from participants_release) + interval '1 hour'"
    assert one(at_end, late) == 0


def test_records_of_everybody_who_consents_were_looked_up_before_the_lock(at_end: Owner) -> None:
    consenting = (
        "select count(*) from (select distinct on (p.id) c.given from participants_participant p"
        " join participants_consent c on c.screening_id = p.screening_id and c.part = 'records'"
        " where p.randomized_at is not null order by p.id, c.recorded_at desc) latest where given"
    )
    windows = counted(at_end, 'select "window" from unblinded_lookup')
    assert windows["before"] == windows["after"] >= one(at_end, consenting) > 150
    found = counted(
        at_end,
        'select distinct a.arm, r."window", r.allocation_id from unblinded_admission r'
        " join unblinded_allocation a on a.id = r.allocation_id",
    )
    admitted = Counter((arm, window) for arm, window, _key in found)
    assert set(admitted) == {(arm, window) for arm in ("imr", "cau") for window in ("before", "after")}
    assert one(at_end, "select complete and people = 187 from participants_recordsstate")
    late = (
        "select count(*) from unblinded_lookup where looked_up_at > (select locked_at from participants_databaselock)"
    )
    assert one(at_end, late) == 0


def test_two_processes_made_one_trial(at_end: Owner) -> None:
    """Each site's people are whole, and both sites were played over the same years."""
    sites = at_end.execute(
        "select site_id, count(*), min(randomized_at)::date, max(randomized_at)::date"
        " from participants_participant group by site_id order by site_id"
    ).fetchall()
    assert [(site, people) for site, people, *_days in sites] == [("dordrecht", 87), ("rotterdam", 100)]
    assert all((last - first).days > 700 for _site, _people, first, last in sites)
    assert one(at_end, "select count(*) from dropbox_unblinding_report") == 14


# --- the program

STAYED_TO_HALF = (
    "select count(*) from (select t.allocation_id, count(*) filter (where t.mark = 'attended') as came, count(*) as asked"
    " from unblinded_attendance t join unblinded_session s on s.id = t.session_id"
    " where s.state = 'held' and t.mark <> 'not_offered' group by t.allocation_id) c"
    " where {}"
)


def test_how_many_came_by_sql(at_end: Owner) -> None:
    """21 of 116 to no session, 95 to at least one, of whom 57 to half of those offered; 68 to ten."""
    assert counted(
        at_end, "select arm, deviates from unblinded_member join unblinded_allocation a on a.id = allocation_id"
    ) == {("imr", False): 116}
    assert one(at_end, STAYED_TO_HALF.format("came > 0")) == 95
    assert 116 - one(at_end, STAYED_TO_HALF.format("came > 0")) == 21
    assert one(at_end, STAYED_TO_HALF.format("2 * came >= asked")) == 57
    assert one(at_end, STAYED_TO_HALF.format("came >= 10")) == 68


EXPOSURES = """
import django, json
django.setup()
from trial.core import db, side
from trial.unblinded.sessions.queries import exposures
with side.unblinded(), db.unit_of_work(by=db.System("test")):
    print(json.dumps([[one.attended, one.offered, one.completed] for one in exposures().values()]))
"""


def test_how_many_came_as_the_program_counts_it(at_end: Owner) -> None:
    """By ``exposures()``, in a process that reads the played database; and as the sweep fixed it."""
    run = subprocess.run(
        [sys.executable, "-c", EXPOSURES],
        cwd=server.ROOT,
        env={**os.environ, **server.environment_of(at_end.info.dbname)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(run.stdout)
    assert len(found) == 116
    assert sum(attended == 0 for attended, _offered, _completed in found) == 21
    assert sum(attended > 0 for attended, _offered, _completed in found) == 95
    assert sum(completed for _attended, _offered, completed in found) == 57
    assert sum(attended >= 10 for attended, _offered, _completed in found) == 68
    fixed = at_end.execute("select attended, offered, completed from unblinded_completion").fetchall()
    assert sorted(map(list, fixed)) == sorted(found)


def test_every_session_has_the_mark_of_every_member(at_end: Owner) -> None:
    assert counted(at_end, "select state from unblinded_session") == {"held": 600}
    unmarked = (
        "select count(*) from unblinded_session s join unblinded_member m on m.group_id = s.group_id"
        " and s.day between m.entered_on and coalesce(m.left_on, 'infinity') where not exists"
        " (select 1 from unblinded_attendance t where t.session_id = s.id and t.allocation_id = m.allocation_id)"
    )
    assert one(at_end, unmarked) == 0
    assert one(at_end, "select count(*) from unblinded_attendance where guest or deviates") == 0
    assert one(at_end, "select count(*) from unblinded_withdrawal") == 9


def test_fifteen_groups_of_two_trainers_by_fidelity(at_end: Owner) -> None:
    assert one(at_end, "select count(*) from unblinded_group where closed_on is not null") == 15
    assert counted(at_end, "select count(*) from unblinded_group_trainer group by group_id") == {2: 15}
    assert counted(at_end, "select band from unblinded_fidelity_consensus") == {"high": 8, "moderate": 7}
    mean, sd = at_end.execute("select avg(score), stddev_samp(score) from unblinded_fidelity_consensus").fetchone()  # type: ignore[misc]
    assert (round(float(mean), 2), round(float(sd), 2)) == (3.94, 0.29)
    who = "select u.username from unblinded_fidelity_rating r join core_user u on u.id::text = r.rater where signed_at is not null"
    assert counted(at_end, who) == {"fidelity1": 15, "fidelity2": 15}
    many = "select f.band from unblinded_completion c join unblinded_fidelity_consensus f using (group_id) where c.attended >= 10"
    assert counted(at_end, many) == {"high": 39, "moderate": 29}


def test_everybody_was_told(at_end: Owner) -> None:
    who = "select a.arm from unblinded_told t join unblinded_allocation a on a.id = t.allocation_id"
    assert counted(at_end, who) == {"imr": 116, "cau": 71}


# --- what else happened


def test_one_person_was_screened_twice(at_end: Owner) -> None:
    twice = (
        "select e.outcome, l.outcome from participants_screeningentry e join participants_screeningentry l on l.previous_id = e.id"
        " where l.created_at > e.created_at and l.site_id = e.site_id"
    )
    assert counted(at_end, twice) == {("excluded", "registered"): 1}
    assert one(at_end, "select count(*) from participants_screeningentry") == 239


def test_every_query_is_settled(at_end: Owner) -> None:
    last = "select distinct on (query_id) what from cleaning_queryevent order by query_id, number desc"
    assert counted(at_end, last) == {"closed": 12}
    assert one(at_end, "select count(*) from cleaning_dataquery") == 12


def test_who_withdrew_from_what(at_end: Owner) -> None:
    parts = (
        "select w.part from participants_consent w join participants_consent g on g.screening_id = w.screening_id"
        " and g.part = w.part and g.given where not w.given"
    )
    assert counted(at_end, parts) == {"interviews": 4, "sharing": 3}
    assert counted(at_end, "select outcome from participants_contactattempt") == {"no_answer": 36, "reached": 4}


def test_a_death_was_confirmed_by_another_person(at_end: Owner) -> None:
    steps = "select d.step, u.username from participants_death d join core_user u on u.id::text = d.recorded_by"
    found = counted(at_end, steps)
    assert {step for step, _who in found} == {"reported", "confirmed"}
    assert len({who for _step, who in found}) == sum(found.values()) == 2
