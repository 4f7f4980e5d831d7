"""Specifications, canonical bytes, hashes, words and the command line."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

import analysis.methods
from analysis.methods.__main__ import main
from analysis.methods.canonical import encode
from analysis.methods.environment import code_hash, environment, environment_hash
from analysis.methods.problems import Refused, warning
from analysis.methods.spec import read_spec
from analysis.methods.words import SENTENCES, in_words

GOOD: dict[str, Any] = {
    "outcome": "y",
    "subject": "id",
    "time": {"column": "visit", "form": "categorical", "levels": [1, 2.0, "3"]},
    "arm": {"column": "arm", "reference": "a", "experimental": "b"},
    "covariates": [{"column": "age", "kind": "numeric"}],
}


def test_a_specification_survives_writing_and_reading() -> None:
    spec = read_spec(GOOD)
    assert spec.time.levels == ("1", "2", "3")
    assert read_spec(json.loads(json.dumps(spec.as_data()))) == spec


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"method": "REML"}, "spec_choice", "method"),
        ({"outcome": ""}, "spec_text_wanted", "outcome"),
        ({"outcome": "y` + evil"}, "spec_text_wanted", "outcome"),
        ({"colour": 1}, "spec_unknown_key", "colour"),
        ({"time": {"column": "v", "form": "linear", "levels": ["a", "b"]}}, "spec_level_not_a_number", "time.levels"),
        ({"time": {"column": "v", "form": "linear", "levels": [1]}}, "spec_levels", "time.levels"),
        ({"time": {"column": "v", "form": "linear", "levels": [1, 1.0]}}, "spec_levels_twice", "time.levels"),
        ({"time": "weekly"}, "spec_not_a_table", "time"),
        ({"arm": {"column": "arm", "reference": "a", "experimental": "a"}}, "spec_same_arm", "arm"),
        ({"arm": None, "interaction": True}, "spec_interaction_without_arm", "interaction"),
        ({"primary_visit": "9"}, "spec_choice", "primary_visit"),
        ({"baseline_visit": "T9"}, "spec_choice", "baseline_visit"),
        ({"baseline": "b", "baseline_visit": "1"}, "spec_two_baselines", "baseline_visit"),
        ({"confidence": 1.0}, "spec_confidence", "confidence"),
        ({"covariates": [{"column": "age", "kind": "categorical"}]}, "spec_levels", "covariates[0].levels"),
        ({"interaction": "yes"}, "spec_choice", "interaction"),
    ],
)
def test_each_error_of_a_specification_names_its_place(change: dict[str, Any], code: str, place: str) -> None:
    with pytest.raises(Refused) as refused:
        read_spec(GOOD | change)
    assert (code, place) in [(p.code, p.data.get("place")) for p in refused.value.problems]
    assert all(in_words(p).count("%(") == 0 for p in refused.value.problems)


def test_a_column_cannot_be_used_twice() -> None:
    with pytest.raises(Refused) as refused:
        read_spec(GOOD | {"baseline": "y"})
    assert [(p.code, p.data["column"]) for p in refused.value.problems] == [("spec_column_twice", "y")]


def test_canonical_bytes_have_twelve_digits_and_sorted_keys() -> None:
    assert encode({"b": 1 / 3, "a": (True, None, 2, "é")}) == '{"a":[true,null,2,"é"],"b":0.333333333333}'.encode()
    assert encode(-0.0) == b"0.0"
    assert encode(1.00000000000049) == encode(1.0)
    assert encode(1.000000000006) != encode(1.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_what_cannot_be_written_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        encode({"x": value})


def test_the_hashes_name_packages_and_code() -> None:
    assert {"python", "numpy", "scipy", "pandas", "statsmodels", "formulaic"} <= set(environment())
    assert re.fullmatch(r"[0-9a-f]{64}", environment_hash())
    assert re.fullmatch(r"[0-9a-f]{64}", code_hash())
    assert environment_hash() != code_hash()


def test_every_code_in_the_source_has_a_sentence() -> None:
    folder = Path(analysis.methods.__file__).parent
    source = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    used = set(re.findall(r'(?:error|warning)\(\s*"(\w+)"', source)) | set(re.findall(r'absent\(\w+, "(\w+)"', source))
    assert len(used) > 30
    assert used <= set(SENTENCES)


def test_a_code_without_sentence_shows_itself() -> None:
    assert in_words(warning("unheard_of", x=1)) == "unheard_of {'x': 1}"


def test_results_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_spec(GOOD).outcome = "z"  # type: ignore[misc]


TOML = """
outcome = "bdi"
subject = "subject"
method = "ml"
[time]
column = "month"
form = "linear"
levels = [2, 3]
[arm]
column = "treatment"
reference = "TAU"
experimental = "BtheB"
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    data, spec = tmp_path / "data.csv", tmp_path / "spec.toml"
    lines = ["subject,month,treatment,bdi"]
    for n in range(12):
        arm = ("TAU", "BtheB")[n % 2]
        lines += [f"{n},2,{arm},{20 + n * 7 % 5}", f"{n},3,{arm},{18 + n * 7 % 5 + n % 3}"]
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    spec.write_text(TOML, encoding="utf-8")
    return data, spec


def test_the_command_line_prints_and_writes_a_result(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    data, spec = files
    out = data.parent / "result.json"
    assert main(["analyze", str(data), str(spec), "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "Adjusted differences" in printed
    assert "12 subjects, 12 with an outcome, 12 analyzed in 24 rows" in printed
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["fit"]["method"] == "ml"
    assert main(["analyze", str(data), str(spec), "--pooled"]) == 0
    assert "Adjusted" not in capsys.readouterr().out


def test_the_command_line_says_what_is_wrong(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    data, spec = files
    spec.write_text(TOML.replace("bdi", "bdii"), encoding="utf-8")
    assert main(["analyze", str(data), str(spec)]) == 1
    assert "no column “bdii”. It has: subject, month, treatment, bdi" in capsys.readouterr().err
    assert main(["analyze", str(data.parent / "absent.csv"), str(spec)]) == 2
    assert "absent.csv" in capsys.readouterr().err
