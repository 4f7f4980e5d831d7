"""How long something takes, for those who print it."""

import time
from collections.abc import Callable


def taken(act: Callable[[], object], runs: int = 15) -> list[float]:
    """Milliseconds of ``runs`` runs, after one to warm up."""
    act()
    times = []
    for _run in range(runs):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return times
