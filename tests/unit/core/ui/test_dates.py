"""Typed dates: what is understood, what is refused, and that what was typed stays."""

import datetime

import pytest

from trial.core.ui import forms

LIMIT = datetime.date(2026, 11, 23)


class Sample(forms.Form):
    seen = forms.DateField("Seen", not_before=datetime.date(2020, 1, 1), not_after=lambda: LIMIT)
    other = forms.DateField("Other", required=False)


def _typed(day: str, month: str, year: str) -> Sample:
    return Sample({"seen_day": day, "seen_month": month, "seen_year": year})


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("23", "11", "2026"), datetime.date(2026, 11, 23)),
        (("1", "2", "2024"), datetime.date(2024, 2, 1)),
        ((" 29 ", "02", "2024"), datetime.date(2024, 2, 29)),
        (("3", "nov", "2025"), datetime.date(2025, 11, 3)),
        (("3", "Sept.", "2025"), datetime.date(2025, 9, 3)),
    ],
)
def test_a_date_is_understood(typed: tuple[str, str, str], expected: datetime.date) -> None:
    form = _typed(*typed)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["seen"] == expected
    assert form.cleaned_data["other"] is None


@pytest.mark.parametrize(
    ("typed", "says", "box"),
    [
        (("11", "23", "2026"), "no month 23", 1),
        (("31", "11", "2025"), "November 2025 has 30 days", 0),
        (("29", "2", "2025"), "February 2025 has 28 days", 0),
        (("32", "1", "2025"), "no day 32", 0),
        (("1", "1", "26"), "four digits", 2),
        (("1", "1", ""), "year is missing", 2),
        (("", "1", "2025"), "day is missing", 0),
        (("", "", ""), "Type the date", 0),
        (("x", "1", "2025"), "number from 1 to 31", 0),
        (("٣", "1", "2025"), "number from 1 to 31", 0),
        (("1", "Ju", "2025"), "number from 1 to 12", 1),
        (("1", "1", "0000"), "no year 0000", 2),
        (("24", "11", "2026"), "not be after 23 Nov 2026", 0),
        (("31", "12", "2019"), "not be before 1 Jan 2020", 0),
    ],
)
def test_what_is_ambiguous_or_impossible_is_refused_and_stays(typed: tuple[str, str, str], says: str, box: int) -> None:
    form = _typed(*typed)
    assert says in form.errors["seen"][0]
    assert form.errors_for_summary == [(f"id_seen_{box}", f"Seen: {form.errors['seen'][0]}")]
    html = str(form)
    for text in filter(str.strip, typed):
        assert f'value="{text}"' in html
    assert html.count('aria-invalid="true"') == 1


def test_a_date_that_starts_with_two_months_is_ambiguous() -> None:
    assert "number from 1 to 12" in _typed("1", "Ma", "2025").errors["seen"][0]
    assert not _typed("1", "Mar", "2025").errors


def test_an_initial_date_fills_the_boxes() -> None:
    html = str(Sample(initial={"seen": datetime.date(2025, 3, 9)}))
    assert 'name="seen_day" value="9"' in html
    assert 'name="seen_year" value="2025"' in html


def test_limits_are_named_only_when_crossed() -> None:
    assert not Sample({"seen_day": "1", "seen_month": "1", "seen_year": "2020"}).errors
