"""Retrieved dropout: what is missing off treatment is imputed by those who were seen off treatment."""

import numpy as np
import pytest

from analysis.methods.imputation import Case, Fitted, impute
from analysis.methods.problems import Refused
from analysis.methods.retrieved import LEAST, retrieved


def trial(people: int = 4_000, seen_after: float = 0.5, seed: int = 1) -> tuple[Case, np.ndarray, np.ndarray]:
    """Two visits; half of the experimental arm stops after the first, falls by 3 there, and is then seen or not by lot. With the whole truth."""
    draw = np.random.default_rng(seed)
    arm = np.arange(people) % 2
    stopped = (arm == 1) & (draw.random(people) < 0.5)
    truth = 10 + 2 * arm[:, None] + draw.normal(size=(people, 1)) + draw.normal(size=(people, 2))
    truth[:, 1] -= 3 * stopped
    outcomes = truth.copy()
    outcomes[stopped & (draw.random(people) >= seen_after), 1] = np.nan
    event = np.where(stopped, 1, 2).astype(np.intp)
    late = np.array([0.0, 1.0])
    own = np.stack([np.column_stack([np.ones(people), arm, np.full(people, v), arm * v]) for v in late], axis=1)
    reference = own * np.array([1, 0, 1, 0])
    return Case(outcomes, arm == 1, event, own, reference, np.column_stack([arm, np.ones(people)])), event, truth


def fitted(case: Case) -> Fitted:
    """Least squares on what was seen, by visit and column: enough for means; the covariance of the true errors."""
    seen = ~np.isnan(case.outcomes)
    beta = np.linalg.lstsq(case.own[seen], case.outcomes[seen], rcond=None)[0]
    return Fitted(beta, np.array([[2.0, 1.0], [1.0, 2.0]]))


def test_the_mean_is_that_of_everybody_where_missing_at_random_is_not() -> None:
    case, event, truth = trial()
    extended = retrieved(case, event)
    assert extended.own.shape[2] == case.own.shape[2] + 1  # the experimental arm at the second visit
    last = case.experimental
    wanted = truth[last, 1].mean()
    ours = impute(extended, fitted(extended), "mar")[last, 1].mean()
    naive = impute(case, fitted(case), "mar")[last, 1].mean()
    assert abs(ours - wanted) < 4 * np.sqrt(2 / 1_000)
    assert naive - wanted > 0.3  # those who were seen are mostly on treatment


def test_nothing_changes_without_events_and_nobody_who_is_seen_is_changed() -> None:
    case, event, _truth = trial(400)
    assert retrieved(case, np.full(len(event), 2)) is case
    extended = retrieved(case, event)
    done, seen = impute(extended, fitted(extended), "mar"), ~np.isnan(case.outcomes)
    np.testing.assert_array_equal(done[seen], case.outcomes[seen])
    assert not np.isnan(done).any()


def test_too_few_who_were_seen_is_said() -> None:
    case, event, _truth = trial(200, seen_after=0.0)
    with pytest.raises(Refused) as refusal:
        retrieved(case, event)
    (problem,) = refusal.value.problems
    assert (problem.code, problem.data["seen"], problem.data["least"]) == ("retrieved_too_few", 0, LEAST)
    with pytest.raises(Refused, match="imputation_event"):
        retrieved(case, event + 2)
