"""Runs the real supervisor, with real servers, on stand-in programs: ``supervised.py FACTS demo|run``."""

import sys
from pathlib import Path

from trial.config.supervisor.processes import follow_parent
from trial.config.supervisor.services import Programs
from trial.config.supervisor.supervise import main

if __name__ == "__main__":
    stand_in = (sys.executable, "-S", str(Path(__file__).with_name("stand_in.py")), sys.argv[1])
    if "--with-parent" in sys.argv:
        sys.argv.remove("--with-parent")
        follow_parent()
    sys.exit(main(sys.argv[2:], Programs((*stand_in, "manage"), (*stand_in, "web"), (*stand_in, "celery"))))
