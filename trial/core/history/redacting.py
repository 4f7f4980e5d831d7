"""Pages of lawful redaction, on each side its own: a data manager asks, another person decides."""

from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core import side
from trial.core.access import Person, Request, page
from trial.core.access.roles import (
    DataManager,
    IndependentStatistician,
    Investigator,
    Monitor,
    UnblindedDataManager,
    UnblindedMonitor,
)
from trial.core.errors import Refused
from trial.core.history import actions, sides
from trial.core.history import presenters as show
from trial.core.history.forms import AskForm, DecideForm
from trial.core.history.queries import names_of
from trial.core.history.rules import CHANGE_REASON
from trial.core.models import HistoryBase, RedactionBase
from trial.core.ui.addresses import here
from trial.core.ui.forms import status_of
from trial.core.ui.tables import Column, Link, State, Table
from trial.core.ui.work import WorkItem, WorkList

READERS = (DataManager, Monitor, UnblindedDataManager, UnblindedMonitor)
"""Of the history, on their side."""
STATES = {"asked": "waiting", "done": "done", "refused": "cancelled"}


def work_for(person: Person) -> WorkList | None:
    """What waits for the decision of the investigator; behind the wall of the independent statistician."""
    if not person.holds(sides.here().decides):
        return None
    found = sides.redaction_model()._default_manager.filter(state=RedactionBase.State.ASKED).order_by("number")
    items = [
        WorkItem(
            _("Decide on redaction %(number)d") % {"number": one.number},
            here("redaction", one.pk),
            one.get_reason_display(),
            "due",
            one.asked_at.date(),
        )
        for one in found
    ]
    return WorkList(
        _("Redactions"), items, _("Texts that the data manager wants removed appear here."), after_lock=True
    )


def _above(request: Request) -> list[tuple[str, str]]:
    """The history, for those who read it."""
    return [(_("History"), here("history"))] if request.person.holds(*READERS) else []


@page(roles=(*READERS, Investigator, IndependentStatistician))
def redactions(request: Request) -> HttpResponseBase:
    """Every redaction that was asked for, and what became of it."""
    found = list(sides.redaction_model()._default_manager.order_by("-number"))
    names = names_of(actor for one in found for actor in (one.asked_by, one.decided_by))
    decides = request.person.holds(sides.here().decides)
    columns = [
        Column(_("Number")), Column(_("Record")), Column(_("Reason")), Column(_("Asked")), Column(_("Asked by")),
        Column(_("State")), Column(_("Decided")), Column(_("Decided by")), *([Column("")] if decides else []),
    ]  # fmt: skip
    rows = []
    for one in found:
        row: list[Any] = [
            one.number, show.table_words(one.table_name), one.get_reason_display(), one.asked_at, names.get(one.asked_by, ""),
            State(STATES[one.state], _state_words(one)), one.decided_at, names.get(one.decided_by, ""),
        ]  # fmt: skip
        waits = one.state == RedactionBase.State.ASKED
        rows.append([*row, Link(_("Decide"), here("redaction", one.pk)) if waits else None] if decides else row)
    empty = _("Nothing was redacted. A data manager asks for it beside a line of the history.")
    context = {
        "title": _("Redactions"),
        "crumbs": [*_above(request), (_("Redactions"), "")],
        "table": Table(columns, rows, empty=empty),
    }
    return render(request, "trial/participant_list.html", context)


def _state_words(one: RedactionBase) -> Any:
    return sides.here().waits if one.state == RedactionBase.State.ASKED else one.get_state_display()


@page(roles=(DataManager, UnblindedDataManager))
@require_http_methods(["GET", "POST"])
def redaction_ask(request: Request, row: int) -> HttpResponseBase:
    """Ask for the redaction of what was typed in this line of the history."""
    line = get_object_or_404(sides.history_model(), pk=row)
    fields = sides.here().fields(line)
    _note_reading(request)
    form = AskForm(request.POST if request.method == "POST" else None, fields=[(name, _name(name)) for name in fields])
    if request.method == "POST" and form.is_valid():
        try:
            actions.ask_redaction(
                line=line,
                field=form.cleaned_data.get("field") or (fields[0] if fields else ""),
                reason_code=form.cleaned_data["reason"],
                by=request.person,
            )
            return redirect(here("redactions"))
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("Ask for a redaction"),
        "crumbs": [(_("History"), here("history")), (_("Ask for a redaction"), "")],
        "facts": _facts(line, fields),
        "consequence": sides.here().decides_then,
        "submit": sides.here().submit,
        "cancel_url": here("history"),
        "form": form,
    }
    return render(request, "confirm.html", context, status=status_of(form))


@page(roles=(Investigator, IndependentStatistician))
@require_http_methods(["GET", "POST"])
def redaction(request: Request, key: Any) -> HttpResponseBase:
    """Decide on a redaction, as another person, with the password."""
    asked = get_object_or_404(sides.redaction_model(), pk=key)
    if asked.state != RedactionBase.State.ASKED and request.method == "GET":
        return redirect(here("redactions"))
    line = get_object_or_404(sides.history_model(), pk=asked.history_row)
    _note_reading(request)
    form = DecideForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.decide_redaction(
                redaction=asked,
                carry_out=form.cleaned_data["decision"] == "redact",
                password=form.cleaned_data["password"],
                by=request.person,
            )
            return redirect(here("redactions"))
        except Refused as refusal:
            form.add_error("password" if refusal.code == "password_wrong" else None, str(refusal.message))
    title = _("Decide on redaction %(number)d") % {"number": asked.number}
    context = {
        "title": title,
        "crumbs": [*_above(request), (_("Redactions"), here("redactions")), (title, "")],
        "facts": [*_facts(line, [asked.field]), (_("Reason"), asked.get_reason_display())],
        "consequence": _(
            "A redacted text cannot be brought back. That there was one, who asked and who decided stays on record."
        ),
        "submit": _("Sign the decision"),
        "cancel_url": here("redactions"),
        "form": form,
    }
    return render(request, "confirm.html", context, status=status_of(form))


def _note_reading(request: Request) -> None:
    """Behind the wall what is to be redacted tells what that side knows: its reading goes into the ledger."""
    if side.current() == side.UNBLINDED:
        import_string(settings.LEDGER)(what="redaction opened", subject="", by=request.person)


def _name(field: str) -> Any:
    return _("Reason of the change") if field == CHANGE_REASON else field.replace("_", " ").capitalize()


def _facts(line: HistoryBase, fields: list[str]) -> list[tuple[Any, Any]]:
    names = names_of([line.actor])
    words = import_string(settings.HISTORY_WORDS)()
    texts = [(_("Text") if len(fields) == 1 else _name(field), _typed(line, field)) for field in fields]
    return [
        (_("Record"), show.table_words(line.table_name)),
        (_("Line of the history"), line.pk),
        (_("When"), line.at),
        (_("Who"), names.get(line.actor, line.actor)),
        (_("What"), show.step_words(line.action, words)),
        *(texts or [(_("Text"), _("the text of the record itself"))]),
    ]


def _typed(line: HistoryBase, field: str) -> Any:
    if field == CHANGE_REASON:
        return line.reason
    return (line.new or {}).get(field) or (line.old or {}).get(field) or _("the text of the record itself")
