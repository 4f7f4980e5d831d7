"""Admissions as published, and comparisons of groups that were formed after randomization."""

from __future__ import annotations

import pytest

from analysis.methods.admissions import Stay, analyze_admissions
from analysis.methods.canonical import encode
from analysis.methods.nonrandomized import Comparison, Exposure, refuse_unsound, select
from analysis.methods.problems import Refused

COMPLETERS = Comparison("completers", ("completed",))
FIDELITY = Comparison("fidelity", ("high", "moderate"), minimum_sessions=10)


def stays() -> list[Stay]:
    found = []
    for n in range(60):
        before, after = n % 3 == 0, n % 4 == 0 or n % 7 == 0
        found.append(Stay(n % 2 == 0, before, 5 * before, after, (n % 9) * after))
    return found


def test_any_admission_and_days_are_counted_by_arm() -> None:
    found = analyze_admissions(stays())
    assert (found.experimental.people, found.reference.people) == (30, 30)
    assert found.any.n == 60
    assert found.any.events == sum(bool(s.after_any) for s in stays())
    assert found.experimental.after + found.reference.after == found.any.events
    assert found.days.experimental.n == 30
    assert found.any.odds_ratio.estimate is not None
    encode(found)


def test_whose_records_are_not_known_is_left_out_and_counted() -> None:
    found = analyze_admissions([*stays(), Stay(True, None, None, True, 3), Stay(False, True, 4, None, None)])
    assert (found.experimental.people, found.experimental.known) == (31, 30)
    assert found.any.n == 60
    assert encode(found.any) == encode(analyze_admissions(stays()).any)


def test_no_records_at_all_are_na_with_the_reason() -> None:
    found = analyze_admissions([Stay(True, None, None, None, None), Stay(False, None, None, None, None)])
    assert (found.any.odds_ratio.estimate, found.any.odds_ratio.reason) == (None, "no_records")
    assert (found.days.p, found.days.reason) == (None, "group_empty")
    assert analyze_admissions([]).any.n == 0
    encode(found)


PEOPLE = {
    "a": Exposure("imr", 0, False),
    "b": Exposure("imr", 12, False, "high"),
    "c": Exposure("imr", 30, True, "moderate"),
    "d": Exposure("imr", 9, None, "high"),
    "e": Exposure("imr", 25, True, "low"),
    "f": Exposure("imr"),
    "g": Exposure("cau", 0, False),
    "h": Exposure("cau", 3, False, "high"),  # a deviation; a control stays one
}


def lines(comparison: Comparison) -> dict[str, int]:
    return {line.code: line.people for line in select(PEOPLE, comparison, "imr", "cau").lines}


def test_completers_are_compared_with_all_controls() -> None:
    selected = select(PEOPLE, COMPLETERS, "imr", "cau")
    assert selected.groups == {"c": "completed", "e": "completed", "g": "cau", "h": "cau"}
    assert lines(COMPLETERS) == {
        "randomized": 6, "not_known": 1, "never_started": 1, "started": 4, "not_completed": 1, "open": 1, "completed": 2, "control": 2,
    }  # fmt: skip


def test_classes_of_fidelity_need_enough_sessions() -> None:
    selected = select(PEOPLE, FIDELITY, "imr", "cau")
    assert selected.groups == {"b": "high", "c": "moderate", "g": "cau", "h": "cau"}
    found = lines(FIDELITY)
    assert (found["enough_sessions"], found["not_classed"], found["high"], found["moderate"]) == (3, 1, 1, 1)


@pytest.mark.parametrize("method", ["clda", "rerandomization"])
def test_what_rests_on_the_lot_is_refused(method: str) -> None:
    with pytest.raises(Refused) as refused:
        refuse_unsound(["lmm", method])
    assert [(p.code, p.data["method"]) for p in refused.value.problems] == [("rests_on_randomization", method)]
    refuse_unsound(["lmm"])
