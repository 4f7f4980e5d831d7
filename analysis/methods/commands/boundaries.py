"""``boundaries``: bounds of a group-sequential test by spent alpha, from the design or from actual information."""

from __future__ import annotations

import argparse

from analysis.methods.commands.answers import answer, nearest, unusable
from analysis.methods.problems import Refused
from analysis.methods.sequential import boundaries
from analysis.methods.spending import FORMS, Spending, read_spending

NAME, HELP = "boundaries", "group-sequential efficacy bounds by spent alpha"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is given. Numbers are read by `run`, so that what is wrong with them is one sentence."""
    parser.add_argument("--alpha", required=True, help="type-I error of the whole test, two-sided with --sides 2")
    parser.add_argument("--sides", required=True, help="1 or 2")
    parser.add_argument("--info", required=True, metavar="I,I", help="information at the looks, in order")
    parser.add_argument("--spending", required=True, metavar="FUNCTION", help=" | ".join(FORMS))
    parser.add_argument("--imax", default="1", metavar="I", help="maximum information, in the units of --info (1)")
    parser.add_argument("--spent", default="", metavar="A,A", help="cumulative alpha at the looks already held")
    parser.add_argument("--final", action="store_true", help="the last look is the final analysis: it spends all")


def run(given: argparse.Namespace) -> int:
    """Print z, nominal p and cumulative alpha of each look as JSON."""
    return answer(lambda: _looks(given))


def _looks(given: argparse.Namespace) -> object:
    if given.sides not in ("1", "2"):
        raise unusable("command_sides", got=given.sides)
    bounds = boundaries(
        _number("--alpha", given.alpha),
        1 if given.sides == "1" else 2,
        _numbers("--info", given.info),
        _spending(given.spending),
        maximum=_number("--imax", given.imax),
        spent=_numbers("--spent", given.spent) if given.spent else (),
        final=given.final,
    )
    return {
        "information": [bound.information for bound in bounds],
        "fraction": [bound.fraction for bound in bounds],
        "z": [bound.z for bound in bounds],
        "nominal_p": [bound.nominal_p for bound in bounds],
        "cumulative_alpha": [bound.cumulative_alpha for bound in bounds],
    }


def _spending(text: str) -> Spending:
    try:
        return read_spending(text)
    except Refused as refusal:
        near = nearest(text.partition(":")[0], ("obf", "pocock", "hsd", "kd"))
        if refusal.problems[0].code != "spending_unknown" or not near:
            raise
        meant = next(form for form in FORMS if form.startswith(near))
        raise unusable("command_spending", got=text, nearest=meant, allowed=FORMS) from None


def _numbers(key: str, text: str) -> list[float]:
    return [_number(key, part) for part in text.split(",")]


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise unusable("command_number", key=key, got=text.strip()) from None
