"""How a long computation tells what it is doing, and hears that it should stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class Cancelled(Exception):
    """The computation was asked to stop and did; nothing of it may be used."""


def _silent(stage: str, share: float) -> None:
    """Tell nobody."""


def _never() -> bool:
    """Nobody can cancel."""
    return False


@dataclass(frozen=True)
class Watch:
    """Two hooks: `report(stage, share)` with share in 0..1, and `cancelled()`, asked between steps and inside the optimizer.

    Stages are codes: "reading", "describing", "fitting", "polishing", "contrasting", "done". The hooks are called often (each
    evaluation of the likelihood): whoever writes to a database in them thins them out.
    """

    report: Callable[[str, float], None] = _silent
    cancelled: Callable[[], bool] = _never

    def step(self, stage: str, share: float) -> None:
        """Report, then stop if asked to. Raises Cancelled."""
        self.report(stage, share)
        self.check()

    def check(self) -> None:
        """Raise Cancelled if somebody asked to stop."""
        if self.cancelled():
            raise Cancelled


SILENT = Watch()
