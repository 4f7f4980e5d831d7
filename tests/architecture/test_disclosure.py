"""Every field is classified once, and rights, histories, addresses of the API and the log keep to the classes."""

import ast
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.module_loading import import_string

from trial.core.api.endpoints import Endpoint
from trial.core.api.schema import Schema
from trial.core.api.twins import Twin
from trial.core.classified import class_of, is_safe, kept_out_of_history
from trial.core.disclosure import Disclosure, Fields, Unclassified, behind, fields, missing
from trial.core.history.rules import redactable

ROOT = Path(__file__).resolve().parents[2]
RIGHTS = import_string(settings.RIGHTS)
TABLES: dict[str, Fields] = import_string(settings.DISCLOSURE)
DECLARED = {
    *("dropbox_unblinding_report", "dropbox_guess", "dropbox_seed_share"),
    *("participants_release", "core_history"),
}
"""Where something that reveals an arm lies on the open side; the entry says why. Add to it after a second thought only."""
ACCOUNTS = {"core_user"}
"""Typed, in the history, and not redactable: names of accounts, which administrators keep and signatures name for ever."""
WALLED = ("unblinded", "concealed")


def columns() -> dict[str, dict[str, Any]]:
    """The columns of every table that a model has, by table."""
    return {
        model._meta.db_table: {one.column: one for one in model._meta.local_concrete_fields}
        for model in apps.get_models(include_auto_created=True)
    }


def having(kind: Disclosure) -> list[tuple[str, str]]:
    """The fields of a class, of tables whose columns are named."""
    return [(table, name) for table, entry in TABLES.items() for name, one in entry.classes.items() if one == kind]


def is_words(field: Any) -> bool:
    """Whether a column can hold words; with ``choices`` it holds one of a list."""
    return isinstance(field, models.CharField | models.TextField | models.JSONField)


def test_every_field_of_every_model_is_classified_once() -> None:
    wrong = [line for table, found in columns().items() for line in missing(table, found, TABLES)]
    assert wrong == [], "\n".join(wrong)
    assert set(TABLES) == set(RIGHTS), (
        "a table without model (django_migrations) is classified too, and nothing else is"
    )


def test_a_new_field_fails_with_what_to_do() -> None:
    given = {"here": fields(safe="id"), "wall": behind(typed="words")}
    assert missing("here", ["id", "remark"], given) == [
        "here.remark is not classified: name it in trial/config/disclosure as reveals_arm, identifies, free_text or safe"
        " (see docs/disclosure.md)."
    ]
    assert missing("new", ["id"], given) == [
        "new is not classified: add it to trial/config/disclosure (see docs/disclosure.md)."
    ]
    assert missing("here", [], given) == ["here.id is classified and does not exist."]
    assert missing("wall", ["id"], given) == ["wall.words is listed and does not exist."]


def test_no_field_is_in_two_classes() -> None:
    with pytest.raises(ValueError, match="name is classified twice: identifies and safe"):
        fields(identifies="name", safe="id name")


def test_whoever_asks_for_an_unknown_field_is_told() -> None:
    assert class_of("participants_contact.phone") == Disclosure.IDENTIFIES
    assert class_of("unblinded_allocation.anything") == Disclosure.REVEALS_ARM
    for unknown in ("participants_contact.shoe_size", "nothing.name"):
        with pytest.raises(Unclassified):
            class_of(unknown)
    assert is_safe("visits_visitoutcome")
    assert not is_safe("entry_answer")
    assert not is_safe("unblinded_handover_night")
    assert not is_safe("nothing")


def test_behind_the_wall_everything_reveals_the_arm_and_elsewhere_every_column_is_named() -> None:
    for table, entry in TABLES.items():
        assert entry.rest_reveals_arm == (RIGHTS[table].side in WALLED), table
        if RIGHTS[table].side in ("infrastructure", "owner"):
            assert entry.why, f"{table} holds no data of the trial: say why it is there"
            assert set(entry.classes.values()) <= {Disclosure.SAFE, Disclosure.IDENTIFIES}, table


def test_every_column_of_words_behind_the_wall_is_typed_or_coded() -> None:
    """A column with ``choices`` need not be listed: the list of choices is in the code."""
    for table, found in columns().items():
        entry = TABLES[table]
        if entry.rest_reveals_arm:
            assert not entry.typed & entry.coded, table
            open_ended = {name for name, one in found.items() if is_words(one) and not one.choices}
            left = open_ended - entry.typed - entry.coded
            assert left == set(), f"{table}: name {left} as typed or coded in trial/config/disclosure/behind.py"
            assert {name for name in entry.typed | entry.coded if not is_words(found[name])} == set(), table


def test_what_is_typed_is_a_column_of_words_of_a_class_that_may_hold_anything() -> None:
    for table, found in columns().items():
        for name in TABLES[table].typed:
            assert is_words(found[name]), f"{table}.{name}"
            assert TABLES[table].of(name) != Disclosure.SAFE, f"{table}.{name} is typed, so it is not safe"


# --- who reads it: rights, histories


def _readable(rights: Any, classes: dict[str, Fields]) -> list[str]:
    """The fields that reveal an arm and that the blinded login may select, except the declared ones."""
    return [
        table
        for table, entry in classes.items()
        if table not in DECLARED
        and (entry.rest_reveals_arm or Disclosure.REVEALS_ARM in entry.classes.values())
        and (rights[table].reads("default") or rights[table].updates("default"))
    ]


def test_nothing_that_reveals_an_arm_is_readable_by_the_blinded_login() -> None:
    assert _readable(RIGHTS, TABLES) == []
    planted = {**TABLES, "visits_visitoutcome": fields(reveals_arm="reason", safe="id")}
    assert _readable(RIGHTS, planted) == ["visits_visitoutcome"]


def test_what_reveals_an_arm_on_the_open_side_is_declared() -> None:
    open_side = {table for table, _name in having(Disclosure.REVEALS_ARM)}
    assert open_side == DECLARED
    for table in DECLARED:
        assert TABLES[table].why, table
        if RIGHTS[table].side == "dropbox":
            assert RIGHTS[table].reads("default") == (), f"{table}: its authors cannot read it again"
    assert RIGHTS["participants_release"].blinded == "s", "the blinded login releases nothing"


def test_what_identifies_somebody_stands_in_no_history() -> None:
    shown = [
        f"{table}.{name}" for table, name in having(Disclosure.IDENTIFIES) if not kept_out_of_history(f"{table}.{name}")
    ]
    assert shown == [], "name them as secret in trial/config/rights"


def test_what_was_typed_can_be_taken_out_of_the_open_history_again() -> None:
    left = {
        table
        for table, name in having(Disclosure.FREE_TEXT)
        if not kept_out_of_history(f"{table}.{name}") and name not in redactable().get(table, ())
    }
    assert left == ACCOUNTS
    assert redactable() == {
        "entry_answer": ("value",), "entry_amendedanswer": ("value",), "cleaning_dataquery": ("text",),
    }  # fmt: skip


# --- who reads it: addresses of the API that are written by hand, and the log


def _named(schema: Any) -> set[str]:
    """Every name of a property in a JSON schema."""
    if isinstance(schema, dict):
        own = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
        return own.union(*(_named(value) for value in schema.values()), set())
    return set().union(*(_named(one) for one in schema), set()) if isinstance(schema, list | tuple) else set()


def _by_hand() -> list[type[Endpoint]]:
    return [one for one in Endpoint.__subclasses__() if one.__module__.endswith(".api") and one not in (Twin, Schema)]


def test_no_address_of_the_api_but_the_twin_of_a_page_gives_what_identifies() -> None:
    """A twin gives what its page shows to the role of the page; an address with a body of its own gives codes, numbers and days."""
    import_string("trial.config.urls.urlpatterns")
    who = {name for table, name in having(Disclosure.IDENTIFIES) if RIGHTS[table].side == "open"} - {"name", "sha256"}
    assert {"phone", "birth_date", "password"} <= who
    assert len(_by_hand()) > 5
    for one in _by_hand():
        assert _named(one.gives) & who == set(), one
    assert _named({"type": "object", "properties": {"person": {"type": "object", "properties": {"phone": {}}}}}) & who


FILES = {
    "trial/core/ui/tables.py": "the CSV of a table, which leaves out who identifies",
    "analysis/reports/papers/pages.py": "a report, whose tables leave out who identifies (papers/document.py)",
    "analysis/pooled/views.py": "a snapshot, which takes safe columns alone",
    "analysis/snapshots/views.py": "a snapshot as Parquet, which takes safe columns alone",
    "analysis/reports/downloads.py": "a stored result, which names nobody; a table of arms: drawn by lot, or behind the wall and in the ledger",
    "trial/unblinded/randomization/views/verification.py": "the revealed sequence, behind the wall, after planned unblinding",
}
"""Where a page gives a file, and what keeps it to the classes."""


def test_every_file_that_a_page_gives_is_made_where_the_classes_are_asked() -> None:
    found = {
        str(path.relative_to(ROOT))
        for top in ("trial", "assessments", "analysis")
        for path in (ROOT / top).rglob("*.py")
        if "Content-Disposition" in path.read_text(encoding="utf-8")
    }
    assert found == set(FILES)


def _logged(text: str) -> list[str]:
    """Attributes that a statement of the log writes out and that are classified as more than safe somewhere on the open side."""
    high = {name for kind in (Disclosure.IDENTIFIES, Disclosure.FREE_TEXT) for _table, name in having(kind)} | {"arm"}
    calls = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name) and node.func.value.id in ("log", "logger", "logging")
    ]  # fmt: skip
    return [
        found.attr for call in calls for argument in call.args for found in ast.walk(argument)
        if isinstance(found, ast.Attribute) and found.attr in high
    ]  # fmt: skip


def test_the_program_logs_keys_and_codes_alone() -> None:
    paths = [path for top in ("trial", "assessments", "analysis") for path in (ROOT / top).rglob("*.py")]
    texts = {path: text for path in paths if "log." in (text := path.read_text(encoding="utf-8"))}
    assert texts
    assert {str(path): found for path, text in texts.items() if (found := _logged(text))} == {}
    assert _logged('log.warning("No answer of %s", contact.phone)') == ["phone"]
    assert _logged('log.warning("Run %s", run.pk)') == []
