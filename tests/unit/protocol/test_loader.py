"""The loader: the shipped folders load, and every mistake is named with its file and key."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from trial.protocol.definition import Protocol
from trial.protocol.loader import load
from trial.protocol.problems import ProtocolError

SHIPPED = Path(__file__).resolve().parents[3] / "protocols"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the Beat the Blues protocol, to be spoiled."""
    return Path(shutil.copytree(SHIPPED / "btheb", tmp_path / "btheb"))


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    """Replace ``old`` once; a test that spoils nothing would prove nothing."""
    path = folder / file
    text = path.read_text()
    assert old in text, f"{file} has no {old!r}"
    path.write_text(text.replace(old, new, 1))


def refused(folder: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(ProtocolError) as error:
        load(folder)
    return [(p.file, p.key, p.code) for p in error.value.problems]


def test_the_shipped_trials_load() -> None:
    imr, blues = load(SHIPPED / "imr"), load(SHIPPED / "btheb")
    assert (len(imr.sites), len(imr.teams), imr.strata_rule) == (2, 14, "team")
    assert {arm.code: arm.ratio for arm in imr.arms} == {"imr": 3, "cau": 2}
    assert imr.baseline.code == "T1"
    assert [visit.code for visit in imr.follow_ups] == ["T2", "T3"]
    assert imr.primary_scale.code == "imrs_client"
    assert blues.strata == ("all",)
    assert blues.anchor_date is not None
    assert [visit.offset for visit in blues.follow_ups] == [2, 3, 5, 8]


@pytest.mark.parametrize("name", ["imr", "btheb"])
def test_a_document_gives_the_protocol_back(name: str) -> None:
    protocol = load(SHIPPED / name)
    again = Protocol.from_document(protocol.to_document())
    assert again == protocol
    assert again.sha256 == protocol.sha256


def test_another_title_is_another_hash(folder: Path) -> None:
    before = load(folder).sha256
    spoil(folder, "trial.toml", 'short_name = "Beat the Blues"', 'short_name = "Beat the Blue"')
    assert load(folder).sha256 != before


MISTAKES: list[tuple[str, str, str, tuple[str, str, str]]] = [
    ("trial.toml", "short_name", "short_nmae", ("trial.toml", "short_nmae", "unknown_key")),
    ("trial.toml", 'strata = "none"', "block_size = 4", ("trial.toml", "block_size", "secret_key")),
    ("trial.toml", "target_sample_size = 100", 'target_sample_size = "x"', ("trial.toml", "target_sample_size", "wrong_type")),
    ("trial.toml", 'code = "TAU"', 'code = "BtheB"', ("trial.toml", "arms", "duplicate")),
    ("trial.toml", "experimental = true", "experimental = false", ("trial.toml", "arms", "conflict")),
    ("sites.toml", 'site = "GP"', 'site = "GQ"', ("sites.toml", "teams[1].site", "unknown_reference")),
    ("analysis.toml", 'outcome = "bdi"', 'outcome = "bdx"', ("analysis.toml", "outcome", "unknown_reference")),
    ("instruments/bdi.toml", 'code = "bdi"', 'code = "bdj"', ("instruments/bdi.toml", "code", "wrong_name")),
    ("instruments/bdi.toml", "max = 63\ndirection", "max = 60\ndirection", ("instruments/bdi.toml", "scales[1].max", "out_of_range")),
    ("visits.toml", "[[visits]]", "[[visits]", ("visits.toml", "", "not_toml")),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "problem"), MISTAKES, ids=[f"{m[0]}: {m[2]}" for m in MISTAKES])
def test_each_mistake_is_named(folder: Path, file: str, old: str, new: str, problem: tuple[str, str, str]) -> None:
    spoil(folder, file, old, new)
    found = refused(folder)
    wanted_file, wanted_key, wanted_code = problem
    assert any(f == wanted_file and k.startswith(wanted_key) and wanted_code in ("", c) for f, k, c in found), found


def test_all_mistakes_are_named_at_once(folder: Path) -> None:
    spoil(folder, "trial.toml", "short_name", "short_nmae")
    spoil(folder, "sites.toml", "[[sites]]", "[[sitez]]")
    assert {file for file, _key, _code in refused(folder)} == {"trial.toml", "sites.toml"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda f: (f / "visits.toml").unlink(), ("visits.toml", "", "no_file")),
        (lambda f: (f / "visit.toml").write_text(""), ("visit.toml", "", "unknown_file")),
        (lambda f: (f / "randomization.toml").write_text(""), ("randomization.toml", "", "secret_key")),
        (lambda f: (f / "trial.toml").write_bytes(b"\xff\xfe"), ("trial.toml", "", "not_text")),
        (lambda f: shutil.rmtree(f), ("btheb", "", "no_folder")),
    ],
    ids=["missing", "unknown", "secret", "not text", "no folder"],
)
def test_files(folder: Path, change: Callable[[Path], object], problem: tuple[str, str, str]) -> None:
    change(folder)
    assert problem in refused(folder)


def test_an_assessor_who_is_not_blind_is_refused(folder: Path) -> None:
    (folder / "trial.toml").write_text((folder / "trial.toml").read_text() + "\n[blindness]\ninterviewer = false\n")
    assert any(key.startswith("blindness") for _file, key, _code in refused(folder))
