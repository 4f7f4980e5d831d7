"""Who takes part in an analysis: everybody randomized, or those without errors of randomization (a sensitivity analysis). Pure."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from analysis.runs.joined import Joined
from analysis.snapshots.extract import ERRORS

EVERYBODY, WITHOUT_ERRORS = "randomized", "without_errors"
"""Sets of people; a frozen specification that names none means everybody."""


def people_of(frozen: Mapping[str, Any]) -> str:
    """The set that a frozen specification asks for."""
    return str(frozen.get("people", EVERYBODY))


def left_out(content: bytes, joined: Mapping[str, Joined], frozen: Mapping[str, Any]) -> list[str]:
    """The numbers of those who are not in the set: an error of randomization stands, or the wrong treatment was given."""
    if people_of(frozen) == EVERYBODY:
        return []
    rows = csv.DictReader(io.StringIO(content.decode()))
    flagged = {row["participant"] for row in rows if row.get(ERRORS)}
    return sorted(flagged | {number for number, one in joined.items() if one.wrong_treatment})


def without(content: bytes, numbers: list[str]) -> bytes:
    """The table without these people; the same bytes where there is nobody to leave out."""
    if not numbers:
        return content
    lines = list(csv.reader(io.StringIO(content.decode())))
    place = lines[0].index("participant")
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [lines[0], *(row for row in lines[1:] if row[place] not in set(numbers))]
    )
    return out.getvalue().encode()
