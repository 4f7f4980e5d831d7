"""What is joined to a snapshot, person by person: the arm and what followed from it. Pure; it knows not where the values come from.

On the open side they are drawn by lot (``rehearsal``), behind the wall they come from ``analysis.unblinded.assembly``, THE one join.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields

from analysis.methods.admissions import Stay
from analysis.methods.nonrandomized import Exposure


@dataclass(frozen=True)
class Joined:
    """One person. None: not known, or not joined in this run."""

    arm: str
    group: str | None = None
    attended: int | None = None
    completed: bool | None = None
    fidelity_band: str | None = None
    admitted_before: bool | None = None
    days_before: int | None = None
    admitted_after: bool | None = None
    days_after: int | None = None
    wrong_treatment: bool | None = None
    """True, or None: an event that may reveal an arm, known behind the wall only."""
    event_visit: str | None = None
    """The first planned visit after the program was stopped, or never begun; None also of those who did neither."""
    dead_from: str | None = None
    """The first planned visit after death."""
    entry: int | None = None
    """The place in the order of all allocations."""

    def as_exposure(self) -> Exposure:
        """For comparisons of groups that were formed after randomization."""
        return Exposure(self.arm, self.attended, self.completed, self.fidelity_band)

    def as_stay(self, experimental: str) -> Stay:
        """For the analysis of admissions."""
        mine = self.arm == experimental
        return Stay(mine, self.admitted_before, self.days_before, self.admitted_after, self.days_after)


def arms_of(joined: Mapping[str, Joined]) -> dict[str, str]:
    """The arm of each person."""
    return {number: person.arm for number, person in joined.items()}


def as_csv(joined: Mapping[str, Joined], *, marked: str = "") -> bytes:
    """The join in the order of numbers: the arm, and those other columns that anybody has a value in. Equal joins give equal bytes.

    ``marked``: what the arms are, on each line, in a column ``arms``.
    """
    columns = [f.name for f in fields(Joined)]
    rows = {number: dict(zip(columns, astuple(person), strict=True)) for number, person in sorted(joined.items())}
    used = [c for c in columns if c == "arm" or any(row[c] is not None for row in rows.values())]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    more = [["arms"], [marked]] if marked else [[], []]
    writer.writerow(["participant", *used, *more[0]])
    writer.writerows([number, *(_text(row[c]) for c in used), *more[1]] for number, row in rows.items())
    return out.getvalue().encode()


def _text(value: object) -> str:
    return "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)
