"""The likelihood of subjects within units: derivatives, the surface over both ratios, and a model whose subjects add nothing."""

import numpy as np
import pytest

from analysis.methods import nested
from analysis.methods.likelihood import Array
from analysis.methods.nested import NestedModel
from analysis.methods.nestedfit import fit_nested
from analysis.methods.problems import Refused

NAMES = ("one", "arm", "later")


def rows(seed: int = 1, *, subject: float = 0.7, unit: float = 0.5) -> tuple[Array, Array, Array, Array]:
    """Outcome, model matrix, subjects and units of 40 subjects in 7 units; some rows are missing."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(40), 3)
    units = subjects % 7
    X = np.column_stack([np.ones(120), np.repeat(rng.integers(0, 2, 40), 3), np.tile([0.0, 1.0, 2.0], 40)])
    y = rng.normal(size=120) + subject * rng.normal(size=40)[subjects] + unit * rng.normal(size=7)[units]
    kept = rng.random(120) > 0.2
    return y[kept], X[kept], subjects[kept], units[kept]


def model(reml: bool) -> NestedModel:
    y, X, subjects, units = rows()
    return nested.build(y, X, np.unique(subjects, return_inverse=True)[1], units, reml)


@pytest.mark.parametrize("reml", [True, False])
def test_derivatives_are_those_of_the_likelihood(reml: bool) -> None:
    built, theta, h = model(reml), np.array([0.4, 0.8, 1.3]), 1e-5
    found = nested.derivatives(nested.at(built, theta))
    for i, way in enumerate(np.eye(3) * h):
        up, down = nested.at(built, theta + way), nested.at(built, theta - way)
        assert (up.log_likelihood - down.log_likelihood) / (2 * h) == pytest.approx(found.score[i], rel=1e-6)
        slope = (nested.derivatives(up).score - nested.derivatives(down).score) / (2 * h)
        assert slope == pytest.approx(found.hessian[i], rel=1e-6)


@pytest.mark.parametrize("reml", [True, False])
def test_the_surface_is_the_likelihood_with_the_best_residual_variance(reml: bool) -> None:
    built, ratios = model(reml), np.array([0.3, 0.6, 1.0])
    height = nested.heights(built, ratios[:1], ratios[1:2])[0]
    tried = [nested.at(built, ratios * s).log_likelihood for s in np.linspace(0.5, 2, 2001)]
    assert height == pytest.approx(max(tried), abs=1e-5)  # as far as the steps of s allow


def test_without_variance_between_subjects_units_may_still_differ() -> None:
    """From 50 worlds: in those where subjects of a unit are more unlike than chance the variance is 0, and units keep theirs."""
    found = 0
    for seed in range(50):
        y, X, subjects, units = rows(seed, subject=0.0, unit=1.0)
        fit, _solution = fit_nested(y, X, NAMES, subjects, units)
        if fit.variance_subject == 0 and (fit.variance_unit or 0) > 0:
            found += 1
            assert fit.convergence.status == "boundary"
    assert found > 10


def test_subjects_with_one_row_each_are_refused() -> None:
    y, X, subjects, units = rows()
    first = np.unique(subjects, return_index=True)[1]
    with pytest.raises(Refused):
        fit_nested(y[first], X[first], NAMES, subjects[first], units[first])
