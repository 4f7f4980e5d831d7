"""What a scheme gives away, by simulation, against what can be computed by hand."""

import random

import pytest

from trial.unblinded.randomization.forecast import Recruitment, forecast, play
from trial.unblinded.randomization.schemes import Arms, BigStick, BlockUrn, Complete, Minimization, PermutedBlocks

IMR = Arms((("imr", 3), ("cau", 2)))
TEAMS = Recruitment({f"team-{number}": 14 if number < 5 else 13 for number in range(14)}, {"sex": {"f": 0.5, "m": 0.5}})


def test_the_worked_example_fourteen_teams_and_fixed_blocks_of_five() -> None:
    """Of the next allocations 24 % are certain and 70 % are guessed, against 60 % by always naming the larger arm."""
    found = forecast(PermutedBlocks(IMR, (5,)), TEAMS, trials=200, seed=1)
    assert found.certain == pytest.approx(0.24, abs=0.005 + 4 * found.certain_se)
    assert found.guessed == pytest.approx(0.70, abs=0.005 + 4 * found.guessed_se)
    assert found.without_arms == 0.6


def test_one_whole_block_of_five_by_hand() -> None:
    """Ten orders of three and two: the last is always known, one before it in two of five: 30 % certain. Guesses: 3.6 of 5."""
    block = Recruitment({"one": 5}, {})
    found = forecast(PermutedBlocks(IMR, (5,)), block, trials=4000, seed=2)
    assert found.certain == pytest.approx(0.30, abs=4 * found.certain_se)
    assert found.guessed == pytest.approx(0.72, abs=4 * found.guessed_se)
    assert found.off_target == (0, 0, 0)


def test_complete_randomization_gives_nothing_away_and_wanders() -> None:
    found = forecast(Complete(IMR), TEAMS, trials=300, seed=3)
    assert found.certain == 0
    assert found.guessed == pytest.approx(0.6, abs=4 * found.guessed_se)
    # the mean absolute deviation of a binomial, sqrt(2 n p q / pi)
    assert found.off_target[0] == pytest.approx((2 * 187 * 0.6 * 0.4 / 3.14159) ** 0.5, rel=0.15)


def test_random_block_sizes_and_the_urn_give_less_away_than_fixed_blocks() -> None:
    fixed, mixed, urn = (
        forecast(scheme, TEAMS, trials=100, seed=4)
        for scheme in (PermutedBlocks(IMR, (5,)), PermutedBlocks(IMR, (5, 10)), BlockUrn(IMR, 2))
    )
    assert fixed.certain > mixed.certain > urn.certain
    assert fixed.guessed > mixed.guessed > urn.guessed


def test_the_coin_of_the_big_stick_is_a_tie_and_counts_half() -> None:
    found = forecast(BigStick(Arms((("a", 1), ("b", 1))), 50), Recruitment({"one": 40}, {}), trials=2, seed=5)
    assert (found.guessed, found.certain) == (0.5, 0)


def test_minimization_balances_and_its_likelier_arm_comes_as_often_as_it_says() -> None:
    scheme = Minimization(IMR, (("stratum", 2), ("sex", 1)), (4, 5))
    found = forecast(scheme, TEAMS, trials=60, seed=6)
    complete = forecast(Complete(IMR), TEAMS, trials=60, seed=6)
    assert found.off_target[0] < complete.off_target[0]
    assert found.certain == 0
    assert 0.6 < found.guessed < 0.8


def test_the_same_seed_gives_the_same_forecast_and_everybody_is_allocated() -> None:
    scheme = PermutedBlocks(IMR, (5, 10))
    assert forecast(scheme, TEAMS, trials=5, seed=7) == forecast(scheme, TEAMS, trials=5, seed=7)
    assert sum(play(scheme, TEAMS, random.Random(8)).counts.values()) == TEAMS.total == 187


def test_progress_is_told_and_may_stop_it() -> None:
    heard: list[float] = []
    forecast(Complete(IMR), TEAMS, trials=4, seed=9, tell=heard.append)
    assert heard == [0.25, 0.5, 0.75, 1.0]

    def stop(share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        forecast(Complete(IMR), TEAMS, trials=4, seed=9, tell=stop)


@pytest.mark.parametrize(("trials", "strata"), [(1, {"one": 5}), (10, {"one": 0})])
def test_nothing_to_simulate_is_refused(trials: int, strata: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least two trials and one person"):
        forecast(Complete(IMR), Recruitment(strata, {}), trials=trials, seed=1)
