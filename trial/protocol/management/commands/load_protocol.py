"""`manage.py load_protocol FOLDER`: check a protocol folder and put it into force."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from trial.core import db
from trial.core.errors import Refused
from trial.protocol import queries
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.protocol.definition import Protocol
from trial.protocol.loader import load
from trial.protocol.predictability import price
from trial.protocol.problems import ProtocolError


class Command(BaseCommand):
    """Load a protocol. What data refer to comes from the callable that `settings.PROTOCOL_USED` names."""

    help = "Check a protocol folder and put it into force; --check only checks it, without a database."

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder, and whether only to check it."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--check", action="store_true", dest="only_check", help="check the folder, change nothing")

    def handle(self, *args: Any, folder: Path, only_check: bool, **options: Any) -> None:
        """Load or check; every problem of the folder is printed with its file and key."""
        try:
            protocol = load(folder)
        except ProtocolError as error:
            lines = [f"{folder} is refused, {len(error.problems)} problem(s):", *map(str, error.problems)]
            raise CommandError("\n".join(lines)) from None
        if only_check:
            self.stdout.write(f"{folder} is a valid protocol: {_summary(protocol)}")
            self._say_price(protocol)
            return
        try:
            with db.unit_of_work(by=db.System("load_protocol")):
                before = queries.version_or_none()
                version = load_version(protocol=protocol, used=_used(), by=db.System("load_protocol"))
        except Refused as refused:
            raise CommandError(refused.message) from None
        what = "was in force already" if before and before.pk == version.pk else "is in force now"
        self.stdout.write(f"Version {version.number} {what}: {_summary(protocol)}")
        self._say_price(protocol)

    def _say_price(self, protocol: Protocol) -> None:
        """What it costs that a coordinator sees allocations, in figures, for whoever loads such a protocol."""
        seen = [site.name for site in protocol.sites if site.coordinator_sees_allocation]
        if not seen:
            return
        cost = price(tuple(arm.ratio for arm in protocol.arms))
        larger = max(protocol.arms, key=lambda arm: arm.ratio).name
        certain, guessed, blind = (f"{float(one):.0%}" for one in (cost.certain, cost.guessed, cost.blind_guess))
        self.stdout.write(
            f"The coordinator sees allocations at: {', '.join(seen)}. The price: if the list has fixed blocks of {cost.block} and they"
            f" know it, {certain} of the next allocations there are certain before somebody is registered, and {guessed} are guessed"
            f" rightly, against {blind} by always saying {larger}. Longer or varied blocks make it less."
        )


def _used() -> Used:
    """What the data of the trial refer to, as the packages above this one say."""
    used = import_string(settings.PROTOCOL_USED)()
    if not isinstance(used, Used):
        raise CommandError(f"{settings.PROTOCOL_USED} must give a trial.protocol.changes.Used.")
    return used


def _summary(protocol: Protocol) -> str:
    return (
        f"{protocol.short_name}, {len(protocol.sites)} site(s), {len(protocol.teams)} team(s), "
        f"{len(protocol.visits)} visits, {len(protocol.instruments)} forms, sha256 {protocol.sha256[:12]}"
    )
