"""Seal the allocation sequence: run behind the boundary, with the allocator's login, by somebody who does not recruit."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trial.core import db, side
from trial.core.errors import Refused
from trial.protocol.queries import current
from trial.unblinded.randomization import actions, schemes
from trial.unblinded.randomization.models import Sequence

PARAMETERS = ("block_sizes", "balance", "limit", "weights", "p")


def _weight(text: str) -> list[object]:
    factor, _equals, weight = text.partition("=")
    if not factor or not weight.isdecimal():
        raise ArgumentTypeError(f"{text}: write factor=weight, such as team=2")
    return [factor, int(weight)]


def _p(text: str) -> list[int]:
    numerator, _slash, denominator = text.partition("/")
    if not (numerator.isdecimal() and denominator.isdecimal()):
        raise ArgumentTypeError(f"{text}: write a fraction, such as 4/5")
    return [int(numerator), int(denominator)]


class Command(BaseCommand):
    help = "Seal the sequence of every stratum by a scheme, or an imported list. Prints its commitment and nothing of the sequence."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scheme", choices=schemes.NAMES, help="on the seed that two people have contributed to")
        parser.add_argument(
            "--list", type=Path, dest="file", help="a CSV file with stratum, position, arm, made elsewhere"
        )
        parser.add_argument(
            "--declared", choices=schemes.NAMES, help="the scheme that the imported list is said to follow"
        )
        parser.add_argument("--accept", action="store_true", help="seal an imported list in spite of its warnings")
        parser.add_argument("--block-sizes", type=int, nargs="+", help="each a multiple of the sum of the ratio")
        parser.add_argument("--balance", type=int, help="block urn: how often the ratio stands in the urn")
        parser.add_argument("--limit", type=int, help="big stick: the largest difference")
        parser.add_argument("--weights", type=_weight, nargs="+", help="minimization: factor=weight ...")
        parser.add_argument("--p", type=_p, help="minimization: the chance of the preferred arm, such as 4/5")
        parser.add_argument("--length", type=int, help="slots a stratum; if not given, one and a half times the trial")
        parser.add_argument(
            "--contingency", metavar="SITE", default="", help="seal the contingency sequence of this site"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["scheme"]) == bool(options["file"]):
            raise CommandError("Give either --scheme or --list.")
        if options["contingency"] and options["file"]:
            raise CommandError("A contingency sequence is sealed by a scheme, not from a list.")
        if not db.is_configured("allocator"):
            raise CommandError("This needs the allocator's login: set ALLOCATOR_DATABASE_URL.")
        try:
            with side.allocator(), db.unit_of_work(by=actions.ALLOCATOR):
                sealed = self._import(options) if options["file"] else self._seal(options)
        except (Refused, schemes.SchemeError) as refusal:
            raise CommandError(str(refusal)) from refusal
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        finally:
            db.close_all()
        self.stdout.write(f"Sealed, version {sealed.version}. SHA-256 of the commitment: {sealed.commitment}")

    def _seal(self, options: dict[str, Any]) -> Sequence:
        length = options["length"] or current().target_sample_size * 3 // 2
        scheme, site = _scheme(options["scheme"], options), options["contingency"]
        sealed: Sequence = actions.seal_sequence(scheme=scheme, length=length, for_site=site, by=actions.ALLOCATOR)
        return sealed

    def _import(self, options: dict[str, Any]) -> Sequence:
        file: Path = options["file"]
        declared = _scheme(options["declared"], options) if options["declared"] else None
        sealed: Sequence = actions.import_sequence(
            text=file.read_text(encoding="utf-8"), origin=file.name, declared=declared, accepted=options["accept"],
            by=actions.ALLOCATOR,
        )  # fmt: skip
        return sealed


def _scheme(name: str, options: dict[str, Any]) -> schemes.Scheme:
    """The scheme with the parameters that were given. Raises SchemeError for a missing one, and for one that it does not take."""
    given = {key: options[key] for key in PARAMETERS if options[key] is not None}
    return schemes.of_parameters(name, {"arms": actions.arms_of(current()).as_json(), **given})
