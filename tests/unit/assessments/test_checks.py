"""Checks between answers: when each fails, and what a confirmation is about."""

from decimal import Decimal
from pathlib import Path
from shutil import copytree

import pytest

from assessments.instruments.checks import failed, looked_at
from tests import world
from trial.protocol.definition import Bounds, Check, Instrument, Item
from trial.protocol.loader import load
from trial.protocol.problems import ProtocolError

ITEMS = tuple(Item(code, code, "integer", 0, 4) for code in "abc")


def form(*checks: Check) -> Instrument:
    return Instrument("f", "F", "f", "participant", False, ("T1",), ITEMS, checks=checks)


def fails(check: Check, **given: int) -> bool:
    return bool(failed(form(check), {code: Decimal(value) for code, value in given.items()}))


WHEN_SO = Check("c", "odd", "soft", when=(Bounds("a", 0, 0),), expect=(Bounds("b", 0, 1),))
RANGE = Check("r", "odd", "soft", expect=(Bounds("a", 0, 3),))
ALIKE = Check("d", "odd", "hard", differ=("a", "b", "c"))


@pytest.mark.parametrize(
    ("check", "given", "expected"),
    [
        (WHEN_SO, {"a": 0, "b": 2}, True),
        (WHEN_SO, {"a": 0, "b": 1}, False),
        (WHEN_SO, {"a": 1, "b": 2}, False),
        (WHEN_SO, {"a": 0}, False),
        (WHEN_SO, {"b": 2}, False),
        (RANGE, {"a": 4}, True),
        (RANGE, {"a": 3}, False),
        (RANGE, {}, False),
        (ALIKE, {"a": 2, "b": 2, "c": 2}, True),
        (ALIKE, {"a": 2, "b": 2, "c": 3}, False),
        (ALIKE, {"a": 2, "b": 2}, False),
    ],
)
def test_when_a_check_fails(check: Check, given: dict[str, int], expected: bool) -> None:
    assert fails(check, **given) is expected


def test_a_confirmation_is_about_the_answers_that_were_seen() -> None:
    given = {"a": Decimal(0), "b": Decimal(2), "c": Decimal(1)}
    assert looked_at(WHEN_SO, given) == {"a": "0", "b": "2"}


def test_the_checks_of_the_trial() -> None:
    imr = world.read("imr")
    background = imr.instrument("background")
    assert [c.code for c in failed(background, {"admissions": Decimal(0), "hospital": Decimal(1)})] == [
        "hospital_without_admission"
    ]
    assert [c.code for c in failed(background, {"admissions": Decimal(2), "hospital": Decimal(0)})] == [
        "admission_without_hospital"
    ]
    sers = imr.instrument("sers")
    assert failed(sers, {item.code: Decimal(7) for item in sers.items})
    assert not failed(sers, {item.code: Decimal(7 if "pos" in item.code else 6) for item in sers.items})


@pytest.mark.parametrize(
    ("old", "new", "key", "code"),
    [
        ("hospital = [0, 0]", "hospitl = [0, 0]", "checks[1]", "unknown_reference"),
        ("hospital = [0, 0]", "hospital = [1, 0]", "checks[1].expect.hospital", "bad_text"),
        ("expect = { hospital = [0, 0] }", "", "checks[1].expect", "conflict"),
        ('strength = "soft"', 'strength = "mild"', "checks[1].strength", "not_allowed"),
        ("admission_without_hospital", "hospital_without_admission", "checks", "duplicate"),
    ],
)
def test_a_mistake_in_a_check_is_named(tmp_path: Path, old: str, new: str, key: str, code: str) -> None:
    folder = copytree(world.ROOT / "protocols" / "imr", tmp_path / "imr")
    path = folder / "instruments" / "background.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ProtocolError) as error:
        load(folder)
    assert ("instruments/background.toml", key, code) in [(p.file, p.key, p.code) for p in error.value.problems]
