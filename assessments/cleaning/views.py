"""Pages of data queries: the list, one query with its answer, raising one, correcting what it is about, accepting what is left."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from assessments.cleaning import actions, presenters, queries, rules
from assessments.cleaning.forms import AcceptForm, AnswerQueryForm, DataQueryFilter, QueryForm, SettleForm
from assessments.cleaning.models import DataQuery, QueryEvent
from assessments.cleaning.states import STEPS, State
from assessments.entry.queries import definition_of, records
from assessments.entry.views.amending import form_of, odd_answers
from assessments.visits.views.places import find_participant, find_visit
from trial.core.access import Request, page
from trial.core.access.roles import ClinicianRater, Coordinator, DataManager, Interviewer
from trial.core.access.signing import note_signing
from trial.core.errors import Refused
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import csv_response, grouped, page_of
from trial.participants.queries import lock
from trial.protocol.queries import current

ANSWERERS = (Interviewer, Coordinator, ClinicianRater)
EVERYBODY = (*rules.ASKERS, *ANSWERERS)
PAGE_SIZE = 50
FILTERS = {"state": "state", "kind": "kind", "visit": "visit", "instrument": "form__instrument"}


@page(roles=EVERYBODY)
def data_queries(request: Request) -> HttpResponseBase:
    """The queries that one raises or answers; ``?state=``, ``?kind=``, ``?visit=``, ``?instrument=``, ``?participant=`` filter."""
    protocol = current()
    given = {name: request.GET.get(name, "").strip() for name in ("participant", *FILTERS)}
    found = queries.visible_to(request.person)
    if given["participant"]:
        found = found.filter(
            participant__number=given["participant"].replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
        )
    for name, column in FILTERS.items():
        if given[name]:
            found = found.filter(**{column: given[name]})
    words = rules.may_read_words(request.person, protocol)
    if request.GET.get("format") == "csv":
        return csv_response(presenters.query_table(found, protocol, words=words), "queries")
    total = found.count()
    query = urlencode({name: value for name, value in given.items() if value})
    span, position = page_of(range(total), request.GET.get("page"), PAGE_SIZE, query)
    shown = found[span[0] : span[-1] + 1] if span else []
    table = presenters.query_table(
        shown,
        protocol,
        words=words,
        csv_url=f"?{query}&format=csv" if query else "?format=csv",
        position=position,
        empty=_("Queries appear here when the data manager or the monitor raises one on a form."),
    )
    context = {
        "title": _("Queries"),
        "lead": ngettext("%(n)d query", "%(n)d queries", total) % {"n": total},
        "table": table,
        "filter": DataQueryFilter(request.GET, protocol=protocol),
        "clear_url": reverse("data_queries") if query else "",
    }
    return render(request, "assessments/records.html", context)


def _find(request: Request, key: uuid.UUID) -> DataQuery:
    return get_object_or_404(queries.visible_to(request.person), pk=key)


def _crumbs(*more: str) -> list[tuple[str, str]]:
    return [(_("Queries"), reverse("data_queries")), *((name, "") for name in more)]


@page(roles=EVERYBODY)
@require_http_methods(["GET", "POST"])
def data_query(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One query: what it is about, what became of it, and the step that this person can take."""
    query = _find(request, key)
    protocol = current()
    form = _step_form(request, query)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            return _take_step(request, query, form)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    words = rules.may_read_words(request.person, protocol)
    readable = query.form is not None and request.person.holds(*rules.ASKERS)
    context = {
        "title": _("Query about participant %(number)s") % {"number": grouped(query.participant.number)},
        "crumbs": _crumbs(_("Query")),
        "state": presenters.state_of(query),
        "facts": presenters.query_facts(query, protocol, words=words),
        "history": presenters.query_history(query, queries.events_of(query)),
        "form": form,
        "submit": _("Record the answer") if isinstance(form, AnswerQueryForm) else _("Record this step"),
        "record_url": reverse("record", args=[query.form_id]) if readable else "",
    }
    return render(request, "assessments/query.html", context, status=status_of(form) if form is not None else 200)


def _step_form(request: Request, query: DataQuery) -> AnswerQueryForm | SettleForm | None:
    """The form of the step that follows, if this person can take it."""
    state = queries.standing(query).state
    person = request.person
    if lock() is not None:
        return None
    if state is State.OPEN and rules.may_answer(person, query):
        signed = query.form is not None and query.form.is_signed
        return AnswerQueryForm(posted(request), may_correct=not signed or rules.may_correct(person, query))
    steps = [
        step
        for step in STEPS[state]
        if (step in (QueryEvent.What.CLOSED, QueryEvent.What.REOPENED) and rules.may_settle(person, query))
        or (step == QueryEvent.What.ACCEPTED and person.holds(DataManager))
    ]
    return SettleForm(posted(request), steps=steps) if steps else None


def _take_step(request: Request, query: DataQuery, form: Any) -> HttpResponseBase:
    data, by = form.cleaned_data, request.person
    if isinstance(form, AnswerQueryForm):
        if data["answer"] == QueryEvent.Answer.CORRECTED and query.form is not None and query.form.is_signed:
            return redirect("correct_query", query.pk)
        actions.answer_query(query=query, answer=data["answer"], by=by)
    elif data["step"] == QueryEvent.What.ACCEPTED:
        actions.accept_queries(queries_=[query], reason_code=data["reason"], by=by)
    else:
        step = actions.close_query if data["step"] == QueryEvent.What.CLOSED else actions.reopen_query
        step(query=query, by=by)
    messages.success(request, _("Recorded."))
    return redirect("data_query", query.pk)


@page(roles=ANSWERERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def correct(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Amend the signed form that a query is about; that is the answer. What the form holds is not shown."""
    query = _find(request, key)
    if query.form is None or not query.form.is_signed or not rules.may_correct(request.person, query):
        raise Http404
    protocol, instrument = definition_of(query.form)
    chosen = [query.item] if query.item else request.GET.getlist("item")
    items = [item for item in instrument.items if item.code in chosen]
    day = query.kind == DataQuery.Kind.DATE and not query.item
    if not items and not day:
        items = list(instrument.items)
    form = form_of(request, protocol, items, day, ())
    if request.method == "POST" and form.is_valid():
        odd = odd_answers(query.form, instrument, form)
        if odd and not all(f"check_{check.code}" in request.POST for check in odd):
            form = form_of(request, protocol, items, day, odd)
            form.add_error(None, _("Look again at the answers below, and confirm them."))
        else:
            form.checks = list(odd)
            try:
                actions.correct_query(query=query, by=request.person, **form.changes())
                note_signing(request)
                messages.success(request, _("The form is amended and the query answered."))
                return redirect("data_query", query.pk)
            except Refused as refusal:
                form.refuse(refusal)
    context = {
        "title": _("Correct %(form)s") % {"form": instrument.name},
        "over": _("Participant %(number)s") % {"number": grouped(query.participant.number)},
        "lead": _("Type what is right. What was answered before is not shown; it stays readable for the data manager."),
        "crumbs": [
            (_("Queries"), reverse("data_queries")),
            (_("Query"), reverse("data_query", args=[key])),
            (_("Correct"), ""),
        ],
        "form": form,
        "submit": _("Sign the amendment"),
        "cancel_url": reverse("data_query", args=[key]),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


@page(roles=rules.ASKERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def ask_form(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Raise a query about a form; ``?item=`` says about which item."""
    about = get_object_or_404(records().select_related("protocol_version"), pk=key)
    protocol, instrument = definition_of(about)
    form = QueryForm(posted(request), items=instrument.items, initial={"item": request.GET.get("item", "")})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            query = actions.raise_query(
                participant=about.participant, visit=about.visit, form=about, item=data["item"], kind=data["kind"],
                text=data["text"], by=request.person,
            )  # fmt: skip
            return redirect("data_query", query.pk)
        except Refused as refusal:
            form.add_error("text" if refusal.code == "names_arm" else None, str(refusal.message))
    context = {
        "title": _("Raise a query on %(form)s") % {"form": instrument.name},
        "over": _("Participant %(number)s, %(visit)s")
        % {"number": grouped(about.participant.number), "visit": protocol.visit(about.visit).name},
        "crumbs": [
            (_("Forms"), reverse("records")),
            (instrument.name, reverse("record", args=[key])),
            (_("Query"), ""),
        ],
        "form": form,
        "submit": _("Raise the query"),
        "cancel_url": reverse("record", args=[key]),
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


@page(roles=rules.ASKERS, stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def ask_visit(request: Request, number: str, code: str) -> HttpResponseBase:
    """Raise a query about a visit."""
    participant = find_participant(request, number)
    _protocol, line = find_visit(participant, code)
    form = QueryForm(posted(request), items=())
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            query = actions.raise_query(
                participant=participant, visit=code, kind=data["kind"], text=data["text"], by=request.person
            )
            return redirect("data_query", query.pk)
        except Refused as refusal:
            form.add_error("text" if refusal.code == "names_arm" else None, str(refusal.message))
    back = reverse("visit", args=[participant.number, code])
    context = {
        "title": _("Raise a query on %(visit)s") % {"visit": line.visit.name},
        "over": _("Participant %(number)s") % {"number": grouped(participant.number)},
        "crumbs": [(_("Visits"), reverse("visits")), (line.visit.name, back), (_("Query"), "")],
        "form": form,
        "submit": _("Raise the query"),
        "cancel_url": back,
    }
    return render(request, "assessments/form.html", context, status=status_of(form))


@page(roles=(DataManager,), stops_at_lock=True)
@require_http_methods(["GET", "POST"])
def accept(request: Request) -> HttpResponseBase:
    """Accept every query that is left, for one coded reason: what the lock waits for."""
    left = list(queries.unsettled())
    form = AcceptForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.accept_queries(queries_=left, reason_code=form.cleaned_data["reason"], by=request.person)
            return redirect("lock")
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": ngettext("Accept %(n)d query", "Accept %(n)d queries", len(left)) % {"n": len(left)},
        "crumbs": [(_("Database lock"), reverse("lock")), (_("Queries"), "")],
        "facts": [(_("Queries that are not settled"), len(left))],
        "consequence": _("They stay on record as accepted, with this reason. Until the lock each can be reopened."),
        "form": form,
        "submit": _("Accept them as they are"),
        "cancel_url": reverse("lock"),
    }
    return render(request, "confirm.html", context, status=status_of(form))
