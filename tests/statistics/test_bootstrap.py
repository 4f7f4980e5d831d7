"""The bootstrap: the people as they are give the planned estimate, the spread is that of the model where the model holds, parts make one whole."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.methods.blocks import Part
from analysis.methods.bootstrap import combine, resample, resampling_of, sample
from analysis.methods.fitspec import FitSpec
from analysis.methods.fitting import fit_model
from analysis.methods.problems import Refused
from tests.statistics.test_lots_and_references import MMRM, TABLE, VISITS, _spec

CLDA = _spec("clda", visits=["0", *VISITS])


@pytest.mark.parametrize(
    "spec",
    [
        MMRM,
        CLDA,
        _spec("lmm", visits=["0", *VISITS]),
        _spec("lmm", visits=["0", *VISITS], random=["site", "id"], covariates=[], categorical=[]),
    ],
)
def test_the_people_as_they_are_give_the_planned_estimate_in_whatever_order(spec: FitSpec) -> None:
    found = resampling_of(TABLE, spec, "18", "1")
    one = next(d.value.estimate for d in fit_model(TABLE, spec).differences if d.visit == "18")
    assert found.observed == pytest.approx(one, rel=1e-7)
    assert found.estimate(np.arange(len(found.arms))[::-1]) == pytest.approx(one, rel=1e-6)
    assert np.isfinite(found.estimate(sample(found.arms, "7", 0)))


def test_a_person_drawn_twice_counts_as_two() -> None:
    """Everybody twice: the estimate is the same, since every sum is doubled (ML, where no degrees of freedom are lost)."""
    found = resampling_of(TABLE, _spec("clda", visits=["0", *VISITS], method="ml"), "18", "1")
    with pytest.raises(IndexError):
        found.estimate(np.array([len(found.arms)]))
    everybody = np.arange(len(found.arms))
    mixed = resampling_of(TABLE, _spec("lmm", visits=["0", *VISITS], method="ml"), "18", "1")
    assert mixed.estimate(np.repeat(everybody, 2)) == pytest.approx(mixed.observed, rel=1e-6)


def test_samples_keep_the_size_of_each_arm_and_depend_on_seed_and_number_alone() -> None:
    arms = np.array([0, 1, 1, 0, 1, 0, 0])
    one = sample(arms, "7", 3)
    assert sorted(arms[one]) == sorted(arms)
    np.testing.assert_array_equal(one, sample(arms, "7", 3))
    assert not np.array_equal(one, sample(arms, "7", 4))
    assert not np.array_equal(one, sample(arms, "8", 3))


def test_the_spread_is_near_the_standard_error_and_the_parts_make_the_whole() -> None:
    found = resampling_of(TABLE, CLDA, "18", "1")
    whole = combine([resample(found, seed="7", start=0, stop=79)], found.observed, replicates=79)
    parts = [resample(found, seed="7", start=a, stop=b) for a, b in ((50, 79), (0, 50))]
    assert combine(parts, found.observed, replicates=79) == whole
    se = next(d.value.se for d in fit_model(TABLE, CLDA).differences if d.visit == "18")
    assert se is not None
    assert abs(whole.se / se - 1) < 4 * np.sqrt(1 / (2 * 79))
    ordered = sorted(whole.estimates)
    assert (whole.lower, whole.upper) == pytest.approx((ordered[1], ordered[77]))  # the 2nd and the 78th


def test_a_contrast_that_the_model_does_not_have_is_refused() -> None:
    for visit, arm in (("9", "1"), ("18", "0"), ("18", "x"), ("0", "1")):
        with pytest.raises(Refused, match="bootstrap_no_contrast"):
            resampling_of(TABLE, CLDA, visit, arm)


def test_what_does_not_belong_together_or_failed_too_often_is_refused() -> None:
    good = Part("7", 0, 4, (1.0, 2.0, 3.0, 4.0))
    for parts in ([good], [good, Part("8", 4, 8, (1.0,) * 4)], [good, Part("7", 5, 8, (1.0,) * 3)]):
        with pytest.raises(Refused) as refusal:
            combine(parts, 1.0, replicates=8)
        assert refusal.value.problems[0].code == "bootstrap_parts"
    with pytest.raises(Refused) as refusal:
        combine([good, Part("7", 4, 8, (float("nan"),) * 4)], 1.0, replicates=8)
    assert refusal.value.problems[0].data["failed"] == 4
