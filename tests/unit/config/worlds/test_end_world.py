"""AT=end, counted by SQL on the played database alone: nothing in here reads the plan."""

from collections import Counter
from typing import Any

import psycopg
import pytest

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


def test_assessed_excluded_randomized(at_end: Owner) -> None:
    outcomes = counted(at_end, "select outcome from participants_screeningentry where previous_id is null")
    assert outcomes == {"registered": 187, "declined": 35, "excluded": 16}
    assert one(at_end, "select count(*) from participants_screeningentry") == 238
    reasons = counted(at_end, "select reason from participants_screeningentry where outcome = 'excluded'")
    assert reasons == {"condition": 7, "not_contacted": 5, "other": 4}
    assert one(at_end, "select count(*) from participants_participant where randomized_at is not null") == 187


def test_116_and_71_from_an_imported_list_of_blocks_of_five_in_14_teams(at_end: Owner) -> None:
    assert counted(at_end, "select arm from unblinded_allocation") == {"imr": 116, "cau": 71}
    assert counted(at_end, "select origin from concealed_sequence") == {"imported": 1}
    assert "constructed" in one(at_end, "select parameters->>'origin' from concealed_sequence")
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
    found = counted(
        at_end,
        'select distinct a.arm, r."window", r.allocation_id from unblinded_admission r join unblinded_allocation a'
        " on a.id = r.allocation_id",
    )
    admitted = Counter((arm, window) for arm, window, _key in found)
    assert set(admitted) == {(arm, window) for arm in ("imr", "cau") for window in ("before", "after")}
    assert one(at_end, "select complete and people = 187 from participants_recordsstate")
    late = (
        "select count(*) from unblinded_lookup where looked_up_at > (select locked_at from participants_databaselock)"
    )
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
