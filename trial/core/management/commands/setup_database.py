"""Make logins, migrate, and grant: the owner's one-shot command."""

from argparse import ArgumentParser
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from trial.core import db, side
from trial.core.database import setup


class Command(BaseCommand):
    help = "Set up the database as its owner: logins, migrations, functions, triggers, policies, grants. Safe to run again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--accept-public-catalog", action="store_true", help="go on where PUBLIC rights cannot be revoked"
        )
        parser.add_argument(
            "--frozen-clock", action="store_true", help="demo and scratch databases only: the player tells the time"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["frozen_clock"] and not (settings.DEMO or settings.SCRATCH):
            raise CommandError(
                "The clock of a real trial is not frozen: --frozen-clock is for demo and scratch databases (DEMO=1 or SCRATCH=1)."
            )
        plan = current_plan(frozen_clock=options["frozen_clock"], accept=options["accept_public_catalog"])
        try:
            with side.owner():
                left = setup.set_up(plan, _migrate, lambda step: self.stdout.write(f"setting up: {step}"))
        except setup.SetupError as error:
            raise CommandError(str(error)) from error
        except psycopg.OperationalError as error:
            raise CommandError(f"The database does not answer: {str(error).strip()}") from error
        finally:
            db.close_all()
        for right in left:
            self.stdout.write(f"left to PUBLIC: {right}")
        self.stdout.write("The database is set up.")


def current_plan(*, frozen_clock: bool = False, accept: bool = False) -> setup.Plan:
    """The plan of this process's environment. Refuses, by name, when an address is missing."""
    missing = [
        name
        for alias, name in (
            ("owner", "OWNER_DATABASE_URL"),
            ("default", "DATABASE_URL"),
            ("unblinded", "UNBLINDED_DATABASE_URL"),
            ("allocator", "ALLOCATOR_DATABASE_URL"),
        )
        if not db.is_configured(alias)
    ]
    if missing:
        raise CommandError("setup_database needs all four addresses; not set: " + ", ".join(missing))
    module = settings.RIGHTS.rpartition(".")[0]
    return setup.Plan(
        owner=_address("owner"),
        logins={alias: _address(alias) for alias in ("default", "unblinded", "allocator")},
        tables=import_string(settings.RIGHTS),
        sequences=import_string(f"{module}.SEQUENCES"),
        functions=import_string(f"{module}.FUNCTIONS"),
        views=import_string(f"{module}.VIEWS"),
        frozen_clock=frozen_clock,
        clock_offset=settings.CLOCK_OFFSET,
        accept_public_catalog=accept,
    )


def _address(alias: str) -> str:
    from psycopg.conninfo import make_conninfo

    given = settings.DATABASES[alias]
    return make_conninfo(
        host=given["HOST"] or None,
        port=given["PORT"] or None,
        user=given["USER"],
        password=given["PASSWORD"],
        dbname=given["NAME"],
    )


def _migrate() -> None:
    call_command("migrate", database="owner", verbosity=0, interactive=False)
