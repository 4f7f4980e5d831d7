"""Sealing a sequence, allocating from it, and proving it afterwards. The actions by what they are about; all can be called from here."""

from trial.unblinded.randomization.actions.allocating import allocate
from trial.unblinded.randomization.actions.contingency import ask_contingency, release_contingency
from trial.unblinded.randomization.actions.errors import record_wrong_treatment, void_wrong_treatment
from trial.unblinded.randomization.actions.sealing import (
    arms_of,
    contingency_stratum,
    contribute_share,
    import_sequence,
    seal_sequence,
)
from trial.unblinded.randomization.actions.verifying import answer_orders, order_verification, verify
from trial.unblinded.randomization.allocator import ALLOCATOR, LOCK
from trial.unblinded.randomization.lists import read_list

__all__ = [
    "ALLOCATOR",
    "LOCK",
    "allocate",
    "answer_orders",
    "arms_of",
    "ask_contingency",
    "contingency_stratum",
    "contribute_share",
    "import_sequence",
    "order_verification",
    "read_list",
    "record_wrong_treatment",
    "release_contingency",
    "seal_sequence",
    "verify",
    "void_wrong_treatment",
]
