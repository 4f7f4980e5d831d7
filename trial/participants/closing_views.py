"""The end of the open side: the lock, for the data manager; the request to unblind, for the sponsor."""

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from trial.core.access import Request, page
from trial.core.access.roles import DataManager, Sponsor
from trial.core.access.signing import shown_signature
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui.forms import status_of
from trial.core.ui.parts import Change
from trial.participants import actions, queries
from trial.participants.forms import SignatureForm
from trial.participants.lock_checks import open_checks
from trial.participants.models import DatabaseLock, UnblindingRequest
from trial.protocol.queries import current


@page(roles=(DataManager,))
@require_http_methods(["GET", "POST"])
def lock(request: Request) -> HttpResponseBase:
    """Lock the database, signed."""
    done = queries.lock()
    checks = [] if done else open_checks()
    if checks:
        waiting = {"title": _("Database lock"), "lead": _("Settle what stands below; then the database can be locked.")}
        status = 422 if request.method == "POST" else 200
        return render(request, "trial/lock_waits.html", {**waiting, "checks": checks}, status=status)
    form = SignatureForm(request.POST or None)
    if request.method == "POST" and done is None and form.carries_out(actions.lock_database, by=request.person):
        return redirect("lock")
    counts = queries.recruitment()
    facts: list[tuple[str, Any]] = [
        (_("Registered"), counts.registered), (_("Randomized"), counts.randomized),
        (_("Randomizations waiting"), queries.waiting_requests().count()),
    ]  # fmt: skip
    protocol = current()
    if protocol.records is not None:
        waits = queries.waits_for_records(protocol)
        facts.append((_("Hospital records"), _("not all looked up yet") if waits else _("all looked up")))
    context = {
        "title": _("Database lock"), "done": done, "facts": facts, "form": None if done else form, "submit": _("Lock the database"),
        "consequence": _("This cannot be undone. From now on no trial datum of the open side changes any more, by anybody."),
        "cancel_url": reverse("home"), "signature": shown_signature(done.signature if done else None),
        "history": _signed_history("participants_databaselock", done),
    }  # fmt: skip
    return render(request, "trial/signed_step.html" if done else "confirm.html", context, status=status_of(form))


def _signed_history(table: str, done: DatabaseLock | UnblindingRequest | None) -> list[Change] | None:
    """The history of a signed step; the page shows the signature itself."""
    return lines(history_of((table, done.pk)), without=("signature", "only")) if done else None


@page(roles=(Sponsor,))
@require_http_methods(["GET", "POST"])
def request_unblinding(request: Request) -> HttpResponseBase:
    """Ask for planned unblinding, signed; after the lock only."""
    done, locked = queries.unblinding_request(), queries.lock()
    form = SignatureForm(request.POST or None)
    if request.method == "POST" and done is None and form.carries_out(actions.request_unblinding, by=request.person):
        return redirect("request_unblinding")
    context: dict[str, Any] = {"title": _("Planned unblinding"), "done": done, "locked": locked}
    if done is None and locked is not None:
        context |= {
            "facts": [(_("Database locked"), locked.locked_at), (_("Locked by"), locked.signature["name"])],
            "form": form, "submit": _("Ask for planned unblinding"), "cancel_url": reverse("home"),
            "consequence": _("The independent statistician confirms on the unblinded side. Then the comparative analysis may run."),
        }  # fmt: skip
        return render(request, "confirm.html", context, status=status_of(form))
    context |= {
        "signature": shown_signature(done.signature if done else None),
        "history": _signed_history("participants_unblindingrequest", done),
    }
    return render(request, "trial/signed_step.html", context)
