"""Laws of fidelity scores, for any scale and any ratings."""

from hypothesis import given
from hypothesis import strategies as st

from trial.protocol.definition import FidelityBand, FidelityItem, FidelityScale
from trial.unblinded.sessions import fidelity

Scores = dict[str, int | None]


@st.composite
def rated(draw: st.DrawFn) -> tuple[FidelityScale, Scores, Scores]:
    """A scale with two complete ratings."""
    low = draw(st.integers(0, 2))
    high = low + draw(st.integers(1, 6))
    # the first item always applies
    items = [
        FidelityItem("i0", "I"),
        *(FidelityItem(f"i{n}", "I", draw(st.booleans())) for n in range(1, draw(st.integers(1, 20)))),
    ]
    bands = (FidelityBand("low", "Low", low), FidelityBand("high", "High", (low + high) / 2))
    scale = FidelityScale("s", "S", low, high, 2, tuple(items), bands)

    def rating() -> Scores:
        return {
            item.code: draw(st.none() | st.integers(low, high)) if item.optional else draw(st.integers(low, high))
            for item in items
        }

    return scale, rating(), rating()


@given(rated())
def test_a_score_lies_in_the_range_and_in_a_band(drawn: tuple[FidelityScale, Scores, Scores]) -> None:
    scale, scores, _other = drawn
    value = fidelity.score(scale, scores)
    assert scale.min <= value <= scale.max
    assert fidelity.band(scale, value).minimum <= float(value)


@given(rated())
def test_consensus_of_people_who_agree_is_what_they_said(drawn: tuple[FidelityScale, Scores, Scores]) -> None:
    scale, scores, other = drawn
    assert fidelity.differing(scale, [scores, scores]) == ()
    assert fidelity.agreed(scale, [scores, scores], other) == scores


@given(rated())
def test_only_what_differs_is_decided(drawn: tuple[FidelityScale, Scores, Scores]) -> None:
    scale, one, other = drawn
    apart = fidelity.differing(scale, [one, other])
    assert fidelity.agreed(scale, [one, other], one) == one
    assert fidelity.agreed(scale, [one, other], other) == other
    assert set(fidelity.open_items(scale, fidelity.agreed(scale, [one, other], {}))) == set(apart)


@given(rated(), st.data())
def test_a_higher_item_never_lowers_the_score(drawn: tuple[FidelityScale, Scores, Scores], data: st.DataObject) -> None:
    scale, scores, _other = drawn
    code = data.draw(st.sampled_from([code for code, value in scores.items() if value is not None]))
    before = scores[code]
    assert before is not None
    raised = {**scores, code: data.draw(st.integers(before, scale.max))}
    assert fidelity.score(scale, raised) >= fidelity.score(scale, scores)
