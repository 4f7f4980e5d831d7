"""The price of a coordinator who sees allocations, against the enumeration of every block."""

from itertools import permutations

import pytest

from trial.protocol.predictability import price


def enumerated(ratio: tuple[int, int], places: int) -> tuple[float, float]:
    """Certain and rightly guessed allocations among the first ``places`` of a block, on average over every order."""
    blocks = set(permutations("a" * ratio[0] + "b" * ratio[1]))
    certain = guessed = 0
    for block in blocks:
        for place in range(places):
            left = block[place:]
            most = max("ab", key=left.count)
            certain += len(set(left)) == 1
            # where both are left as often, a guess is right half the time
            guessed += 0.5 if left.count("a") == left.count("b") else block[place] == most
    return certain / len(blocks), guessed / len(blocks)


@pytest.mark.parametrize("ratio", [(3, 2), (1, 1), (2, 1), (5, 3)])
def test_the_price_is_that_of_every_block(ratio: tuple[int, int]) -> None:
    cost = price(ratio)
    certain, guessed = enumerated(ratio, sum(ratio))
    assert float(cost.certain) == pytest.approx(certain / cost.block)
    assert float(cost.guessed) == pytest.approx(guessed / cost.block)
    assert cost.blind_guess == max(ratio) / cost.block or float(cost.blind_guess) == pytest.approx(
        max(ratio) / cost.block
    )


def test_in_the_trial_of_14_teams_a_quarter_is_certain() -> None:
    """187 people in 14 strata: two complete blocks each, and three or four places of a third (5 of the strata have the fourth)."""
    whole, three, four = (enumerated((3, 2), places) for places in (5, 3, 4))
    shares = [(28 * whole[k] + 9 * three[k] + 5 * four[k]) / 187 for k in (0, 1)]
    assert shares == pytest.approx([0.24, 0.70], abs=0.006)


def test_shares_of_three_to_two() -> None:
    assert [float(share) for share in (price((3, 2)).certain, price((3, 2)).guessed)] == [0.3, 0.72]
