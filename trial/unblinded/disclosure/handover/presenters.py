"""Hand-overs in words: what the nights did and why, for the unblinded side alone."""

import uuid
from collections.abc import Iterable, Mapping

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core import clock
from trial.core.access import Person
from trial.core.access.roles import UnblindedDataManager
from trial.core.history.queries import names_of
from trial.core.ui.tables import Column, Link, Page, State, Table, grouped, shown
from trial.core.ui.work import WorkItem, WorkList
from trial.participants.models import UnblindingReport
from trial.protocol.definition import Protocol
from trial.unblinded.disclosure.handover import queries
from trial.unblinded.disclosure.models import Handover, HandoverOrder

RESULTS = {
    Handover.Outcome.HANDED_OVER.value: ("done", gettext_lazy("Handed over")),
    Handover.Outcome.NOBODY_LEFT.value: ("blocked", gettext_lazy("Nobody left: the same interviewer goes on")),
    Handover.Outcome.NOT_NEEDED.value: ("info", gettext_lazy("Not needed: somebody else was assigned already")),
}
"""What a night made of an order or a draw, by its code."""


def work_for(person: Person) -> list[WorkList]:
    """Reports of people who are about to assess the participant again."""
    if not person.holds(UnblindedDataManager):
        return []
    items = [
        WorkItem(
            _("Order a hand-over of participant %(number)s") % {"number": grouped(one.participant.number)},
            reverse("handover_order", args=[report.pk]),
            one.interviewer.full_name,
            "due",
            one.last_night,
        )
        for one, report in queries.reports_without_order(clock.today())
    ]
    empty = _("When an interviewer who was told an arm is about to assess the participant again, it appears here.")
    return [WorkList(_("Hand-overs"), items, empty=empty)]


def handover_table(
    rows: Iterable[Handover], protocol: Protocol | None, csv_url: str = "", position: Page | None = None
) -> Table:
    """What the nights did."""
    listed = list(rows)
    names = names_of(str(key) for row in listed for key in (row.before, row.after) if key)
    visits = {visit.code: visit.name for visit in protocol.visits} if protocol else {}
    columns = [
        Column(_("Night")), Column(_("Participant"), code=True), Column(_("Next visit")), Column(_("Why")), Column(_("Result")),
        Column(_("From")), Column(_("To")),
    ]  # fmt: skip
    cells = [
        [
            row.night, grouped(row.allocation.participant.number), visits.get(row.visit, row.visit),
            _("Ordered") if row.order_id else _("By lot"), State(*RESULTS[row.outcome]),
            names.get(str(row.before), ""), names.get(str(row.after), ""),
        ]
        for row in listed
    ]  # fmt: skip
    empty = _("Hand-overs appear here on the morning after they were written.")
    return Table(columns, cells, caption=_("Written at night"), empty=empty, csv_url=csv_url, page=position)


def order_table(orders: Iterable[HandoverOrder]) -> Table:
    """Orders that wait for a night on which the participant's next visit comes near."""
    listed = list(orders)
    names = names_of([*(str(one.assessor) for one in listed), *(one.ordered_by for one in listed)])
    columns = [
        Column(_("Participant"), code=True),
        Column(_("Assessed by")),
        Column(_("Ordered")),
        Column(_("Ordered by")),
    ]
    cells = [
        [
            grouped(one.allocation.participant.number), names.get(str(one.assessor), ""), one.ordered_at,
            names.get(one.ordered_by, one.ordered_by),
        ]
        for one in listed
    ]  # fmt: skip
    return Table(columns, cells, caption=_("Waiting"), empty=_("No order waits."))


def cell_of(
    report: UnblindingReport, orders: Mapping[uuid.UUID, HandoverOrder], pending: set[uuid.UUID], *, may_order: bool
) -> Link | str | None:
    """What the list of reports says of the hand-over that followed a report, or where to order it."""
    order = orders.get(report.pk)
    if order is None:
        return Link(_("Order a hand-over"), reverse("handover_order", args=[report.pk])) if may_order else None
    if order.pk in pending:
        return _("Ordered on %(day)s") % {"day": shown(order.ordered_at.date())}
    return _("Settled")
