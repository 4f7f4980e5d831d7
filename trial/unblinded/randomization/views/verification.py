"""After planned unblinding: let the allocator reveal and replay, see what it found, take the exports and the verifier along."""

import json
import uuid
from importlib import resources

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from trial.core.access import Request, page
from trial.core.access.roles import IndependentStatistician
from trial.unblinded.disclosure.actions import note
from trial.unblinded.disclosure.queries import planned_unblinding
from trial.unblinded.randomization import actions, presenters
from trial.unblinded.randomization.queries import latest_reveals, waiting_order


@page(roles=(IndependentStatistician,))
@require_http_methods(["GET", "POST"])
def verification(request: Request) -> HttpResponseBase:
    """The result of the last verification; ordering another one."""
    unblinded = planned_unblinding() is not None
    if request.method == "POST" and unblinded:
        actions.order_verification(by=request.person)
        return redirect("verification")
    reveals, waiting = latest_reveals(), waiting_order()
    context = {
        "title": _("Verification of the allocation"),
        "crumbs": [(_("Allocations"), reverse("allocations")), (_("Verification"), "")],
        "lead": _("Every allocation is computed again from the revealed seed and compared with the commitment that is public since the beginning."),
        "unblinded": unblinded,
        "waiting": waiting,
        "agrees": bool(reveals) and not any(one.differences for one in reveals),
        "differences": [(one.version, text) for one in reveals for text in one.differences],
        "table": presenters.reveal_table(reveals),
        "reveals": reveals,
    }  # fmt: skip
    return render(request, "unblinded/randomization/verification.html", context)


@page(roles=(IndependentStatistician,))
@require_GET
def export(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """One reveal as verifier.py reads it. That it was taken goes into the ledger."""
    found = next((one for one in latest_reveals() if one.pk == key), None)
    if found is None:
        raise Http404
    note(what="allocation export taken", subject=found.sha256, by=request.person)
    content = json.dumps(found.content, indent=1, sort_keys=True)
    return _attached(content, "application/json", f"allocation-{found.version}.json")


@page(roles=(IndependentStatistician,))
@require_GET
def verifier(request: Request) -> HttpResponseBase:
    """The stand-alone program that checks an export."""
    text = resources.files("trial.unblinded.randomization").joinpath("verifier.py").read_text(encoding="utf-8")
    return _attached(text, "text/x-python; charset=utf-8", "verifier.py")


def _attached(content: str, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
