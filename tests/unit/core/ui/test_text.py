"""Numbers in words: p-values in cells and in sentences, the minus sign."""

import pytest

from trial.core.ui.text import minus, p_value, p_words


@pytest.mark.parametrize(
    ("p", "cell", "sentence"),
    [
        (0.318, ".318", "p\xa0=\xa0.318"),
        (0.0004, "<\xa0.001", "p\xa0<\xa0.001"),
        (0.0, "<\xa0.001", "p\xa0<\xa0.001"),
        (0.001, ".001", "p\xa0=\xa0.001"),
        (1.0, "1.000", "p\xa0=\xa01.000"),
        (None, "–", "p\xa0–"),
    ],
)
def test_a_p_value_is_never_zero_and_never_broken(p: float | None, cell: str, sentence: str) -> None:
    assert p_value(p) == cell
    assert p_words(p) == sentence


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("-0.12 to 0.48", "−0.12 to 0.48"),
        ("0.2 (-.3 to -0.1)", "0.2 (−.3 to −0.1)"),
        ("40-49", "40-49"),
        ("2026-11-23", "2026-11-23"),
        ("T-3", "T-3"),
        ("-x", "-x"),
    ],
)
def test_negative_numbers_have_a_minus_sign(typed: str, shown: str) -> None:
    assert minus(typed) == shown
