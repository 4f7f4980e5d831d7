"""Play a demo world from an empty database."""

import datetime as dt
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string
from psycopg import sql

from trial.config.worlds import btheb, imr, pair, stage
from trial.core import db
from trial.core.management.commands.setup_database import current_plan

PROTOCOLS = settings.BASE_DIR / "protocols"
FOLDERS = {**dict.fromkeys(imr.WORLDS, "imr"), "btheb": "btheb"}
"""The protocol of each world."""


class Command(BaseCommand):
    help = "Play a demo world from an empty database; once complete, nothing changes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--world", default=settings.WORLD, help=f"{', '.join(FOLDERS)}; EQUIPOISE_WORLD when not given"
        )
        parser.add_argument("--protocol", type=Path, help="folder of the protocol; the world's own when not given")
        parser.add_argument("--plan", type=Path, help="folder of the analysis plan; the world's own when not given")
        parser.add_argument("--processes", type=int, choices=(1, 2), default=2, help="how many play an IMR world")
        parser.add_argument("--site", help="play this site beside the process that started this one")

    def handle(
        self,
        *args: Any,
        world: str,
        protocol: Path | None,
        plan: Path | None,
        processes: int,
        site: str | None,
        **options: Any,
    ) -> None:
        stage.refuse_outside_demo("play_demo")
        if world not in FOLDERS:
            raise CommandError(f"{world} is no demo world. Choose one of: {', '.join(FOLDERS)}.")
        folder = protocol or PROTOCOLS / FOLDERS[world]
        if site:
            self._play_second(world, folder, site)
            return
        if (stage.world_folder(world) / "complete").exists():
            self.stdout.write("The world is complete; nothing was changed.")
            return
        began = time.monotonic()
        try:
            ends_at = self._play_btheb(folder) if world == "btheb" else self._play_imr(world, folder, plan, processes)
            stage.leave_clock_at(ends_at, world)
        finally:
            db.close_all()
        (stage.world_folder(world) / "complete").touch()
        self.stdout.write(f"Played in {time.monotonic() - began:.0f} s.")

    def _play_btheb(self, folder: Path) -> dt.datetime:
        """A killed import goes on where it stopped."""
        played = btheb.Import(folder, self.stdout.write)
        played.run()
        return played.ends_at

    def _play_imr(self, world: str, folder: Path, plan: Path | None, processes: int) -> dt.datetime:
        """A killed play begins anew. The plan lies beside the protocol, but for a world that has one of its own."""
        start_over()
        own = imr.WORLDS[world].plan
        plan = plan or (folder if own == FOLDERS[world] else PROTOCOLS / own)
        if processes == 1:
            pair.play_alone(world, folder, plan, self.stdout.write)
        else:
            pair.play(world, folder, plan, self.stdout.write)
        return imr.WORLDS[world].until

    def _play_second(self, world: str, folder: Path, site: str) -> None:
        try:
            pair.play_second(world, folder, site, sys.stdin, sys.stdout)
        finally:
            db.close_all()


def start_over() -> None:
    """Empty a demo database whose play was cut off. As its owner, with triggers off: there is no history of nobody.

    Refuses a database that holds anything which the player did not begin, whatever the environment says it is.
    """
    plan = current_plan(frozen_clock=True)
    kept = {"core_login", "core_rolesiderow"}
    tables = [
        name for name, table in import_string(settings.RIGHTS).items() if table.side != "owner" and name not in kept
    ]
    with psycopg.connect(plan.owner, autocommit=True) as owner, owner.transaction():
        first = owner.execute("select loaded_by from protocol_protocolversion order by number limit 1").fetchone()
        users = owner.execute("select exists (select 1 from core_user)").fetchone()
        is_players = first[0] == stage.PLAYER.actor_id if first else not (users and users[0])
        if not is_players:
            raise CommandError(
                "This database holds a trial that no player began. Nothing was done; choose another VAR."
            )
        owner.execute("set local session_replication_role = replica")
        owner.execute(sql.SQL("; ").join(sql.SQL("delete from {}").format(sql.Identifier(name)) for name in tables))
