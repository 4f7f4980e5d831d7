"""The effect in compliers against AER's ivreg with clubSandwich's CR2, and what it must be where it is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.methods.cace import Cace, fit_cace
from analysis.methods.problems import Refused

FOLDER = Path(__file__).parent / "references"
REFERENCE = json.loads((FOLDER / "cace_nested_a.json").read_text(encoding="utf-8"))["cace_18"]


def _rows() -> pd.DataFrame:
    long = pd.read_csv(FOLDER / "nested_a.csv")
    base = long[long["time"] == 0].set_index("id")["y"]
    rows = long[(long["time"] == 18) & long["y"].notna()].copy()
    return rows.assign(base=rows["id"].map(base), second=(rows["site"] == 2).astype(float))


ROWS = _rows()
W = np.column_stack([np.ones(len(ROWS)), ROWS["base"], ROWS["second"]])
Y, D, Z = (ROWS[name].to_numpy(float) for name in ("y", "attended", "arm"))
GROUPS = np.where(ROWS["group"] > 0, "g" + ROWS["group"].astype(str), "p" + ROWS["id"].astype(str))


@pytest.mark.parametrize("by", ["person", "group"])
def test_equals_ivreg_with_cr2(by: str) -> None:
    found = fit_cace(Y, D, Z, W, None if by == "person" else GROUPS)
    assert found.effect.estimate == pytest.approx(REFERENCE["estimate"], rel=1e-6)
    assert found.effect.se == pytest.approx(REFERENCE[f"se_cr2_by_{by}"], rel=1e-6)
    assert found.effect.df == pytest.approx(REFERENCE[f"df_cr2_by_{by}"], rel=1e-5)
    assert found.se_classical == pytest.approx(REFERENCE["se_classical"], rel=1e-6)
    assert found.first_stage_f == pytest.approx(REFERENCE["first_stage_F"], rel=1e-6)
    assert found.n == REFERENCE["n"]
    assert [p.code for p in found.problems] == ["cace_assumptions"]


def test_with_full_compliance_it_is_least_squares_by_arm() -> None:
    found = fit_cace(Y, Z, Z, W)
    exact = np.linalg.lstsq(np.column_stack([W, Z]), Y, rcond=None)[0][-1]
    assert found.effect.estimate == pytest.approx(exact)
    assert found.first_stage_f is None
    assert found.compliance == pytest.approx(1)


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([1e-9, 3.0, 1e9]), st.floats(-50, 50))
def test_order_location_and_scale(shuffle: Any, scale: float, shift: float) -> None:
    whole = fit_cace(Y, D, Z, W, GROUPS)
    order = list(range(len(Y)))
    shuffle.shuffle(order)
    assert fit_cace(Y[order], D[order], Z[order], W[order], GROUPS[order]).effect == whole.effect
    moved = fit_cace(Y * scale, D, Z, W * np.array([1, scale, 1]) + np.array([0, shift, 0]) * scale, GROUPS)
    assert whole.effect.se is not None
    assert moved.effect.se == pytest.approx(whole.effect.se * scale, rel=1e-7)
    assert moved.effect.df == pytest.approx(whole.effect.df, rel=1e-6)
    flipped = fit_cace(Y, D, 1 - Z, W, GROUPS)  # an instrument has no direction
    assert flipped.effect.estimate == pytest.approx(whole.effect.estimate)
    assert (flipped.compliance or 0) == pytest.approx(-(whole.compliance or 0))


def test_what_is_not_estimable_says_why() -> None:
    def reason(found: Cace) -> str | None:
        assert found.effect.estimate is None
        return found.effect.reason

    def same_share(arm: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.where(np.arange(len(arm)) % 4 < 2, 0.0, 1.0)

    z = np.arange(40) % 2.0
    ones, y = np.ones((40, 1)), np.arange(40.0) ** 1.5
    assert reason(fit_cace(y, z * 0, z, ones)) == "cace_received_constant"
    assert reason(fit_cace(y, z, z * 0 + 1, ones)) == "group_constant"
    assert reason(fit_cace(y, same_share(z), z, ones)) == "cace_no_difference"
    assert reason(fit_cace(y[:3], z[:3], z[:3], ones[:3])) == "cace_too_few"
    with pytest.raises(Refused, match="not_finite"):
        fit_cace(np.where(y > 9, np.nan, y), z, z, ones)
    weak = fit_cace(y, np.where(np.arange(40) == 1, 1.0, same_share(z)), z, ones)
    assert [p.code for p in weak.problems] == ["cace_assumptions", "cace_weak"]
