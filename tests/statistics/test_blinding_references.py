"""The indices of James and Bang against R's package BI 1.2.0 (its own examples: Bang 2004, table 7; Houweling 2014, table 2)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.methods.blinding import Index, blinding
from analysis.methods.problems import Refused

REFERENCES = json.loads((Path(__file__).parent / "references" / "blinding.json").read_text())
ARMS = ("trt", "pbo")
GUESSES = ("trt", "pbo", "dk")


def counts_of(rows: list[list[int]]) -> dict[tuple[str, str], int]:
    """Rows are guesses, columns arms."""
    return {(arm, guess): rows[g][a] for g, guess in enumerate(GUESSES) for a, arm in enumerate(ARMS)}


def same(found: Index, wanted: dict[str, float]) -> None:
    assert found.estimate == pytest.approx(wanted["est"], rel=1e-10)
    assert found.se == pytest.approx(wanted["se"], rel=1e-10)
    assert (found.lower, found.upper) == (pytest.approx(wanted["lo"], rel=1e-8), pytest.approx(wanted["hi"], rel=1e-8))


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda one: one["label"])
def test_as_the_package_bi(reference: dict[str, Any]) -> None:
    found = blinding(counts_of(reference["counts_rows_guess_trt_pbo_dk_cols_actual_trt_pbo"]), ARMS)
    same(found.james, reference["james"])
    same(found.bang["trt"], reference["bang_trt"])
    same(found.bang["pbo"], reference["bang_pbo"])


NUMBERS = st.lists(st.lists(st.integers(0, 60), min_size=2, max_size=2), min_size=3, max_size=3).filter(
    lambda rows: sum(map(sum, rows)) > 0
)


@given(NUMBERS)
def test_within_their_ranges_and_the_same_with_the_arms_exchanged(rows: list[list[int]]) -> None:
    found = blinding(counts_of(rows), ARMS)
    other = blinding(counts_of(rows), ("pbo", "trt"))
    assert found.james.estimate == pytest.approx(other.james.estimate)
    for arm in ARMS:
        assert found.bang[arm].estimate == pytest.approx(other.bang[arm].estimate)
        if found.bang[arm].estimate is not None:
            assert -1 <= found.bang[arm].lower <= found.bang[arm].estimate <= found.bang[arm].upper <= 1  # type: ignore[operator]
    if found.james.estimate is not None:
        assert -1e-12 <= found.james.estimate <= 1 + 1e-12


def test_the_marks_of_the_scale() -> None:
    knows = blinding(counts_of([[50, 0], [0, 50], [0, 0]]), ARMS)
    assert (knows.james.estimate, knows.bang["trt"].estimate, knows.bang["pbo"].estimate) == (pytest.approx(0), 1, 1)
    assert knows.bang["trt"].upper == 1
    at_random = blinding(counts_of([[25, 25], [25, 25], [0, 0]]), ARMS)
    assert (at_random.james.estimate, at_random.bang["trt"].estimate) == (pytest.approx(0.5), 0)
    silent = blinding(counts_of([[0, 0], [0, 0], [9, 9]]), ARMS)
    assert (silent.james.estimate, silent.bang["pbo"].estimate) == (1, 0)


def test_what_cannot_be_estimated_says_so() -> None:
    one_arm = blinding({("trt", "trt"): 5}, ARMS)
    assert one_arm.bang["pbo"].estimate is None
    assert one_arm.bang["pbo"].reason == "blinding_empty_arm"
    assert one_arm.james.estimate is None
    assert one_arm.guesses == 5


@pytest.mark.parametrize(
    ("counts", "arms", "code"),
    [
        ({("trt", "trt"): 1}, ("trt", "pbo", "third"), "blinding_two_arms"),
        ({("trt", "maybe"): 1}, ARMS, "blinding_guess"),
        ({("third", "trt"): 1}, ARMS, "blinding_arm"),
        ({("trt", "trt"): -1}, ARMS, "blinding_count"),
        ({}, ARMS, "blinding_nobody"),
    ],
)
def test_counts_that_are_none_are_refused(counts: dict[tuple[str, str], int], arms: tuple[str, ...], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        blinding(counts, arms)
    assert [problem.code for problem in refusal.value.problems] == [code]
