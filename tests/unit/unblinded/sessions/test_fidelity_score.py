"""Scores of fidelity: the pilot's matrix, the scale of the program's integrity, bands, consensus."""

from decimal import Decimal
from pathlib import Path

import pytest

from trial.protocol.definition import FidelityScale
from trial.protocol.loader import load
from trial.unblinded.sessions import fidelity

# Pilot, groups A to F, items 1 to 13 (thesis T/51-54, table 4 of the pilot paper), see imr-trial 5.9.
PILOT = {
    "A": "4,5,5,5,3,5,5,5,5,5,3,2,2",
    "B": "5,5,5,5,1,5,4,4,5,4,2,2,2",
    "C": "5,5,5,5,3,5,2,4,5,4,2,3,2",
    "D": "5,5,5,5,3,5,5,5,5,5,4,1,2",
    "E": "4,5,5,5,3,5,1,5,5,4,3,3,1",
    "F": "5,5,5,5,3,5,2,5,5,4,2,3,3",
}
# Means of the 16 items of IT-IS over 15 groups (T/154), see imr-trial 5.7.
IT_IS = "4.87 4.67 4.60 4.47 4.13 3.93 3.47 3.40 3.13 2.83 2.52 2.40 2.28 2.13 2.07 1.73"

PROTOCOL = load(Path(__file__).resolve().parents[4] / "protocols" / "imr")
SCALE, INTEGRITY = PROTOCOL.fidelity


def rated(scale: FidelityScale, text: str) -> dict[str, int | None]:
    values = [int(value) for value in text.split(",")]
    return {item.code: value for item, value in zip(scale.items, values, strict=True)}


def test_the_pilot_s_matrix_gives_its_published_means() -> None:
    means = [fidelity.score(SCALE, rated(SCALE, text)) for text in PILOT.values()]
    printed = [round(mean, 1) for mean in means]
    assert [str(mean) for mean in printed] == ["4.2", "3.8", "3.8", "4.2", "3.8", "4.0"]
    # overall figures come out from the means as printed, with R's type 7 and the sample's deviation (imr-trial 7.3)
    found = fidelity.summary(printed)
    assert found is not None
    assert found.sd is not None
    assert found.iqr is not None
    assert f"{found.mean:.1f} ({found.sd:.2f})" == "4.0 (0.20)"
    assert f"{found.median:.1f} (IQR {round(found.iqr, 2)})" == "3.9 (IQR 0.35)"
    assert [fidelity.band(SCALE, mean).code for mean in means] == [
        "high",
        "moderate",
        "moderate",
        "high",
        "moderate",
        "high",
    ]


def test_item_means_of_the_integrity_scale_give_its_published_total() -> None:
    found = fidelity.summary([Decimal(mean) for mean in IT_IS.split()])
    assert found is not None
    assert found.sd is not None
    assert (f"{found.mean:.2f}", f"{found.sd:.2f}") == ("3.29", "1.05")


@pytest.mark.parametrize(
    ("score", "band"),
    [("1", "low"), ("2.9999", "low"), ("3.0", "moderate"), ("3.9231", "moderate"), ("4.0", "high"), ("5", "high")],
)
def test_a_cut_off_belongs_to_the_upper_band(score: str, band: str) -> None:
    assert fidelity.band(SCALE, Decimal(score)).code == band


def test_items_that_do_not_apply_are_left_out() -> None:
    scores: dict[str, int | None] = {item.code: None if item.optional else 3 for item in INTEGRITY.items}
    assert sum(value is None for value in scores.values()) == 3
    assert fidelity.score(INTEGRITY, scores) == 3
    scores["itis01"] = 5
    assert fidelity.score(INTEGRITY, scores) == Decimal("3.1538")  # 41 / 13


@pytest.mark.parametrize("wrong", [{}, {"fid01": None}, {"fid01": 0}, {"fid01": 6}])
def test_nothing_is_scored_while_an_item_is_open_or_out_of_range(wrong: dict[str, int | None]) -> None:
    scores = rated(SCALE, PILOT["A"])
    del scores["fid01"]
    assert fidelity.open_items(SCALE, scores | wrong) == ("fid01",)
    with pytest.raises(fidelity.NotScorable):
        fidelity.score(SCALE, scores | wrong)


def test_a_consensus_keeps_what_raters_agree_on() -> None:
    one, other = rated(SCALE, PILOT["A"]), rated(SCALE, PILOT["D"])
    assert fidelity.differing(SCALE, [one, other]) == ("fid01", "fid11", "fid12")
    decided: dict[str, int | None] = {"fid01": 5, "fid11": 4, "fid12": 2, "fid02": 1}
    agreed = fidelity.agreed(SCALE, [one, other], decided)
    assert agreed == {**one, "fid01": 5, "fid11": 4, "fid12": 2}
    assert fidelity.open_items(SCALE, fidelity.agreed(SCALE, [one, other], {"fid01": 5})) == ("fid11", "fid12")


def test_no_groups_have_no_summary_and_one_has_no_spread() -> None:
    assert fidelity.summary([]) is None
    assert fidelity.summary([Decimal("4.1")]) == fidelity.Summary(1, 4.1, None, 4.1, None)
