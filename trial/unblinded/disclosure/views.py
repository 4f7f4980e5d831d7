"""Planned unblinding, the ledger, and the reports that came through the drop box."""

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, page
from trial.core.access.roles import IndependentStatistician, UnblindedDataManager
from trial.core.access.signing import shown_signature
from trial.core.errors import Refused
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui.tables import page_of
from trial.participants import queries as participants
from trial.participants.forms import SignatureForm
from trial.participants.models import Participant, UnblindingReport
from trial.protocol.definition import Protocol
from trial.protocol.queries import NoProtocol, current
from trial.unblinded.disclosure import actions, queries
from trial.unblinded.disclosure import presenters as show
from trial.unblinded.disclosure.models import LedgerEntry, UnblindedHistory

PAGE_SIZE = 50


@page(roles=(IndependentStatistician,))
@require_http_methods(["GET", "POST"])
def planned_unblinding(request: Request) -> HttpResponseBase:
    """Confirm the sponsor's request, signed, as another person."""
    done, asked = queries.planned_unblinding(), participants.unblinding_request()
    form = SignatureForm(request.POST or None)
    if request.method == "POST" and done is None and form.is_valid():
        try:
            actions.confirm_planned_unblinding(password=form.cleaned_data["password"], by=request.person)
            return redirect("planned_unblinding")
        except Refused as refusal:
            form.add_error("password" if refusal.code == "password_wrong" else None, str(refusal.message))
    title = _("Planned unblinding")
    if done is None and asked is not None:
        context: dict[str, Any] = {
            "title": title,
            "facts": [(_("Asked for by"), asked.signature["name"]), (_("Asked"), asked.requested_at), (_("SHA-256"), asked.signature["sha256"])],
            "consequence": _("From now on the comparative analysis may run on the real arms. This cannot be undone."),
            "submit": _("Confirm planned unblinding"), "cancel_url": reverse("unblinded_home"), "form": form,
        }  # fmt: skip
        return render(request, "confirm.html", context, status=422 if form.is_bound and not form.is_valid() else 200)
    context = {"title": title, "signature": shown_signature(done.signature if done else None)}
    if done is not None:
        found = history_of(("unblinded_planned_unblinding", done.pk), source=UnblindedHistory)
        context["history"] = lines(found, without=("signature", "only"))
    return render(request, "trial/signed_step.html", context)


@page(roles=(IndependentStatistician, UnblindedDataManager))
def ledger(request: Request) -> HttpResponseBase:
    """Who came to know what, newest first."""
    found = list(LedgerEntry.objects.order_by("-at", "id"))
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE)
    table = show.ledger_table(rows, _protocol(), position)
    return render(request, "unblinded/disclosure/table.html", {"title": _("Ledger of who knows what"), "table": table})


@page(roles=(UnblindedDataManager, IndependentStatistician))
def reports(request: Request) -> HttpResponseBase:
    """Reports "I was told the arm", from the drop box. Their authors cannot read them again."""
    actions.note(what="unblinding reports opened", subject="", by=request.person)
    found = list(UnblindingReport.objects.order_by("-reported_at", "id"))
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE)
    people = Participant.objects.in_bulk([row.participant_id for row in rows])
    table = show.report_table(rows, people, _protocol(), position)
    return render(request, "unblinded/disclosure/table.html", {"title": _("Reports of unblinding"), "table": table})


def _protocol() -> Protocol | None:
    """The protocol in force: its names stand for the codes. These pages open before there is one."""
    try:
        return current()
    except NoProtocol:
        return None
