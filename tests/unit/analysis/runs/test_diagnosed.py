"""What a result says about its own model, and that it says nothing of a single person."""

import json

import numpy as np

from analysis.runs import compute
from tests.unit.analysis.runs.all_outcomes import table
from tests.unit.analysis.runs.by_plan import frozen_plan, stored_plan


def test_patterns_count_everybody_randomized() -> None:
    patterns = stored_plan()["patterns"]
    assert sum(sum(one["by_arm"].values()) for one in patterns) == 44
    totals = [sum(one["by_arm"].values()) for one in patterns]
    assert totals == sorted(totals, reverse=True)
    assert patterns[0]["seen"] == ["T1", "T2", "T3"]
    assert set(patterns[0]["by_arm"]) == set(frozen_plan()["arms"])


def test_diagnostics_are_of_the_planned_model() -> None:
    stored = stored_plan()
    found, answer = stored["diagnostics"], stored["fits"][0]["answer"]
    assert found["observations"] == answer["n_obs"] == len(found["residuals"])
    assert found["people"] == answer["n_subjects"]
    scaled = np.array(found["residuals"])[:, 1]
    assert abs(scaled.mean()) < 0.1
    assert 0.8 < scaled.std() < 1.2
    assert [one["rank"] for one in found["influence"]] == list(range(1, len(found["influence"]) + 1))
    distances = [one["distance"] for one in found["influence"]]
    assert distances == sorted(distances, reverse=True)
    assert len(distances) + found["alone"] == found["people"]


def test_nothing_names_a_person() -> None:
    written = json.dumps({key: stored_plan()[key] for key in ("patterns", "diagnostics")})
    assert not any(number in written for number in compute.numbers_of(table()))
    points = stored_plan()["diagnostics"]["residuals"]
    assert points == sorted(points), "in the order of the values, not of the people"
