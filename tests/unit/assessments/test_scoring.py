"""Scores computed by hand, and each way in which there is none."""

from decimal import Decimal

import pytest

from assessments.instruments.scoring import NotComputable, reverse, score_form
from trial.protocol.definition import Instrument, Item, MissingRule, Scale


def item(code: str, low: float = 1, high: float = 5, kind: str = "integer") -> Item:
    return Item(code, f"topic {code}", kind, low, high)


def instrument(*scales: Scale, items: tuple[Item, ...] | None = None) -> Instrument:
    items = items or tuple(item(code) for code in "abcd")
    return Instrument("form", "Form", "a form", "participant", False, ("T1",), items, scales)


def scale(method: str, items: str = "abcd", **more: object) -> Scale:
    return Scale("s", "Score", method, tuple(items), "higher_is_better", -999, 999, "secondary", **more)


def answers(**given: float) -> dict[str, Decimal]:
    return {code: Decimal(str(value)) for code, value in given.items()}


def value(scale: Scale, **given: float) -> Decimal | None:
    return score_form(instrument(scale), answers(**given))[0].value


@pytest.mark.parametrize(
    ("tested", "given", "expected"),
    [
        (scale("sum"), {"a": 1, "b": 2, "c": 3, "d": 5}, "11"),
        (scale("mean"), {"a": 1, "b": 2, "c": 3, "d": 5}, "2.75"),
        (scale("mean", "abc"), {"a": 1, "b": 2, "c": 2}, "1.666667"),
        (scale("sum", reversed_items=("d",)), {"a": 1, "b": 2, "c": 3, "d": 5}, "7"),
        (scale("mean", reversed_items=("a", "b")), {"a": 1, "b": 2, "c": 3, "d": 5}, "4.25"),
        (scale("difference", "ab", negative_items=("c", "d")), {"a": 5, "b": 4, "c": 1, "d": 2}, "6"),
        (scale("weighted", "ab", weights=(0.1, 2.0)), {"a": 3, "b": 4}, "8.3"),
    ],
)
def test_complete_form(tested: Scale, given: dict[str, float], expected: str) -> None:
    assert value(tested, **given) == Decimal(expected)


def test_missing_item_takes_the_mean_of_the_answered_ones() -> None:
    rule = MissingRule(0.75)
    assert value(scale("sum", missing=rule), a=1, b=2, c=5) == Decimal("10.666667")
    assert value(scale("mean", missing=rule), a=1, b=2, c=5) == Decimal("2.666667")
    # Reversal comes first: d is 6 - 5 = 1, so the mean of b, c and d is (2 + 3 + 1) / 3 = 2.
    assert value(scale("sum", missing=rule, reversed_items=("d",)), b=2, c=3, d=5) == Decimal(8)


def test_share_is_rounded_up_and_exact() -> None:
    ten = tuple(item(f"i{n}") for n in range(10))
    tested = Scale("s", "S", "sum", tuple(i.code for i in ten), "higher_is_better", 10, 50, "secondary",
                   missing=MissingRule(0.7))  # fmt: skip
    seven = {f"i{n}": Decimal(2) for n in range(7)}
    assert score_form(instrument(tested, items=ten), seven)[0].value == Decimal(20)
    seven.popitem()
    short = score_form(instrument(tested, items=ten), seven)[0]
    assert (short.value, short.reason, short.answered, short.items) == (None, NotComputable.TOO_FEW_ANSWERS, 6, 10)


def test_without_a_missing_rule_one_missing_item_is_no_score() -> None:
    result = score_form(instrument(scale("mean")), answers(a=1, b=2, c=3))[0]
    assert result.value is None
    assert result.reason is NotComputable.TOO_FEW_ANSWERS


def test_each_part_of_a_difference_stands_for_itself() -> None:
    tested = scale("difference", "ab", negative_items=("c", "d"), missing=MissingRule(0.5))
    assert value(tested, a=5, c=1, d=2) == Decimal(7)  # 5 + 5 - 1 - 2
    assert value(tested, a=5, b=4) is None  # nothing of the negative part, though half of all items


def test_no_answers_is_no_score_and_not_zero() -> None:
    assert value(scale("sum", missing=MissingRule(0.01))) is None


@pytest.mark.parametrize("given", [{"z": Decimal(1)}, {"a": Decimal(6)}, {"a": Decimal("0.5")}, {"a": Decimal("NaN")}])
def test_what_should_never_have_been_signed_is_refused(given: dict[str, Decimal]) -> None:
    with pytest.raises(ValueError):
        score_form(instrument(scale("sum")), given)


def test_text_items_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="no numeric limits"):
        score_form(instrument(items=(item("a", 0, 100, "text"),)), {"a": Decimal(1)})


def test_reverse() -> None:
    assert reverse(Decimal(2), Decimal(1), Decimal(5)) == 4
