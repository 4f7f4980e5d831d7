"""Laws of scoring for each form of the trial as it is shipped: bounds, reversal, the rule for missing items, permutation."""

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.instruments.scoring import limits, reverse, score_form
from tests import world
from trial.protocol.definition import Instrument

FORMS = [one for one in world.read("imr").instruments if one.scales]


def answers(form: Instrument, least: float = 0) -> Any:
    """Answers to a random part of the items, at least this share."""
    ranges = {item.code: limits(item) for item in form.items if item.is_numeric}

    @st.composite
    def drawn(draw: st.DrawFn) -> dict[str, Decimal]:
        answered = draw(st.lists(st.sampled_from(sorted(ranges)), unique=True, min_size=math.ceil(least * len(ranges))))
        return {code: Decimal(draw(st.integers(*(int(end) for end in ranges[code])))) for code in answered}

    return drawn()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.code)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_score_lies_within_what_the_file_says(form: Instrument, data: st.DataObject) -> None:
    for scale, score in zip(form.scales, score_form(form, data.draw(answers(form))), strict=True):
        if score.value is not None:
            assert Decimal(str(scale.min)) <= score.value <= Decimal(str(scale.max))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.code)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_there_is_a_score_exactly_when_enough_is_answered(form: Instrument, data: st.DataObject) -> None:
    given_ = data.draw(answers(form))
    for scale, score in zip(form.scales, score_form(form, given_), strict=True):
        parts = [part for part in (scale.items, scale.negative_items) if part]
        share = Fraction(str(scale.missing.min_answered))
        enough = all(sum(code in given_ for code in part) >= max(1, share * len(part)) for part in parts)
        if score.reason == "nothing_present":
            assert enough
            assert all(given_[code] == limits(form.item(code))[0] for code in scale.items)
        else:
            assert score.computable == enough


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.code)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_the_order_of_answers_and_items_does_not_matter(form: Instrument, data: st.DataObject) -> None:
    given_ = data.draw(answers(form, 0.8))
    shuffled = dict(data.draw(st.permutations(list(given_.items()))))
    other = replace(form, items=tuple(data.draw(st.permutations(form.items))))
    assert score_form(form, given_) == score_form(other, shuffled)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.code)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_the_mirror_image_of_every_answer_is_the_mirror_image_of_the_score(
    form: Instrument, data: st.DataObject
) -> None:
    """Of sums, means and weighted sums; a difference changes its sign; what is present has no mirror image."""
    given_ = data.draw(answers(form))
    mirrored = {code: reverse(value, *limits(form.item(code))) for code, value in given_.items()}
    pairs = zip(form.scales, score_form(form, given_), score_form(form, mirrored), strict=True)
    for scale, one, other in pairs:
        if scale.method.startswith("present_") or one.value is None or other.value is None:
            continue
        middle = Decimal(str(scale.min)) + Decimal(str(scale.max))
        assert abs(one.value + other.value - middle) <= Decimal("0.000002")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.code)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_missing_items_take_the_person_s_mean(form: Instrument, data: st.DataObject) -> None:
    """Where a missing item of a plain scale is answered with the mean of the others, the score stays."""
    given_ = data.draw(answers(form, 0.8))
    for scale, score in zip(form.scales, score_form(form, given_), strict=True):
        whole = [code for code in scale.items if code in given_]
        plain = scale.method in ("sum", "mean") and not scale.reversed_items
        if score.value is None or not plain or len(whole) == len(scale.items):
            continue
        mean = sum((Fraction(given_[code]) for code in whole), Fraction(0)) / len(whole)
        expected = mean if scale.method == "mean" else mean * len(scale.items)
        assert abs(Fraction(score.value) - expected) <= Fraction(1, 10**6)
