"""Print the one-time token for the first administrators; nothing when they exist."""

from typing import Any

from django.core.management.base import BaseCommand

from trial.core import db, side
from trial.core.access.actions import issue_setup_token

SETUP = db.System("setup")


class Command(BaseCommand):
    help = "Print a fresh one-time token for /unblinded/setup/; prints nothing when the administrators exist."

    def handle(self, *args: Any, **options: Any) -> None:
        with side.unblinded(), db.unit_of_work(by=SETUP):
            token = issue_setup_token(by=SETUP)
        db.close_all()
        if token:
            self.stdout.write(token)
