"""The command line: ``python -m analysis.methods COMMAND ...``, for whoever wants the statistics without the application."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .commands import analyze, blinding, boundaries, fit, pool

COMMANDS = (analyze, blinding, boundaries, fit, pool)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m analysis.methods", description="Statistics of randomized trials.")
    offered = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        own = offered.add_parser(command.NAME, help=command.HELP, description=command.__doc__)
        command.arguments(own)
        own.set_defaults(run=command.run)
    given = parser.parse_args(arguments)
    status: int = given.run(given)
    return status


if __name__ == "__main__":
    sys.exit(main())
