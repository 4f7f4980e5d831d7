"""The commands `boundaries` and `pool`: JSON for a statistician, one sentence and status 2 for what cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.methods.__main__ import main

DESIGN = {"--alpha": ".05", "--sides": "2", "--info": "0.5,1", "--spending": "obf"}


def _boundaries(**given: str) -> int:
    words = DESIGN | {f"--{key}": value for key, value in given.items()}
    return main(["boundaries", *(word for pair in words.items() for word in pair)])


def _one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    return told.err


def test_bounds_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert _boundaries() == 0
    found = json.loads(capsys.readouterr().out)
    assert found["z"] == pytest.approx([2.96258804272755, 1.96859564063605], abs=1e-6)
    assert found["nominal_p"] == pytest.approx([0.003050645515978, 0.0489995435794847], abs=1e-7)
    assert found["cumulative_alpha"] == pytest.approx([0.003050645515978, 0.05])


def test_monitoring_in_units_of_information(capsys: pytest.CaptureFixture[str]) -> None:
    assert _boundaries(info="50,70", imax="100", spent="0.01", spending="kd:3") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fraction"] == [0.5, 0.7]
    assert found["cumulative_alpha"] == pytest.approx([0.01, 0.05 * 0.7**3])
    assert main(["boundaries", *(w for p in DESIGN.items() for w in p), "--imax", "1.2", "--final"]) == 0
    assert json.loads(capsys.readouterr().out)["cumulative_alpha"][-1] == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"spending": "ofb"}, "did you mean obf? Allowed are: obf, pocock, hsd:G, kd:R"),
        ({"spending": "hsd"}, "“hsd” is not a spending function"),
        ({"spending": "?"}, "allowed are: obf, pocock, hsd:G, kd:R"),
        ({"sides": "3"}, "--sides is “3”; allowed are 1 and 2"),
        ({"alpha": "five"}, "--alpha: “five” is not a number"),
        ({"alpha": "1.5"}, "Alpha is 1.5"),
        ({"info": "0.5,"}, "--info: “” is not a number"),
        ({"info": "0.5,0.4"}, "Look 2 has information 0.4 after 0.5"),
        ({"info": "50,100"}, "Look 2 has no alpha"),
        ({"imax": "-1"}, "The maximum information is -1"),
        ({"spent": "0.04,0.01"}, "Spent alpha at look 2 is 0.01 after 0.04"),
    ],
)
def test_bounds_that_there_are_not(given: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _boundaries(**given) == 2
    assert words in _one_sentence(capsys)


def _file(folder: Path, text: str) -> str:
    path = folder / "estimates.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_pooled_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _file(tmp_path, "estimate,se\n1,0.5\n2,0.5\n3,0.5\n")
    assert main(["pool", path]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["estimate"] == 2
    assert found["se"] == pytest.approx((0.25 + 4 / 3) ** 0.5)
    assert found["df"] == pytest.approx(2 / ((4 / 3) / (0.25 + 4 / 3)) ** 2)
    assert main(["pool", path, "--df-complete", "50"]) == 0
    assert json.loads(capsys.readouterr().out)["df"] < found["df"]


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        ("estimate,sd\n1,1\n", [], "no column se; did you mean sd?"),
        ("a,b\n1,1\n", [], "no column estimate, se"),
        ("estimate,se\n1,x\n", [], "row 2, se: “x” is not a number"),
        ("estimate,se\n1\n", [], "row 2, se: “” is not a number"),
        ("estimate,se\n1,1\n", [], "at least two imputations; there are 1"),
        ("estimate,se\n1,1\n2,0\n", [], "Imputation 2 has estimate 2 and standard error 0"),
        ("estimate,se\n1,1\n2,1\n", ["--df-complete", "many"], "--df-complete: “many” is not a number"),
        ("estimate,se\n1,1\n2,1\n", ["--df-complete", "0"], "complete degrees of freedom are 0"),
    ],
)
def test_estimates_that_cannot_be_pooled(
    text: str, more: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pool", _file(tmp_path, text), *more]) == 2
    assert words in _one_sentence(capsys)
