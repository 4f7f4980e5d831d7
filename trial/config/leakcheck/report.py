"""The report for the trial master file: what was compared, what differs, what a program cannot see. As text, HTML and JSON."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string

from trial.config.leakcheck.addresses import NOT_READ
from trial.config.leakcheck.answers import CHANCE, COOKIES
from trial.config.leakcheck.broker import CHANCE as OF_MESSAGES
from trial.config.leakcheck.channels import CHANNELS, GATES, UNSEEN
from trial.config.leakcheck.comparison import Difference, Observed, Size, differences
from trial.config.leakcheck.crawl import NOT_SENT
from trial.config.leakcheck.data import FUNCTIONS_LEFT_OUT, LEFT_OUT, SESSION_COLUMNS
from trial.config.leakcheck.script import Script, example
from trial.core import clock

SHOWN = 200
"""So many differences are printed; all of them are counted."""


@dataclass(frozen=True)
class Report:
    """What came of one check."""

    trial: str
    protocol_sha256: str
    made_at: str
    people: int
    randomized: int
    other_arm: int
    roles: tuple[str, ...]
    counts: dict[str, int]
    found: tuple[Difference, ...]

    @classmethod
    def of(cls, script: Script, size: Size, one: Observed, other: Observed) -> "Report":
        """Compare, and say what the comparison rests on."""
        protocol = script.protocol or example()
        moved = sum(other.arms.get(number) != arm for number, arm in one.arms.items())
        return cls(
            protocol.short_name,
            protocol.sha256,
            clock.now().isoformat(timespec="seconds"),
            script.people,
            len(one.arms),
            moved,
            tuple(role.code for role in size.roles),
            one.counts(),
            tuple(differences(one, other)),
        )

    @property
    def holds(self) -> bool:
        """Whether the blind is shown: nothing differs, and something could have."""
        return not self.found and self.other_arm > 0

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        if not self.other_arm:
            return "Both worlds have the same allocation, so that nothing was tested: let more people come (--people)."
        if self.found:
            return f"The blind leaks: {len(self.found)} observations of blinded people differ between two worlds that differ behind the wall alone."
        return "Everything that the blinded could read is equal in two worlds that differ behind the wall alone."

    def as_dict(self) -> dict[str, Any]:
        """Everything, for programs."""
        return {
            **asdict(self),
            "holds": self.holds,
            "verdict": self.verdict,
            "by_channel": dict(Counter(one.channel for one in self.found)),
            "channels": [asdict(one) for one in CHANNELS],
            "watched": dict(Counter(one.watch for one in CHANNELS)),
            "gates": [asdict(one) for one in GATES],
            "unseen": [{"what": what, "served_by": by} for what, by in UNSEEN],
            "left_out": LEFT_OUT_BY_KIND,
        }

    def as_text(self) -> str:
        """What the command prints."""
        counts = ", ".join(f"{n} {name}" for name, n in self.counts.items())
        moved = f"{self.other_arm} of {self.randomized} randomized people have another arm in the other world."
        lines = [f"Compared: {counts}.", moved]
        for one in self.found[:SHOWN]:
            lines += ["", f"{one.channel} differs ({one.moment}): {one.place}", one.diff]
        return "\n".join([*lines, "", self.verdict])


LEFT_OUT_BY_KIND: dict[str, dict[str, str]] = {
    "columns and relations": {**LEFT_OUT, **SESSION_COLUMNS},
    "functions": FUNCTIONS_LEFT_OUT,
    "rewritten before comparing": {
        **dict.fromkeys(CHANCE, "new in every answer"),
        **dict.fromkeys(OF_MESSAGES, "new in every message at rest in the broker"),
    },
    "cookies without their value": COOKIES,
    "addresses": NOT_READ,
    "forms not sent rightly filled": NOT_SENT,
}
"""Everything that is not compared, with its reason."""


def write(report: Report, folder: Path) -> list[Path]:
    """Write both forms of the report. Returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    given = report.as_dict()
    page = render_to_string(
        "trial/leakcheck.html",
        {**given, "found": report.found[:SHOWN], "more": len(report.found) - SHOWN},
    )
    made = {"leakcheck.json": json.dumps(given, indent=2, default=str) + "\n", "leakcheck.html": page}
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in made]
