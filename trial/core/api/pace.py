"""How often somebody may ask, counted in the memory of the process.

There is no cache that both sides share, and a table of requests would tell the other side when somebody works. So each process counts for
itself: with two web workers a token gets at most twice its share. What has to hold across processes, the end of a token, is in the database.
"""

import threading
import time
from collections import deque


class Pace:
    """At most ``limit`` times within ``seconds``, for each key."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self._times: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Count one more, and 0; or, when the limit is reached, count nothing and say how many seconds are left."""
        with self._lock:
            now = time.monotonic()
            self._forget(now)
            times = self._times.setdefault(key, deque())
            if len(times) >= self.limit:
                return max(times[0] + self.seconds - now, 1.0)
            times.append(now)
            return 0.0

    def _forget(self, now: float) -> None:
        for key in [key for key, times in self._times.items() if times[-1] <= now - self.seconds]:
            del self._times[key]
        for times in self._times.values():
            while times and times[0] <= now - self.seconds:
                times.popleft()

    def clear(self) -> None:
        """Begin anew; for tests."""
        with self._lock:
            self._times.clear()
