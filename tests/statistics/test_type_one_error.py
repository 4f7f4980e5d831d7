"""Simulation: how often a true null hypothesis is rejected at .05 by the MMRM, 60 patients, 3 visits, dropout at random on what was seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.methods.mmrm import maximize
from analysis.methods.patterns import Patterns, collect
from analysis.methods.smallsample import kenward_roger, satterthwaite
from analysis.methods.structures import structure

pytestmark = pytest.mark.proof
REPLICATES, PATIENTS, VISITS = 20_000, 60, 3


def one_trial(draw: np.random.Generator) -> tuple[Patterns, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Cross-products of a trial without effect, and the combination that is the difference at the last visit, on their basis."""
    arm, base = np.arange(PATIENTS) % 2, draw.normal(size=PATIENTS)
    y = 0.6 * base[:, None] + draw.normal(size=(PATIENTS, 1)) + draw.normal(size=(PATIENTS, VISITS))
    for k in range(1, VISITS):
        leaves = np.isnan(y[:, k - 1]) | (
            draw.random(PATIENTS) < 1 / (1 + np.exp(1.5 - 0.5 * np.nan_to_num(y[:, k - 1])))
        )
        y[leaves, k:] = np.nan
    C = np.column_stack([np.ones(PATIENTS), arm, base])
    B = np.zeros((VISITS, 3, 3 * VISITS))
    for k in range(VISITS):
        B[k, range(3), [k, VISITS + k, 2 * VISITS + k]] = 1
    data = collect(C, y, B, np.zeros(PATIENTS, dtype=np.intp))
    wanted = np.zeros(3 * VISITS)
    wanted[2 * VISITS - 1] = 1
    return data, np.linalg.solve(data.root.T, wanted[data.kept])


def test_rejections_under_the_null_hypothesis() -> None:
    draw, found = np.random.default_rng(20261126), []
    for _replicate in range(REPLICATES):
        data, own = one_trial(draw)
        top = maximize(data, structure("us", VISITS), reml=True)
        if top is None or not top.converged or data.rank < 3 * VISITS:
            continue
        value, df = float(own @ top.point.gamma), satterthwaite(top)(own)
        assert df is not None
        plain, adjusted = (float(own @ V @ own) ** 0.5 for V in (top.point.inverse, kenward_roger(data, top)))
        t = abs(value) / plain
        found.append((2 * stats.norm.sf(t), 2 * stats.t.sf(t, df), 2 * stats.t.sf(abs(value) / adjusted, df)))
    z, by_satterthwaite, by_kenward_roger = (np.array(found) < 0.05).mean(axis=0)
    print(f"\nrejected at .05: z {z:.4f}, Satterthwaite {by_satterthwaite:.4f}, Kenward-Roger {by_kenward_roger:.4f}")  # noqa: T201
    limit = 3 * np.sqrt(0.05 * 0.95 / len(found))
    assert len(found) > 0.999 * REPLICATES
    assert abs(by_kenward_roger - 0.05) < limit + 0.002
    assert abs(by_satterthwaite - 0.05) < limit + 0.005
    assert z > by_satterthwaite > by_kenward_roger
