"""Step-down maxT: by hand, by its laws, and by its error rate."""

import numpy as np
import pytest

from analysis.methods.multiplicity import max_t
from analysis.methods.problems import Refused


def by_hand(observed: np.ndarray, replicates: np.ndarray) -> list[float]:
    """The definition, word for word: one outcome after the other."""
    left, highest = sorted(range(len(observed)), key=lambda k: -abs(observed[k])), 0.0
    found = [0.0] * len(observed)
    while left:
        extreme = sum(max(abs(row[k]) for k in left) >= abs(observed[left[0]]) for row in replicates)
        highest = max(highest, (1 + extreme) / (1 + len(replicates)))
        found[left.pop(0)] = highest
    return found


def test_it_is_the_definition_word_for_word() -> None:
    draw = np.random.default_rng(1)
    for outcomes in (1, 2, 5, 12):
        observed, replicates = 2 * draw.normal(size=outcomes), draw.normal(size=(99, outcomes))
        assert max_t(observed, replicates) == pytest.approx(by_hand(observed, replicates), abs=1e-15)


def test_one_outcome_is_not_adjusted_and_a_copy_costs_nothing() -> None:
    draw = np.random.default_rng(2)
    replicates = draw.normal(size=(199, 1))
    (alone,) = max_t(np.array([2.0]), replicates)
    assert alone == (1 + (np.abs(replicates) >= 2.0).sum()) / 200
    assert max_t(np.array([2.0, 2.0]), np.hstack([replicates, replicates])).tolist() == [alone, alone]


def test_signs_and_order_do_not_matter_and_a_failed_refit_can_only_raise_p() -> None:
    draw = np.random.default_rng(3)
    observed, replicates = 2 * draw.normal(size=4), draw.normal(size=(99, 4))
    found = max_t(observed, replicates)
    turned = np.array([1, -1, 1, -1.0])
    assert max_t(observed * turned, replicates * turned).tolist() == found.tolist()
    mixed = [2, 0, 3, 1]
    assert max_t(observed[mixed], replicates[:, mixed]).tolist() == found[mixed].tolist()
    replicates[5, 2] = np.nan
    assert (max_t(observed, replicates) >= found).all()


def test_familywise_error_of_outcomes_that_go_together() -> None:
    """Under the null each replicate is as likely as the observed one: P(smallest p <= .05) = .05, whatever the correlation."""
    draw = np.random.default_rng(4)
    common = draw.normal(size=(100, 100, 1))
    statistics = 0.8 * common + 0.6 * draw.normal(size=(100, 100, 6))
    hits = sum(max_t(one[0], one[1:]).min() <= 0.05 for one in statistics)
    assert abs(hits - 5) <= 3 * np.sqrt(100 * 0.05 * 0.95)


@pytest.mark.parametrize(
    ("observed", "shape", "code"),
    [
        ([1.0, 2.0], (9, 3), "max_t_shapes"),
        ([1.0], (0, 1), "max_t_shapes"),
        ([np.nan], (9, 1), "rerandomization_no_statistic"),
    ],
)
def test_what_does_not_belong_together_is_refused(observed: list[float], shape: tuple[int, int], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        max_t(np.array(observed), np.ones(shape))
    assert refusal.value.problems[0].code == code
