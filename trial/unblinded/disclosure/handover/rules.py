"""The lot of random hand-overs: pure functions of a seed that stays behind the wall and of study keys. No arm enters."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable

WHOLE = 1 << 64


def lot(seed: str, *words: object) -> float:
    """A number in ``0 <= x < 1`` that follows from the seed and the words, the same whenever it is asked."""
    text = "/".join(map(str, (seed, *words)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / WHOLE


def is_drawn(seed: str, participant: uuid.UUID, visit: str, share: float) -> bool:
    """Whether this visit is one of those that are handed over at random."""
    return lot(seed, "visit", participant, visit) < share


def night_of(seed: str, participant: uuid.UUID, visit: str, first: dt.date, last: dt.date) -> dt.date:
    """On which night from ``first`` to ``last`` a visit that was drawn is handed over."""
    return first + dt.timedelta(days=int(lot(seed, "night", participant, visit) * ((last - first).days + 1)))


def chosen(seed: str, participant: uuid.UUID, night: dt.date, pool: Iterable[uuid.UUID]) -> uuid.UUID | None:
    """Who goes on, by lot; None if nobody is left."""
    return min(pool, key=lambda person: (lot(seed, "person", participant, night, person), person), default=None)


def shuffled(seed: str, night: dt.date, participants: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """The order in which a night's hand-overs are written: it says nothing of what each is for."""
    return sorted(participants, key=lambda one: (lot(seed, "order", night, one), one))
