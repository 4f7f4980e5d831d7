"""``python -m trial.config.backup backup|restore``"""

import sys

from trial.config.backup.command import main

sys.exit(main(sys.argv[1:]))
