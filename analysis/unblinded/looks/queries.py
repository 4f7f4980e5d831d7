"""What is known of looks: those that were held, whether the next is due, and what stopping could still save."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from analysis.methods.design import read_table
from analysis.methods.problems import Refused as MethodRefused
from analysis.methods.words import in_words
from analysis.plans.calendar import planned_day
from analysis.plans.definition import Look as Planned
from analysis.plans.definition import Plan
from analysis.runs.blinded import blinded, frozen_blinded
from analysis.snapshots.models import Snapshot
from analysis.snapshots.queries import content_of, snapshots
from analysis.unblinded.models import ComparativeRun, Look, LookRequest, LookResult, Recommendation
from assessments.visits.queries import visit_lines
from assessments.visits.schedule import CLOSED
from trial.core import clock
from trial.core.ui.tables import shown
from trial.participants.queries import everybody, randomized_by_day
from trial.protocol.definition import Protocol
from trial.protocol.queries import protocol_of
from trial.unblinded.disclosure.models import LedgerEntry


@dataclass(frozen=True)
class Trigger:
    """Whether a planned look is due, and why."""

    met: bool
    words: str


def newest_snapshot() -> Snapshot | None:
    """The newest frozen data: a look takes these and no others."""
    return snapshots().select_related("protocol_version").first()


def results() -> list[LookResult]:
    """The looks that were held, in their order."""
    return list(LookResult.objects.select_related("look").order_by("look__number"))


def earlier() -> list[dict[str, Any]]:
    """The looks that were held, as the specification of the next one names them; by information, which rises from look to look."""
    rows = LookResult.objects.select_related("look").order_by("information")
    return [
        {
            "number": row.look.number, "code": row.look.code, "planned": row.look.code != "", "information": row.information,
            "fraction": row.fraction, "z": row.z, "bound": row.bound, "alpha": row.alpha,
        }
        for row in rows
    ]  # fmt: skip


def newest_run(look: Look) -> ComparativeRun | None:
    """The run of a look; a later one took the place of one that failed or was canceled."""
    return look.runs.order_by("-created_at", "id").first()


def is_running() -> bool:
    """Whether a look is under way."""
    return ComparativeRun.objects.filter(kind="look", state__in=("queued", "running", "cancelling")).exists()


def waiting_requests() -> list[LookRequest]:
    """Requests that nobody has begun, oldest first."""
    return list(LookRequest.objects.filter(look=None).order_by("number"))


def recommendations(look: Look) -> list[Recommendation]:
    """What the committee wrote about a look, newest first."""
    return list(look.recommendations.prefetch_related("signatures").order_by("-number"))


def sealed(look: Look) -> Recommendation | None:
    """The recommendation about a look that the chair signed."""
    return look.recommendations.filter(signatures__capacity="chair").first()


def trigger_of(planned: Planned, plan: Plan, snapshot: Snapshot | None) -> Trigger:
    """Whether a planned look is due on these frozen data. No arm is read for it (ADR 28)."""
    if plan.looks is None or snapshot is None:
        return Trigger(False, _("A look needs frozen data. The data manager makes a snapshot."))
    if plan.looks.timing == "calendar":
        return _by_calendar(planned.at, snapshot)
    return _by_information(planned.at, plan, snapshot)


def _by_calendar(months: float, snapshot: Snapshot) -> Trigger:
    curve = randomized_by_day()
    if not curve:
        return Trigger(False, _("Nobody has been randomized yet."))
    due = planned_day(curve[0][0], months)
    day = {"day": shown(due)}
    if clock.today() < due:
        return Trigger(False, _("Due on %(day)s, by the date of the first participant.") % day)
    if timezone.localtime(snapshot.made_at).date() < due:
        return Trigger(
            False, _("Due since %(day)s. The newest snapshot is older; the data manager makes another.") % day
        )
    return Trigger(True, _("Due since %(day)s, by the date of the first participant.") % day)


def _by_information(at: float, plan: Plan, snapshot: Snapshot) -> Trigger:
    protocol = protocol_of(snapshot.protocol_version)
    try:
        found = blinded(read_table(content_of(snapshot.pk, snapshot.sha256)), frozen_blinded(protocol, plan))
    except MethodRefused as refusal:
        return Trigger(False, " ".join(in_words(problem) for problem in refusal.problems))
    said = {"share": f"{found.share or 0:.2f}", "at": f"{at:g}", "people": found.people}
    words = (
        _("Information reached, without arms: %(share)s of the maximum, planned at %(at)s; %(people)s people.") % said
    )
    return Trigger((found.share or 0) >= at, words)


def stopping_saves(protocol: Protocol) -> dict[str, int]:
    """What stopping now could still save, in counts of the open side: people not randomized yet, and visits still to come."""
    today = clock.today()
    people = list(everybody().filter(randomized_at__isnull=False))
    to_come = sum(
        line.state not in CLOSED for line in visit_lines(people, protocol, today) if not line.visit.is_baseline
    )
    missing = max(protocol.target_sample_size - len(people), 0)
    return {
        "randomized": len(people), "target": protocol.target_sample_size, "to_randomize": missing,
        "visits": to_come, "visits_of_the_missing": missing * len(protocol.follow_ups),
    }  # fmt: skip


def readings(look: Look) -> list[tuple[str, dt.datetime, int]]:
    """Who opened the result of a look, when first, and how often; the first reader first."""
    rows = LedgerEntry.objects.filter(what="look opened", subject=str(look.number)).values_list("actor")
    found = rows.annotate(first=Min("at"), times=Count("id")).order_by("first")
    return [(actor, first, times) for actor, first, times in found]
