"""Times of the statistics engine, one thread, beside statsmodels and, where R has them, mmrm and lme4; printed, nothing passes or fails."""

import shutil
import statistics
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from analysis.methods import likelihood, nestedfit, twolevel
from analysis.methods.blocks import BLOCK
from analysis.methods.bootstrap import resample, resampling_of, sample
from analysis.methods.columns import build_columns
from analysis.methods.fitspec import FitSpec, read_fit_spec
from analysis.methods.fitting import fit_degrees, fit_model
from analysis.methods.longtable import read_long
from analysis.methods.lots import Lots, lots_of
from analysis.methods.mmrm import maximize
from analysis.methods.patterns import collect
from analysis.methods.progress import Watch
from analysis.methods.repeated import wide
from analysis.methods.rerandomization import Arms, Statistic, replicate
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
d <- read.csv("%s"); d$id <- factor(d$id); d$visit <- factor(d$time); d$f <- factor(d$arm)
timed <- function(package, act) {
  if (!suppressPackageStartupMessages(suppressWarnings(require(package, character.only = TRUE, quietly = TRUE)))) return("absent")
  act(); 1000 * median(replicate(7, system.time(for (i in 1:5) act())[["elapsed"]])) / 5
}
cat(timed("mmrm", function() mmrm(y ~ base * visit + f * visit + us(visit | id), d)),
    timed("lme4", function() lmer(y ~ f * visit + (1 | id), d)))
"""
PACKAGES = ("mmrm", "lme4")


def in_r(table: pd.DataFrame, folder: Path) -> dict[str, float]:
    """Median time in R on the same data, in the same run, by package; only those that load. Empty where R is not installed."""
    if not shutil.which("Rscript"):
        return {}
    table.to_csv(folder / "d.csv", index=False, na_rep="NA")
    made = subprocess.run(
        ["Rscript", "-e", R_SCRIPT % (folder / "d.csv")], capture_output=True, text=True, check=True
    ).stdout.split()
    return {package: float(one) for package, one in zip(PACKAGES, made, strict=True) if one != "absent"}


def beside(ours: float, theirs: dict[str, float], package: str) -> str:
    """How R compares, or that it does not."""
    if not shutil.which("Rscript"):
        return "R is not installed"
    if package not in theirs:
        return f"R has no {package} here"
    return f"{package} {theirs[package]:.1f} ms ({theirs[package] / ours:.0f} times)"


def median(act: Callable[[], object], runs: int = 15) -> float:
    """Median time in milliseconds, after one run to warm up."""
    return statistics.median(taken(act, runs))


def say(text: str) -> None:
    print(f"\n{text}", end="")  # noqa: T201


def trial(n: int, visits: int, seed: int | None = None) -> pd.DataFrame:
    draw = np.random.default_rng(n if seed is None else seed)
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
    if n <= 2_000:
        say(f"  {beside(one_pass + search, in_r(table, tmp_path), 'mmrm')}")


def drawn(lots: Lots, number: int) -> npt.NDArray[np.int64]:
    draw = np.random.default_rng(1)
    return np.array([draw.permutation(lots.arms) for _lot in range(number)])


def in_blocks(statistic: Statistic, rows: npt.NDArray[np.int64]) -> None:
    for start in range(0, len(rows), BLOCK):
        assert np.isfinite(np.asarray(statistic(rows[start : start + BLOCK]))).all()


@pytest.mark.parametrize("strata", [1, 14])
def test_a_thousand_lots(strata: int) -> None:
    """Refits of 187 x 3 with the arm drawn anew, from the fit of the real lot; the contrast studentized; beside each lot by itself."""
    table = trial(187, 3).assign(team=lambda one: (one["id"] % strata).astype(str)).astype({"time": str, "arm": str})
    more = {} if strata == 1 else {"covariates": ["team"], "categorical": ["team"]}
    lots = lots_of(table, spec(**more), "2", "1")
    rows = drawn(lots, 1_000)
    together, alone = median(lambda: in_blocks(lots.statistic, rows), 3), median(lambda: in_blocks(lots.alone, rows), 1)
    said = f"1,000 re-randomization refits, 187 x 3, {strata} strata: {together:.0f} ms"
    say(f"{said}; each by itself {alone:.0f} ms ({alone / together:.1f} times)")


def test_a_thousand_bootstrap_samples() -> None:
    """Refits of 187 x 3 with the patients drawn with replacement; beside each sample by itself."""
    table = trial(187, 3).astype({"time": str, "arm": str})
    found = resampling_of(table, spec(), "2", "1")
    few = [sample(found.arms, "1", i) for i in range(100)]
    whole = median(lambda: resample(found, seed="1", start=0, stop=1_000), 3)
    together, alone = median(lambda: found.estimates(few), 5), median(lambda: [found.estimate(who) for who in few], 1)
    said = f"1,000 bootstrap refits, 187 x 3: {whole:.0f} ms with their draws"
    say(f"{said}; a block {alone / together:.1f} times as fast as its samples one by one")


def test_fifteen_outcomes_with_progress() -> None:
    """1,000 refits of each, told after every block."""
    tables = [trial(187, 3, seed).astype({"time": str, "arm": str}) for seed in range(15)]
    told = [time.perf_counter()]
    watch = Watch(report=lambda _stage, _share: told.append(time.perf_counter()))
    for number, table in enumerate(tables):
        lots = lots_of(table, spec(), "2", "1")

        def statistic(arms: Arms, number: int = number, lots: Lots = lots) -> npt.ArrayLike:
            watch.step("fitting", number / len(tables))
            return lots.statistic(arms)

        def shuffled(seed: bytes, lots: Lots = lots) -> npt.ArrayLike:
            return np.random.default_rng(int.from_bytes(seed, "big")).permutation(lots.arms)

        replicate(statistic, shuffled, lots.arms, seed="1", start=0, stop=1_000)
    told.append(time.perf_counter())
    silence = 1000 * float(np.diff(told).max())
    took = told[-1] - told[0]
    say(f"15 outcomes x 1,000 refits: {took:.1f} s, told {len(told) - 2} times, the longest silence {silence:.0f} ms")


@pytest.mark.parametrize("n", [187, 20_000, 200_000])
def test_random_intercept(n: int, tmp_path: Path) -> None:
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
        say(f"  statsmodels {theirs:.0f} ms ({theirs / ours:.0f} times); {beside(ours, in_r(table, tmp_path), 'lme4')}")


def test_three_levels() -> None:
    table = trial(187, 3).dropna()
    y, groups = table["y"].to_numpy(), table["id"].to_numpy()
    X = np.column_stack([np.ones(len(y)), table["arm"], *[(table["time"] == k) for k in (1, 2)]]).astype(float)
    names = ["one", "arm", "t1", "t2"]
    say(
        f"three levels, 187 x 3, to all tests: {median(lambda: nestedfit.fit_nested(y, X, names, groups, groups % 12)):.1f} ms"
    )
