"""Scaled residuals, influence, CR2 by cluster and proportional LS means, each against its formula with explicit matrices."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import linalg

from analysis.methods.design import read_table
from analysis.methods.diagnostics import Diagnostics, diagnose
from analysis.methods.fitspec import read_fit_spec
from analysis.methods.fitting import Fitted, fit_model
from analysis.methods.problems import Refused

REFERENCES = Path(__file__).parents[3] / "statistics" / "references"
MMRM = {"data": "x", "model": "mmrm", "outcome": "y", "subject": "id", "visit": "time", "visits": [12, 18], "arm": "arm",
        "reference": "0", "baseline": "base", "covariates": ["site"], "categorical": ["site"]}  # fmt: skip
LMM = {"data": "x", "model": "lmm", "outcome": "y", "visit": "time", "arm": "arm", "reference": "0",
       "random": ["site", "id"]}  # fmt: skip
Array = npt.NDArray[np.float64]


def small(people: int = 40) -> pd.DataFrame:
    """The first patients of the simulated trial; groups of four in the experimental arm."""
    table = read_table(REFERENCES / "rct_a.csv")
    table = table[table["id"].isin(sorted(table["id"].unique(), key=int)[:people])].reset_index(drop=True)
    number = table["id"].astype(int)
    group = np.where(table["arm"].astype(int) == 1, "g" + (number // 8).astype(str), "")
    return table.assign(group=group)


def fitted(table: pd.DataFrame, spec: dict[str, Any]) -> Fitted:
    return fit_model(table, read_fit_spec(spec))


class ByHand:
    """The model with its matrices written out: every row, one V."""

    def __init__(self, table: pd.DataFrame, spec: dict[str, Any]) -> None:
        found = fitted(table, spec)
        rows = table.assign(**{name: pd.to_numeric(table[name], errors="coerce") for name in ("y", "base", "time")})
        if spec["model"] == "mmrm":
            mean = rows.drop_duplicates("id")["base"].mean()
            rows = rows.assign(base=(rows["base"] - mean).fillna(0.0))
        rows = rows[rows["y"].notna() & rows["time"].isin(spec.get("visits", rows["time"].unique()))]
        self.rows = rows.reset_index(drop=True)
        self.y = self.rows["y"].to_numpy()
        self.who = self.rows["id"].to_numpy()
        self.V = self._mmrm(found) if spec["model"] == "mmrm" else self._lmm(found)
        self.X = self._fixed(spec)
        self.b = self.solve(np.arange(len(self.y)))
        self.phi = np.linalg.inv(self.X.T @ np.linalg.solve(self.V, self.X))

    def _mmrm(self, found: Fitted) -> Array:
        matrix, visits = np.array(found.details["covariance"]["matrix"]), found.details["covariance"]["visits"]
        at = self.rows["time"].map({float(v): k for k, v in enumerate(visits)}).to_numpy()
        same = self.who[:, None] == self.who[None]
        return np.where(same, matrix[np.ix_(at, at)], 0.0)

    def _lmm(self, found: Fitted) -> Array:
        known, site = found.details["variances"], self.rows["site"].to_numpy()
        same = self.who[:, None] == self.who[None]
        return known["site"] * (site[:, None] == site) + known["id"] * same + known["residual"] * np.eye(len(site))

    def _fixed(self, spec: dict[str, Any]) -> Array:
        times = sorted(self.rows["time"].unique())
        time = [(self.rows["time"] == t).to_numpy(float) for t in times[1:]]
        arm = (self.rows["arm"] == "1").to_numpy(float)
        columns = [np.ones(len(arm)), arm, *time, *(arm * t for t in time)]
        if spec["model"] == "mmrm":
            base = self.rows["base"].to_numpy()
            sites = sorted(self.rows["site"].unique())
            columns += [base, *(base * t for t in time), *((self.rows["site"] == s).to_numpy(float) for s in sites[1:])]
        return np.column_stack(columns)

    def solve(self, kept: npt.NDArray[np.intp]) -> Array:
        """Generalized least squares from these rows alone."""
        X, y, V = self.X[kept], self.y[kept], self.V[np.ix_(kept, kept)]
        return np.linalg.solve(X.T @ np.linalg.solve(V, X), X.T @ np.linalg.solve(V, y))


CASES = {"mmrm": MMRM, "lmm": LMM}


@pytest.fixture(scope="module", params=sorted(CASES))
def both(request: pytest.FixtureRequest) -> tuple[ByHand, Diagnostics]:
    table, spec = small(), CASES[request.param]
    return ByHand(table, spec), diagnose(table, read_fit_spec(spec))


def test_residuals_are_whitened_by_the_lower_root(both: tuple[ByHand, Diagnostics]) -> None:
    hand, found = both
    fit = hand.X @ hand.b
    left = hand.y - fit  # the rows of a patient stand in the order of visits, and units are independent of each other
    scaled = np.linalg.solve(np.linalg.cholesky(hand.V), left)
    np.testing.assert_allclose(np.sort(found.fitted), np.sort(fit), rtol=1e-6)
    np.testing.assert_allclose(np.sort(found.scaled), np.sort(scaled), rtol=1e-4, atol=1e-6)


def test_influence_is_that_of_a_fit_without_the_patient(both: tuple[ByHand, Diagnostics]) -> None:
    hand, found = both
    wanted = []
    for who in dict.fromkeys(hand.who):
        change = hand.b - hand.solve(np.flatnonzero(hand.who != who))
        wanted.append(float(change @ np.linalg.solve(hand.phi, change)) / len(hand.b))
    np.testing.assert_allclose(np.sort(found.distance), np.sort(wanted), rtol=1e-4)


def test_quantiles_are_those_of_a_normal_distribution() -> None:
    quantiles = diagnose(small(), read_fit_spec(MMRM)).quantiles
    assert (np.diff(quantiles, axis=0) >= 0).all()
    assert quantiles[:, 0].sum() == pytest.approx(0, abs=1e-9)


def test_who_alone_decides_a_coefficient_has_no_distance() -> None:
    table = small()
    alone = table["id"] == table["id"].iloc[0]
    found = diagnose(table.assign(site=np.where(alone, "99", table["site"])), read_fit_spec(MMRM))
    assert int(np.isnan(found.distance).sum()) == 1


def test_other_models_have_none() -> None:
    with pytest.raises(Refused) as refused:
        diagnose(small(), read_fit_spec({"data": "x", "model": "logistic", "outcome": "arm", "arm": "site"}))
    assert refused.value.problems[0].code == "fit_no_diagnostics"


# --- CR2 by cluster ------------------------------------------------------------------------------------------------------


def by_hand_cr2(hand: ByHand, clusters: npt.NDArray[Any], contrast: Array) -> tuple[float, float]:
    """SE and Bell and McCaffrey's df of one contrast, with the N x N matrices."""
    T = np.asarray(linalg.sqrtm(np.linalg.inv(hand.V)), dtype=float)
    white, left = T @ hand.X, T @ (hand.y - hand.X @ hand.b)
    rest = np.eye(len(left)) - white @ hand.phi @ white.T
    columns, meat = [], 0.0
    for one in dict.fromkeys(clusters):
        mine = np.flatnonzero(clusters == one)
        values, vectors = np.linalg.eigh(rest[np.ix_(mine, mine)])
        A = (vectors / np.sqrt(values)) @ vectors.T
        a = A @ white[mine] @ hand.phi @ contrast
        meat += float(a @ left[mine]) ** 2
        columns.append(rest[:, mine] @ a)
    G = np.array([[one @ other for other in columns] for one in columns])
    return meat**0.5, float(np.trace(G) ** 2 / np.trace(G @ G))


def test_cr2_by_group_is_that_of_explicit_matrices() -> None:
    table = small()
    found = fitted(table, {**MMRM, "cluster": "group"})
    hand = ByHand(table, MMRM)
    groups = hand.rows["group"].where(hand.rows["group"] != "", hand.rows["id"]).to_numpy()
    contrast = np.zeros(len(hand.b))
    contrast[1] = 1.0
    se, df = by_hand_cr2(hand, groups, contrast)
    value = found.differences[0].value
    assert value.estimate == pytest.approx(hand.b[1], rel=1e-6)
    assert (value.se, value.df) == (pytest.approx(se, rel=1e-6), pytest.approx(df, rel=1e-5))
    assert found.details["variance"] == "cr2"
    assert found.details["cluster"] == "group"


def test_each_patient_a_cluster_is_the_usual_cr2() -> None:
    table = small()
    alone = fitted(table.assign(unit=table["id"]), {**MMRM, "cluster": "unit"})
    usual = fitted(table, {**MMRM, "variance": "cr2"})
    for one, other in zip(alone.coefficients, usual.coefficients, strict=True):
        assert (one.se, one.df) == (pytest.approx(other.se, rel=1e-12), pytest.approx(other.df, rel=1e-9))


@pytest.mark.parametrize(
    ("more", "code"),
    [({"variance": "model"}, "fit_cluster_model"), ({"df": "kenward_roger"}, "fit_kenward_roger_robust")],
)
def test_a_cluster_needs_a_robust_variance(more: dict[str, str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        fitted(small(), {**MMRM, "cluster": "group", **more})
    assert refused.value.problems[0].code == code


def test_a_patient_in_two_clusters_is_refused() -> None:
    table = small()
    with pytest.raises(Refused) as refused:
        fitted(table.assign(unit=table["time"]), {**MMRM, "cluster": "unit"})
    assert refused.value.problems[0].code == "varies_within_subject"


# --- LS means ------------------------------------------------------------------------------------------------------------


def test_proportional_means_weigh_levels_by_their_rows() -> None:
    table = small()
    spec = {key: value for key, value in MMRM.items() if key != "baseline"}
    equal, proportional = fitted(table, spec), fitted(table, {**spec, "weights": "proportional"})
    rows = table[
        table["y"].ne("") & table["time"].isin(["12", "18"]) & pd.to_numeric(table["y"], errors="coerce").notna()
    ]
    share = rows["site"].value_counts(normalize=True)
    site = {one.name: one.estimate or 0.0 for one in equal.coefficients if one.name.startswith("site")}
    levels = [f"site{level}" for level in share.index]
    shift = sum((share[name.removeprefix("site")] - 1 / len(levels)) * site.get(name, 0.0) for name in levels)
    for one, other in zip(equal.means, proportional.means, strict=True):
        assert other.value.estimate == pytest.approx(one.value.estimate + shift, rel=1e-9)
    for one, other in zip(equal.differences, proportional.differences, strict=True):
        assert (other.value.estimate, other.value.se) == (
            pytest.approx(one.value.estimate),
            pytest.approx(one.value.se),
        )
