"""Seal the allocation sequence: run behind the boundary, with the allocator's login, by somebody who does not recruit."""

import secrets
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trial.core import db, side
from trial.core.errors import Refused
from trial.protocol.queries import current
from trial.unblinded.randomization import actions


class Command(BaseCommand):
    help = "Seal the sequence of every stratum by permuted blocks, or an imported list. Prints its SHA-256 and nothing of the sequence."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--block-sizes", type=int, nargs="+", help="several sizes, each a multiple of the sum of the ratio"
        )
        parser.add_argument(
            "--length",
            type=int,
            help="slots a stratum; if not given, enough for one and a half times the trial in any stratum",
        )
        parser.add_argument(
            "--list", type=Path, dest="file", help="a CSV file with stratum, position, arm, made elsewhere"
        )

    def handle(
        self, *args: Any, block_sizes: list[int] | None, length: int | None, file: Path | None, **options: Any
    ) -> None:
        if bool(block_sizes) == bool(file):
            raise CommandError("Give either --block-sizes or --list.")
        if not db.is_configured("allocator"):
            raise CommandError("This needs the allocator's login: set ALLOCATOR_DATABASE_URL.")
        try:
            with side.allocator(), db.unit_of_work(by=actions.ALLOCATOR):
                if file:
                    text = file.read_text(encoding="utf-8")
                    sealed = actions.import_sequence(text=text, origin=file.name, by=actions.ALLOCATOR)
                else:
                    slots = length or current().target_sample_size * 3 // 2
                    seed = secrets.token_bytes(32)
                    sealed = actions.seal_sequence(
                        seed=seed, sizes=block_sizes or [], length=slots, by=actions.ALLOCATOR
                    )
        except Refused as refusal:
            raise CommandError(str(refusal.message)) from refusal
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        finally:
            db.close_all()
        self.stdout.write(f"Sealed, version {sealed.version}. SHA-256 of the sequence: {sealed.sha256}")
