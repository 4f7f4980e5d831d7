"""The numbers of the concealment monitor, against other programs and against counting it out."""

import random
from itertools import combinations, groupby

import pytest
from statsmodels.sandbox.stats.runs import runstest_1samp

from trial.unblinded.randomization.concealment import (
    Person,
    chances_of_runs,
    imbalances,
    runs_by_stratum,
    runs_test,
    spread_of,
    standardized_difference,
    waits,
)


@pytest.mark.parametrize("seed", range(5))
def test_the_runs_of_many_people_are_those_of_statsmodels(seed: int) -> None:
    rng = random.Random(seed)
    kinds = [rng.random() < 0.6 for _ in range(150)]
    z, p = runstest_1samp([int(kind) for kind in kinds], cutoff=0.5, correction=False)
    found = runs_test(kinds)
    assert found.z == pytest.approx(z, abs=1e-12)
    assert found.p == pytest.approx(p, abs=1e-12)


@pytest.mark.parametrize(("ones", "others"), [(1, 1), (3, 2), (5, 4), (2, 6)])
def test_the_runs_of_few_people_are_counted_out(ones: int, others: int) -> None:
    total = ones + others
    seen: dict[int, int] = {}
    for chosen in combinations(range(total), ones):
        runs = len(list(groupby(place in chosen for place in range(total))))
        seen[runs] = seen.get(runs, 0) + 1
    whole = sum(seen.values())
    assert chances_of_runs(ones, others) == pytest.approx({runs: n / whole for runs, n in seen.items()})


def test_alternating_arms_and_arms_in_rows_are_named() -> None:
    assert runs_test([True, False] * 10).p < 0.001  # type: ignore[operator]
    assert runs_test([True] * 10 + [False] * 10).p < 0.001  # type: ignore[operator]
    assert runs_test([True, True, False, True, False]).p == pytest.approx(1.0, abs=0.5)
    assert runs_test([True] * 4).p is None
    assert runs_test([]).p is None


def people() -> list[Person]:
    return [
        Person("carla", "imr", "D1", 10.0, {"sex": "female"}),
        Person("carla", "imr", "D1", 20.0, {"sex": "female"}),
        Person("carla", "cau", "D1", 40.0, {"sex": "male"}),
        Person("kees", "cau", "R1", 5.0, {"sex": "male"}),
    ]


def test_waits_and_imbalance_by_recruiter() -> None:
    found = waits(people())
    assert (found["carla", "imr"].middle, found["carla", "cau"].middle, found["kees", "cau"].count) == (15.0, 40.0, 1)
    worst = imbalances(people(), "imr", ["sex"])
    assert worst["carla"] is not None
    assert abs(worst["carla"].difference) == float("inf")
    assert worst["kees"] is None
    assert runs_by_stratum(people(), "imr")["D1"].runs == 2


def test_known_values() -> None:
    # Austin (2009): shares .5 and .3
    assert standardized_difference(0.5, 0.3) == pytest.approx(0.2 / ((0.25 + 0.21) / 2) ** 0.5)
    assert standardized_difference(1.0, 1.0) == 0.0
    assert (spread_of([1, 2, 3, 4]).lower, spread_of([1, 2, 3, 4]).upper) == (1.75, 3.25)  # as numpy's percentile
