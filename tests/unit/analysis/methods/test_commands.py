"""The command line: JSON on standard output, one plain sentence and status 2 for what cannot be used."""

import json
from pathlib import Path

import pytest

from analysis.methods.__main__ import main
from analysis.methods.blinding import blinding


def _file(folder: Path, text: str) -> str:
    path = folder / "counts.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_blinding_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "arm,guess,count\nA,A,41\nA,B,6\nA,dk,35\nB,A,13\nB,B,30\nB,dk,39\n"
    assert main(["blinding", _file(tmp_path, rows)]) == 0
    found = json.loads(capsys.readouterr().out)
    pairs = {("A", "A"): 41, ("A", "B"): 6, ("A", "dk"): 35, ("B", "A"): 13, ("B", "B"): 30, ("B", "dk"): 39}
    expected = blinding(pairs, ["A", "B"])
    assert found["james"]["estimate"] == pytest.approx(expected.james.estimate)
    assert [one["arm"] for one in found["bang"]] == ["A", "B"]
    assert set(found["james"]) >= {"estimate", "se", "lower", "upper"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("arm,guess\nA,A\n", "no column count"),
        ("arm,guess,count\nA,A,many\n", "Row 2: the count is “many”"),
        ("arm,guess,count\nA,A,1\nA,A,1\n", "Row 3: A / A was counted above"),
        ("arm,guess,count\nA,A,1\n", "compare two arms"),
        ("arm,guess,count\nA,A,1\nB,C,1\n", "is not a guess"),
    ],
)
def test_what_cannot_be_used(text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["blinding", _file(tmp_path, text)]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""
    assert len(told.err.splitlines()) == 1


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["blinding", str(tmp_path / "absent.csv")]) == 2
    assert "absent.csv" in capsys.readouterr().err


@pytest.mark.parametrize("given", [[], ["boundaries"], ["bondaries"], ["pool"]])
def test_a_command_that_is_not_complete(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(given)
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", 1)
    assert "--help" in told.err
