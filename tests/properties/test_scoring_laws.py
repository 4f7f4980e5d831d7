"""Laws of scoring, for any instrument and any answers."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from assessments.instruments.scoring import reverse, score_form
from trial.protocol.definition import Instrument, Item, MissingRule, Scale

METHODS = ("sum", "mean", "weighted", "difference")


@st.composite
def forms(draw: st.DrawFn, methods: tuple[str, ...] = METHODS) -> tuple[Instrument, dict[str, Decimal]]:
    """An instrument with one scale over all its items, each of the same range, and answers to some of them."""
    low = draw(st.integers(-3, 3))
    high = low + draw(st.integers(1, 10))
    codes = [f"i{n}" for n in range(draw(st.integers(2, 12)))]
    method = draw(st.sampled_from(methods))
    cut = draw(st.integers(1, len(codes) - 1)) if method == "difference" else len(codes)
    weights = tuple(draw(st.floats(0, 3, width=16)) for _ in codes) if method == "weighted" else ()
    scale = Scale(
        "s", "S", method, tuple(codes[:cut]), "higher_is_better", -999, 999, "secondary",
        reversed_items=tuple(draw(st.sets(st.sampled_from(codes)))), negative_items=tuple(codes[cut:]), weights=weights,
        missing=MissingRule(draw(st.sampled_from([0.01, 0.5, 0.8, 1.0]))),
    )  # fmt: skip
    items = tuple(Item(code, code, "integer", low, high) for code in codes)
    form = Instrument("f", "F", "f", "participant", False, ("T1",), items, (scale,))
    answered = draw(st.lists(st.sampled_from(codes), unique=True))
    return form, {code: Decimal(draw(st.integers(low, high))) for code in answered}


def score(form: Instrument, answers: dict[str, Decimal]) -> Decimal | None:
    return score_form(form, answers)[0].value


@given(forms(), st.randoms())
def test_order_of_items_and_answers_does_not_matter(
    drawn: tuple[Instrument, dict[str, Decimal]], random: object
) -> None:
    form, answers = drawn
    order = list(answers)
    random.shuffle(order)  # type: ignore[attr-defined]
    scale = form.scales[0]
    pairs = list(zip(scale.items, scale.weights or (0.0,) * len(scale.items), strict=True))
    random.shuffle(pairs)  # type: ignore[attr-defined]
    mixed = replace(
        scale, items=tuple(p[0] for p in pairs), weights=tuple(p[1] for p in pairs) if scale.weights else (),
        negative_items=scale.negative_items[::-1],
    )  # fmt: skip
    other = replace(form, items=form.items[::-1], scales=(mixed,))
    assert score(form, answers) == score(other, {code: answers[code] for code in order})


@given(forms(("sum", "mean", "difference")))
def test_bounds(drawn: tuple[Instrument, dict[str, Decimal]]) -> None:
    form, answers = drawn
    value = score(form, answers)
    if value is None:
        return
    scale, (low, high) = form.scales[0], form.items[0].limits
    if scale.method == "mean":
        assert low <= value <= high
    else:
        n, m = len(scale.items), len(scale.negative_items)
        assert n * low - m * high <= value <= n * high - m * low


@given(forms())
def test_computable_exactly_when_enough_is_answered(drawn: tuple[Instrument, dict[str, Decimal]]) -> None:
    form, answers = drawn
    scale = form.scales[0]
    share = Decimal(str(scale.missing.min_answered))
    parts = [part for part in (scale.items, scale.negative_items) if part]
    enough = all(sum(c in answers for c in part) >= max(share * len(part), 1) for part in parts)
    result = score_form(form, answers)[0]
    assert result.computable == enough
    assert (result.value is None) != (result.reason is None)
    assert result.answered == len(answers)


@given(forms(("sum", "mean", "weighted")), st.data())
def test_monotone(drawn: tuple[Instrument, dict[str, Decimal]], data: st.DataObject) -> None:
    """A higher answer never lowers the score; in a reversed item it never raises it."""
    form, answers = drawn
    if not answers:
        return
    code = data.draw(st.sampled_from(sorted(answers)))
    high = form.items[0].limits[1]
    raised = {**answers, code: Decimal(data.draw(st.integers(int(answers[code]), int(high))))}
    before, after = score(form, answers), score(form, raised)
    if before is None or after is None:
        assert before == after
    elif code in form.scales[0].reversed_items:
        assert after <= before
    else:
        assert after >= before


@given(st.decimals(-50, 50, places=2), st.decimals(-100, 0, places=2), st.decimals(0, 100, places=2))
def test_reversal_twice_is_identity(value: Decimal, low: Decimal, high: Decimal) -> None:
    assert reverse(reverse(value, low, high), low, high) == value


@given(forms(("sum", "mean")))
def test_reversing_every_item_mirrors_the_score(drawn: tuple[Instrument, dict[str, Decimal]]) -> None:
    form, answers = drawn
    scale, (low, high) = form.scales[0], form.items[0].limits
    plain = replace(form, scales=(replace(scale, reversed_items=()),))
    mirrored = replace(form, scales=(replace(scale, reversed_items=scale.items),))
    one, other = score(plain, answers), score(mirrored, answers)
    if one is None:
        assert other is None
        return
    span = (low + high) * (1 if scale.method == "mean" else len(scale.items))
    assert other is not None
    assert abs(one + other - span) <= Decimal("0.000001")


@given(forms(("mean", "sum")))
def test_prorated_sum_is_the_mean_times_the_number_of_items(drawn: tuple[Instrument, dict[str, Decimal]]) -> None:
    form, answers = drawn
    scale = form.scales[0]
    total = score(replace(form, scales=(replace(scale, method="sum"),)), answers)
    mean = score(replace(form, scales=(replace(scale, method="mean"),)), answers)
    if total is None or mean is None:
        assert total == mean
    else:
        assert abs(total - mean * len(scale.items)) <= Decimal("0.00001")
