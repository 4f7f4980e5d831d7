"""Sealing a sequence, allocating from it, and proving it afterwards. The actions by what they are about; all can be called from here."""

from trial.unblinded.randomization.actions.allocating import allocate
from trial.unblinded.randomization.actions.sealing import (
    arms_of,
    contribute_share,
    import_sequence,
    seal_sequence,
)
from trial.unblinded.randomization.allocator import ALLOCATOR, LOCK
from trial.unblinded.randomization.lists import read_list

__all__ = [
    "ALLOCATOR",
    "LOCK",
    "allocate",
    "arms_of",
    "contribute_share",
    "import_sequence",
    "read_list",
    "seal_sequence",
]
