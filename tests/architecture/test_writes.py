"""State changes in actions alone, and each function that writes says that it is one, or a part of one."""

import ast
from pathlib import Path

import pytest

from tests.architecture import writes
from tests.architecture.test_rules import ROOT, SOURCES
from trial.core.actions import action, part
from trial.core.db import System

OUTSIDE = {
    "trial/core/db.py": "the one door to the connection",
    "trial/core/database/setup.py": "the owner's program: it makes what the actions stand on",
    "trial/core/sessions.py": "rows of the framework, under hashed keys; no trial data",
    "trial/config/celery.py": "settings of the broker; no row",
    "trial/unblinded/randomization/allocator.py": "the allocator's lock, which every action of allocation takes",
    "trial/config/leakcheck/world.py": "accounts and arms of scratch databases, by the owner",
    "trial/config/worlds/stage.py": "the demo's accounts share one published password, hashed once; the allocator's lock is held for a play",
}
"""Modules that write although they are no actions, each with its reason."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def is_actions(path: Path) -> bool:
    return path.stem == "actions" or path.parent.name == "actions"


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def all_functions() -> list[writes.Function]:
    return [
        one for path in SOURCES if is_actions(path) for one in writes.functions(module_of(path), writes.parse(path))
    ]


def test_state_changes_only_in_actions() -> None:
    """Whatever the module is called: views, forms, presenters, queries, rules, tasks, commands never write."""
    found = [
        f"{name_of(path)}:{line} {what}"
        for path in SOURCES
        if not is_actions(path) and name_of(path) not in OUTSIDE
        for line, what in writes.writes(writes.parse(path))
    ]
    assert found == []


def test_every_exception_is_needed() -> None:
    for name in OUTSIDE:
        assert any(writes.writes(writes.parse(ROOT / name))), f"{name} writes nothing any more"


@pytest.mark.parametrize(
    "line",
    [
        "row.save(update_fields=['x'])",
        "await row.asave()",
        "Model.objects.create(x=1)",
        "Model.objects.filter(x=1).update(x=2)",
        "mine.update(x=2)",
        "Model.objects.all().delete()",
        "row.delete()",
        "Model.objects.bulk_create(rows)",
        "Model.objects.bulk_update(rows, ['x'])",
        "Model.objects.get_or_create(x=1)",
        "Model._default_manager.update_or_create(x=1)",
        "Model.objects.select_for_update().get(pk=key)",
        "db.cursor()",
    ],
)
def test_a_planted_write_is_seen(line: str) -> None:
    planted = f"async def view(request):\n    {line}\n"
    assert [number for number, _what in writes.writes(ast.parse(planted))] == [2]


@pytest.mark.parametrize("line", ["words.update(more)", "found.update({'a': 1})", "Model.objects.filter(x=1).first()"])
def test_what_writes_no_row_is_left_alone(line: str) -> None:
    assert list(writes.writes(ast.parse(line))) == []


def test_who_writes_is_an_action_or_a_part_of_one() -> None:
    found = all_functions()
    assert len(found) > 150
    assert writes.unmarked(found) == []


PLANTED = {
    "by itself": "def add(row):\n    row.save(force_insert=True)\n",
    "through a private function": "def _put(row):\n    row.save()\ndef add(row):\n    _put(row)\n",
    "through a part": "@part\ndef put(row):\n    row.save()\ndef add(row):\n    put(row)\n",
    "through a part elsewhere": "from other.actions import put\ndef add(row):\n    put(row)\n",
    "through a module": "from other import actions as others\ndef add(row):\n    others.put(row)\n",
}


@pytest.mark.parametrize("how", PLANTED)
def test_a_planted_writer_is_seen(how: str) -> None:
    other = writes.functions("other.actions", ast.parse("@part\ndef put(row):\n    row.save()\n"))
    planted = writes.functions("planted.actions", ast.parse(PLANTED[how]))
    assert writes.unmarked([*other, *planted]) == ["planted.actions.add"]


def test_calling_an_action_is_no_writing() -> None:
    text = "@action\ndef put(*, row, by):\n    row.save()\ndef read(row):\n    put(row=row, by=None)\n"
    assert writes.unmarked(list(writes.functions("planted.actions", ast.parse(text)))) == []


@part
def written() -> str:
    return "written"


@action
def writes_it(*, by: System) -> str:
    return written()


def test_a_part_runs_inside_an_action_alone(database: object) -> None:
    from tests import world

    with world.at_work(world.SETUP):
        assert writes_it(by=world.SETUP) == "written"
        with pytest.raises(RuntimeError, match="part of an action"):
            written()
