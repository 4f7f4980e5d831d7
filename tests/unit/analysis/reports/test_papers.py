"""Documents set as PDF: the same bytes for the same document, nothing read as markup, hashes and bands on each page."""

import datetime as dt
import json
from typing import Any

import pytest
import typst

from analysis.methods.canonical import digest, encode
from analysis.reports.papers import document as doc
from analysis.reports.papers.baseline import Variable, baseline_table
from analysis.reports.papers.pages import shown_document
from analysis.reports.papers.typesetting import TEMPLATE, inputs, pdf, pictures
from trial.core.ui.charts import chart
from trial.core.ui.tables import Column, Table

AT = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)
NASTY = '#eval("1 + 1") *bold* _it_ $x$ [c] @ref <lab> \\ ` // "q" = 1. #panic()'
FIGURE = {"data": {"values": [{"a": 1}]}, "mark": "point", "encoding": {"x": {"field": "a", "type": "quantitative"}}}


def paper(name: str = "Anna", rows: int = 3, wide: bool = False) -> dict[str, Any]:
    columns = [
        Column(name),
        Column("Score", number=True, decimals=2, unit="points"),
        Column("Name", shows="participants_contact.name"),
    ]
    table = Table(columns, [[name, n / 3, "Jan"] for n in range(rows)], caption=name, note=name)
    return doc.document(
        title=name, head=name, lead=name, synthetic=name, side=name, facts=[(name, name)], stamps=[("Snapshot", "0123abcd"), ("Program", "4567ef")],
        sections=[
            doc.section(
                name, doc.text(name), doc.heading(name), doc.sentence(name), doc.note(name), doc.items([name, name]), doc.facts([(name, 1.5)]),
                doc.table(table), doc.table(Table(columns, [], empty=name)), doc.figure(chart(FIGURE, name, name, table)), wide=wide,
            )
        ] * 5,
    )  # fmt: skip


def asked(document: dict[str, Any], selector: str) -> Any:
    return json.loads(
        typst.query(
            TEMPLATE.read_bytes(), selector, sys_inputs=inputs(document, sha256="f" * 64), ignore_system_fonts=True
        )
    )


@pytest.mark.parametrize("wide", [False, True])
def test_the_same_document_gives_the_same_bytes(wide: bool) -> None:
    made = paper(wide=wide)
    first = pdf(made, sha256=digest(encode(made)), made_at=AT)
    assert first.startswith(b"%PDF-1.7")
    assert pdf(json.loads(encode(made)), sha256=digest(encode(made)), made_at=AT) == first
    assert pdf(paper("Bert", wide=wide), sha256=digest(encode(made)), made_at=AT) != first
    assert pdf(made, sha256=digest(encode(made)), made_at=AT + dt.timedelta(days=1)) != first


def test_nothing_in_a_document_is_read_as_markup() -> None:
    made = paper(NASTY)
    assert pdf(made, sha256="0" * 64, made_at=AT)
    headings = asked(made, "heading")
    assert {one["body"]["text"] for one in headings} == {NASTY}
    tables = json.dumps(asked(made, "table"), ensure_ascii=False)
    assert tables.count(json.dumps(NASTY)) >= 5 * 4
    assert '"2"' not in tables


def test_each_page_carries_hashes_and_bands() -> None:
    made = paper("Anna", rows=120)
    feet = asked(made, "<foot>")
    assert [one["value"] for one in feet] == [["f" * 64, "0123abcd", "4567ef", "Anna", "Anna"]] * len(feet)
    assert len(feet) == len(pictures(made, sha256="f" * 64)) > 10


def test_a_column_that_identifies_somebody_is_in_no_report() -> None:
    made = json.dumps(paper())
    assert "Jan" not in made
    assert "points" in made


def test_the_page_shows_what_the_pdf_shows() -> None:
    shown = shown_document(paper(), "f" * 64)
    blocks = shown["sections"][0]["blocks"]
    assert [one["kind"] for one in blocks] == [
        "text", "heading", "sentence", "note", "items", "facts", "table", "table", "figure",
    ]  # fmt: skip
    table = blocks[6]["table"]
    assert [[cell.text for cell in row] for row in table.cells] == [
        ["Anna", "0.00"],
        ["Anna", "0.33"],
        ["Anna", "0.67"],
    ]
    assert [column.right for column in table.columns] == [False, True]


def test_the_baseline_table_counts_those_whose_value_is_known() -> None:
    variables = [Variable("age", "Age (years)"), Variable("sex", "Sex", (("0", "male"), ("1", "female")))]
    values = {"1": {"age": "20", "sex": "0"}, "2": {"age": "40", "sex": "1"}, "3": {"age": "", "sex": "1"}}
    table = baseline_table(variables, values, [("All", ["1", "2", "3"]), ("One", ["1"]), ("Nobody", [])], "Background")
    assert [str(column.label) for column in table.columns] == [
        "Variable",
        "All (n = 3)",
        "One (n = 1)",
        "Nobody (n = 0)",
    ]
    said = [[str(cell).strip() for cell in row] for row in table.rows]
    assert said == [
        ["Age (years), mean (SD)", "30.00 (14.14)", "20.00 (–)", "–"],
        ["not known, n", "1", "0", "0"],
        ["Sex, n (%)", "", "", ""],
        ["male", "1 (33.3)", "1 (100.0)", "–"],
        ["female", "2 (66.7)", "0 (0.0)", "–"],
    ]
