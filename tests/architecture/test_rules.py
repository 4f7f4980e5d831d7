"""The house's own rules, read from the source."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("trial", "assessments", "analysis")
SOURCES = [p for package in PACKAGES for p in (ROOT / package).rglob("*.py") if "migrations" not in p.parts]
# Known to be longer, each for a reason that its docstring gives.
LONGEST_MODULE = 420


def imports(path: Path) -> Iterator[str]:
    yield from _imported(ast.parse(path.read_text(encoding="utf-8")))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


CONNECTION = ("django.db.transaction", "django.db.connection", "django.db.connections", "django.db.router")


def reaches_the_connection(tree: ast.AST) -> bool:
    """Whether this code gets at Django's connection: by any spelling of the import, as a whole, by string, or through core.db."""
    whole = set(_imported(tree))
    if whole & {"django.db", "django.db.*", "trial.core.db.transaction", "trial.core.db.connections"}:
        return True
    if any(name == one or name.startswith(f"{one}.") for name in whole for one in CONNECTION):
        return True
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(CONNECTION):
            return True
        if isinstance(node, ast.Attribute) and ast.unparse(node) in (*CONNECTION, "db.transaction", "db.connections"):
            return True
    return False


def test_only_core_db_speaks_to_the_connection() -> None:
    # the sessions' rows are written through Django's own store, which asks the router for the alias
    allowed = {"trial/core/db.py", "trial/core/sessions.py"}
    found = {str(p.relative_to(ROOT)) for p in SOURCES if reaches_the_connection(ast.parse(p.read_text("utf-8")))}
    assert found == allowed


@pytest.mark.parametrize(
    "line",
    [
        "from django.db import transaction",
        "from django.db import connection as c",
        "from django.db.transaction import atomic",
        "from django import db",
        "import django.db",
        "import django.db.transaction as t",
        "from django.db import *",
        "import django\ndjango.db.connection.cursor()",
        "import_string('django.db.transaction.atomic')",
        "from trial.core.db import connections",
        "from trial.core import db\ndb.transaction.atomic()",
    ],
)
def test_the_rule_about_the_connection_catches_each_spelling(line: str) -> None:
    assert reaches_the_connection(ast.parse(line))


def test_models_and_errors_are_no_connection() -> None:
    assert not reaches_the_connection(ast.parse("from django.db import IntegrityError, models\nimport datetime"))


PURE = ("trial.unblinded.randomization.schemes", "trial.unblinded.randomization.forecast")
"""Functions of numbers, without any allocation."""


def test_exactly_one_module_joins_outcomes_to_arms() -> None:
    """Nobody but analysis.unblinded.assembly sees both outcomes (assessments, snapshots) and allocations."""
    reads_arms = {
        str(p.relative_to(ROOT))
        for p in SOURCES
        if p.is_relative_to(ROOT / "analysis")
        and any(i.startswith("trial.unblinded.randomization") and not i.startswith(PURE) for i in imports(p))
    }
    assert reads_arms == {"analysis/unblinded/assembly.py"}


def test_no_module_is_named_after_nothing() -> None:
    assert [
        p for p in SOURCES if p.name in ("utils.py", "helpers.py", "signals.py", "admin.py", "misc.py", "common.py")
    ] == []


def test_every_action_is_keyword_only_and_says_who() -> None:
    for path in SOURCES:
        if path.stem != "actions" and path.parent.name != "actions":
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            marked = isinstance(node, ast.FunctionDef) and any(
                isinstance(d, ast.Name) and d.id == "action" for d in node.decorator_list
            )
            if marked:
                assert isinstance(node, ast.FunctionDef)
                assert not node.args.args, f"{path}:{node.lineno}"
                assert "by" in {a.arg for a in node.args.kwonlyargs}, f"{path}:{node.lineno}"
                assert ast.get_docstring(node), f"{path}:{node.lineno} promises nothing"


def test_time_and_identifiers_come_from_core() -> None:
    clocks = {"datetime.now", "datetime.utcnow", "date.today", "timezone.now"}
    allowed = {"trial/core/clock.py", "trial/config/worlds/stage.py"}
    found = []
    for path in SOURCES:
        name = str(path.relative_to(ROOT))
        if name in allowed or name.startswith(("trial/config/supervisor", "trial/config/backup")):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, (ast.Name, ast.Attribute))
            ):
                owner = node.func.value.id if isinstance(node.func.value, ast.Name) else node.func.value.attr
                if f"{owner}.{node.func.attr}" in clocks or (
                    owner == "uuid" and node.func.attr == "uuid4" and name != "trial/core/ids.py"
                ):
                    found.append(f"{name}:{node.lineno}")
    assert found == []


def test_modules_stay_readable() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in SOURCES
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }
    assert long == {}


def test_every_model_has_its_rights_and_its_app_label_says_its_side() -> None:
    from django.apps import apps

    tables = import_string(settings.RIGHTS)
    for model in apps.get_models(include_auto_created=True):
        assert model._meta.db_table in tables, model
        if ".unblinded." in f".{model.__module__}.":
            assert model._meta.app_label.startswith("unblinded"), model
            assert model._meta.db_table.startswith(("unblinded_", "concealed_")), model


def test_import_contracts_hold_and_catch_an_import_two_steps_away(tmp_path: Path) -> None:
    """A copy of the packages, in which assessments reaches the allocations through a harmless-looking module."""
    import shutil

    lint = Path(sys.executable).with_name("lint-imports")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("static", "__pycache__", "locale")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "trial/participants/planted.py").write_text("from trial.unblinded.randomization import queries\n")
    (tmp_path / "assessments/visits/planted.py").write_text("from trial.participants import planted\n")
    run = subprocess.run([str(lint), "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "assessments.visits.planted" in run.stdout
    assert "BROKEN" in run.stdout
    whole = subprocess.run([str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert whole.returncode == 0, whole.stdout + whole.stderr


@pytest.mark.parametrize("word", ["/unblinded/", "unblinded_"])
def test_the_word_unblinded_marks_the_boundary_in_addresses(word: str) -> None:
    """Every view of a package below the boundary is mounted below /unblinded/."""
    from django.urls import URLPattern, URLResolver, get_resolver

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, str]]:
        for pattern in patterns:
            address = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, address)
            else:
                yield address, pattern.callback.__module__

    for address, module in walk(get_resolver().url_patterns, "/"):
        if ".unblinded." in f".{module}.":
            assert address.startswith("/unblinded/"), (address, module)
