"""Contribute a share of the seed: run behind the boundary, with the unblinded login, by somebody who does not recruit."""

from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trial.core import db, side
from trial.core.access import person_of
from trial.core.errors import Refused
from trial.core.models import User
from trial.unblinded.randomization import actions


class Command(BaseCommand):
    help = "Contribute a share of the seed, in your own name. Asks for your password; prints the receipt and not the share."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="your user name")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        if not db.is_configured("unblinded"):
            raise CommandError("This needs the unblinded login: set UNBLINDED_DATABASE_URL.")
        password = getpass("Your password: ")
        try:
            with side.unblinded():
                with db.unit_of_work(by=db.System("contribute_share")):
                    user = User.objects.filter(username=username, is_active=True).first()
                    person = person_of(user) if user is not None else None
                if person is None:
                    raise CommandError(f"There is no account {username}.")
                with db.unit_of_work(by=person):
                    receipt = actions.contribute_share(password=password, by=person)
        except Refused as refusal:
            raise CommandError(str(refusal.message)) from refusal
        finally:
            db.close_all()
        self.stdout.write(f"Contributed. Receipt, SHA-256 of your share: {receipt}")
