"""The block urn: Zhao and Weng (2011), Contemporary Clinical Trials 32:953-961.

An urn holds ``balance`` times the ratio. A ball is drawn and put aside; as soon as the balls aside hold the ratio once, that set goes back.
So the imbalance is bounded as with blocks of the same size, and far fewer allocations are certain. With equal parts each arm has its share
at every place; with unequal parts only nearly so (at 2 : 1 and a balance of 2, between .64 and .67), which blocks do exactly.
"""

from dataclasses import dataclass

from trial.unblinded.randomization.schemes.base import Arms, CountingWatcher, Draw, SchemeError, Stream, Watcher


@dataclass(frozen=True)
class BlockUrn:
    """Any ratio, any number of arms. ``balance`` is Zhao and Weng's lambda: the ratio stands so many times in the urn."""

    arms: Arms
    balance: int
    algorithm: str = "block-urn/hmac-sha256/1"

    def __post_init__(self) -> None:
        if self.balance < 1:
            raise SchemeError("The urn holds the ratio at least once: balance is 1 or more.")

    def sequence(self, seed: bytes, stratum: str, length: int) -> list[Draw]:
        """``length`` slots of one stratum."""
        stream = Stream(seed, f"{self.algorithm}/{stratum}")
        counts = dict.fromkeys(self.arms.codes, 0)
        draws = []
        for _ in range(length):
            balls = in_urn(self.arms, self.balance, counts)
            ball = stream.below(sum(balls.values()))
            for arm in self.arms.codes:
                if ball < balls[arm]:
                    break
                ball -= balls[arm]
            counts[arm] += 1
            draws.append(Draw(arm))
        return draws

    def watcher(self) -> Watcher:
        """Somebody who knows the balls in the urn."""
        return _UrnWatcher(self.arms, self.balance)

    def parameters(self) -> dict[str, object]:
        """As the commitment holds them."""
        return {"arms": self.arms.as_json(), "balance": self.balance}


def in_urn(arms: Arms, balance: int, counts: dict[str, int]) -> dict[str, int]:
    """The balls of each arm that can be drawn now: w (lambda + k) - n, with k the whole sets that went back."""
    returned = min(counts[code] // part for code, part in arms.parts)
    return {code: part * (balance + returned) - counts[code] for code, part in arms.parts}


class _UrnWatcher(CountingWatcher):
    def __init__(self, arms: Arms, balance: int) -> None:
        super().__init__(arms)
        self.balance = balance

    def next(self) -> dict[str, float]:
        balls = in_urn(self.arms, self.balance, self.counts)
        total = sum(balls.values())
        return {arm: number / total for arm, number in balls.items()}
