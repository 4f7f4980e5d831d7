"""Makes sure that there is a Chromium for the tests that drive a browser; they are never skipped.

``python -m trial.config.supervisor.browser``
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""The shell first: the same engine without the windows of a desktop, which cost a processor that nobody looks at."""
PACKAGES = ("chromium-headless-shell", "chromium")
TO_TYPE = f"sudo apt-get install {PACKAGES[0]}"


def find_browser() -> str | None:
    """Return the path of a Chromium, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def main() -> int:
    """Find Chromium; as root on Debian install it. Returns the exit code, after one line when there is none."""
    if find_browser() is not None:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium for the browser tests", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        commands = [["apt-get", "update", "-q"], *(["apt-get", "install", "-y", "-q", name] for name in PACKAGES)]
        for command in commands:
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
            if find_browser() is not None:
                return 0
    print(f"The tests need Chromium. Type: {TO_TYPE}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
