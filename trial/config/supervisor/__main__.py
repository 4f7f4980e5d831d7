"""``python -m trial.config.supervisor demo|run``"""

import sys

from trial.config.supervisor.supervise import main

sys.exit(main(sys.argv[1:]))
