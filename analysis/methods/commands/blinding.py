"""``blinding COUNTS.csv``: the indices of James and of Bang from a table of guesses."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from analysis.methods.blinding import blinding
from analysis.methods.commands.answers import answer, unusable

NAME, HELP = "blinding", "James' and Bang's indices from counts of guesses"
COLUMNS = ("arm", "guess", "count")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is given."""
    parser.add_argument("counts", type=Path, help="CSV with the columns arm, guess (an arm or dk) and count")


def run(given: argparse.Namespace) -> int:
    """Print both indices as JSON."""
    return answer(lambda: _indices(given.counts))


def _indices(path: Path) -> object:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise unusable("command_columns", missing=tuple(missing), allowed=COLUMNS)
        counts: dict[tuple[str, str], int] = {}
        for number, row in enumerate(reader, 2):
            text, key = (row["count"] or "").strip(), (str(row["arm"]).strip(), str(row["guess"]).strip())
            if not text.isascii() or not text.isdigit():
                raise unusable("command_count", row=number, got=text)
            if key in counts:
                raise unusable("command_twice", row=number, got=" / ".join(key))
            counts[key] = int(text)
    found = blinding(counts, sorted({arm for arm, _ in counts}))
    bang = [{"arm": arm, **vars(index)} for arm, index in found.bang.items()]
    return {"guesses": found.guesses, "james": found.james, "bang": bang}
