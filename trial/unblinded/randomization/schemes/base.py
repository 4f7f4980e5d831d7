"""What all schemes share: arms with their ratio, the random stream, and what somebody who watches could know."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

Json = Mapping[str, object]


class SchemeError(ValueError):
    """The parameters do not make a scheme; the text says what is allowed."""


class Stream:
    """A deterministic stream of uniform integers from ``seed`` for one ``label``.

    HMAC-SHA-256 in counter mode: nobody without the seed can compute a slot, and one label tells nothing of another.
    """

    def __init__(self, seed: bytes, label: str) -> None:
        self._key = hmac.new(
            hmac.digest(seed, label.encode(), "sha256"), digestmod="sha256"
        )  # copied: half the time of a new one
        self._counter = 0

    def below(self, limit: int) -> int:
        """A uniform integer in ``0 <= n < limit`` (rejection, so without bias), for ``limit`` up to 2**32."""
        if not 0 < limit <= 2**32:
            raise ValueError("0 < limit <= 2**32")
        ceiling = 2**64 - 2**64 % limit
        while True:
            keyed = self._key.copy()
            keyed.update(self._counter.to_bytes(8, "big"))
            block = keyed.digest()
            self._counter += 1
            number = int.from_bytes(block[:8], "big")
            if number < ceiling:
                return number % limit


@dataclass(frozen=True)
class Draw:
    """One slot: the arm, and the block it belongs to (None where the scheme has no blocks)."""

    arm: str
    block: int | None = None


@dataclass(frozen=True)
class Arms:
    """The arms in their order, each with its whole part of the ratio. Refuses (SchemeError) what is no ratio."""

    parts: tuple[tuple[str, int], ...]

    def __post_init__(self) -> None:
        codes = [code for code, _ in self.parts]
        if len(codes) < 2 or len(set(codes)) < len(codes) or any(part < 1 for _, part in self.parts):
            raise SchemeError("A ratio needs at least two different arms, each with a whole part of 1 or more.")

    @classmethod
    def of(cls, ratio: Mapping[str, int]) -> "Arms":
        """From ``{"imr": 3, "cau": 2}``; the order of the mapping counts."""
        return cls(tuple(ratio.items()))

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes of the arms, in order."""
        return tuple(code for code, _ in self.parts)

    @cached_property
    def total(self) -> int:
        """The sum of the parts: 5 for 3 : 2."""
        return sum(part for _, part in self.parts)

    @property
    def are_equal(self) -> bool:
        """Whether every arm has the same part."""
        return len({part for _, part in self.parts}) == 1

    def spread(self) -> tuple[str, ...]:
        """Each arm as often as its part: imr, imr, imr, cau, cau."""
        return tuple(code for code, part in self.parts for _ in range(part))

    def shares(self) -> dict[str, float]:
        """The target share of each arm."""
        return {code: part / self.total for code, part in self.parts}

    def as_json(self) -> list[list[object]]:
        """As the commitment holds it: pairs, because the order counts."""
        return [[code, part] for code, part in self.parts]


class Watcher(Protocol):
    """Somebody who knows the scheme, not the seed, and sees every arm of one stratum."""

    def next(self) -> dict[str, float]:
        """The probability of each arm for the coming participant, given all that was seen."""

    def saw(self, arm: str) -> None:
        """One more arm became known."""


class ListScheme(Protocol):
    """A scheme whose sequence depends on nothing but seed and stratum, so that it can be sealed as a list."""

    @property
    def algorithm(self) -> str:
        """Name, random stream and version."""

    @property
    def arms(self) -> Arms:
        """The arms with their ratio."""

    def sequence(self, seed: bytes, stratum: str, length: int) -> list[Draw]:
        """At least ``length`` slots of one stratum; the same on every machine."""

    def watcher(self) -> Watcher:
        """A new watcher of one stratum."""

    def parameters(self) -> dict[str, object]:
        """As the commitment holds them."""


class CountingWatcher:
    """A watcher of a scheme whose next probabilities depend on the counts alone."""

    def __init__(self, arms: Arms) -> None:
        self.arms = arms
        self.counts = dict.fromkeys(arms.codes, 0)

    def next(self) -> dict[str, float]:
        """The target shares: what is seen tells nothing. Schemes with a memory say otherwise."""
        return self.arms.shares()

    def saw(self, arm: str) -> None:
        """Count it."""
        self.counts[arm] += 1


def whole_numbers(value: object, name: str) -> tuple[int, ...]:
    """A list of whole numbers of at least 1 from parameters. Refuses (SchemeError) anything else."""
    numbers = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if not numbers or any(isinstance(one, bool) or not isinstance(one, int) or one < 1 for one in numbers):
        raise SchemeError(f"{name} takes whole numbers of 1 or more.")
    return tuple(numbers)
