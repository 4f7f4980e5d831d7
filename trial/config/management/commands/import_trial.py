"""Import a published trial by playing its file through the actions."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from trial.config.worlds.btheb import Import
from trial.core import db


class Command(BaseCommand):
    help = "Play the file of a published trial through the actions; killed, the next call goes on. Demo and scratch databases only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="protocol folder with data.csv, such as protocols/btheb")
        parser.add_argument(
            "--preview", action="store_true", help="say what would happen, and what is wrong; write nothing"
        )

    def handle(self, *args: Any, folder: Path, preview: bool, **options: Any) -> None:
        played = Import(folder, self.stdout.write)
        if preview:
            for line in [*played.preview(), *played.problems]:
                self.stdout.write(line)
            return
        try:
            played.run()
        finally:
            db.close_all()
        self.stdout.write("The import is complete.")
