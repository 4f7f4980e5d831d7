"""``pool ESTIMATES.csv [--df-complete D]``: the estimates of several imputations as one, by Rubin's rules."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from analysis.methods.commands.answers import answer, nearest, unusable
from analysis.methods.pooling import pool

NAME, HELP = "pool", "estimates of several imputations as one, by Rubin's rules"
COLUMNS = ("estimate", "se")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is given."""
    parser.add_argument("estimates", type=Path, help="CSV with the columns estimate and se, one row an imputation")
    parser.add_argument("--df-complete", metavar="D", help="degrees of freedom of the complete data (Barnard-Rubin)")


def run(given: argparse.Namespace) -> int:
    """Print the pooled estimate as JSON."""
    return answer(lambda: _pooled(given.estimates, given.df_complete))


def _pooled(path: Path, df_complete: str | None) -> object:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns = [str(name) for name in reader.fieldnames or ()]
        for name in COLUMNS:
            if name not in columns and (near := nearest(name, columns)):
                raise unusable("command_column_like", missing=name, nearest=near, allowed=COLUMNS)
        missing = [name for name in COLUMNS if name not in columns]
        if missing:
            raise unusable("command_columns", missing=tuple(missing), allowed=COLUMNS)
        rows = [[_number(f"row {n}, {name}", row[name]) for name in COLUMNS] for n, row in enumerate(reader, 2)]
    complete = None if df_complete is None else _number("--df-complete", df_complete)
    return pool([row[0] for row in rows], [row[1] for row in rows], df_complete=complete)


def _number(key: str, text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        raise unusable("command_number", key=key, got=(text or "").strip()) from None
