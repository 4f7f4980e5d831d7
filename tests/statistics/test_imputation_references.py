"""Reference-based imputation against rbmi (conditional mean, jackknife), with the repeated-measures model fitted here by itself."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods.imputation import (
    STRATEGIES,
    Case,
    Fitted,
    Strategy,
    conditional_mean,
    fitted_outcomes,
    impute,
    multiple,
)
from analysis.methods.likelihood import Array
from analysis.methods.problems import Refused

FOLDER = Path(__file__).parent / "references"
RBMI: dict[str, Any] = json.loads((FOLDER / "rct_a_rbi.json").read_text(encoding="utf-8"))["results"]
RBMI_NAMES: dict[Strategy, str] = {"mar": "MAR", "j2r": "JR", "cir": "CIR", "cr": "CR"}


def _case() -> Case:
    long = pd.read_csv(FOLDER / "rct_a.csv")
    people = long[long["time"] == 0].sort_values("id")
    y = long.pivot_table(index="id", columns="time", values="y", dropna=False).loc[people["id"], [12, 18]].to_numpy()
    arm, base = people["arm"].to_numpy(float), (people["y"] - people["y"].mean()).to_numpy()
    site = (people["site"] == 2).to_numpy(float)
    n, one = len(people), np.ones(len(people))

    def design(group: Array) -> Array:
        return np.stack(
            [np.column_stack([one, base, one * late, group, base * late, group * late, site]) for late in (0, 1)],
            axis=1,
        )

    seen = ~np.isnan(y)
    ice = np.where(seen[:, 1], 2, np.where(seen[:, 0], 1, 0))
    analysis = np.column_stack([arm, one, base, site])
    return Case(y, arm == 1, ice.astype(np.intp), design(arm), design(np.zeros(n)), analysis)


class Reml:
    """The unstructured model of two visits: sums of cross-products by patient, maximized by Newton with numeric derivatives."""

    def __init__(self, case: Case) -> None:
        y, X = case.outcomes, case.own
        self.seen = ~np.isnan(y)
        y = np.where(self.seen, y, 0.0)
        X = np.where(self.seen[:, :, None], X, 0.0)
        columns = np.concatenate([X, y[:, :, None]], axis=2)
        self.products = np.einsum("isp,itq->istpq", columns, columns)
        self.pattern = self.seen @ np.array([1, 2])
        self.rows = np.array([[(self.pattern == k).sum()] for k in range(4)])

    def fit(self, without: int | None, start: Array) -> tuple[Fitted, Array]:
        total = np.array([self.products[self.pattern == k].sum(axis=0) for k in (1, 2, 3)])
        count = self.rows[1:, 0].astype(float)
        if without is not None and self.pattern[without]:
            total[self.pattern[without] - 1] -= self.products[without]
            count[self.pattern[without] - 1] -= 1
        theta, p = start, total.shape[-1] - 1

        def solved(theta: Array) -> tuple[Array, float]:
            a, b, c = theta
            root = np.array([[np.exp(a), 0.0], [b, np.exp(c)]])
            sigma = root @ root.T
            inverse = np.linalg.inv(sigma)
            weights = np.array([[[1 / sigma[0, 0], 0], [0, 0]], [[0, 0], [0, 1 / sigma[1, 1]]], inverse])
            cross = np.einsum("kst,kstpq->pq", weights, total)
            beta = np.linalg.solve(cross[:p, :p], cross[:p, p])
            logs = np.log([sigma[0, 0], sigma[1, 1], np.linalg.det(sigma)])
            twice = count @ logs + cross[p, p] - beta @ cross[:p, p] + np.linalg.slogdet(cross[:p, :p])[1]
            return beta, float(-twice / 2)

        step, eye = np.array([1e-3, 1e-2, 1e-3]), np.eye(3)
        for _newton in range(40):
            ends = {
                (i, j, s, t): solved(theta + step * (s * eye[i] + t * eye[j]))[1]
                for i in range(3)
                for j in range(i + 1)
                for s in (-0.5, 0.5)
                for t in (-0.5, 0.5)
            }
            slope = np.array([(ends[i, i, 0.5, 0.5] - ends[i, i, -0.5, -0.5]) / (2 * step[i]) for i in range(3)])
            bend = np.zeros((3, 3))
            for i in range(3):
                for j in range(i + 1):
                    twist = (
                        ends[i, j, 0.5, 0.5] - ends[i, j, 0.5, -0.5] - ends[i, j, -0.5, 0.5] + ends[i, j, -0.5, -0.5]
                    )
                    bend[i, j] = bend[j, i] = twist / (step[i] * step[j])
            move = np.linalg.solve(bend, -slope)
            theta = theta + np.clip(move, -1, 1)
            if np.abs(move / step).max() < 1e-4:
                break
        root = np.array([[np.exp(theta[0]), 0.0], [theta[1], np.exp(theta[2])]])
        return Fitted(solved(theta)[0], root @ root.T), theta


CASE = _case()


@pytest.fixture(scope="module")
def fits() -> tuple[Fitted, list[Fitted]]:
    """The model of everybody, and without each patient. No value was observed after an event, so that all strategies have one model."""
    reml = Reml(CASE)
    full, theta = reml.fit(None, np.array([2.0, 5.0, 2.0]))
    return full, [reml.fit(i, theta)[0] for i in range(len(CASE.outcomes))]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_conditional_means_with_jackknife_equal_rbmi(strategy: Strategy, fits: tuple[Fitted, list[Fitted]]) -> None:
    (found,) = conditional_mean(CASE, *fits, strategy)
    wanted = RBMI[RBMI_NAMES[strategy]]
    ours = [found.estimate, found.se, found.lower, found.upper]
    assert ours == pytest.approx([wanted[k] for k in ("est", "se", "lci", "uci")], rel=2e-5)
    assert found.p == pytest.approx(wanted["p"], rel=1e-3)
    np.testing.assert_array_equal(fitted_outcomes(CASE, strategy), CASE.outcomes)
    assert found.analyzed == len(CASE.outcomes)


def test_delta_adjustment_equals_rbmi(fits: tuple[Fitted, list[Fitted]]) -> None:
    wanted = RBMI["delta_adjusted_trt_only"]
    found = conditional_mean(CASE, *fits, "mar", [row["delta_trt"] for row in wanted])
    assert [one.estimate for one in found] == pytest.approx([row["est"] for row in wanted], rel=2e-5)
    assert [one.se for one in found] == pytest.approx([row["se"] for row in wanted], rel=2e-5)


def test_the_jackknife_is_the_analysis_without_each_patient(fits: tuple[Fitted, list[Fitted]]) -> None:
    """By hand: impute with the model without patient i, regress without patient i."""
    n, X = len(CASE.outcomes), CASE.analysis
    left = []
    for i, fitted in enumerate(fits[1]):
        y, rest = impute(CASE, fitted, "cir", -2.0)[:, -1], np.arange(n) != i
        left.append(np.linalg.lstsq(X[rest], y[rest], rcond=None)[0][0])
    (found,) = conditional_mean(CASE, *fits, "cir", [-2.0])
    assert found.se == pytest.approx(np.sqrt((n - 1) / n * np.square(left - np.mean(left)).sum()), rel=1e-9)


def test_many_imputations_tend_to_the_conditional_mean_and_are_reproducible(fits: tuple[Fitted, list[Fitted]]) -> None:
    full = fits[0]
    pooled = multiple(CASE, [full] * 60, "j2r", seed=7)
    (mean,) = conditional_mean(CASE, *fits, "j2r")
    assert pooled == multiple(CASE, [full] * 60, "j2r", seed=7)
    assert pooled.estimate == pytest.approx(mean.estimate, abs=4 * np.sqrt(pooled.between / 60))
    assert pooled.df_method == "barnard_rubin"


def _small(seed: int) -> tuple[Case, Fitted]:
    """12 people at 3 visits with gaps, events anywhere and values after them."""
    rng = np.random.default_rng(seed)
    arm = np.arange(12) % 2.0
    y = np.where(rng.random((12, 3)) < 0.4, np.nan, rng.normal(10, 3, (12, 3)))
    own = np.stack([np.column_stack([np.ones(12), arm * v]) for v in (1, 2, 3)], axis=1)
    root = np.tril(rng.normal(size=(3, 3))) + 2 * np.eye(3)
    case = Case(y, arm == 1, rng.integers(0, 4, 12), own, own * np.array([1, 0]), np.column_stack([arm, np.ones(12)]))
    return case, Fitted(np.array([10.0, 2.0]), root @ root.T)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(STRATEGIES))
def test_what_imputation_leaves_alone(seed: int, strategy: Strategy) -> None:
    case, fitted = _small(seed)
    done, mar = impute(case, fitted, strategy), impute(case, fitted, "mar")
    seen = ~np.isnan(case.outcomes)
    np.testing.assert_array_equal(done[seen], case.outcomes[seen])
    assert not np.isnan(done).any()
    unaffected = ~case.experimental | (case.ice == 3)
    np.testing.assert_allclose(done[unaffected], mar[unaffected])
    never = case.experimental & (case.ice == 0)
    np.testing.assert_allclose(impute(case, fitted, "cir")[never], impute(case, fitted, "j2r")[never])
    moved = impute(case, fitted, strategy, 3.0) - done
    np.testing.assert_allclose(moved, 3.0 * (~seen & case.experimental[:, None]), atol=1e-9)
    no_effect = Fitted(np.array([10.0, 0.0]), fitted.sigma)
    np.testing.assert_allclose(impute(case, no_effect, strategy), impute(case, no_effect, "mar"))
    hidden = np.isnan(fitted_outcomes(case, strategy)) & seen
    after = case.experimental[:, None] & (np.arange(3) >= case.ice[:, None])
    np.testing.assert_array_equal(hidden, seen & after & (strategy != "mar"))


def test_death_is_never_imputed(fits: tuple[Fitted, list[Fitted]]) -> None:
    dead = np.zeros(CASE.outcomes.shape, dtype=bool)
    dead[np.flatnonzero(np.isnan(CASE.outcomes[:, 1]))[:5], 1] = True
    case = dataclasses.replace(CASE, dead=dead)
    assert np.isnan(impute(case, fits[0], "j2r"))[dead].all()
    (found,) = conditional_mean(case, *fits, "j2r")
    assert found.analyzed == len(CASE.outcomes) - 5
    alive = ~dead[:, 1]
    exact = np.linalg.lstsq(CASE.analysis[alive], impute(CASE, fits[0], "j2r")[alive, 1], rcond=None)[0][0]
    assert found.estimate == pytest.approx(exact)


def test_what_cannot_be_imputed_is_refused() -> None:
    case, fitted = _small(1)
    n, visits = case.outcomes.shape
    for changed, code in (
        ({"ice": np.full(n, visits + 1)}, "imputation_event"),
        ({"ice": np.zeros(n - 1, dtype=np.intp)}, "imputation_shapes"),
        ({"outcomes": np.full((n, visits), np.inf)}, "imputation_not_finite"),
        ({"dead": np.ones((n, visits), dtype=bool)}, "imputation_dead"),
    ):
        with pytest.raises(Refused, match=code):
            dataclasses.replace(case, **changed)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="imputation_refits"):
        conditional_mean(case, fitted, [fitted], "mar")
    with pytest.raises(Refused, match="imputation_sigma"):
        impute(case, Fitted(fitted.beta, -np.eye(visits)), "mar")
    one_arm = dataclasses.replace(case, analysis=np.ones((n, 2)))
    with pytest.raises(Refused, match="imputation_analysis"):
        conditional_mean(one_arm, fitted, [fitted] * n, "mar")
