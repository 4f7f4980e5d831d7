"""Pages of lawful redaction: the data manager asks, the investigator decides."""

from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Person, Request, page
from trial.core.access.roles import DataManager, Investigator, Monitor
from trial.core.errors import Refused
from trial.core.history import actions
from trial.core.history import presenters as show
from trial.core.history.forms import AskForm, DecideForm
from trial.core.history.queries import names_of
from trial.core.history.rules import redactable_fields
from trial.core.models import History, Redaction
from trial.core.ui.forms import status_of
from trial.core.ui.tables import Column, Link, State, Table
from trial.core.ui.work import WorkItem, WorkList

STATES = {"asked": "waiting", "done": "done", "refused": "cancelled"}


def work_for(person: Person) -> WorkList | None:
    """What waits for the investigator's decision."""
    if not person.holds(Investigator):
        return None
    items = [
        WorkItem(
            _("Decide on redaction %(number)d") % {"number": one.number},
            reverse("redaction", args=[one.pk]),
            one.get_reason_display(),
            "due",
            one.asked_at.date(),
        )
        for one in Redaction.objects.filter(state=Redaction.State.ASKED).order_by("number")
    ]
    return WorkList(
        _("Redactions"), items, _("Texts that the data manager wants removed appear here."), after_lock=True
    )


def _above(request: Request) -> list[tuple[str, str]]:
    """The history, for those who read it."""
    return [(_("History"), reverse("history"))] if request.person.holds(DataManager, Monitor) else []


@page(roles=(DataManager, Investigator, Monitor))
def redactions(request: Request) -> HttpResponseBase:
    """Every redaction that was asked for, and what became of it."""
    found = list(Redaction.objects.order_by("-number"))
    names = names_of(actor for one in found for actor in (one.asked_by, one.decided_by))
    decides = request.person.holds(Investigator)
    columns = [
        Column(_("Number")), Column(_("Record")), Column(_("Reason")), Column(_("Asked")), Column(_("Asked by")),
        Column(_("State")), Column(_("Decided")), Column(_("Decided by")), *([Column("")] if decides else []),
    ]  # fmt: skip
    rows = []
    for one in found:
        row: list[Any] = [
            one.number, show.table_words(one.table_name), one.get_reason_display(), one.asked_at, names.get(one.asked_by, ""),
            State(STATES[one.state], one.get_state_display()), one.decided_at, names.get(one.decided_by, ""),
        ]  # fmt: skip
        waits = one.state == Redaction.State.ASKED
        rows.append(
            [*row, Link(_("Decide"), reverse("redaction", args=[one.pk])) if waits else None] if decides else row
        )
    empty = _("Nothing was redacted. A data manager asks for it beside a line of the history.")
    context = {
        "title": _("Redactions"),
        "crumbs": [*_above(request), (_("Redactions"), "")],
        "table": Table(columns, rows, empty=empty),
    }
    return render(request, "trial/participant_list.html", context)


@page(roles=(DataManager,))
@require_http_methods(["GET", "POST"])
def redaction_ask(request: Request, row: int) -> HttpResponseBase:
    """Ask for the redaction of what was typed in this line of the history."""
    line = get_object_or_404(History, pk=row)
    fields = redactable_fields(line)
    form = AskForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.ask_redaction(
                line=line, field=fields[0] if fields else "", reason_code=form.cleaned_data["reason"], by=request.person
            )
            return redirect("redactions")
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("Ask for a redaction"),
        "crumbs": [(_("History"), reverse("history")), (_("Ask for a redaction"), "")],
        "facts": _facts(line, fields[0] if fields else ""),
        "consequence": _(
            "The investigator decides. Redacted, the text is gone from the record and its history, for good."
        ),
        "submit": _("Ask the investigator"),
        "cancel_url": reverse("history"),
        "form": form,
    }
    return render(request, "confirm.html", context, status=status_of(form))


@page(roles=(Investigator,))
@require_http_methods(["GET", "POST"])
def redaction(request: Request, key: Any) -> HttpResponseBase:
    """Decide on a redaction, as another person, with the password."""
    asked = get_object_or_404(Redaction, pk=key)
    if asked.state != Redaction.State.ASKED and request.method == "GET":
        return redirect("redactions")
    line = get_object_or_404(History, pk=asked.history_row)
    form = DecideForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.decide_redaction(
                redaction=asked,
                carry_out=form.cleaned_data["decision"] == "redact",
                password=form.cleaned_data["password"],
                by=request.person,
            )
            return redirect("redactions")
        except Refused as refusal:
            form.add_error("password" if refusal.code == "password_wrong" else None, str(refusal.message))
    title = _("Decide on redaction %(number)d") % {"number": asked.number}
    context = {
        "title": title,
        "crumbs": [*_above(request), (_("Redactions"), reverse("redactions")), (title, "")],
        "facts": [*_facts(line, asked.field), (_("Reason"), asked.get_reason_display())],
        "consequence": _(
            "A redacted text cannot be brought back. That there was one, who asked and who decided stays on record."
        ),
        "submit": _("Sign the decision"),
        "cancel_url": reverse("redactions"),
        "form": form,
    }
    return render(request, "confirm.html", context, status=status_of(form))


def _facts(line: History, field: str) -> list[tuple[Any, Any]]:
    names = names_of([line.actor])
    words = import_string(settings.HISTORY_WORDS)()
    typed = (line.new or {}).get(field) or (line.old or {}).get(field) or _("the text of the record itself")
    return [
        (_("Record"), show.table_words(line.table_name)),
        (_("Line of the history"), line.pk),
        (_("When"), line.at),
        (_("Who"), names.get(line.actor, line.actor)),
        (_("What"), show.step_words(line.action, words)),
        (_("Text"), typed),
    ]
