"""Who allocates, and that nobody else does so at the same moment."""

from trial.core import db

ALLOCATOR = db.System("allocator")
LOCK = 7_305_132
"""The advisory lock of allocations."""


def one_at_a_time() -> None:
    """Serial by construction (one solo worker) and by lock: two workers by mistake still take turns."""
    with db.cursor() as c:
        c.execute("select pg_advisory_xact_lock(%s)", [LOCK])
