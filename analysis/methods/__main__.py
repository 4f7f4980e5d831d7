"""The command line: ``python -m analysis.methods COMMAND ...``, for whoever wants the statistics without the application."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from .commands import analyze, blinding, boundaries, fit, pool

COMMANDS = (analyze, blinding, boundaries, fit, pool)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence; ``--help`` says what is allowed."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message[:1].upper()}{message[1:]}. See {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    parser = _Parser(prog="python -m analysis.methods", description="Statistics of randomized trials.")
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
