"""The command ``fit``: JSON for a good file; status 2 and one plain sentence, never a traceback, for what cannot be used."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.methods.__main__ import main

SPEC = {
    "data": "data.csv",
    "model": "mmrm",
    "outcome": "y",
    "subject": "id",
    "visit": "time",
    "arm": "arm",
    "baseline": "base",
}
Rows = list[dict[str, object]]


def rows(n: int = 24, visits: tuple[int, ...] = (1, 2, 3)) -> Rows:
    draw = np.random.default_rng(7)
    found: Rows = []
    for person in range(n):
        base, own = draw.normal(), draw.normal()
        found += [
            {
                "id": person,
                "time": t,
                "arm": person % 2,
                "base": round(base, 6),
                "y": round(base + own + draw.normal(), 6),
            }
            for t in visits
        ]
    return found


def write(folder: Path, table: Rows, **keys: object) -> str:
    header = list(table[0])
    lines = [",".join(header), *(",".join(str(row[c]) for c in header) for row in table)]
    (folder / "data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    spec = {key: value for key, value in (SPEC | keys).items() if value is not None}
    path = folder / "spec.toml"
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in spec.items()), encoding="utf-8")
    return str(path)


def refusal(folder: Path, table: Rows, capsys: pytest.CaptureFixture[str], **keys: object) -> str:
    assert main(["fit", write(folder, table, **keys)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    return told.err


def test_a_subgroup_has_differences_without_p_and_one_test_a_visit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = [{**row, "sex": "mf"[int(str(row["id"])) // 2 % 2]} for row in rows()]
    assert main(["fit", write(tmp_path, table, subgroup="sex")]) == 0
    found = json.loads(capsys.readouterr().out)["subgroup"]
    assert found["column"] == "sex"
    assert [(one["visit"], one["level"]) for one in found["differences"]] == [(t, s) for t in "123" for s in "fm"]
    keys = {"level", "visit", "arm", "reference", "estimate", "se", "df", "lower", "upper"}
    assert {frozenset(one) for one in found["differences"]} == {frozenset(keys)}
    assert [(one["visit"], one["num_df"]) for one in found["interactions"]] == [("1", 1), ("2", 1), ("3", 1)]
    assert all(0 < one["p"] < 1 for one in found["interactions"])
    once = [{**row, "sex": "mf"[int(str(row["id"])) // 2 % 2]} for row in rows(visits=(1,))]
    assert main(["fit", write(tmp_path, once, subgroup="sex", model="ancova", visit=None)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert "subgroup" not in answer
    assert "“subgroup” has no meaning for “ancova”" in " ".join(answer["warnings"])
    assert "did you mean “sex”?" in refusal(tmp_path, table, capsys, subgroup="sexx")


def test_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = [*rows(), {"id": 99, "time": 1, "arm": 0, "base": 0.1, "y": "NA"}]
    path = write(tmp_path, data)
    assert main(["fit", path]) == 0
    printed = capsys.readouterr().out
    found = json.loads(printed)
    assert (found["n_obs"], found["n_subjects"], found["randomized"], found["any_follow_up"]) == (72, 24, 25, 24)
    assert found["converged"] is True
    assert found["coefficients"]["names"] == [
        "(Intercept)", "base", "time2", "time3", "arm1", "base:time2", "base:time3", "time2:arm1", "time3:arm1",
    ]  # fmt: skip
    assert found["covariance"]["visits"] == ["1", "2", "3"]
    assert [(d["visit"], d["arm"], d["reference"]) for d in found["differences"]] == [(v, "1", "0") for v in "123"]
    assert set(found["differences"][0]) >= {"estimate", "se", "df", "lower", "upper", "p"}
    base = np.array([[row["base"] for row in data[::3] if row["arm"] == arm] for arm in (0, 1)], dtype=object)
    freed = sum(((np.array(part, dtype=float) - np.mean(part)) ** 2).sum() for part in base) / 23
    assert found["differences"][0]["standardized"] == pytest.approx(found["differences"][0]["estimate"] / freed**0.5)
    assert found["standard_deviation"]["n"] == 25
    assert set(found["provenance"]) == {"data", "spec", "code", "environment"}
    assert main(["fit", path, "--out", str(tmp_path / "out.json")]) == 0
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == printed


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"outcome": "Y1"}, "did you mean “y”"),
        ({"baseline": "bsae"}, "did you mean “base”"),
        ({"model": "mmmr"}, "did you mean “mmrm”"),
        ({"df": "satterthwait"}, "did you mean “satterthwaite”"),
        ({"covariance": "toehp"}, "did you mean “toep”"),
        ({"covarites": ["x"]}, "“covariates” is"),
        ({"visits": [1, 4]}, "“visits” has “4”"),
        ({"reference": "2"}, "“reference” has “2”"),
        ({"data": "no.csv"}, "no.csv cannot be read"),
        ({"visit": None}, "needs the key “visit”"),
        ({"model": None}, "no “model”"),
        ({"baseline": "y"}, "used twice"),
        ({"categorical": ["site"]}, "not one of the covariates"),
        ({"df": "kenward_roger", "variance": "cr2"}, "has its own variance"),
        ({"visits": [1]}, "at least two visits"),
    ],
)
def test_a_wrong_specification(
    keys: dict[str, object], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in refusal(tmp_path, rows(), capsys, **keys)


def changed(**values: object) -> Callable[[Rows], Rows]:
    return lambda data: [row | values for row in data]


def first(**values: object) -> Callable[[Rows], Rows]:
    return lambda data: [data[0] | values, *data[1:]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed(y="NA"), "missing in every row"),
        (changed(arm=1), "one arm 1"),
        (changed(y=3), "there is no variance"),
        (changed(base=""), "“base” is missing"),
        (first(y="inf"), "row 2: “inf” is not a number"),
        (first(y="high"), "row 2: “high” is not a number"),
        (first(base=55), "changes within subject"),
        (first(arm=1), "changes within subject"),
        (first(arm=""), "row 2 is empty"),
        (first(time=2), "has visit 2 a second time"),
        (first(id=""), "row 2: the subject is missing"),
        (lambda data: [row | {"time": 1} for row in data[::3]], "at least two visits"),
        (lambda data: data[:6], "Fewer than 3"),
        (lambda data: data[:9], "too few"),
        (lambda data: [row | {"y": row["base"]} if row["time"] == 1 else row for row in data], "the baseline itself"),
        (lambda data: [row | {"y": 1} if row["time"] == 1 else row for row in data], "Everybody has 1 at visit 1"),
        (lambda data: [row | {"y": "1e200"} if row["id"] == 3 else row for row in data], "too large"),
        (lambda data: [row | {"y": row["base"]} for row in data], "baseline itself"),
    ],
)
def test_bad_data(
    change: Callable[[Rows], Rows], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in refusal(tmp_path, change(rows()), capsys)


def test_two_visits_that_are_one_do_not_converge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = rows(visits=(1, 2))
    for one, other in zip(data[::2], data[1::2], strict=True):
        other["y"] = one["y"]
    assert "did not converge" in refusal(tmp_path, data, capsys)


def test_an_arm_that_nobody_reached_a_visit_in_is_null_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [row for row in rows(40) if not (row["time"] == 3 and row["arm"] == 1)]
    assert main(["fit", write(tmp_path, data)]) == 0
    found = json.loads(capsys.readouterr().out)
    last = found["differences"][-1]
    assert (last["visit"], last["estimate"], last["p"]) == ("3", None, None)
    assert "do not determine" in last["reason"]
    assert any("left empty: time3:arm1" in told for told in found["warnings"])


def test_a_missing_baseline_is_filled_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = [row | {"base": "NA"} if row["id"] in (1, 2) else row for row in rows()]
    assert main(["fit", write(tmp_path, data)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n_subjects"] == 24
    assert "base_missing" in found["coefficients"]["names"]
    assert any("mean of all" in told for told in found["warnings"])


def test_pairs_of_visits_that_nobody_has_fall_back_along_the_chain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [row for row in rows(60) if row["time"] == 2 or (row["id"] % 4 < 2) == (row["time"] == 1)]  # type: ignore[operator]
    assert main(["fit", write(tmp_path, data)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["structure"] != "us"
    assert found["variance"] == "cr2"
    assert any("the plan's next" in told for told in found["warnings"])


@pytest.mark.parametrize(
    "keys",
    [
        {"model": "clda", "baseline": None},
        {"model": "lmm", "baseline": None},
        {"model": "lmm", "baseline": None, "visit_as": "number", "slope": "x"},
        {"model": "ancova", "visits": [3]},
        {"model": "mann_whitney", "visits": [3], "baseline": None},
        {"model": "logistic", "visits": [3], "outcome": "event"},
        {"model": "negative_binomial", "visits": [3], "outcome": "count", "exposure": "years"},
        {"model": "cace", "visits": [3], "received": "took"},
    ],
    ids=lambda keys: str(keys["model"]) + ("_slope" if "slope" in keys else ""),
)
def test_every_model_answers_or_refuses(
    keys: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [
        row
        | {"x": row["time"], "event": int(float(str(row["y"])) > 0), "count": int(abs(float(str(row["y"]))) * 2)}
        | {"years": 1.5, "took": int(row["arm"] == 1 and row["id"] != 3)}
        for row in rows()
    ]
    assert main(["fit", write(tmp_path, data, **keys)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["differences"][-1]["estimate"] is not None
    refused: tuple[Callable[[Rows], Rows], ...] = (
        changed(y="", event="", count=""),
        changed(y=1, event=1, count=1),
        changed(arm=0, took=0),
        lambda table: table[:6],
        first(id=""),
        lambda table: [row | {"y": "inf", "event": "inf", "count": "inf"} for row in table],
    )
    for change in refused:
        refusal(tmp_path, change(data), capsys, **keys)
    far = [row | {"y": repr(float(str(row["y"])) * 1e12), "base": repr(float(str(row["base"])) * 1e12)} for row in data]
    assert main(["fit", write(tmp_path, far, **keys)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["differences"][-1]["p"] == pytest.approx(found["differences"][-1]["p"], rel=1e-6)


def test_keys_of_other_models_are_left_aside_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys: dict[str, object] = {"random": ["team", "id"], "exposure": "years", "received": "attended"}
    assert main(["fit", write(tmp_path, rows(), **keys)]) == 0
    told = json.loads(capsys.readouterr().out)["warnings"]
    assert [key for key in keys if any(f"“{key}” has no meaning" in one for one in told)] == list(keys)


def test_the_baseline_of_clda_is_its_first_visit_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", write(tmp_path, rows(), model="clda")]) == 0
    with_key = json.loads(capsys.readouterr().out)
    assert any("first visit, 1" in one for one in with_key["warnings"])
    assert main(["fit", write(tmp_path, rows(), model="clda", baseline=None)]) == 0
    assert json.loads(capsys.readouterr().out)["differences"] == with_key["differences"]
