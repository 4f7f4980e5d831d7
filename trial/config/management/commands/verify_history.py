"""Verify the sealed histories, as the owner."""

from argparse import ArgumentParser
from collections import defaultdict
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from trial.core import db, side
from trial.core.history.chain import Finding, Verified
from trial.core.history.sealed import verified

HISTORIES = {
    "open": ("core.History", "core.HistorySeal"),
    "unblinded": ("unblinded_disclosure.UnblindedHistory", "unblinded_disclosure.UnblindedHistorySeal"),
    "concealed": ("unblinded_randomization.ConcealedHistory", "unblinded_randomization.ConcealedHistorySeal"),
}
SAID = {
    "altered": "was altered after it was sealed",
    "removed": "was removed after it was sealed",
    "added": "was added among lines that were sealed before",
    "reordered": "changed places with another one",
    "seal": "the seal itself was changed, removed or added",
    "paper": "has not the head that was written down on paper",
}
SHOWN = 50
"""So many findings of a history are printed one by one."""


class Command(BaseCommand):
    help = "Verify every line of the histories against its seal. Status 1 if a line or a seal was altered, removed, added or reordered."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--paper",
            nargs=3,
            action="append",
            default=[],
            metavar=("HISTORY", "BATCH", "HEAD"),
            help="a head that was written down: open|unblinded|concealed, its batch, its 64 digits",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not db.is_configured("owner"):
            raise CommandError("verify_history reads as the owner of the database: set OWNER_DATABASE_URL.")
        paper: dict[str, dict[int, str]] = defaultdict(dict)
        for history, batch, head in options["paper"]:
            if history not in HISTORIES or not batch.isdecimal():
                raise CommandError(f"--paper takes {', '.join(HISTORIES)}, the number of a batch, and its head.")
            paper[history][int(batch)] = "".join(head.split()).lower()
        wrong = 0
        with side.owner(), db.atomic():
            for name, (source, seals) in HISTORIES.items():
                found = verified(apps.get_model(source), apps.get_model(seals), paper[name])
                self._say(name, found)
                wrong += len(found.findings)
        if wrong:
            raise CommandError(f"The histories are not as they were sealed: {wrong} findings.")
        self.stdout.write("Every sealed line is as it was sealed.")

    def _say(self, name: str, found: Verified) -> None:
        self.stdout.write(
            f"{name} history: {found.lines} lines in {found.batches} batches, {found.unsealed} not sealed yet;"
            f" head {found.head or 'none'}"
        )
        for row, number in found.redacted.items():
            self.stdout.write(f"  {found.table} line {row}: redacted, lawfully, number {number}")
        for one in found.findings[:SHOWN]:
            self.stdout.write(f"  {found.table} {_place(one)}: {SAID[one.kind]}")
        if len(found.findings) > SHOWN:
            self.stdout.write(f"  and {len(found.findings) - SHOWN} more")


def _place(one: Finding) -> str:
    batch = "in no batch" if one.batch is None else f"batch {one.batch}"
    return batch if one.row is None else f"line {one.row} ({batch})"
