"""Laws of the protocol: a document gives its protocol back, and no single mistake in a folder ends in a traceback."""

import copy
import json
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trial.protocol.definition import Protocol
from trial.protocol.loader import load
from trial.protocol.problems import Problem, ProtocolError

SHIPPED = Path(__file__).resolve().parents[2] / "protocols"
NAMES = ("btheb", "imr")
FILES = {name: sorted(str(p.relative_to(SHIPPED / name)) for p in (SHIPPED / name).rglob("*.toml")) for name in NAMES}

# Values of every TOML type, and the ones that break readers: long, empty, control characters, not finite.
STRANGE: list[Any] = [
    "", " ", "x", "T1", "bdi", "\u0000", "a" * 3000, "{found}", "é", True, False, 0, 1, -1, 2, 63, 10**30, 0.5, 1e308,
    float("nan"), float("inf"), [], [1], ["T1"], [[]], {}, {"a": 1}, {"seed": 1}, [{"block_size": 4}],
]  # fmt: skip


def toml(value: Any) -> str:
    """A value as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value)
    return str(value)


def write(path: Path, data: dict[str, Any]) -> None:
    path.write_text("".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in data.items()), encoding="utf-8")


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value below this one."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*at, key)
        yield from places(inner, (*at, key))


def mutate(data: dict[str, Any], place: tuple[Any, ...], how: str, value: Any) -> dict[str, Any]:
    """A copy with one value replaced, removed, renamed or repeated."""
    changed = copy.deepcopy(data)
    parent: Any = changed
    for key in place[:-1]:
        parent = parent[key]
    key = place[-1]
    if how == "remove":
        del parent[key]
    elif how == "repeat" and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))
    elif how == "rename" and isinstance(parent, dict):
        parent[f"{key}s"] = parent.pop(key)
    else:
        parent[key] = value
    return changed


def loaded_or_named(folder: Path, file: str) -> None:
    """Either it loads, to a protocol whose document is sound, or some problem names the file."""
    try:
        protocol = load(folder)
    except ProtocolError as error:
        lines = [str(problem) for problem in error.problems]
        assert any(file in line for line in lines), lines
        assert all(line.strip() and len(line) < 3000 for line in lines)
        return
    assert Protocol.from_document(json.loads(json.dumps(protocol.to_document()))) == protocol
    assert protocol.strata
    assert protocol.follow_ups
    assert protocol.primary_scale.code == protocol.analysis.outcome
    assert all(protocol.stratum_of(team.code) in protocol.strata for team in protocol.teams)


@st.composite
def mistakes(draw: st.DrawFn) -> tuple[str, str, tuple[Any, ...], str, Any]:
    """One change of one value of one file of a shipped protocol."""
    name = draw(st.sampled_from(NAMES))
    file = draw(st.sampled_from(FILES[name]))
    place = draw(st.sampled_from(list(places(tomllib.loads((SHIPPED / name / file).read_text())))))
    how = draw(st.sampled_from(["remove", "repeat", "rename", "replace", "replace", "replace"]))
    value = draw(st.one_of(st.sampled_from(STRANGE), st.integers(-100, 400), st.text(max_size=20).map(printable)))
    return name, file, place, how, value


def printable(text: str) -> str:
    """Without what no TOML file can hold."""
    return text.encode("utf-8", "ignore").decode()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mistakes())
def test_one_wrong_value_is_loaded_or_named(mistake: tuple[str, str, tuple[Any, ...], str, Any]) -> None:
    name, file, place, how, value = mistake
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(SHIPPED / name, Path(scratch) / name))
        data = tomllib.loads((folder / file).read_text())
        write(folder / file, mutate(data, place, how, value))
        loaded_or_named(folder, file)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_file_is_loaded_or_named(data: st.DataObject) -> None:
    """Bytes lost, changed or put in anywhere: half a file, a torn line, a wrong encoding."""
    file = data.draw(st.sampled_from(FILES["btheb"]))
    content = (SHIPPED / "btheb" / file).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, min(len(content), start + 200)) | st.just(len(content)))
    damaged = content[:start] + data.draw(st.binary(max_size=8)) + content[stop:]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(SHIPPED / "btheb", Path(scratch) / "btheb"))
        (folder / file).write_bytes(damaged)
        loaded_or_named(folder, file)


@pytest.mark.parametrize("name", NAMES)
def test_rewriting_a_file_changes_nothing(tmp_path: Path, name: str) -> None:
    """The writer of these tests is faithful, and the hash depends on what is said, not on how it is written."""
    folder = Path(shutil.copytree(SHIPPED / name, tmp_path / name))
    for file in FILES[name]:
        data = tomllib.loads((folder / file).read_text())
        if file not in ("trial.toml", "consent.toml"):  # dates have no JSON form
            write(folder / file, data)
    assert load(folder).sha256 == load(SHIPPED / name).sha256


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_a_document_that_does_not_fit_is_refused_with_its_path(name: str, data: st.DataObject) -> None:
    document = json.loads(json.dumps(load(SHIPPED / name).to_document()))
    place = data.draw(st.sampled_from(list(places(document))))
    how = data.draw(st.sampled_from(["remove", "rename", "replace"]))
    changed = mutate(document, place, how, data.draw(st.sampled_from(STRANGE)))
    problems = refusal(changed)
    assert all(problem.file == "document" and problem.key for problem in problems)


def refusal(document: dict[str, Any]) -> tuple[Problem, ...]:
    """Why this document is refused; nothing if it is read."""
    try:
        Protocol.from_document(document)
    except ProtocolError as error:
        return error.problems
    return ()
