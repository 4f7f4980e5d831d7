"""``make manage DO="..."``: one management command on a world that is there, with the operator's credentials, which nobody has to type."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from trial.config.supervisor.errors import SupervisorError
from trial.config.supervisor.existing import chosen, must_exist, running
from trial.config.supervisor.services import ADDRESSES, environment_for, given_addresses
from trial.config.supervisor.world import DEMO_WORLDS, ROOT, World

USAGE = f'Say what to do: make manage DO="verify_history" (for a demo add TRIAL={" or ".join(DEMO_WORLDS)}).'


def main(arguments: list[str]) -> int:
    """Run ``manage.py`` with the arguments. Returns its status; 2 with one line where it could not even begin.

    Holds every credential, as the operator of the machine does: of people of the trial nobody can start it.
    """
    words = [word for argument in arguments for word in shlex.split(argument)]
    try:
        if not words:
            raise SupervisorError(USAGE)
        choice = chosen()
        if given := given_addresses(os.environ):
            return _manage(words, given, {"DJANGO_SETTINGS_MODULE": "trial.config.settings"})
        must_exist(choice)
        with running(choice, broker=True) as addresses:
            return _manage(words, addresses, World(choice).told())
    except SupervisorError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _manage(words: list[str], addresses: dict[str, str], told: dict[str, str]) -> int:
    env = environment_for(ADDRESSES, addresses, told)
    # relative paths of the arguments are meant from where the person stands, which make keeps as the root
    return subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
