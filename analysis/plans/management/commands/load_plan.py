"""`manage.py load_plan FOLDER`: check the statistical analysis plan of a folder against the protocol in force, and load it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analysis.plans.actions import load_plan
from analysis.plans.reading import load
from trial.core import db
from trial.core.errors import Refused
from trial.protocol.problems import ProtocolError
from trial.protocol.queries import current


class Command(BaseCommand):
    """Load plan.toml. It is signed on its page, by statistician and investigator."""

    help = "Check a statistical analysis plan and put it into force, unsigned; --check only checks it."

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder, and whether only to check it."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--check", action="store_true", dest="only_check", help="check the plan, change nothing")

    def handle(self, *args: Any, folder: Path, only_check: bool, **options: Any) -> None:
        """Load or check; every problem is printed with its place."""
        by = db.System("load_plan")
        try:
            with db.unit_of_work(by=by):
                plan = load(folder, current())
                version = None if only_check else load_plan(plan=plan, by=by)
        except ProtocolError as error:
            lines = [f"{folder} is refused, {len(error.problems)} problem(s):", *map(str, error.problems)]
            raise CommandError("\n".join(lines)) from None
        except Refused as refused:
            raise CommandError(str(refused.message)) from None
        state = f"version {version.number} is in force, to be signed" if version else "it fits the protocol in force"
        self.stdout.write(f"{plan.title}: {state}; sha256 {plan.sha256[:12]}")
