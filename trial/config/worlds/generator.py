"""Synthetic answers. Nobody in a demo world exists, and nothing here says anything about a published trial.

Each person has a level L ~ N(0, 1). Item j at visit k gets the latent value 0.7 L + 0.15 k + 0.7 e with e ~ N(0, 1), turned to the item's
range: middle + latent x a quarter of the range, rounded and cut at both ends. No effect of an arm is built in: the generator does not know
the arm. Two items in a hundred are left out with the reason "did not want to answer".
"""

import datetime as dt
import random
from dataclasses import dataclass

from trial.protocol.definition import Instrument, Item

LEFT_OUT = 0.02


@dataclass(frozen=True)
class Synthetic:
    """One made-up person."""

    seed: int

    @property
    def level(self) -> float:
        """The person's level, N(0, 1)."""
        return random.Random(f"level/{self.seed}").gauss(0, 1)  # noqa: S311 - synthetic data

    def answers(
        self, instrument: Instrument, occasion: int, day: dt.date, reason: str
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Answers and reasons for missing items, by item code. The same call gives the same answers."""
        rng = random.Random(f"{self.seed}/{instrument.code}/{occasion}")  # noqa: S311 - synthetic data
        given: dict[str, str] = {}
        missing: dict[str, str] = {}
        for item in instrument.items:
            latent = 0.7 * self.level + 0.15 * occasion + 0.7 * rng.gauss(0, 1)
            if rng.random() < LEFT_OUT or (item.kind == "text" and not item.optional):
                missing[item.code] = reason
            elif item.kind != "text":
                given[item.code] = _value(item, latent, day, rng)
        return given, missing


def _value(item: Item, latent: float, day: dt.date, rng: random.Random) -> str:
    if item.kind == "date":
        return day.isoformat()
    if item.kind in ("choice", "yesno"):
        return str(rng.choice([value for value, _label in item.levels]))
    low, high = float(item.min or 0), float(item.max or 0)
    value = (low + high) / 2 + latent * (high - low) / 4
    value = min(high, max(low, value))
    return f"{value:.1f}" if item.kind == "decimal" else str(round(value))
