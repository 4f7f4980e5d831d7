"""What the mixed model says where there is nothing, or not enough, to say; and where statsmodels is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.methods import likelihood, mixed, twolevel
from analysis.methods.mixed import fit_random_intercept, independent_columns
from analysis.methods.problems import Refused
from analysis.methods.progress import Cancelled, Watch


def simulated(seed: int, people: int = 30, visits: int = 3, between: float = 4.0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(people), visits)
    arm = np.repeat(rng.integers(0, 2, people), visits)
    time = np.tile(np.arange(visits, dtype=float), people)
    y = 10 + 2 * arm - time + np.repeat(rng.normal(0, np.sqrt(between), people), visits) + rng.normal(0, 1, len(groups))
    return y, np.column_stack([np.ones(len(y)), time, arm]).astype(float), groups


NAMES = ("intercept", "time", "arm")


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [problem.code for problem in refused.value.problems]


@pytest.mark.parametrize("reml", [True, False])
def test_the_log_likelihood_is_that_of_the_dense_normal_density(reml: bool) -> None:
    y, X, groups = simulated(1, people=12)
    keep = np.random.default_rng(5).random(len(y)) > 0.3
    y, X, groups = y[keep], X[keep], np.unique(groups[keep], return_inverse=True)[1]
    state = likelihood.at(likelihood.build(y, X, groups, reml), 3.0, 1.5)
    V = 1.5 * np.eye(len(y)) + 3.0 * (groups[:, None] == groups)
    W = np.linalg.inv(V)
    A = X.T @ W @ X
    b = np.linalg.solve(A, X.T @ W @ y)
    r = y - X @ b
    dense = len(y) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + r @ W @ r
    if reml:
        dense += np.linalg.slogdet(A)[1] - X.shape[1] * np.log(2 * np.pi)
    assert state.log_likelihood == pytest.approx(-dense / 2, rel=1e-12)
    np.testing.assert_allclose(state.beta, b, rtol=1e-10)
    np.testing.assert_allclose(state.covariance, np.linalg.inv(A), rtol=1e-10)


@pytest.mark.parametrize("reml", [True, False])
def test_score_and_hessian_are_those_of_finite_differences(reml: bool) -> None:
    y, X, groups = simulated(2)
    keep = np.random.default_rng(6).random(len(y)) > 0.2
    model = likelihood.build(y[keep], X[keep], np.unique(groups[keep], return_inverse=True)[1], reml)
    point, h = np.array([2.5, 1.7]), 1e-5
    score, hessian = likelihood.derivatives(likelihood.at(model, *point))
    for j, step in enumerate(np.eye(2) * h):
        up, down = likelihood.at(model, *(point + step)), likelihood.at(model, *(point - step))
        assert score[j] == pytest.approx((up.log_likelihood - down.log_likelihood) / (2 * h), rel=1e-6)
        numeric = (likelihood.derivatives(up)[0] - likelihood.derivatives(down)[0]) / (2 * h)
        np.testing.assert_allclose(hessian[j], numeric, rtol=1e-5)


def test_a_variance_of_zero_is_least_squares_with_its_degrees_of_freedom() -> None:
    y, X, groups = simulated(3, between=0.0)
    people = len(np.unique(groups))
    deviation = np.random.default_rng(9).normal(size=(people, 3))
    y = X @ np.array([10, -1, 2.0]) + (deviation - deviation.mean(axis=1, keepdims=True)).ravel()  # means agree exactly
    fit, _solution = fit_random_intercept(y, X, NAMES, groups)
    assert fit.variance_subject == 0
    assert fit.convergence.status == "boundary"
    assert fit.convergence.boundary
    assert "variance_zero" in [w.code for w in fit.warnings]
    assert fit.df_method == "residual"
    beta, rss = np.linalg.lstsq(X, y, rcond=None)[:2]
    s2 = float(rss[0]) / (len(y) - 3)
    se = np.sqrt(np.diag(np.linalg.inv(X.T @ X)) * s2)
    np.testing.assert_allclose([c.estimate for c in fit.coefficients], beta, rtol=1e-9)
    np.testing.assert_allclose([c.se for c in fit.coefficients], se, rtol=1e-9)
    assert {c.df for c in fit.coefficients} == {float(len(y) - 3)}


def test_a_column_of_zeros_is_not_estimable_and_never_zero() -> None:
    y, X, groups = simulated(4)
    X = np.column_stack([X, np.zeros(len(y))])
    fit, _solution = fit_random_intercept(y, X, (*NAMES, "empty"), groups)
    empty = fit.coefficients[3]
    assert (empty.estimate, empty.se, empty.reason) == (None, None, "not_estimable")
    assert fit.coefficients[2].estimate is not None
    assert fit.convergence.status in ("converged", "converged_with_warnings")
    assert dict(next(w for w in fit.warnings if w.code == "rank_deficient").data) == {"columns": ("empty",)}
    assert fit.covariance_of == NAMES


def test_of_two_equal_columns_neither_is_estimable_but_their_sum_is() -> None:
    y, X, groups = simulated(4)
    alone, _solution = fit_random_intercept(y, X, NAMES, groups)
    fit, solution = fit_random_intercept(y, np.column_stack([X, X[:, 2]]), (*NAMES, "again"), groups)
    assert [c.name for c in fit.coefficients if c.estimate is None] == ["arm", "again"]
    total = solution.combination("sum", np.array([0, 0, 1.0, 1.0]))
    assert total.estimate == pytest.approx(alone.coefficients[2].estimate)
    assert total.df == pytest.approx(alone.coefficients[2].df)


def test_independent_columns_keep_the_first_and_span_the_rest() -> None:
    X = np.array([[1, 0, 1, 2e6], [1, 1, 2, 0], [1, 2, 3, 1e6], [1, 5, 6, 0.0]])
    kept, null = independent_columns(X)
    assert kept.tolist() == [0, 1, 3]
    np.testing.assert_allclose(X @ null, 0, atol=1e-9)


def test_one_row_per_subject_is_refused() -> None:
    y, X, _groups = simulated(5)
    with pytest.raises(Refused) as refused:
        fit_random_intercept(y, X, NAMES, np.arange(len(y)))
    assert codes(refused) == ["one_row_per_subject"]


def test_one_subject_is_refused() -> None:
    y, X, _groups = simulated(5)
    with pytest.raises(Refused) as refused:
        fit_random_intercept(y, X, NAMES, np.zeros(len(y)))
    assert codes(refused) == ["one_subject"]


def test_an_outcome_that_never_changes_is_refused() -> None:
    y, X, groups = simulated(5)
    with pytest.raises(Refused) as refused:
        fit_random_intercept(np.full(len(y), 3.0), X, NAMES, groups)
    assert codes(refused) == ["outcome_constant"]


def test_a_perfect_fit_is_refused() -> None:
    _y, X, groups = simulated(5)
    with pytest.raises(Refused) as refused:
        fit_random_intercept(X @ np.array([1, 2, 3.0]) + groups, X, NAMES, groups)
    assert codes(refused) == ["no_residual_variance"]


def test_effects_that_use_up_the_subjects_are_refused() -> None:
    y, _X, groups = simulated(6, people=3)
    dummies = np.column_stack([groups == g for g in range(3)]).astype(float)
    with pytest.raises(Refused) as refused:
        fit_random_intercept(y, dummies, ("a", "b", "c"), groups)
    assert codes(refused) == ["no_information_between"]


def test_effects_that_use_up_the_rows_within_subjects_are_refused() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(6), 2)
    X = rng.normal(size=(12, 6))
    with pytest.raises(Refused) as refused:
        fit_random_intercept(rng.normal(size=12), X, tuple("abcdef"), groups)
    assert codes(refused) == ["no_information_within"]


def test_a_warning_of_statsmodels_changes_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    plain = mixed._Watched.fit

    def noisy(self: Any, *args: Any, **kwargs: Any) -> Any:
        warnings.warn("the sky is falling", RuntimeWarning, stacklevel=1)
        return plain(self, *args, **kwargs)

    y, X, groups = simulated(7)
    assert fit_random_intercept(y, X, NAMES, groups)[0].convergence.status == "converged"
    monkeypatch.setattr(mixed._Watched, "fit", noisy)
    fit, _solution = fit_random_intercept(y, X, NAMES, groups)
    assert fit.convergence.status == "converged_with_warnings"
    assert "the sky is falling" in str(fit.warnings[0].data["message"])


def test_statsmodels_raising_is_said_and_does_not_stop_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise np.linalg.LinAlgError("Singular matrix")

    y, X, groups = simulated(7)
    sound, _solution = fit_random_intercept(y, X, NAMES, groups)
    monkeypatch.setattr(mixed._Watched, "fit", broken)
    fit, _solution = fit_random_intercept(y, X, NAMES, groups)
    assert fit.convergence.status == "converged_with_warnings"
    assert fit.convergence.gain is None
    assert [w.code for w in fit.warnings] == ["statsmodels_raised"]
    assert fit.coefficients[2].estimate == pytest.approx(sound.coefficients[2].estimate, rel=1e-9)


def test_a_fit_that_stops_early_says_so_and_withholds_its_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    def lazy(model: Any, hint: Any) -> Any:
        return twolevel.Top(likelihood.at(model, 1.0, 9.0), 0, 1, boundary=False)

    monkeypatch.setattr(mixed, "maximize", lazy)
    y, X, groups = simulated(8)
    fit, solution = fit_random_intercept(y, X, NAMES, groups)
    assert fit.convergence.status == "not_converged"
    assert {c.reason for c in fit.coefficients} == {"withheld"}
    assert solution.combination("arm", np.array([0, 0, 1.0])).estimate is None
    assert {"not_converged", "statsmodels_higher"} <= {w.code for w in fit.warnings}


def test_cancelling_works_inside_the_optimizer() -> None:
    asked = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 8

    y, X, groups = simulated(7)
    with pytest.raises(Cancelled):
        fit_random_intercept(y, X, NAMES, groups, watch=Watch(cancelled=cancelled))
    assert len(asked) == 9


def test_scale_and_shift_of_the_data_change_nothing_else() -> None:
    y, X, groups = simulated(10)
    fit, _solution = fit_random_intercept(y, X, NAMES, groups)
    moved, _solution = fit_random_intercept(1e6 + 1e-3 * y, X, NAMES, groups)
    for ours, theirs in zip(fit.coefficients[1:], moved.coefficients[1:], strict=True):
        assert theirs.estimate == pytest.approx(1e-3 * (ours.estimate or 0), rel=1e-5)
        assert theirs.df == pytest.approx(ours.df, rel=1e-4)


@pytest.mark.parametrize("reml", [True, False])
def test_many_correlations_at_once_are_each_of_them(reml: bool) -> None:
    draw = np.random.default_rng(5)
    groups = np.repeat(np.arange(20), 3)[:-4]
    X = np.column_stack([np.ones(56), draw.normal(size=56)])
    model = likelihood.build(draw.normal(size=56) + draw.normal(size=20)[groups], X, groups, reml)
    shares = np.array([0.0, 0.01, 0.4, 0.99])
    one_by_one = [likelihood.profile(model, float(share)).log_likelihood for share in shares]
    np.testing.assert_allclose(likelihood.profile_heights(model, shares), one_by_one, rtol=1e-12)
