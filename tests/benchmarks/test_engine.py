"""Times of the statistics engine, one thread, beside statsmodels and, where R has them, mmrm and lme4; printed, nothing passes or fails."""

import shutil
import statistics
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from analysis.methods import likelihood, nestedfit, twolevel
from analysis.methods.columns import build_columns
from analysis.methods.fitspec import FitSpec, read_fit_spec
from analysis.methods.fitting import fit_degrees, fit_model
from analysis.methods.longtable import read_long
from analysis.methods.mmrm import maximize
from analysis.methods.patterns import collect
from analysis.methods.repeated import wide
from analysis.methods.structures import structure
from tests.benchmarks.timing import taken

pytestmark = pytest.mark.bench

SPEC = {
    "data": "x",
    "model": "mmrm",
    "outcome": "y",
    "subject": "id",
    "visit": "time",
    "arm": "arm",
    "baseline": "base",
}
R_SCRIPT = """
suppressPackageStartupMessages({library(mmrm); library(lme4)})
d <- read.csv("%s"); d$id <- factor(d$id); d$visit <- factor(d$time); d$f <- factor(d$arm)
t1 <- median(replicate(5, system.time(mmrm(y ~ base * visit + f * visit + us(visit | id), d))[["elapsed"]]))
t2 <- median(replicate(5, system.time(lmer(y ~ f * visit + (1 | id), d))[["elapsed"]]))
cat(t1 * 1000, t2 * 1000)
"""


def median(act: Callable[[], object], runs: int = 15) -> float:
    """Median time in milliseconds, after one run to warm up."""
    return statistics.median(taken(act, runs))


def say(text: str) -> None:
    print(f"\n{text}", end="")  # noqa: T201


def trial(n: int, visits: int) -> pd.DataFrame:
    draw = np.random.default_rng(n)
    arm, base = np.arange(n) % 2, draw.normal(size=n)
    y = base[:, None] + draw.normal(size=(n, 1)) + draw.normal(size=(n, visits))
    lost = draw.integers(1, 3 * visits, size=n)
    y[np.arange(visits) >= lost[:, None]] = np.nan
    rows = {"id": np.repeat(np.arange(n), visits), "time": np.tile(np.arange(visits), n), "y": y.ravel()}
    return pd.DataFrame(rows | {"arm": np.repeat(arm, visits), "base": np.repeat(base, visits)})


def spec(**more: object) -> FitSpec:
    return read_fit_spec({**SPEC, **more})


@pytest.mark.parametrize(("n", "visits"), [(187, 3), (2_000, 6), (20_000, 6), (1_000_000, 3)])
def test_mmrm(n: int, visits: int, tmp_path: Path) -> None:
    table = trial(n, visits)
    data = read_long(table, spec())
    columns = build_columns(data, spec(), by_row=False)
    Y, _center, _scale = wide(data)
    group, us = np.zeros(data.subjects, dtype=np.intp), structure("us", visits)
    patterns = collect(columns.C, Y, columns.B, group)
    runs = 15 if n < 100_000 else 3
    one_pass = median(lambda: collect(columns.C, Y, columns.B, group), runs)
    search = median(lambda: maximize(patterns, us, True), runs)
    say(f"mmrm us, {n} x {visits}: pass {one_pass:.2f} ms, fit {search:.2f} ms, together {one_pass + search:.2f} ms")
    if n < 100_000:
        both = median(lambda: fit_degrees(table, spec(), ("satterthwaite", "kenward_roger")), runs)
        twice = median(lambda: [fit_model(table, spec(df=df)) for df in ("satterthwaite", "kenward_roger")], runs)
        say(f"  table to LS means, Satterthwaite and Kenward-Roger: {both:.1f} ms; each from the table: {twice:.1f} ms")
    if n <= 2_000 and shutil.which("Rscript"):
        table.to_csv(tmp_path / "d.csv", index=False, na_rep="NA")
        found = subprocess.run(
            ["Rscript", "-e", R_SCRIPT % (tmp_path / "d.csv")], capture_output=True, text=True, check=False
        )
        if found.returncode == 0:
            theirs, lme4 = map(float, found.stdout.split())
            say(f"  R: mmrm {theirs:.1f} ms ({theirs / (one_pass + search):.0f} times), lme4 {lme4:.1f} ms")


def test_a_thousand_lots() -> None:
    """Refits of 187 x 3 with the arm drawn anew, from the fit of the real lot; the contrast studentized."""
    data = read_long(trial(187, 3), spec())
    columns, us, draw = build_columns(data, spec(), by_row=False), structure("us", 3), np.random.default_rng(1)
    Y, _center, _scale = wide(data)
    group, arm = np.zeros(data.subjects, dtype=np.intp), columns.arms[0]
    first = maximize(collect(columns.C, Y, columns.B, group), us, True)
    assert first is not None

    def lots() -> None:
        for _lot in range(1000):
            C = columns.C.copy()
            C[:, arm] = draw.permutation(C[:, arm])
            again = maximize(collect(C, Y, columns.B, group), us, True, first.point.sigma, 1e-8)
            assert again is not None

    say(f"1,000 re-randomization refits, 187 x 3: {median(lots, 3):.0f} ms")


@pytest.mark.parametrize("n", [187, 20_000, 200_000])
def test_random_intercept(n: int) -> None:
    table = trial(n, 3).dropna()
    y, groups = table["y"].to_numpy(), table["id"].to_numpy()
    X = np.column_stack([np.ones(len(y)), table["arm"], *[(table["time"] == k) for k in (1, 2)]]).astype(float)
    ours = median(
        lambda: twolevel.maximize(likelihood.build(y, X, np.unique(groups, return_inverse=True)[1], True), None), 5
    )
    say(f"random intercept, {n} x 3: {ours:.1f} ms")
    if n <= 20_000:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = median(lambda: MixedLM(y, X, groups).fit(reml=True), 1)
        say(f"  statsmodels {theirs:.0f} ms ({theirs / ours:.0f} times)")


def test_three_levels() -> None:
    table = trial(187, 3).dropna()
    y, groups = table["y"].to_numpy(), table["id"].to_numpy()
    X = np.column_stack([np.ones(len(y)), table["arm"], *[(table["time"] == k) for k in (1, 2)]]).astype(float)
    names = ["one", "arm", "t1", "t2"]
    say(
        f"three levels, 187 x 3, to all tests: {median(lambda: nestedfit.fit_nested(y, X, names, groups, groups % 12)):.1f} ms"
    )
