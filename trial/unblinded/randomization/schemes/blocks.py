"""Permuted blocks: Zelen (1974), Journal of Chronic Diseases 27:365-375; of one size, or each block's size drawn at random."""

from collections import defaultdict
from dataclasses import dataclass

from trial.unblinded.randomization.schemes.base import Arms, Draw, SchemeError, Stream, Watcher


@dataclass(frozen=True)
class PermutedBlocks:
    """Every whole block holds the ratio exactly; each block's size is drawn uniformly from ``sizes``."""

    arms: Arms
    sizes: tuple[int, ...]
    algorithm: str = "permuted-blocks/hmac-sha256/1"

    def __post_init__(self) -> None:
        total = self.arms.total
        wrong = [size for size in self.sizes if size < total or size % total]
        if not self.sizes or wrong:
            raise SchemeError(
                f"Block sizes are multiples of {total}, the sum of the ratio; not allowed: {wrong or 'none given'}."
            )

    def sequence(self, seed: bytes, stratum: str, length: int) -> list[Draw]:
        """At least ``length`` slots of one stratum, in whole blocks. A single size takes no number from the stream."""
        stream = Stream(seed, f"{self.algorithm}/{stratum}")
        parts, total = self.arms.parts, self.arms.total
        unshuffled = {size: [code for code, part in parts for _ in range(part * size // total)] for size in self.sizes}
        draws: list[Draw] = []
        block = 0
        while len(draws) < length:
            block += 1
            size = self.sizes[stream.below(len(self.sizes))] if len(self.sizes) > 1 else self.sizes[0]
            arms = unshuffled[size].copy()
            for last in range(len(arms) - 1, 0, -1):  # Fisher-Yates
                other = stream.below(last + 1)
                arms[last], arms[other] = arms[other], arms[last]
            draws += [Draw(arm, block) for arm in arms]
        return draws

    def watcher(self) -> Watcher:
        """Somebody who weighs every possible place in every possible block."""
        return _BlockWatcher(self)

    def parameters(self) -> dict[str, object]:
        """As the commitment holds them."""
        return {"arms": self.arms.as_json(), "block_sizes": list(self.sizes)}


class _BlockWatcher:
    """Bayes' rule over what is left in the present block: each state is how many of each arm are still to come in it."""

    def __init__(self, scheme: PermutedBlocks) -> None:
        self.codes = scheme.arms.codes
        self.fresh = [tuple(part * size // scheme.arms.total for _, part in scheme.arms.parts) for size in scheme.sizes]
        self.states: dict[tuple[int, ...], float] = {}
        self._open_block(1.0, self.states)

    def _open_block(self, weight: float, states: dict[tuple[int, ...], float]) -> None:
        for left in self.fresh:
            states[left] = states.get(left, 0.0) + weight / len(self.fresh)

    def next(self) -> dict[str, float]:
        return {
            code: sum(weight * left[place] / sum(left) for left, weight in self.states.items())
            for place, code in enumerate(self.codes)
        }

    def saw(self, arm: str) -> None:
        place = self.codes.index(arm)
        seen: dict[tuple[int, ...], float] = defaultdict(float)
        for left, weight in self.states.items():
            likely = weight * left[place] / sum(left)
            if not likely:
                continue
            rest = (*left[:place], left[place] - 1, *left[place + 1 :])
            if any(rest):
                seen[rest] += likely
            else:
                self._open_block(likely, seen)
        total = sum(seen.values())
        self.states = {left: weight / total for left, weight in seen.items()}
