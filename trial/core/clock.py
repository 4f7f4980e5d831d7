"""The one source of time.

In production it is the system's clock in UTC. A demo world runs on a clock that is shifted (``CLOCK_OFFSET``); a played world runs
on a frozen clock. Frozen, each side has its own stream of instants, so that what happens on one side moves nothing on another.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from trial.core import side


class _Frozen:
    def __init__(self, at: datetime) -> None:
        self.at = at
        self.ticks: dict[str, int] = {}

    def now(self) -> datetime:
        here = side.stream()
        self.ticks[here] = self.ticks.get(here, 0) + 1
        return self.at + timedelta(milliseconds=self.ticks[here])


_frozen: _Frozen | None = None


def now() -> datetime:
    """The current instant, aware, in UTC. Frozen: strictly increasing within a side."""
    if _frozen is not None:
        return _frozen.now()
    return datetime.now(UTC) + timedelta(seconds=settings.CLOCK_OFFSET)


def today() -> date:
    """The trial's calendar day, in the trial's time zone; it moves no stream."""
    instant = _frozen.at if _frozen is not None else now()
    return instant.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def frozen_at() -> datetime | None:
    """The instant at which the clock is frozen, or None while it runs."""
    return _frozen.at if _frozen is not None else None


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Freeze the clock at ``at`` (aware). For tests, demo and leakcheck; refused where the clock is the real one."""
    global _frozen
    if not (settings.DEMO or settings.SCRATCH):
        raise RuntimeError("The clock of a real trial is not frozen.")
    if at.tzinfo is None:
        raise ValueError("The clock is frozen at an aware instant only.")
    before, _frozen = _frozen, _Frozen(at)
    try:
        yield
    finally:
        _frozen = before


def move_to(at: datetime) -> None:
    """Move the frozen clock forward to ``at``. The streams of the sides start anew there."""
    if _frozen is None:
        raise RuntimeError("Only a frozen clock can be moved.")
    if at < _frozen.at:
        raise ValueError("A clock is not moved back.")
    if at > _frozen.at:
        _frozen.at, _frozen.ticks = at, {}
