"""The history as people read it."""

import datetime as dt
from typing import Any

from trial.core.history.presenters import lines
from trial.core.history.queries import Change, names_of
from trial.core.ui.tables import Column, shown

AT = dt.datetime(2026, 3, 10, 9, 0, tzinfo=dt.UTC)
KEY = "d5a33cde-586d-40fd-81e9-6ffb2a0dc0d1"


def said(*fields: tuple[str, Any, Any], words: dict[str, Any] | None = None) -> list[tuple[str, Any, Any]]:
    changes = [Change(AT, "Carla", "record_consent", "t", list(fields), "")]
    return [(c.what, c.old, c.new) for c in lines(changes, words)]


def test_a_new_row_is_one_line_without_keys_of_other_rows() -> None:
    fields = ("given", None, True), ("screening_id", None, KEY), ("signed_on", None, "2026-03-10")
    assert said(*fields) == [("Record consent", "", "given: yes; signed on: 10 Mar 2026")]


def test_a_change_of_a_key_is_still_a_line() -> None:
    assert said(("interviewer_id", KEY, KEY[::-1])) == [("Record consent: interviewer", KEY, KEY[::-1])]


def test_instants_are_local_times() -> None:
    fields = ("state", "waiting", "done"), ("answered_at", None, "2026-03-10T09:00:00.684396+00:00")
    assert said(*fields)[1] == ("Record consent: answered at", "", "10 Mar 2026, 10:00")


def test_numbers_of_a_table_are_rounded_not_cut_off() -> None:
    column = Column("Difference", number=True, decimals=2)
    assert [shown(value, column) for value in (-1.5366, 2.999, -0.001)] == ["−1.54", "3.00", "0.00"]


def test_a_part_of_the_program_is_no_person() -> None:
    assert names_of(["system:allocator", "somebody"]) == {"system:allocator": "Allocator (program)"}


def test_codes_are_readable_without_words_of_the_caller() -> None:
    fields = ("outcome", None, "in_screening"), ("state", None, "waiting"), ("number", None, "01472231")
    assert said(*fields) == [("Record consent", "", "outcome: in screening; state: Waiting; number: 0147\xa02231")]
    assert said(("note", "snake case is_not touched", "done"))[0][1:] == ("snake case is_not touched", "done")


def test_words_of_the_caller_go_first() -> None:
    words = {
        "record_consent": "Consent recorded",
        "earlier_imr": "Had IMR before",
        "part": "Part",
        "part:clinician": "contact with clinician",
        "clinician": "somebody else",
    }
    assert said(("earlier_imr", None, False), ("part", None, "clinician"), words=words) == [
        ("Consent recorded", "", "Had IMR before: no; Part: contact with clinician")
    ]
    assert said(("by", "clinician", ["clinician", "in_person"]), words=words) == [
        ("Consent recorded: by", "somebody else", "somebody else, in person")
    ]
