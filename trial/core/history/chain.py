"""Verifying the chain of a history: pure, from its lines and its seals. It repeats what the database does when it seals, in words of its own.

A line's digest is SHA-256 of its canonical text; a seal's head is SHA-256 of its own facts, the head before it, and number and digest of
each of its lines. So a head fixes every line up to it: whoever has it on paper finds any change before it, even one of the seals themselves.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["altered", "removed", "added", "reordered", "seal", "paper"]
ENTRY = 40
"""Bytes of a line in its seal: its number (8), its digest (32)."""
FIRST_FIELD = re.compile(r"^\[\d+,")
MOST_COMPARED = 300
"""So many wrong lines are compared with each other to see whether they only changed places."""


@dataclass(frozen=True)
class Seal:
    """A seal as it is stored; ``at`` as the database writes it in JSON, in UTC."""

    number: int
    first_row: int
    last_row: int
    rows: int
    at: str
    digests: bytes
    head: str

    @property
    def entries(self) -> dict[int, bytes]:
        """The digest of each line, by number."""
        parts = (self.digests[i : i + ENTRY] for i in range(0, len(self.digests), ENTRY))
        return {int.from_bytes(part[:8], "big", signed=True): part[8:] for part in parts}

    def head_after(self, before: str, table: str) -> str:
        """What the head must be."""
        facts = "|".join(map(str, (table, self.number, self.first_row, self.last_row, self.rows, self.at, before)))
        return hashlib.sha256(facts.encode() + self.digests).hexdigest()


@dataclass(frozen=True)
class Finding:
    """What is wrong, with the line (or None) and the batch (or None) that it is about."""

    kind: Kind
    row: int | None
    batch: int | None


@dataclass
class Verified:
    """What was read, and what was found."""

    table: str
    lines: int = 0
    unsealed: int = 0
    batches: int = 0
    head: str = ""
    findings: list[Finding] = field(default_factory=list)
    redacted: dict[int, int] = field(default_factory=dict)
    """Lines that were redacted lawfully, with the number of the redaction."""


def digest(text: str) -> bytes:
    """The digest of a line."""
    return hashlib.sha256(text.encode()).digest()


def verify(
    table: str,
    lines: Iterable[tuple[int, str]],
    seals: Iterable[Seal],
    *,
    redacted: Mapping[int, tuple[int, str]] | None = None,
    paper: Mapping[int, str] | None = None,
) -> Verified:
    """Compare every line with its seal and every seal with the one before.

    ``redacted``: lines that a redaction changed, with its number and the digest (hex) since. ``paper``: heads by number of batch, as they
    were written down outside of the system.
    """
    found = Verified(table)
    sealed = _read_seals(found, seals, dict(paper or {}))
    last = max(sealed, default=0)
    wrong: dict[int, str] = {}
    seen: set[int] = set()
    for row, text in lines:
        found.lines += 1
        seen.add(row)
        if row not in sealed:
            if row > last:
                found.unsealed += 1
            else:
                wrong[row] = text
            continue
        now = digest(text)
        if now == sealed[row][0]:
            continue
        number, since = (redacted or {}).get(row, (0, ""))
        if since == now.hex():
            found.redacted[row] = number
        else:
            wrong[row] = text
    removed = [row for row in sealed if row not in seen]
    moved = _moved(wrong, removed, sealed)
    ends = sorted({batch: row for row, (_digest, batch) in sealed.items()}.items())
    for row in sorted({*wrong, *removed}):
        kind: Kind = "altered" if row in sealed else "added"
        kind = "reordered" if row in moved else "removed" if row not in seen else kind
        batch = ends[bisect_left([end for _batch, end in ends], row)][0]
        found.findings.append(Finding(kind, row, batch))
    return found


def _read_seals(found: Verified, seals: Iterable[Seal], paper: dict[int, str]) -> dict[int, tuple[bytes, int]]:
    """Digest and batch of each sealed line; what is wrong with the seals themselves goes into the findings."""
    sealed: dict[int, tuple[bytes, int]] = {}
    before, number, last_row = "", 0, 0
    for seal in seals:
        entries = seal.entries
        rows = list(entries)
        in_turn = seal.number == number + 1 and bool(rows) and rows == sorted(rows) and rows[0] > last_row
        stated = rows[:1] == [seal.first_row] and rows[-1:] == [seal.last_row] and len(rows) == seal.rows
        if not (in_turn and stated and seal.head == seal.head_after(before, found.table)):
            found.findings.append(Finding("seal", None, seal.number))
        if paper.pop(seal.number, seal.head) != seal.head:
            found.findings.append(Finding("paper", None, seal.number))
        sealed |= {row: (entry, seal.number) for row, entry in entries.items()}
        before, number, last_row = seal.head, seal.number, seal.last_row
        found.batches, found.head = found.batches + 1, seal.head
    found.findings += [Finding("paper", None, missing) for missing in paper]
    return sealed


def _moved(wrong: Mapping[int, str], removed: list[int], sealed: Mapping[int, tuple[bytes, int]]) -> set[int]:
    """The lines whose sealed content stands under another number now, and those where it stands."""
    moved: set[int] = set()
    places = [row for row in (*wrong, *removed) if row in sealed][:MOST_COMPARED]
    for row in places:
        for other, text in list(wrong.items())[:MOST_COMPARED]:
            if other != row and digest(FIRST_FIELD.sub(f"[{row},", text, count=1)) == sealed[row][0]:
                moved |= {row, other}
    return moved
