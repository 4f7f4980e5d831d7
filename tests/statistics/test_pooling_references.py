"""Rubin's rules against mice, and what they must do whatever the numbers are."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.methods.pooling import pool
from analysis.methods.problems import Refused

MI = json.loads((Path(__file__).parent / "references" / "rct_a_mi.json").read_text(encoding="utf-8"))
ERRORS = np.sqrt(MI["var"])


def test_twenty_imputations_equal_mice() -> None:
    found = pool(MI["est"], ERRORS, df_complete=MI["dfcom"])
    arm = next(row for row in MI["pooled_all_terms"] if row["term"] == "arm")
    assert found.estimate == pytest.approx(MI["qbar"], rel=1e-9)
    assert [found.within, found.between] == pytest.approx([MI["ubar"], MI["b"]], rel=1e-9)
    assert found.se == pytest.approx(arm["std.error"], rel=1e-9)
    assert found.relative_increase == pytest.approx(MI["riv"], rel=1e-9)
    assert found.df == pytest.approx(MI["df_barnard_rubin"], rel=1e-9)
    assert found.fmi == pytest.approx(MI["fmi"], rel=1e-9)
    assert found.p == pytest.approx(arm["p.value"], rel=1e-8)
    assert [found.lower, found.upper] == pytest.approx([arm["2.5 %"], arm["97.5 %"]])
    assert (found.df_method, found.imputations) == ("barnard_rubin", 20)


def test_without_complete_degrees_of_freedom_they_are_those_of_1987() -> None:
    found = pool(MI["est"], ERRORS)
    assert found.df == pytest.approx(MI["df_rubin1987"], rel=1e-9)
    assert found.df_method == "rubin_1987"


NUMBER, ERROR = st.floats(-1e3, 1e3), st.floats(0.01, 100)
PAIRS = st.lists(st.tuples(NUMBER, ERROR), min_size=2, max_size=8)


@given(NUMBER, ERROR, st.integers(2, 9))
def test_imputations_that_are_alike_add_no_variance(estimate: float, se: float, m: int) -> None:
    found = pool([estimate] * m, [se] * m)
    assert (found.between, found.relative_increase, found.fmi, found.df) == (0, 0, 0, None)
    assert [found.estimate, found.se] == pytest.approx([estimate, se])
    small = pool([estimate] * m, [se] * m, df_complete=20)
    assert small.df == pytest.approx(21 / 23 * 20)


@given(PAIRS, st.floats(1, 500), st.randoms(use_true_random=False))
def test_order_shift_and_scale(pairs: list[tuple[float, float]], complete: float, shuffle: object) -> None:
    q, s = (np.array(column) for column in zip(*pairs, strict=True))
    found = pool(list(q), list(s), df_complete=complete)
    shuffle.shuffle(pairs)  # type: ignore[attr-defined]
    again = pool(*(list(column) for column in zip(*pairs, strict=True)), df_complete=complete)
    assert [again.estimate, again.se] == pytest.approx([found.estimate, found.se])
    scaled = pool(list(4 * q), list(4 * s), df_complete=complete)
    assert [scaled.se, scaled.df] == pytest.approx([4 * found.se, found.df])
    assert found.within <= found.se**2 * (1 + 1e-12)
    assert 0 <= found.fmi <= 1
    assert found.df is not None
    assert 0 < found.df <= complete
    assert found.lower <= found.estimate <= found.upper


@pytest.mark.parametrize(
    ("estimates", "errors", "complete", "code"),
    [
        ([1.0], [1.0], None, "pool_too_few"),
        ([1.0, 2.0], [1.0], None, "pool_pairs"),
        ([1.0, math.nan], [1.0, 1.0], None, "pool_number"),
        ([1.0, 1e200], [1.0, 1.0], None, "pool_number"),
        ([1.0, 2.0], [1.0, 0.0], None, "pool_number"),
        ([1.0, 2.0], [1.0, 1.0], 0.0, "pool_df"),
    ],
)
def test_what_cannot_be_pooled(estimates: list[float], errors: list[float], complete: float | None, code: str) -> None:
    with pytest.raises(Refused, match=code):
        pool(estimates, errors, df_complete=complete)
