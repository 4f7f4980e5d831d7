"""A report as plain data: sections of blocks. What is kept, hashed, set and shown is this; no word of it is ever read as markup."""

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any

from trial.core.classified import class_of
from trial.core.disclosure import Disclosure
from trial.core.ui.charts import Chart
from trial.core.ui.parts import Result
from trial.core.ui.tables import Column, Table, shown
from trial.core.ui.text import Text

Block = dict[str, Any]
"""One of: heading, text, sentence, source, note, facts, items, table, figure; ``kind`` says which."""
Section = dict[str, Any]


def document(
    *,
    title: Text,
    head: Text,
    lead: Text,
    synthetic: Text,
    side: Text,
    facts: Iterable[tuple[Text, Any]],
    stamps: Iterable[tuple[Text, Any]],
    sections: Sequence[Section],
) -> dict[str, Any]:
    """A whole report. ``head``: the trial, on each page. ``side``: empty, or the words of the unblinded side. ``synthetic``: what each page
    says of data that nobody gave. ``facts``: what makes it reproducible. ``stamps``: the hashes at the foot of each page.
    """
    return {
        "title": str(title),
        "head": str(head),
        "lead": str(lead),
        "synthetic": str(synthetic),
        "side": str(side),
        "facts": _pairs(facts),
        "stamps": _pairs(stamps),
        "sections": list(sections),
    }


def section(title: Text, *blocks: Block | None, wide: bool = False) -> Section:
    """A section with a heading; a block that is None is left out. ``wide``: its pages lie on their side."""
    return {"title": str(title), "blocks": [one for one in blocks if one], "wide": wide}


def text(words: Text) -> Block:
    """A paragraph."""
    return {"kind": "text", "text": str(words)}


def heading(words: Text) -> Block:
    """A heading inside a section."""
    return {"kind": "heading", "text": str(words)}


def sentence(words: Text) -> Block:
    """The one sentence of a result."""
    return {"kind": "sentence", "text": str(words)}


def note(words: Text) -> Block:
    """A paragraph that nobody may overlook."""
    return {"kind": "note", "text": str(words)}


def source(words: Text) -> Block:
    """Where what stands above comes from, in small letters."""
    return {"kind": "source", "text": str(words)}


def items(words: Iterable[Text]) -> Block | None:
    """A list; nothing where it is empty."""
    found = [str(one) for one in words]
    return {"kind": "items", "items": found} if found else None


def facts(pairs: Iterable[tuple[Text, Any]]) -> Block:
    """Labels with values."""
    return {"kind": "facts", "facts": _pairs(pairs)}


def table(given: Table) -> Block:
    """A table in words. A report is carried about: columns that identify somebody, as their field is classified, are not in it."""
    kept = [not c.shows or class_of(c.shows) != Disclosure.IDENTIFIES for c in given.columns]
    return {
        "kind": "table",
        "caption": str(given.caption),
        "columns": [{"label": _label(one), "right": one.right} for one in compress(given.columns, kept)],
        "rows": [[cell.text for cell in compress(row, kept)] for row in given.cells],
        "note": str(given.note),
        "empty": str(given.empty),
    }


def figure(drawn: Chart) -> Block:
    """A figure with the sentence that says what it shows, and the table of its numbers."""
    numbers = table(drawn.table) if drawn.table else None
    return {"kind": "figure", "title": str(drawn.title), "sentence": str(drawn.sentence), "spec": drawn.spec, "table": numbers}  # fmt: skip


def result(found: Result) -> list[Block]:
    """A stored result as pages show it: sentence, table, figures, and how sure one can be."""
    blocks: list[Block | None] = [
        note(found.marked) if found.marked else None,
        sentence(found.sentence),
        table(found.table) if found.table else None,
        *(figure(one) for one in found.charts),
        items(one.text for one in found.certainty),
        source(found.source) if found.source else None,
    ]
    return [one for one in blocks if one]


def _label(column: Column) -> str:
    return f"{column.label} ({column.unit})" if column.unit else str(column.label)


def _pairs(pairs: Iterable[tuple[Text, Any]]) -> list[list[str]]:
    return [[str(label), shown(value)] for label, value in pairs]
