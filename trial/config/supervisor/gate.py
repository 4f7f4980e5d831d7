"""A gate before the web server: it loads the application while the database is set up, and answers afterwards.

The gate is a pipe. The supervisor holds one end; the web server waits at the other until the first is closed. If the
supervisor dies, the kernel closes its end, and ends the web server with it.
"""

from __future__ import annotations

import os

GATE = "WEB_WAITS_ON"
"""The name of the setting that gives the web server the number of its end; without it nobody waits."""


class Gate:
    """Closed when made; `open` lets through whoever waits. Give `waiting_end` to the child as an open file."""

    def __init__(self) -> None:
        self.waiting_end, self._held_end = os.pipe()
        self._is_open = False

    def open(self) -> None:
        """Let the web server go on. A second call does nothing."""
        if not self._is_open:
            self._is_open = True
            os.close(self._held_end)
            os.close(self.waiting_end)


def wait() -> None:
    """Return once the gate named in our environment is open; at once when there is none."""
    number = os.environ.pop(GATE, "")
    if number:
        os.read(int(number), 1)
        os.close(int(number))
