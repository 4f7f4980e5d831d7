"""The whole analysis of a table: what it refuses, what it says in words, what it counts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.methods.canonical import encode
from analysis.methods.design import read_table
from analysis.methods.problems import Refused
from analysis.methods.progress import Cancelled, Watch
from analysis.methods.spec import read_spec
from analysis.methods.study import analyze, analyze_pooled

SPEC: dict[str, Any] = {
    "outcome": "score",
    "subject": "id",
    "baseline": "base",
    "time": {"column": "visit", "form": "categorical", "levels": ["T2", "T3"]},
    "arm": {"column": "arm", "reference": "cau", "experimental": "imr"},
    "interaction": True,
    "covariates": [{"column": "team", "kind": "categorical", "levels": ["a", "b"]}],
    "primary_visit": "T3",
}


def rows(people: int = 24) -> list[dict[str, str]]:
    rng = np.random.default_rng(12)
    found = []
    for n in range(people):
        arm, level = ("imr", "cau")[n % 2], rng.normal(0, 2)
        for visit in ("T2", "T3"):
            score = 30 + level + (2.0 if arm == "imr" else 0.0) + rng.normal()
            found.append(
                {
                    "id": f"P{n:03}",
                    "visit": visit,
                    "arm": arm,
                    "team": "ab"[n // 2 % 2],
                    "base": f"{30 + level + rng.normal():.2f}" if visit == "T2" else found[-1]["base"],
                    "score": f"{score:.2f}",
                }
            )
    return found


def table(change: Callable[[dict[str, str]], Any] = lambda row: None) -> pd.DataFrame:
    found = rows()
    for row in found:
        change(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(found[0]))
    writer.writeheader()
    writer.writerows(found)
    return read_table(text.getvalue())


def refusal(frame: pd.DataFrame, **changes: Any) -> dict[str, dict[str, Any]]:
    with pytest.raises(Refused) as refused:
        analyze(frame, read_spec(SPEC | changes))
    return {p.code: dict(p.data) for p in refused.value.problems}


def test_a_sound_table_gives_counts_means_and_differences() -> None:
    analysis = analyze(table(), read_spec(SPEC))
    assert (analysis.counts.subjects, analysis.counts.analyzed, analysis.counts.rows) == (24, 24, 48)
    assert analysis.problems == ()
    assert [(m.visit, m.arm) for m in analysis.means] == [("T2", "cau"), ("T2", "imr"), ("T3", "cau"), ("T3", "imr")]
    means = {(m.visit, m.arm): m.value.estimate or 0 for m in analysis.means}
    for difference in analysis.differences:
        v = difference.value
        assert v.estimate == pytest.approx(means[difference.visit, "imr"] - means[difference.visit, "cau"])
        assert v.low is not None
        assert v.high is not None
        assert v.low < (v.estimate or 0) < v.high
        assert analysis.standard_deviation is not None
        assert difference.standardized == pytest.approx((v.estimate or 0) / (analysis.standard_deviation.value or 1))


def test_the_standard_deviation_is_pooled_within_arms_over_everybody() -> None:
    def far(row: dict[str, str]) -> None:
        if row["arm"] == "imr":
            row["base"] = f"{float(row['base']) + 100:.2f}"  # a difference between arms must not count

    apart = analyze(table(far), read_spec(SPEC)).standard_deviation
    together = analyze(table(), read_spec(SPEC)).standard_deviation
    assert apart is not None
    assert together is not None
    assert apart.value == pytest.approx(together.value)
    assert (apart.of, apart.n) == ("baseline_within_arms", 24)


def test_a_baseline_that_is_an_outcome_standardizes_too() -> None:
    spec = {key: value for key, value in SPEC.items() if key != "baseline"} | {"baseline_visit": "T2"}
    frame = table()
    analysis = analyze(frame, read_spec(spec))
    sd = analysis.standard_deviation
    assert sd is not None
    first = frame[frame["visit"] == "T2"]
    groups = [first.loc[first["arm"] == arm, "score"].astype(float) for arm in ("cau", "imr")]
    squares = sum(float(((g - g.mean()) ** 2).sum()) for g in groups)
    assert sd.value == pytest.approx(np.sqrt(squares / 22))
    assert (sd.of, sd.n) == ("baseline_within_arms", 24)
    assert all(d.standardized is not None for d in analysis.differences)


def test_an_arm_empty_at_a_visit_has_no_difference_there_and_says_so() -> None:
    def empty(row: dict[str, str]) -> None:
        if row["arm"] == "imr" and row["visit"] == "T3":
            row["score"] = ""

    analysis = analyze(table(empty), read_spec(SPEC))
    assert [(p.code, dict(p.data)) for p in analysis.problems] == [("cell_empty", {"arm": "imr", "visit": "T3"})]
    values = {d.visit: d for d in analysis.differences}
    assert values["T3"].value.estimate is None
    assert values["T3"].standardized is None
    assert values["T3"].value.reason == "not_estimable"
    assert values["T2"].value.estimate is not None
    there = {(m.visit, m.arm): m.value.estimate for m in analysis.means}
    assert there["T3", "imr"] is None
    assert there["T3", "cau"] is not None
    described = {(d.visit, d.arm): d.summary for d in analysis.descriptives}
    assert (described["T3", "imr"].n, described["T3", "imr"].missing, described["T3", "imr"].mean) == (0, 12, None)


def test_one_arm_only_gives_no_difference() -> None:
    def leave(row: dict[str, str]) -> None:
        if row["arm"] == "imr":
            row["score"] = "NA"

    analysis = analyze(table(leave), read_spec(SPEC))
    assert ("arm_empty", {"arm": "imr"}) in [(p.code, dict(p.data)) for p in analysis.problems]
    assert {d.value.estimate for d in analysis.differences} == {None}


def test_one_visit_only_is_refused_by_the_model_and_still_described() -> None:
    def leave(row: dict[str, str]) -> None:
        if row["visit"] == "T3":
            row["score"] = ""

    analysis = analyze(table(leave), read_spec(SPEC))
    assert analysis.fit is None
    assert [p.code for p in analysis.problems] == ["visit_empty", "one_row_per_subject"]
    assert analysis.descriptives[1].summary.n == 24
    assert encode(analysis)


def test_a_missing_baseline_drops_nobody() -> None:
    def miss(row: dict[str, str]) -> None:
        if row["id"] in ("P001", "P002", "P003"):
            row["base"] = ""

    analysis = analyze(table(miss), read_spec(SPEC))
    assert analysis.counts.analyzed == 24
    assert [(p.code, p.data["subjects"]) for p in analysis.problems] == [("baseline_filled", 3)]
    assert analysis.fit is not None
    assert "base missing" in [c.name for c in analysis.fit.coefficients]
    baseline = next(d for d in analysis.descriptives if (d.visit, d.arm) == ("baseline", None))
    assert (baseline.summary.n, baseline.summary.missing) == (21, 3)
    assert refusal(table(miss), missing_baseline="refuse") == {"baseline_missing": {"column": "base", "subjects": 3}}


def test_a_missing_covariate_is_counted() -> None:
    def miss(row: dict[str, str]) -> None:
        if row["id"] == "P001":
            row["team"] = ""

    analysis = analyze(table(miss), read_spec(SPEC))
    assert analysis.counts.analyzed == 23
    assert [(p.code, p.data["subjects"]) for p in analysis.problems] == [("covariate_missing", 1)]


def test_bad_cells_are_named_with_their_row() -> None:
    def spoil(row: dict[str, str]) -> None:
        if row["id"] == "P000" and row["visit"] == "T2":
            row["score"], row["arm"] = "12,5", "IMR"

    found = refusal(table(spoil))
    assert found["not_a_number"] == {"column": "score", "row": 2, "value": "12,5"}
    assert found["unknown_level"]["value"] == "IMR"
    assert found["varies_within_subject"] == {"column": "arm", "subject": "P000"}


def test_a_missing_column_is_named_with_those_there_are() -> None:
    assert refusal(table().drop(columns="team"))["column_missing"]["column"] == "team"


def test_a_visit_given_twice_is_refused() -> None:
    def twice(row: dict[str, str]) -> None:
        row["visit"] = "T2"

    assert refusal(table(twice))["row_twice"]["subject"] == "P000"


def test_pooled_figures_need_no_arm_and_do_not_look_at_one() -> None:
    without = analyze_pooled(table().drop(columns="arm"), read_spec(SPEC))
    assert encode(without) == encode(analyze_pooled(table(), read_spec(SPEC)))
    assert {d.arm for d in without.descriptives} == {None}
    assert without.fit is None
    assert without.differences == ()
    assert "arm" not in {key for key, value in without.spec.items() if value}


def test_the_order_of_rows_changes_no_byte_beyond_rounding_and_the_same_table_none() -> None:
    spec = read_spec(SPEC)
    assert encode(analyze(table(), spec)) == encode(analyze(table(), spec))


def test_progress_is_told_in_order_and_cancelling_stops() -> None:
    told: list[tuple[str, float]] = []
    analyze(table(), read_spec(SPEC), Watch(report=lambda stage, share: told.append((stage, share))))
    stages = list(dict.fromkeys(stage for stage, _share in told))
    assert stages == ["reading", "describing", "fitting", "polishing", "contrasting", "done"]
    assert len([stage for stage, _share in told if stage == "fitting"]) > 10  # a heartbeat goes on inside the optimizer
    assert [share for _stage, share in told] == sorted(share for _stage, share in told)
    with pytest.raises(Cancelled):
        analyze(table(), read_spec(SPEC), Watch(cancelled=lambda: True))


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "table_empty"), ("a,a\n1,2\n", "table_column_twice"), ("a,b\n1,2\n3\n", "table_ragged")],
)
def test_a_table_that_is_none_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_table(text)
    assert [p.code for p in refused.value.problems] == [code]


def test_text_in_another_encoding_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        read_table("a,b\né,2\n".encode("latin-1"))
    assert [p.code for p in refused.value.problems] == ["table_not_utf8"]
