"""Where source code writes rows, read from its syntax tree."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ALWAYS = frozenset(
    {"save", "create", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "select_for_update", "cursor"}
)  # fmt: skip
"""Methods that write or lock rows, or open the way to it, whatever they are called on."""
MANAGERS = frozenset({"objects", "_default_manager", "_base_manager"})
NARROWING = frozenset({"filter", "exclude", "all", "order_by", "select_related", "using", "distinct", "annotate"})


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def is_write(node: ast.AST) -> bool:
    """Whether a call writes rows. ``update`` is a dictionary's too: of rows it names columns, or stands on a manager or query."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    name = node.func.attr
    if name.startswith("a") and name[1:] in {*ALWAYS, "update"}:
        name = name[1:]  # Django's asynchronous twins
    if name == "update":
        return (bool(node.keywords) and not node.args) or _is_query(node.func.value)
    return name in ALWAYS


def _is_query(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr in MANAGERS | NARROWING for part in ast.walk(node))


def writes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The lines that write, with what they call."""
    for node in ast.walk(tree):
        if is_write(node):
            assert isinstance(node, ast.Call)
            yield node.lineno, ast.unparse(node.func)


@dataclass(frozen=True)
class Function:
    """A function of a module of actions."""

    module: str
    node: ast.FunctionDef
    calls: frozenset[tuple[str, str]]
    """Functions that it calls by name, as module and name."""

    @property
    def key(self) -> tuple[str, str]:
        return self.module, self.node.name

    @property
    def mark(self) -> str:
        """``action`` or ``part``, or nothing."""
        named = {one.id for one in self.node.decorator_list if isinstance(one, ast.Name)}
        return next((word for word in ("action", "part") if word in named), "")


def functions(module: str, tree: ast.Module) -> Iterator[Function]:
    """The functions at the top of a module, and whom they call: here, imported by name, or through an imported module."""
    here = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    named: dict[str, tuple[str, str]] = {name: (module, name) for name in here}
    modules: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                named.setdefault(alias.asname or alias.name, (node.module, alias.name))
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield Function(module, node, frozenset(_called(node, named, modules)))


def _called(node: ast.AST, named: dict[str, tuple[str, str]], modules: dict[str, str]) -> Iterator[tuple[str, str]]:
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        match call.func:
            case ast.Name(id=name) if name in named:
                yield named[name]
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in modules:
                yield modules[name], attr


def unmarked(found: list[Function]) -> list[str]:
    """Public functions that write, by themselves or through others, and are neither an action nor a part of one."""
    writing = {one.key for one in found if any(writes(one.node))}
    marked = {one.key for one in found if one.mark == "action"}  # an action is a unit of its own
    grown = True
    while grown:
        more = {one.key for one in found if one.calls & (writing - marked)} - writing
        grown = bool(more)
        writing |= more
    return sorted(
        f"{one.module}.{one.node.name}"
        for one in found
        if one.key in writing and not one.mark and not one.node.name.startswith("_")
    )
