"""Minimization with a biased coin, for any ratio, with the ratio kept at every allocation.

Pocock and Simon (1975), Biometrics 31:103-115: the arm that leaves the smallest sum of weighted ranges over the factors is preferred with
probability p < 1. With unequal ratios that rule alone drifts (at 3 : 2, P(first arm) is .80 at the first allocation and .43 at the second).
So, after Kuznetsova and Tymofyeyev (2012), Statistics in Medicine 31:701-723, the ratio is spread over equal places (five for 3 : 2), the
places are minimized as equal arms, and a place stands for its arm. Places are interchangeable, so each has the same probability at every
allocation, and so has each arm its share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trial.unblinded.randomization.schemes.base import Arms, SchemeError, Stream

Levels = Mapping[str, str]
"""The level of each factor of one participant: ``{"team": "north-2", "sex": "f"}``."""


@dataclass(frozen=True)
class Placed:
    """One allocation as minimization remembers it: the participant's levels, and the place that was drawn."""

    levels: Levels
    place: int


@dataclass(frozen=True)
class Minimization:
    """``weights`` by factor (whole numbers); the preferred places get the chance ``p`` = numerator / denominator, below 1."""

    arms: Arms
    weights: tuple[tuple[str, int], ...]
    p: tuple[int, int]
    algorithm: str = "minimization/hmac-sha256/1"

    def __post_init__(self) -> None:
        numerator, denominator = self.p
        if not self.weights or any(weight < 1 for _, weight in self.weights):
            raise SchemeError("Minimization needs at least one factor, each with a whole weight of 1 or more.")
        if not (0 < numerator < denominator <= 1000):
            raise SchemeError("The chance of the preferred arm is below 1: with 1, the next arm would be known.")
        if numerator * self.arms.total < denominator:
            raise SchemeError("The chance of the preferred arm is at least that of an even draw.")

    def place(self, seed: bytes, past: Sequence[Placed], levels: Levels) -> int:
        """The place of the coming participant, the ``len(past) + 1``-th of the trial. Raises SchemeError for a missing level."""
        return self.drawn(Stream(seed, f"{self.algorithm}/{len(past) + 1}"), self.preferred(past, levels))

    def places(self, seed: bytes, people: Sequence[Levels]) -> list[int]:
        """The places of all participants, in order: those of ``place``, with the counts carried along. Raises SchemeError for a missing level."""
        held: dict[tuple[str, str], list[int]] = {}
        found: list[int] = []
        for number, levels in enumerate(people, start=1):
            self._check(levels)
            like = {
                factor: held.setdefault((factor, levels[factor]), [0] * self.arms.total) for factor, _ in self.weights
            }
            place = self.drawn(Stream(seed, f"{self.algorithm}/{number}"), self.best(like))
            for counts in like.values():
                counts[place] += 1
            found.append(place)
        return found

    def drawn(self, stream: Stream, best: Sequence[int]) -> int:
        """A place by the biased coin."""
        numerator, denominator = self.p
        others = [place for place in range(self.arms.total) if place not in best]
        chosen = best if not others or stream.below(denominator) < numerator else others
        return chosen[stream.below(len(chosen))]

    def preferred(self, past: Sequence[Placed], levels: Levels) -> list[int]:
        """The places that would leave the smallest sum of weighted ranges, all of them when several do."""
        self._check(levels)
        like = {factor: [0] * self.arms.total for factor, _ in self.weights}
        for factor, counts in like.items():
            for one in past:
                counts[one.place] += one.levels[factor] == levels[factor]
        return self.best(like)

    def _check(self, levels: Levels) -> None:
        missing = [factor for factor, _ in self.weights if factor not in levels]
        if missing:
            raise SchemeError(f"The participant has no level of {', '.join(missing)}.")

    def best(self, like: Mapping[str, Sequence[int]]) -> list[int]:
        """The same from how many of the coming participant's level each place holds, by factor.

        One more at a place makes it the highest where it was, and the lowest rises where it alone was that.
        """
        scores = [0] * self.arms.total
        for factor, weight in self.weights:
            counts = like[factor]
            low, high = min(counts), max(counts)
            risen = low + 1 if counts.count(low) == 1 else low
            for place, count in enumerate(counts):
                scores[place] += weight * (max(high, count + 1) - (risen if count == low else low))
        least = min(scores)
        return [place for place, score in enumerate(scores) if score == least]

    def probabilities(self, past: Sequence[Placed], levels: Levels) -> dict[str, float]:
        """The probability of each arm for the coming participant, to somebody who knows every place drawn so far."""
        return self.chances(self.preferred(past, levels))

    def chances(self, best: Sequence[int]) -> dict[str, float]:
        """The probability of each arm when these places are preferred."""
        numerator, denominator = self.p
        others = self.arms.total - len(best)
        high = numerator / denominator / len(best) if others else 1 / len(best)
        low = (1 - numerator / denominator) / others if others else 0.0
        found = dict.fromkeys(self.arms.codes, 0.0)
        for place, arm in enumerate(self.arms.spread()):
            found[arm] += high if place in best else low
        return found

    def arm_of(self, place: int) -> str:
        """The arm that a place stands for."""
        return self.arms.spread()[place]

    def parameters(self) -> dict[str, object]:
        """As the commitment holds them."""
        return {"arms": self.arms.as_json(), "weights": [list(pair) for pair in self.weights], "p": list(self.p)}
