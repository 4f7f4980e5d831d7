"""What pages show of data queries, the work that they make, and what they hold up."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from assessments.cleaning import queries, rules
from assessments.cleaning.forms import ACCEPTANCES, ANSWERS, KINDS, STATES
from assessments.cleaning.models import DataQuery, QueryEvent
from assessments.cleaning.states import State
from trial.core.access import Person
from trial.core.access.roles import BY_CODE, ClinicianRater, Coordinator, Interviewer
from trial.core.history.queries import names_of
from trial.core.ui.parts import Change
from trial.core.ui.tables import Column, Link, Page, Table, grouped
from trial.core.ui.tables import State as Shown
from trial.core.ui.work import WorkItem, WorkList
from trial.participants.lock_checks import LockCheck
from trial.protocol.definition import Protocol
from trial.protocol.queries import NoProtocol, current

SIGNS = {State.OPEN: "due", State.ANSWERED: "waiting", State.CLOSED: "done", State.ACCEPTED: "done"}
LISTED = 100
"""So many items of work stand on the first page; the list has them all."""


def state_of(query: DataQuery) -> Shown:
    """The state of a query that was read with its state."""
    state = queries.standing(query).state
    return Shown(SIGNS[state], STATES[state])


def query_table(
    found: Iterable[DataQuery],
    protocol: Protocol,
    *,
    words: bool,
    csv_url: str = "",
    position: Page | None = None,
    caption: str = "",
    empty: str = "",
) -> Table:
    """Queries with what they are about and how far they are; ``words``: with the question itself."""
    columns = [
        Column(_("Participant"), code=True),
        Column(_("State")),
        Column(_("Raised")),
        Column(_("Visit")),
        Column(_("About")),
        Column(_("Kind")),
        *([Column(_("Question"))] if words else []),
        Column(_("Answer")),
    ]
    rows: list[list[Any]] = [
        [
            Link(grouped(one.participant.number), reverse("data_query", args=[one.pk])),
            state_of(one),
            timezone.localtime(one.raised_at).date(),
            visit_name(one, protocol),
            about(one, protocol),
            KINDS[one.kind],
            *([one.text] if words else []),
            _code(queries.standing(one).code),
        ]
        for one in found
    ]
    return Table(columns, rows, caption=caption, empty=empty, csv_url=csv_url, page=position)


def _code(code: str | None) -> str | None:
    return str({**ANSWERS, **ACCEPTANCES}.get(code, code)) if code else None


def visit_name(query: DataQuery, protocol: Protocol) -> str:
    """The name of the visit in the protocol in force."""
    return next((one.name for one in protocol.visits if one.code == query.visit), query.visit)


def about(query: DataQuery, protocol: Protocol) -> str:
    """The visit, a form, or an item of a form, in words."""
    if query.form is None:
        return _("The visit")
    form = next((one for one in protocol.instruments if one.code == query.form.instrument), None)
    if form is None:
        return query.form.instrument
    item = next((one for one in form.items if one.code == query.item), None)
    return _("%(form)s: %(item)s") % {"form": form.name, "item": item.topic} if item else form.name


def query_facts(query: DataQuery, protocol: Protocol, *, words: bool) -> list[tuple[str, Any]]:
    """What stands on the page of a query."""
    names = names_of([query.raised_by])
    role = BY_CODE[query.raised_as].title
    facts: list[tuple[str, Any]] = [
        (_("Participant"), grouped(query.participant.number)),
        (_("Visit"), visit_name(query, protocol)),
        (_("About"), about(query, protocol)),
        (_("Kind"), KINDS[query.kind]),
        (_("Raised"), query.raised_at),
        (_("Raised by"), _("%(name)s, %(role)s") % {"name": names.get(query.raised_by, query.raised_by), "role": role}),
    ]
    question = query.text if words else _("for blinded people only; the kind says what is asked")
    return [*facts, (_("Question"), question)]


def query_history(query: DataQuery, events: Iterable[QueryEvent]) -> list[Change]:
    """What became of a query, a line an event."""
    listed = list(events)
    names = names_of([query.raised_by, *(one.by for one in listed)])
    whats = {"answered": _("Answered"), "closed": _("Closed"), "reopened": _("Reopened"), "accepted": _("Accepted")}
    lines = [Change(query.raised_at, names.get(query.raised_by, query.raised_by), _("Raised"))]
    for one in listed:
        said = _code(one.code) or ""
        if one.amendment is not None:
            said = _("%(said)s (amendment %(n)d)") % {"said": said, "n": one.amendment.number}
        lines.append(Change(one.at, names.get(one.by, one.by), whats[one.what], "", said))
    return lines


def work_for(person: Person) -> list[WorkList]:
    """Queries to answer, and answers to look at."""
    try:
        protocol = current()
    except NoProtocol:
        return []
    lists = []
    if person.holds(*rules.ASKERS):
        own = [role.code for role in rules.ASKERS if person.holds(role)]
        answered = queries.in_state(queries.with_state().filter(raised_as__in=own), State.ANSWERED)
        empty = _("Queries appear here when somebody has answered them.")
        lists.append(WorkList(_("Answers to your queries"), _items(answered, protocol, _("Look at the answer")), empty))
    if person.holds(Interviewer, Coordinator, ClinicianRater):
        waiting = queries.in_state(queries.visible_to(person), State.OPEN)
        empty = _("Questions of the data manager and the monitor appear here.")
        lists.append(WorkList(_("Queries to answer"), _items(waiting, protocol, _("Answer the query")), empty))
    return lists


def _items(found: QuerySet[DataQuery], protocol: Protocol, verb: str) -> list[WorkItem]:
    return [
        WorkItem(
            _("%(verb)s about %(number)s, %(visit)s")
            % {"verb": verb, "number": grouped(one.participant.number), "visit": visit_name(one, protocol)},
            reverse("data_query", args=[one.pk]),
            _("%(about)s. %(kind)s") % {"about": about(one, protocol), "kind": KINDS[one.kind]},
            "due",
            timezone.localtime(queries.standing(one).at or one.raised_at).date(),
        )
        for one in found[:LISTED]
    ]


def lock_check() -> LockCheck | None:
    """The queries that are neither closed nor accepted: the database is not locked over them."""
    found = list(queries.unsettled())
    if not found:
        return None
    table = query_table(found, current(), words=True, caption=_("Queries that are not settled"))
    return LockCheck(_("Queries"), table, reverse("accept_queries"), _("Accept them as they are"))
