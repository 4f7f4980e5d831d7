"""What a scheme costs before anybody is randomized: imbalance, and how well a recruiter could guess, by simulation.

A recruiter who knows the scheme and the past arms of the stratum guesses the likelier arm (the convergence strategy of Blackwell and
Hodges (1957), Annals of Mathematical Statistics 28:449-460, made exact: the guess has the highest probability given all that was seen). Where
several recruiters share a stratum and none sees an arm, the best guess is the larger arm. Pure; standard library only.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

from trial.unblinded.randomization.schemes import Arms, ListScheme, Minimization, Stream

CERTAIN = 1 - 1e-9
STRATUM = "stratum"
"""The factor of minimization that stands for the stratum."""


def _unheard(share: float) -> None:
    """Nobody asks how far it is."""


@dataclass(frozen=True)
class Recruitment:
    """Who comes: the number expected in each stratum; for minimization, the shares of each factor's levels."""

    strata: Mapping[str, int]
    factors: Mapping[str, Mapping[str, float]]

    @property
    def total(self) -> int:
        """Everybody."""
        return sum(self.strata.values())


@dataclass(frozen=True)
class Played:
    """One simulated trial. ``guessed`` and ``certain`` are shares of all allocations."""

    counts: Mapping[str, int]
    largest_stratum_imbalance: float
    guessed: float
    certain: float


@dataclass(frozen=True)
class Forecast:
    """What many simulated trials of one scheme have in common; shares with their Monte-Carlo standard errors.

    ``off_target``: how many people the first arm is off its share, as mean, 95th percentile and maximum of the absolute value.
    ``without_arms``: right guesses of a recruiter who sees no arm. ``guesses``: the share of right guesses in each trial, for a plot.
    """

    scheme: str
    trials: int
    people: int
    off_target: tuple[float, float, float]
    stratum_off_target: tuple[float, float]
    guessed: float
    guessed_se: float
    certain: float
    certain_se: float
    without_arms: float
    guesses: tuple[float, ...]
    offs: tuple[float, ...]


def forecast(
    scheme: ListScheme | Minimization,
    recruitment: Recruitment,
    *,
    trials: int,
    seed: int,
    tell: Callable[[float], None] = _unheard,
) -> Forecast:
    """Simulate ``trials`` trials; ``tell`` hears the share that is done after each. The same arguments give the same forecast.

    Raises ValueError for fewer than two trials or nobody recruited.
    """
    if trials < 2 or recruitment.total < 1:
        raise ValueError("A forecast takes at least two trials and one person.")
    luck = random.Random(seed)  # noqa: S311 - a simulation, nothing is allocated by it
    first, part = scheme.arms.parts[0]
    played = []
    for number in range(1, trials + 1):
        played.append(play(scheme, recruitment, luck))
        tell(number / trials)
    offs = [one.counts[first] - recruitment.total * part / scheme.arms.total for one in played]
    distances = sorted(abs(off) for off in offs)
    in_strata = sorted(one.largest_stratum_imbalance for one in played)
    guesses = [one.guessed for one in played]
    certain = [one.certain for one in played]
    return Forecast(
        scheme=scheme.algorithm,
        trials=trials,
        people=recruitment.total,
        off_target=(fmean(distances), _percentile_95(distances), distances[-1]),
        stratum_off_target=(fmean(in_strata), _percentile_95(in_strata)),
        guessed=fmean(guesses),
        guessed_se=_standard_error(guesses),
        certain=fmean(certain),
        certain_se=_standard_error(certain),
        without_arms=max(scheme.arms.shares().values()),
        guesses=tuple(guesses),
        offs=tuple(offs),
    )


def play(scheme: ListScheme | Minimization, recruitment: Recruitment, luck: random.Random) -> Played:
    """One trial, people arriving in random order."""
    if isinstance(scheme, Minimization):
        return _minimized(scheme, recruitment, luck)
    seed = luck.randbytes(32)
    counts = dict.fromkeys(scheme.arms.codes, 0)
    guessed, certain, largest = 0.0, 0, 0.0
    for stratum, number in recruitment.strata.items():
        watcher = scheme.watcher()
        here = dict.fromkeys(scheme.arms.codes, 0)
        for draw in scheme.sequence(seed, stratum, number)[:number]:
            right, sure = _guess(watcher.next(), draw.arm)
            guessed, certain = guessed + right, certain + sure
            watcher.saw(draw.arm)
            here[draw.arm] += 1
        largest = max(largest, _off(scheme.arms, here))
        counts = {arm: counts[arm] + here[arm] for arm in counts}
    return Played(counts, largest, guessed / recruitment.total, certain / recruitment.total)


def _minimized(scheme: Minimization, recruitment: Recruitment, luck: random.Random) -> Played:
    order = [stratum for stratum, number in recruitment.strata.items() for _ in range(number)]
    luck.shuffle(order)
    seed = luck.randbytes(32)
    held: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * scheme.arms.total)
    by_stratum = {stratum: dict.fromkeys(scheme.arms.codes, 0) for stratum in recruitment.strata}
    guessed, certain = 0.0, 0
    for number, stratum in enumerate(order, start=1):
        levels = {name: _level(shares, luck) for name, shares in recruitment.factors.items()} | {STRATUM: stratum}
        best = scheme.best({factor: held[factor, levels[factor]] for factor, _ in scheme.weights})
        place = scheme.drawn(Stream(seed, f"{scheme.algorithm}/{number}"), best)
        for factor, _ in scheme.weights:
            held[factor, levels[factor]][place] += 1
        arm = scheme.arm_of(place)
        right, sure = _guess(scheme.chances(best), arm)
        guessed, certain = guessed + right, certain + sure
        by_stratum[stratum][arm] += 1
    counts = {arm: sum(here[arm] for here in by_stratum.values()) for arm in scheme.arms.codes}
    largest = max(_off(scheme.arms, here) for here in by_stratum.values())
    return Played(counts, largest, guessed / recruitment.total, certain / recruitment.total)


def _guess(chances: Mapping[str, float], arm: str) -> tuple[float, bool]:
    """How right the best guess was (a tie is guessed by a coin, so it counts as a part), and whether it was certain."""
    best = max(chances.values())
    likeliest = [code for code, chance in chances.items() if chance > best - 1e-9]
    return (1 / len(likeliest) if arm in likeliest else 0.0), best > CERTAIN


def _off(arms: Arms, counts: Mapping[str, int]) -> float:
    total = sum(counts.values())
    return max(abs(counts[code] - total * part / arms.total) for code, part in arms.parts)


def _level(shares: Mapping[str, float], luck: random.Random) -> str:
    return luck.choices(list(shares), weights=list(shares.values()))[0]


def _percentile_95(values: Sequence[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1]


def _standard_error(values: Sequence[float]) -> float:
    mean = fmean(values)
    return float((sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values)) ** 0.5)
