"""Planned unblinding, the ledger, and the reports that came through the drop box."""

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core import clock
from trial.core.access import Request, page
from trial.core.access.roles import IndependentStatistician, UnblindedDataManager
from trial.core.access.signing import shown_signature
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui.tables import csv_response, page_of
from trial.participants import queries as participants
from trial.participants.forms import SignatureForm
from trial.participants.models import Participant, UnblindingReport
from trial.unblinded.disclosure import actions, queries
from trial.unblinded.disclosure import presenters as show
from trial.unblinded.disclosure.forms import LedgerFilter
from trial.unblinded.disclosure.handover.presenters import cell_of
from trial.unblinded.disclosure.handover.queries import orders_of, pending_orders
from trial.unblinded.disclosure.ledger import all_lines as lines_behind_the_wall
from trial.unblinded.disclosure.ledger import lines as wanted_lines
from trial.unblinded.disclosure.models import UnblindedHistory

PAGE_SIZE = 50
MOST_NUMBERS = 4


@page(roles=(IndependentStatistician,))
@require_http_methods(["GET", "POST"])
def planned_unblinding(request: Request) -> HttpResponseBase:
    """Confirm the sponsor's request, signed, as another person."""
    done, asked = queries.planned_unblinding(), participants.unblinding_request()
    form = SignatureForm(request.POST or None)
    if (
        request.method == "POST"
        and done is None
        and form.carries_out(actions.confirm_planned_unblinding, by=request.person)
    ):
        return redirect("planned_unblinding")
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
    """Who came to know what, newest first; filtered by address. ``?print=1``: everything on one page, to be printed."""
    everything, protocol = lines_behind_the_wall(), queries.protocol_or_none()
    form = LedgerFilter(request.GET, people=show.people_in(everything))
    found = wanted_lines(form.wanted(), everything)
    whole = show.ledger_table(found, protocol)
    if request.GET.get("format") == "csv":
        return csv_response(whole, "ledger")
    query = form.query()
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE, query)
    prints = request.GET.get("print") == "1"
    home, glue = reverse("ledger"), f"?{query}&" if query else "?"
    table = show.ledger_table(
        found if prints else rows, protocol, csv_url="" if prints else f"{glue}format=csv",
        position=None if prints else position, filtered_url=home if query else "", most=0 if prints else MOST_NUMBERS,
    )  # fmt: skip
    context = {
        "title": _("Ledger of who knows what"),
        "lead": _("Roles behind the wall, pages opened, names and reports read, codes broken, gates passed."),
        "facts": [
            (_("Trial"), protocol.short_name if protocol else "Equipoise"),
            (_("As of"), clock.now()),
            (_("Lines"), len(found)),
            (_("SHA-256 of the lines"), show.page_hash(whole)),
        ],
        "filter": None if prints else form,
        "clear_url": home if query else "",
        "print_url": "" if prints else f"{glue}print=1",
        "table": table,
    }
    return render(request, "unblinded/disclosure/ledger.html", context)


@page(roles=(UnblindedDataManager, IndependentStatistician))
def reports(request: Request) -> HttpResponseBase:
    """Reports "I was told the arm", from the drop box. Their authors cannot read them again."""
    actions.note(what="unblinding reports opened", subject="", by=request.person)
    found = list(UnblindingReport.objects.order_by("-reported_at", "id"))
    rows, position = page_of(found, request.GET.get("page"), PAGE_SIZE)
    people = Participant.objects.in_bulk([row.participant_id for row in rows])
    may_order = request.person.holds(UnblindedDataManager) and participants.lock() is None
    orders, pending = orders_of([row.pk for row in rows]), set(pending_orders().values_list("pk", flat=True))
    followed = {
        row.pk: cell_of(row, orders, pending, may_order=may_order and _has_arm(people.get(row.participant_id)))
        for row in rows
    }
    table = show.report_table(rows, people, queries.protocol_or_none(), position, followed)
    return render(request, "unblinded/disclosure/table.html", {"title": _("Reports of unblinding"), "table": table})


def _has_arm(participant: Participant | None) -> bool:
    return participant is not None and participant.randomized_at is not None
