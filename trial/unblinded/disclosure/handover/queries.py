"""Reading hand-overs, and what the upper packages know of visits to come (``settings``, dotted functions)."""

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Protocol

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from trial.core.models import User
from trial.participants.models import Participant, UnblindingReport
from trial.unblinded.disclosure.models import Handover, HandoverOrder

SETTLED = (Handover.Outcome.HANDED_OVER, Handover.Outcome.NOT_NEEDED)


class Coming(Protocol):
    """A visit that comes near, as the assessments tell it."""

    @property
    def participant(self) -> Participant: ...
    @property
    def visit(self) -> str: ...
    @property
    def first_night(self) -> dt.date: ...
    @property
    def last_night(self) -> dt.date: ...
    @property
    def interviewer(self) -> User: ...
    @property
    def pool(self) -> Sequence[User]: ...


def coming_visits(night: dt.date) -> list[Coming]:
    """The next visit of each participant, where it comes near and has not begun."""
    asked: Callable[[dt.date], list[Coming]] = import_string(settings.COMING_VISITS)
    return asked(night)


def assessor_of(participant: uuid.UUID) -> uuid.UUID | None:
    """Who assesses the participant now."""
    asked: Callable[[uuid.UUID], Any] = import_string(settings.INTERVIEWER_OF)
    found = asked(participant)
    return found.interviewer_id if found else None


def reporters(participants: Iterable[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """Who has ever reported to know the arm of each of these participants."""
    found: dict[uuid.UUID, set[str]] = {}
    rows = UnblindingReport.objects.filter(participant_id__in=list(participants))
    for participant, author in rows.values_list("participant_id", "reported_by"):
        found.setdefault(participant, set()).add(author)
    return found


def pending_orders() -> QuerySet[HandoverOrder]:
    """Orders that no night has settled. Where nobody was left the order stands, and the next night tries again."""
    settled = Handover.objects.filter(order__isnull=False, outcome__in=SETTLED).values("order_id")
    return (
        HandoverOrder.objects.exclude(pk__in=settled)
        .select_related("allocation__participant")
        .order_by("ordered_at", "id")
    )


def reports_without_order(night: dt.date) -> list[tuple[Coming, UnblindingReport]]:
    """The latest report of whoever assesses a visit that comes near, where no hand-over was ordered."""
    coming = {one.participant.pk: one for one in coming_visits(night)}
    rows = UnblindingReport.objects.filter(participant_id__in=coming).order_by("reported_at", "id")
    told = {
        row.participant_id: row for row in rows if row.reported_by == str(coming[row.participant_id].interviewer.pk)
    }
    ordered = orders_of([row.pk for row in told.values()])
    return [(coming[key], row) for key, row in told.items() if row.pk not in ordered]


def orders_of(reports: Collection[uuid.UUID]) -> dict[uuid.UUID, HandoverOrder]:
    """The order that followed each of these reports."""
    return {row.report_id: row for row in HandoverOrder.objects.filter(report_id__in=reports)}


def handovers() -> QuerySet[Handover]:
    """What the nights did, newest first."""
    return Handover.objects.select_related("allocation__participant").order_by("-done_at", "id")
