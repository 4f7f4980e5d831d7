"""The first line of ``make install``, ``make demo`` and ``make run``, for the Python that the machine happens to have.

Usage: ``python3 trial/config/supervisor/start.py [--with-parent] install|demo|run``

Written so that an old Python can read it too and say what is missing; everything else needs Python 3.11.
"""

import os
import shutil
import sys

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def find_newer_python() -> str:
    """Return the path of a Python that is new enough, or an empty string."""
    for minor in range(20, OLDEST[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)  # noqa: UP031
        if found:
            return found
    return ""


def main() -> int:
    """Check the Python, then hand over to ``install`` (which makes .venv and starts the supervisor in it)."""
    if sys.version_info < OLDEST:
        newer = find_newer_python()
        if newer and not os.environ.get("EQUIPOISE_NEWER_PYTHON"):
            os.environ["EQUIPOISE_NEWER_PYTHON"] = newer
            os.execv(newer, [newer, os.path.abspath(__file__), *sys.argv[1:]])  # noqa: S606
        print("Equipoise needs Python 3.11 or newer; this is %d.%d." % sys.version_info[:2])  # noqa: UP031
        print("Install a newer Python and type: make demo PYTHON=/path/to/python3.11")
        return 2
    sys.path[0] = ROOT
    from trial.config.supervisor import install

    return install.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
