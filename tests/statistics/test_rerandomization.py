"""The re-randomization test: equal to the exact permutation distribution, the same however it is split, refused where it does not hold."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods.blocks import BLOCK, Part, split
from analysis.methods.problems import Refused
from analysis.methods.rerandomization import (
    LEAST,
    Arms,
    Rerandomization,
    Scheme,
    Statistic,
    combine,
    observe,
    replicate,
    seed_of,
)

ARMS = np.array([0, 1, 1, 0, 1, 0, 0, 1])
Y = np.array([3.1, 5.2, 4.8, 2.9, 6.0, 4.0, 3.3, 4.1])


def welch(y: npt.NDArray[np.float64]) -> Statistic:
    """Welch's t of each row of arms."""

    def of(arms: Arms) -> npt.NDArray[np.float64]:
        means, errors = [], []
        for arm in (0, 1):
            mine = arms == arm
            n = mine.sum(axis=1)
            mean = (mine * y).sum(axis=1) / n
            means.append(mean)
            errors.append((mine * (y - mean[:, None]) ** 2).sum(axis=1) / (n - 1) / n)
        return np.asarray((means[1] - means[0]) / np.sqrt(errors[0] + errors[1]))

    return of


def shuffled(arms: Arms) -> Scheme:
    """Complete randomization with the totals kept."""
    return lambda seed: np.random.default_rng(list(seed)).permutation(arms)


def _test(sizes: tuple[int, ...] = (LEAST,), sides: Literal[1, 2] = 2) -> Rerandomization:
    statistic, edges = welch(Y), list(itertools.accumulate((0, *sizes)))
    parts = [
        replicate(statistic, shuffled(ARMS), ARMS, seed="9", start=a, stop=b) for a, b in itertools.pairwise(edges)
    ]
    return combine(reversed(parts), observe(statistic, ARMS), sides=sides)


SIDES: tuple[Literal[1, 2], ...] = (1, 2)
WHOLE = _test()


def test_p_is_that_of_the_exact_permutation_distribution() -> None:
    every = np.array([[int(i in chosen) for i in range(8)] for chosen in itertools.combinations(range(8), 4)])
    values = np.asarray(welch(Y)(every), dtype=float)
    for sides in SIDES:
        found = _test(sides=sides)
        compared, limit = (values, found.observed) if sides == 1 else (np.abs(values), abs(found.observed))
        exact = float(np.mean(compared >= limit - 1e-9))
        assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / LEAST))
        assert found.p == (1 + found.extreme) / (1 + LEAST)


@settings(max_examples=3, deadline=None)
@given(st.lists(st.integers(1, LEAST - 1), min_size=1, max_size=3, unique=True))
def test_however_it_is_split_the_result_is_the_same(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), LEAST]
    assert _test(tuple(b - a for a, b in itertools.pairwise(edges))) == WHOLE


def test_offered_parts_are_whole_blocks_and_cover_everything() -> None:
    parts = list(split(LEAST, 1_234))
    assert [start for start, _ in parts] == [0, *(stop for _, stop in parts[:-1])]
    assert parts[-1][1] == LEAST
    assert all(start % BLOCK == 0 for start, _ in parts)
    assert len({seed_of("9", i) for i in range(100)} | {seed_of("8", i) for i in range(100)}) == 200


def test_refits_that_failed_count_as_extreme_and_are_counted() -> None:
    half = LEAST // 2
    parts = [Part("1", 0, half, (0.0,) * half), Part("1", half, LEAST, (float("nan"),) * (LEAST - half))]
    found = combine(parts, 2.0)
    assert found.failed == found.extreme == LEAST - half
    assert found.statistics[-1] is None


def test_what_is_no_test_is_refused() -> None:
    statistic, whole = welch(Y), Part("1", 0, LEAST, (0.0,) * LEAST)
    with pytest.raises(Refused, match="no_scheme"):
        replicate(statistic, None, ARMS, seed="1", start=0, stop=1)
    for scheme in (lambda _seed: ARMS[:-1], lambda _seed: ARMS + 1):
        with pytest.raises(Refused, match="rerandomization_scheme"):
            replicate(statistic, scheme, ARMS, seed="1", start=0, stop=1)
    with pytest.raises(Refused, match="no_statistic"):
        observe(lambda arms: np.full(len(arms), np.nan), ARMS)
    with pytest.raises(Refused, match="too_few"):
        combine([Part("1", 0, 999, (0.0,) * 999)], 1.0, replicates=999)
    for parts in ([], [whole, whole], [Part("1", 0, 100, (0.0,) * 100)], [Part("1", 0, LEAST, (0.0,))]):
        with pytest.raises(Refused, match="rerandomization_parts"):
            combine(parts, 1.0)
    with pytest.raises(Refused, match="seeds"):
        combine([Part("1", 0, 1, (0.0,)), Part("2", 1, LEAST, (0.0,) * (LEAST - 1))], 1.0)
    with pytest.raises(ValueError, match="shape"):
        observe(lambda _arms: np.zeros(3), ARMS)
