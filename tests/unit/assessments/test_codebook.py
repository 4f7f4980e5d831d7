"""The codebook names every variable and says how scores come about."""

from dataclasses import replace

from assessments.instruments.codebook import formula, of_instrument, variable_name
from tests.unit.assessments.test_scoring import instrument, scale


def test_every_item_and_scale_is_a_variable() -> None:
    form = instrument(scale("sum"))
    variables = tuple(of_instrument(form, ("refused",)))
    assert [v.name for v in variables] == [variable_name("form", code) for code in "abcd"] + ["s"]
    assert variables[0].missing == ("refused",)
    assert (variables[0].min, variables[0].max, variables[0].visits) == (1, 5, ("T1",))
    assert variables[-1].formula == "sum(a, b, c, d)"


def test_optional_items_need_no_reason() -> None:
    form = instrument()
    form = replace(form, items=(replace(form.items[0], optional=True),))
    assert next(of_instrument(form, ("refused",))).missing == ()


def test_formulas() -> None:
    assert formula(instrument(), scale("mean", reversed_items=("b",))) == "mean(a, 6 - b, c, d)"
    assert formula(instrument(), scale("difference", "ab", negative_items=("c",))) == "sum(a, b) - sum(c)"
    weighted = scale("weighted", "ab", weights=(0.5, 2.0), reversed_items=("b",))
    assert formula(instrument(), weighted) == "0.5*a + 2*(6 - b)"
