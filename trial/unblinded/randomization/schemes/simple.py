"""Complete randomization and the big stick.

Complete randomization: each arm with its share of the ratio, whatever came before. Big stick: Soares and Wu (1983), Communications in
Statistics - Theory and Methods 12:2017-2034: a fair coin, until the difference reaches the limit; then the arm that is behind.
"""

from dataclasses import dataclass

from trial.unblinded.randomization.schemes.base import Arms, CountingWatcher, Draw, SchemeError, Stream, Watcher


@dataclass(frozen=True)
class Complete:
    """Complete randomization of any ratio. Nothing can be foreseen; the arms may end up unequal."""

    arms: Arms
    algorithm: str = "complete/hmac-sha256/1"

    def sequence(self, seed: bytes, stratum: str, length: int) -> list[Draw]:
        """``length`` slots of one stratum."""
        stream, arms = Stream(seed, f"{self.algorithm}/{stratum}"), self.arms.spread()
        return [Draw(arms[stream.below(len(arms))]) for _ in range(length)]

    def watcher(self) -> Watcher:
        """Somebody who learns nothing."""
        return CountingWatcher(self.arms)

    def parameters(self) -> dict[str, object]:
        """As the commitment holds them."""
        return {"arms": self.arms.as_json()}


@dataclass(frozen=True)
class BigStick:
    """A fair coin of two equal arms, whose counts never differ by more than ``limit`` in a stratum."""

    arms: Arms
    limit: int
    algorithm: str = "big-stick/hmac-sha256/1"

    def __post_init__(self) -> None:
        if len(self.arms.codes) != 2 or not self.arms.are_equal:
            raise SchemeError("The big stick is for two arms with equal parts.")
        if self.limit < 1:
            raise SchemeError("The largest difference is 1 or more.")

    def sequence(self, seed: bytes, stratum: str, length: int) -> list[Draw]:
        """``length`` slots of one stratum. A forced slot takes no number from the stream."""
        stream = Stream(seed, f"{self.algorithm}/{stratum}")
        first, second = self.arms.codes
        ahead, draws = 0, []
        for _ in range(length):
            forced = abs(ahead) >= self.limit
            arm = (second if ahead > 0 else first) if forced else (first, second)[stream.below(2)]
            ahead += 1 if arm == first else -1
            draws.append(Draw(arm))
        return draws

    def watcher(self) -> Watcher:
        """Somebody who keeps the difference."""
        return _BigStickWatcher(self.arms, self.limit)

    def parameters(self) -> dict[str, object]:
        """As the commitment holds them."""
        return {"arms": self.arms.as_json(), "limit": self.limit}


class _BigStickWatcher(CountingWatcher):
    def __init__(self, arms: Arms, limit: int) -> None:
        super().__init__(arms)
        self.limit = limit

    def next(self) -> dict[str, float]:
        first, second = self.arms.codes
        ahead = self.counts[first] - self.counts[second]
        if abs(ahead) < self.limit:
            return {first: 0.5, second: 0.5}
        return {first: 0.0, second: 1.0} if ahead > 0 else {first: 1.0, second: 0.0}
