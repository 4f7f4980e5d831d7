"""Tables: what is shown, and the CSV of it."""

import csv
import datetime
import io

import pytest
from django.template import engines

from trial.core.ui.tables import Column, Link, Page, State, Table, as_csv, csv_response, grouped, page_of, shown

COLUMNS = [Column("Participant", code=True), Column("Score", number=True, decimals=1, unit="points"), Column("State")]
ROWS = [[Link("0147", "/p/0147/"), 3.14, State("overdue")], ["=1+1", None, State("done", "Signed")], ["-x", -2, ""]]


def _html(table: Table) -> str:
    return str(engines["django"].from_string("{% table t %}").render({"t": table}))


def test_numbers_have_their_decimals_and_units_stand_in_the_header() -> None:
    html = _html(Table(COLUMNS, ROWS))
    assert "(points)" in html
    assert ">3.1<" in html
    assert ">\N{MINUS SIGN}2.0<" in html
    assert 'href="/p/0147/"' in html
    assert "Overdue" in html
    assert "Signed" in html


def test_a_table_without_rows_says_what_would_be_here() -> None:
    assert "Visits appear here." in _html(Table(COLUMNS, [], empty="Visits appear here."))


def test_a_row_of_the_wrong_length_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        _ = Table(COLUMNS, [["a", 1]]).cells


def test_csv_holds_what_is_seen_and_runs_nothing() -> None:
    table = Table([*COLUMNS, Column("Day")], [[*row, datetime.date(2026, 11, 3)] for row in ROWS])
    rows = list(csv.reader(io.StringIO(as_csv(table))))
    assert rows[0] == ["Participant", "Score (points)", "State", "Day"]
    assert rows[1] == ["0147", "3.14", "Overdue", "2026-11-03"]
    assert rows[2][:2] == ["'=1+1", ""]
    assert rows[3][:2] == ["'-x", "-2"]
    response = csv_response(table, "screening")
    assert response["Content-Disposition"] == 'attachment; filename="screening.csv"'


def test_a_column_that_identifies_stands_on_the_page_and_in_no_file() -> None:
    columns = [Column("Participant"), Column("Name", shows="participants_contact.name"), Column("Outcome")]
    table = Table(columns, [["0147", "Jansen", "done"]])
    assert "Jansen" in _html(table)
    assert as_csv(table).splitlines() == ["Participant,Outcome", "0147,done"]
    columns[1] = Column("Name", shows="visits_visitoutcome.reason")
    assert as_csv(Table(columns, table.rows)).splitlines()[1] == "0147,Jansen,done"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        ("", "–"),
        (0, "0"),
        (True, "Yes"),
        (datetime.date(2026, 11, 3), "3 Nov 2026"),
        (datetime.datetime(2026, 11, 23, 9, 42, tzinfo=datetime.UTC), "23 Nov 2026, 10:42"),
        (-0.5, "\N{MINUS SIGN}0.5"),
        ("a-b", "a-b"),
    ],
)
def test_values_in_words(value: object, words: str) -> None:
    assert shown(value) == words


def test_a_wrong_page_number_gives_the_nearest_page() -> None:
    items = list(range(7))
    assert page_of(items, "9", 3, "state=due") == ([6], Page(3, 3, 7, "?state=due&page=2", ""))
    assert page_of(items, "0", 3)[0] == [0, 1, 2]
    assert page_of(items, "x'--", 3)[1] == Page(1, 3, 7, "", "?page=2")
    assert page_of(items, None, 7) == (items, None)
    assert page_of([], "2", 5) == ([], None)


def test_study_numbers_stand_in_groups_of_four() -> None:
    assert grouped("01472231") == "0147\N{NO-BREAK SPACE}2231"
    assert grouped("0147") == "0147"


def test_p_values_and_intervals_stand_at_the_right() -> None:
    columns = [Column("Visit"), Column("p", p=True), Column("Interval", number=True)]
    html = _html(Table(columns, [["T2", 0.318, "-0.12 to 0.48"], ["T3", 0.00001, None]]))
    assert 'class="num short">.318<' in html
    assert ">&lt;\xa0.001<" in html or ">&lt; .001<" in html.replace("\xa0", " ")
    assert ">\N{MINUS SIGN}0.12 to 0.48<" in html
    assert "= ." not in html
    assert as_csv(Table(columns, [["T2", 0.318, ""]])).splitlines()[1] == "T2,0.318,"


def test_short_cells_stay_on_one_line_and_long_ones_do_not() -> None:
    table = Table(
        [Column("Age"), Column("Visit"), Column("State")], [["40-49", "A sentence that is long", State("due")]]
    )
    assert [cell.classes for cell in table.cells[0]] == ["short", "", ""]


def test_a_filter_that_finds_nothing_leads_back_to_all() -> None:
    html = _html(Table(COLUMNS, [], empty="Visits appear here.", filtered_url="/visits/"))
    assert "Nothing matches." in html
    assert '<a href="/visits/">Show all.</a>' in html
    assert "Visits appear here." not in html
