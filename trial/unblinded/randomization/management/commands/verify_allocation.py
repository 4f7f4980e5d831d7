"""Reveal the sequences and replay every allocation: with the allocator's login, after planned unblinding."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trial.core import db, side
from trial.core.errors import Refused
from trial.unblinded.randomization import actions
from trial.unblinded.randomization.models import Reveal


class Command(BaseCommand):
    help = "Replay every allocation from the revealed seed and compare it with the commitment. Exit status 1: something differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--export", type=Path, help="write what verifier.py reads: one file a sequence")

    def handle(self, *args: Any, export: Path | None, **options: Any) -> None:
        if not db.is_configured("allocator"):
            raise CommandError("This needs the allocator's login: set ALLOCATOR_DATABASE_URL.")
        try:
            with side.allocator(), db.unit_of_work(by=actions.ALLOCATOR):
                reveals: list[Reveal] = actions.verify(by=actions.ALLOCATOR)
        except Refused as refusal:
            raise CommandError(str(refusal.message)) from refusal
        finally:
            db.close_all()
        for reveal in reveals:
            name = f"Sequence {reveal.version}"
            if export:
                self._write(_file_of(export, reveal.version, of=len(reveals)), reveal)
            for difference in reveal.differences:
                self.stdout.write(f"{name}: {difference}")
            if not reveal.differences:
                self.stdout.write(f"{name}: {reveal.allocations} allocations agree with the commitment.")
        if any(reveal.differences for reveal in reveals):
            raise SystemExit(1)

    def _write(self, file: Path, reveal: Reveal) -> None:
        try:
            file.write_text(json.dumps(reveal.content, indent=1, sort_keys=True), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Written: {file}")


def _file_of(export: Path, version: int, of: int) -> Path:
    """The file itself for the one sequence there is; else one a version beside it."""
    return export if of == 1 else export.with_stem(f"{export.stem}-{version}")
