"""The one source of random identifiers.

Keys are random UUIDs: a serial number would count rows, and the order of keys would tell the order of events. In a played world each
side has its own seeded stream, so that what happens on one side moves nothing on another.
"""

import random
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from trial.core import side

_streams: dict[str, random.Random] | None = None
_seed = 0


def _stream() -> random.Random | None:
    if _streams is None:
        return None
    here = side.stream()
    if here not in _streams:
        _streams[here] = random.Random(f"{_seed}/{here}")  # noqa: S311 - a played world, never a real trial
    return _streams[here]


def new() -> uuid.UUID:
    """A new random key (UUID, version 4)."""
    stream = _stream()
    return uuid.uuid4() if stream is None else uuid.UUID(int=stream.getrandbits(128), version=4)


def derived(parent: uuid.UUID, *words: object) -> uuid.UUID:
    """The key that follows from ``parent`` and ``words``: the same on either side, whatever that side drew before.

    For open rows that the unblinded side may write: their keys tell nothing about what else happens there.
    """
    return uuid.uuid5(parent, "/".join(map(str, words)))


def below(limit: int) -> int:
    """A random integer in ``0 <= n < limit``, from the system's secure source."""
    stream = _stream()
    return secrets.randbelow(limit) if stream is None else stream.randrange(limit)


def secret() -> str:
    """32 bytes from the system's secure source, in hexadecimal digits: a share of a seed, or a salt."""
    stream = _stream()
    return secrets.token_hex(32) if stream is None else f"{stream.getrandbits(256):064x}"


def token() -> str:
    """A one-time token of 160 bits, for reading aloud or copying."""
    stream = _stream()
    return secrets.token_hex(20) if stream is None else f"{stream.getrandbits(160):040x}"


def participant_number() -> str:
    """A study number that carries no information: seven random digits and a check digit (Damm), such as ``48210932``."""
    digits = "".join(str(below(10)) for _ in range(7))
    return digits + check_digit(digits)


# Damm, H. M. (2004), "Total anti-symmetrische Quasigruppen", p. 111: the quasigroup of order 10.
_DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


def check_digit(digits: str) -> str:
    """The Damm check digit of ``digits``: it finds each single wrong digit and each swap of neighbors."""
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return str(interim)


def is_participant_number(text: str) -> bool:
    """Whether ``text`` (spaces allowed) is a well-formed study number."""
    digits = text.replace(" ", "")
    return len(digits) == 8 and digits.isdecimal() and digits.isascii() and check_digit(digits[:-1]) == digits[-1]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw identifiers from seeded streams, one a side. For tests, demo and leakcheck; refused in a real trial."""
    global _streams, _seed
    if not (settings.DEMO or settings.SCRATCH):
        raise RuntimeError("The identifiers of a real trial are drawn from the system's secure source.")
    before = (_streams, _seed)
    _streams, _seed = {}, seed
    try:
        yield
    finally:
        _streams, _seed = before
