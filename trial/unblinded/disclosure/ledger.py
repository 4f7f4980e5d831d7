"""The ledger as one list: roles behind the wall from when to when, pages and names that were read, codes broken, gates passed.

Source: ICH E6(R3) 4.1.2 (access to unblinded information is documented) and 4.1.4 (so is any unblinding, planned, unplanned or in an emergency).
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext_lazy

from trial.core.access.roles import BY_CODE
from trial.core.models import ANY_SITE, Membership
from trial.core.ui.text import Text
from trial.participants.models import Participant
from trial.unblinded.disclosure.models import CodeBreakReason, LedgerEntry, Reading

KINDS: dict[str, Text] = {
    "role": gettext_lazy("Role behind the wall"),
    "page": gettext_lazy("Page opened"),
    "names": gettext_lazy("Names read"),
    "code": gettext_lazy("Code broken"),
    "handover": gettext_lazy("Hand-over ordered"),
    "analysis": gettext_lazy("Comparative analysis"),
    "gate": gettext_lazy("Planned unblinding and release"),
}
"""What a line of the ledger is, by code."""
KIND_OF: dict[str, str] = {
    "code broken": "code",
    "code-break refused": "code",
    "reason of a code-break given": "code",
    "hand-over ordered": "handover",
    "planned unblinding confirmed": "gate",
    "result released": "gate",
    "comparative run started": "analysis",
    "comparative result opened": "analysis",
    "report by arm asked for": "analysis",
    "closed report opened": "analysis",
    "final report opened": "analysis",
}
"""The kind of an entry, by its text; of any other a page was opened."""


@dataclass(frozen=True)
class Line:
    """Somebody had access to something behind the wall, at ``at`` or from then ``until``."""

    at: dt.datetime
    actor: str
    kind: str
    what: str
    """A role's code, the text of an entry, or the code of a page with names."""
    about: str = ""
    until: dt.datetime | None = None
    participants: tuple[str, ...] = ()
    words: str = ""

    @property
    def day(self) -> dt.date:
        """The day in the trial's time zone."""
        return timezone.localtime(self.at).date()


@dataclass(frozen=True)
class Wanted:
    """Which lines: of one person, of one kind, of one participant, from a day to a day. Nothing given: all."""

    person: str = ""
    kind: str = ""
    participant: str = ""
    first: dt.date | None = None
    last: dt.date | None = None

    def takes(self, line: Line) -> bool:
        """A role counts for every day on which it was held."""
        end = timezone.localtime(line.until).date() if line.until else None
        reaches = line.kind == "role" and (end is None or self.first is None or end >= self.first)
        return (
            self.person in ("", line.actor)
            and self.kind in ("", line.kind)
            and (not self.participant or self.participant in line.participants)
            and (self.first is None or line.day >= self.first or reaches)
            and (self.last is None or line.day <= self.last)
        )


def all_lines() -> list[Line]:
    """Everything, newest first."""
    found = [*_roles(), *_entries(), *_names()]
    return sorted(found, key=lambda line: (line.at, line.actor, line.what), reverse=True)


def lines(wanted: Wanted, listed: Iterable[Line]) -> list[Line]:
    """The lines that are wanted, in their order."""
    return [line for line in listed if wanted.takes(line)]


def _roles() -> list[Line]:
    """Roles of the unblinded side in force, or once in force."""
    codes = [code for code, role in BY_CODE.items() if role.side == "unblinded"]
    rows = Membership.objects.filter(role__in=codes, confirmed_at__isnull=False)
    return [
        Line(
            row.confirmed_at, str(row.user_id), "role", row.role, "" if row.site == ANY_SITE else row.site, row.ended_at
        )
        for row in rows
        if row.confirmed_at is not None
    ]


def _entries() -> list[Line]:
    reasons: dict[tuple[str, str], list[tuple[dt.datetime, str]]] = {}
    told = CodeBreakReason.objects.order_by("given_at").values_list(
        "given_by", "code_break__allocation__participant__number", "given_at", "words"
    )
    for actor, number, at, words in told:
        reasons.setdefault((actor, number), []).append((at, words))
    found = []
    for row in LedgerEntry.objects.order_by("at", "id"):
        numbers = tuple(part for part in row.subject.split() if len(part) == 8 and part.isdecimal())
        waiting = reasons.get((row.actor, row.subject), []) if row.what == "reason of a code-break given" else []
        words = waiting.pop(0)[1] if waiting else ""
        kind = KIND_OF.get(row.what, "page")
        found.append(Line(row.at, row.actor, kind, row.what, row.subject, participants=numbers, words=words))
    return found


def _names() -> list[Line]:
    rows = list(Reading.objects.order_by("at", "id"))
    keys = {uuid.UUID(key) for row in rows for key in row.participants}
    numbers = {str(key): number for key, number in Participant.objects.filter(pk__in=keys).values_list("pk", "number")}
    found = []
    for row in rows:
        shown = tuple(sorted(numbers[key] for key in row.participants if key in numbers))
        found.append(Line(row.at, row.reader, "names", row.page, " ".join(shown), participants=shown))
    return found
