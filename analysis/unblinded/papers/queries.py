"""What reports by arm are made of: the labels, looks that were held, released runs, and who read what by arm."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from analysis.runs.people import people_of
from analysis.runs.specs import LOOK
from analysis.unblinded.models import ComparativeRun
from analysis.unblinded.papers.models import ArmLabels, ClosedPaper
from trial.core.access import Person
from trial.participants.models import Release
from trial.unblinded.disclosure.ledger import all_lines
from trial.unblinded.disclosure.models import LedgerEntry

BY_ARM = (
    "flow by arm opened",
    "guesses by arm opened",
    "serious events by arm opened",
    "look opened",
)
"""Entries of the ledger, beside those of analyses, by which somebody read outcomes by arm."""


def labels_or_none() -> ArmLabels | None:
    """How closed reports name the arms; None until it is fixed."""
    return ArmLabels.objects.first()


def unread_by(person: Person) -> list[ClosedPaper]:
    """The closed reports that this person has not opened, the newest first; what was opened stands in the ledger."""
    opened = LedgerEntry.objects.filter(actor=person.actor_id, what="closed report opened").values_list(
        "subject", flat=True
    )
    read = set(opened)
    done = ClosedPaper.objects.filter(kind=ClosedPaper.Kind.CLOSED, state="succeeded").defer("result", "content")
    return [one for one in done.order_by("-created_at", "id") if str(one.pk) not in read]


def _finished() -> Any:
    return ComparativeRun.objects.filter(state="succeeded").defer("extract").order_by("-created_at", "id")


def looks_held() -> list[ComparativeRun]:
    """Finished looks at the arms before the end, the first one first."""
    return list(reversed(_finished().filter(kind=LOOK)))


def released_runs() -> list[ComparativeRun]:
    """Of each kind of analysis and each set of people the newest run that was released, in the order in which they were started."""
    digests = set(Release.objects.values_list("payload__result_sha256", flat=True))
    found: dict[tuple[str, str], ComparativeRun] = {}
    for run in _finished().defer("extract", "result").exclude(kind=LOOK):
        if run.result_sha256 in digests:
            found.setdefault((run.kind, people_of(run.spec)), run)
    return sorted(found.values(), key=lambda run: (run.created_at, run.pk))


def run_of(run: ComparativeRun) -> dict[str, Any]:
    """A run as a report names it."""
    return {"id": str(run.pk), "kind": run.kind, "result_sha256": run.result_sha256}


def runs_named(named: list[dict[str, Any]]) -> list[ComparativeRun]:
    """The runs that a report names, in its order. ValueError where one has another result than when the report was asked for."""
    known = {str(run.pk): run for run in _finished().filter(pk__in=[one["id"] for one in named])}
    for one in named:
        if one["id"] not in known or known[one["id"]].result_sha256 != one["result_sha256"]:
            raise ValueError(f"Run {one['id']} is not the one that the report was asked for.")
    return [known[one["id"]] for one in named]


@dataclass
class Reading:
    """Somebody opened something by arm, so and so often."""

    actor: str
    what: str
    first: dt.datetime
    last: dt.datetime
    times: int = 1


def readings_by_arm() -> list[Reading]:
    """Who read comparative data, and when: by person and what it was, the first reader first."""
    found: dict[tuple[str, str], Reading] = {}
    for line in reversed(all_lines()):
        if line.kind != "analysis" and line.what not in BY_ARM:
            continue
        known = found.get((line.actor, line.what))
        if known is None:
            found[line.actor, line.what] = Reading(line.actor, line.what, line.at, line.at)
        else:
            known.last, known.times = line.at, known.times + 1
    return list(found.values())
