"""What is committed before the first participant, and the seed that follows from the shares. Standard library only.

The digest is that of canonical JSON, as ``verifier.py`` writes it too: sorted keys, no spaces, ASCII.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence


def revealed(*, algorithm: str, parameters: object, shares: Sequence[str], salt: str) -> dict[str, object]:
    """What a commitment commits to; kept until planned unblinding."""
    return {"algorithm": algorithm, "parameters": parameters, "shares": list(shares), "salt": salt}


def commitment_of(reveal: Mapping[str, object]) -> str:
    """The SHA-256 that is public from the beginning."""
    canonical = json.dumps(reveal, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def seed_of(shares: Sequence[str]) -> bytes:
    """The seed: SHA-256 of the shares one after the other, in the order in which they came. Nobody who lacks one of them knows it."""
    return hashlib.sha256(bytes.fromhex("".join(shares))).digest()


def receipt_of(share: str) -> str:
    """What a contributor may show: the SHA-256 of the own share."""
    return hashlib.sha256(bytes.fromhex(share)).hexdigest()
