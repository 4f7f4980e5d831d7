"""Mann-Whitney against scipy and a textbook; the shift by hand; Holm by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.methods.canonical import encode
from analysis.methods.multiplicity import holm
from analysis.methods.ranks import mann_whitney, tie_factor


def test_the_textbook_s_permeability_of_the_human_chorioamnion() -> None:
    """Hollander and Wolfe, table 4.1: shift .305, interval -.15 to .76 (their exact 96 %)."""
    x = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
    y = np.array([1.15, 0.88, 0.90, 0.74, 1.21])
    found = mann_whitney(x, y)
    assert (found.u, found.u_other) == (35, 15)
    assert found.shift.estimate == pytest.approx(0.305)
    assert found.shift.low == pytest.approx(-0.15)
    assert found.shift.high == pytest.approx(0.76)


@pytest.mark.parametrize("continuity", [True, False])
def test_z_and_p_are_scipy_s_with_ties(continuity: bool) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.integers(-3, 3, 40).astype(float), rng.integers(-2, 3, 30).astype(float)
    found = mann_whitney(x, y, continuity)
    theirs = stats.mannwhitneyu(x, y, method="asymptotic", use_continuity=continuity)
    assert found.u == theirs.statistic
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-12)
    assert found.z is not None
    assert 2 * stats.norm.sf(abs(found.z)) == pytest.approx(theirs.pvalue, rel=1e-10)
    assert 0 < found.ties < 1


def test_the_shift_is_the_median_of_all_differences() -> None:
    x, y = np.array([1.0, 4.0, 9.0]), np.array([2.0, 3.0])
    assert mann_whitney(x, y).shift.estimate == np.median([-1, -2, 2, 1, 7, 6])
    assert mann_whitney(x, y).shift.reason == "too_few_for_interval"


def test_nothing_to_compare_is_na_with_the_reason() -> None:
    nobody = mann_whitney(np.array([]), np.array([1.0]))
    assert (nobody.z, nobody.p, nobody.reason, nobody.shift.estimate) == (None, None, "group_empty", None)
    tied = mann_whitney(np.zeros(5), np.zeros(4))
    assert (tied.p, tied.reason, tied.shift.estimate, tied.ties) == (None, "all_tied", None, 0)
    encode([nobody, tied])


def test_tie_factor_by_hand() -> None:
    assert tie_factor(np.array([1.0, 2.0, 3.0])) == 1
    assert tie_factor(np.array([1.0, 1.0, 2.0])) == pytest.approx(1 - 6 / 24)


def test_holm_by_hand() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == [0.03, None, 0.06, 0.06]
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []
