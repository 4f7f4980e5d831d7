"""Asking about what was entered, answering, and settling. A query is never changed: each step is an event."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

from django.utils.translation import gettext as _

from assessments.cleaning import queries, rules
from assessments.cleaning.models import DataQuery, QueryEvent
from assessments.cleaning.states import State, after
from assessments.entry.actions import amend_form
from assessments.entry.models import Amendment, Form
from assessments.entry.queries import definition_of
from trial.core import db
from trial.core.access import Person
from trial.core.access.roles import DataManager, Monitor
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants.actions import refuse_if_locked
from trial.participants.models import Participant
from trial.protocol.queries import current

MAX_TEXT = 500
What, Answer, Acceptance = QueryEvent.What, QueryEvent.Answer, QueryEvent.Acceptance


@action
def raise_query(
    *,
    participant: Participant,
    visit: str,
    kind: str,
    text: str,
    by: db.Actor,
    form: Form | None = None,
    item: str = "",
) -> DataQuery:
    """Ask about a visit, one of its forms, or one item of a form.

    ``text`` is read by the blind: refuses an empty or long one, and one that names an arm. Refuses a kind, visit or item that does
    not exist, and a form of somebody else or of another visit.
    """
    rules.must_ask(by)
    refuse_if_locked()
    protocol = current()
    text = text.strip()
    if kind not in DataQuery.Kind.values:
        raise Refused("kind_unknown", _("Choose what the query is about from the list."))
    if not 0 < len(text) <= MAX_TEXT:
        raise Refused("text_length", _("Ask in 1 to %(n)d characters.") % {"n": MAX_TEXT})
    rules.refuse_arms(text, protocol)
    if visit not in {one.code for one in protocol.visits}:
        raise Refused("visit_unknown", _("The protocol has no visit %(visit)s.") % {"visit": visit})
    if form is not None and (form.participant_id != participant.pk or form.visit != visit):
        raise Refused("form_unknown", _("This form belongs to another participant or visit."))
    if item and (form is None or item not in {one.code for one in definition_of(form)[1].items}):
        raise Refused("item_unknown", _("This form has no item %(item)s.") % {"item": item})
    monitors = isinstance(by, Person) and not by.holds(DataManager)
    query = DataQuery(
        site_id=participant.site_id, participant=participant, visit=visit, form=form, item=item, kind=kind, text=text,
        raised_as=Monitor.code if monitors else DataManager.code, raised_by=by.actor_id,
    )  # fmt: skip
    query.save(force_insert=True)
    return query


@action
def answer_query(*, query: DataQuery, answer: str, by: db.Actor, amendment: Amendment | None = None) -> QueryEvent:
    """Answer a query with a code; nobody at a site writes words here.

    ``corrected`` about a signed form needs the ``amendment`` that corrected it, made since the query was raised. Refuses a query that
    is not open.
    """
    rules.must_answer(by, query)
    refuse_if_locked()
    if answer not in Answer.values:
        raise Refused("answer_unknown", _("Choose an answer from the list."))
    signed = query.form is not None and query.form.is_signed
    if answer == Answer.CORRECTED and signed:
        if amendment is None or amendment.form_id != query.form_id or amendment.amended_at < query.raised_at:
            raise Refused("not_amended", _("A signed form is corrected by an amendment. Amend it first."))
    else:
        amendment = None
    return _step(query, What.ANSWERED, by, answer, amendment)


@action
def correct_query(
    *,
    query: DataQuery,
    answers: Mapping[str, str],
    reason_code: str,
    by: db.Actor,
    missing: Mapping[str, str] | None = None,
    held_on: dt.date | None = None,
    confirm: Collection[str] = (),
    password: str = "",
    username: str | None = None,
) -> QueryEvent:
    """Amend the signed form that a query is about, and answer with that: both, or neither."""
    if query.form is None:
        raise Refused("no_form", _("This query is about a visit: there is no form to amend."))
    amendment = amend_form(
        form=query.form, answers=answers, missing=missing, held_on=held_on, reason_code=reason_code, confirm=confirm,
        password=password, username=username, by=by,
    )  # fmt: skip
    event: QueryEvent = answer_query(query=query, answer=Answer.CORRECTED, amendment=amendment, by=by)
    return event


@action
def close_query(*, query: DataQuery, by: db.Actor) -> QueryEvent:
    """The answer settles the query. By the raiser's role; refuses a query that has no answer."""
    rules.must_settle(by, query)
    refuse_if_locked()
    return _step(query, What.CLOSED, by)


@action
def reopen_query(*, query: DataQuery, by: db.Actor) -> QueryEvent:
    """The query asks again: the answer does not settle it, or it was closed too early. By the raiser's role."""
    rules.must_settle(by, query)
    refuse_if_locked()
    return _step(query, What.REOPENED, by)


@action
def accept_queries(*, queries_: Iterable[DataQuery], reason_code: str, by: db.Actor) -> list[QueryEvent]:
    """The data manager lives with these queries as they are, for a coded reason: nothing holds up the lock any more.

    Refuses a query that is over already; all of them, or none.
    """
    if isinstance(by, Person):
        by.must_hold(DataManager)
    refuse_if_locked()
    if reason_code not in Acceptance.values:
        raise Refused("reason_unknown", _("Choose a reason from the list."))
    return [_step(query, What.ACCEPTED, by, reason_code) for query in queries_]


def _step(
    query: DataQuery, what: QueryEvent.What, by: db.Actor, code: str = "", amendment: Amendment | None = None
) -> QueryEvent:
    # the participant's row holds back a second step: rows of queries are never updated, so they can't be locked
    Participant.objects.select_for_update(no_key=True).only("pk").get(pk=query.participant_id)
    last = queries.last_event(query)
    state = State.OPEN if last is None or last.what == What.REOPENED else State(last.what)
    if after(state, what) is None:
        raise Refused("query_moved_on", _("This query has moved on since you saw it. Look at it again."))
    event = QueryEvent(
        query=query, site_id=query.site_id, number=last.number + 1 if last else 1, what=what, code=code,
        amendment=amendment, by=by.actor_id,
    )  # fmt: skip
    event.save(force_insert=True)
    return event
