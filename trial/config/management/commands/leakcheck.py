"""Play two worlds that differ behind the wall alone, and compare everything that blinded people can read."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from trial.config.leakcheck import comparison, databases, report
from trial.config.leakcheck.comparison import Size
from trial.config.leakcheck.script import Script
from trial.core import db, side
from trial.core.management.commands.setup_database import current_plan
from trial.protocol.definition import Protocol
from trial.protocol.loader import load
from trial.protocol.queries import current, version_or_none

NEEDS_OWNER = (
    "leakcheck plays two trials in scratch databases, which only the owner of the database may make: set OWNER_DATABASE_URL"
    " (with DATABASE_URL, UNBLINDED_DATABASE_URL and ALLOCATOR_DATABASE_URL). Nothing was done; the trial itself is never written to."
)
PEOPLE, SMALL = 40, 8
ALIKE, SMALL_ALIKE = 6, 1


class Command(BaseCommand):
    help = "Compare two played trials that differ in allocation and unblinded events alone, in everything a blinded person can read."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, help=f"how many people come into each trial; {PEOPLE} when not given")
        parser.add_argument("--small", action="store_true", help=f"{SMALL} people, and one page of each kind")
        parser.add_argument("--seed", type=int, default=3, help="of the open decisions")
        parser.add_argument("--protocol", type=Path, help="a folder; the running protocol when not given")
        parser.add_argument("--report", type=Path, help="write leakcheck.html and leakcheck.json into this folder")
        parser.add_argument("--document", type=Path, help="the protocol as the first process wrote it down")

    def handle(self, *args: Any, **options: Any) -> None:
        if not db.is_configured("owner"):
            raise CommandError(NEEDS_OWNER)
        try:
            if not settings.SCRATCH:
                self._in_scratch(options)
                return
            self._compare(options)
        finally:
            db.close_all()

    def _in_scratch(self, options: dict[str, Any]) -> None:
        """The clock of this process is the real one: another, which knows the scratch databases alone, plays and compares."""
        plan = current_plan()
        command = [sys.executable, "manage.py", "leakcheck", "--seed", str(options["seed"])]
        command += ["--people", str(options["people"])] if options["people"] else []
        command += ["--small"] if options["small"] else []
        command += ["--report", str(options["report"].resolve())] if options["report"] else []
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(_protocol(options["protocol"]).to_document(), file)
            file.flush()
            env = databases.environment(plan, databases.WORLD)
            done = subprocess.run([*command, "--document", file.name], cwd=settings.BASE_DIR, env=env, check=False)
        if done.returncode:
            raise CommandError("The check has not passed; what was found stands above.")

    def _compare(self, options: dict[str, Any]) -> None:
        given = options["document"]
        document = json.loads(given.read_text(encoding="utf-8")) if given else None
        protocol = Protocol.from_document(document) if document else _protocol(options["protocol"])
        people = options["people"] or (SMALL if options["small"] else PEOPLE)
        script = Script(people=people, seed=options["seed"], protocol=protocol, reports=True)
        size = Size(SMALL_ALIKE, refused=False) if options["small"] else Size(ALIKE)
        with databases.turned_to(databases.WORLD):
            plan = current_plan(frozen_clock=True)
            with databases.prepared(plan):
                self.stdout.write("The scratch database is prepared.")
                beside = comparison.other_world(plan, script, comparison.arms_of(plan, script, comparison.ONE))
                one, other = (
                    comparison.observe(plan, script, seed, size, self.stdout.write, first=beside.differ)
                    for seed in (comparison.ONE, beside.seed)
                )
                db.close_all()
        made = report.Report.of(script, size, one, other)
        if options["report"]:
            for path in report.write(made, options["report"]):
                self.stdout.write(f"wrote {path}")
        self.stdout.write(made.as_text())
        if not made.holds:
            raise CommandError(made.verdict)


def _protocol(folder: Path | None) -> Protocol:
    """The protocol of the folder, or the one that is in force in the trial of this process."""
    if folder:
        return load(folder)
    with side.opened(), db.unit_of_work(by=db.System("leakcheck")):
        if version_or_none() is None:
            raise CommandError("This trial has no protocol yet. Name one: manage.py leakcheck --protocol FOLDER")
        return current()
