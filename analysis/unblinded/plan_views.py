"""The plan behind the wall: the same, with the looks countersigned by the independent statistician."""

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from analysis.plans import presenters as show
from analysis.plans import queries
from analysis.plans.models import PlanVersion
from analysis.plans.views import shared_context
from analysis.unblinded import actions
from analysis.unblinded.models import LooksSignature
from trial.core.access import Request, page
from trial.core.access.roles import CommitteeChair, CommitteeMember, IndependentStatistician, UnblindedMonitor
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui.forms import status_of
from trial.participants.forms import SignatureForm
from trial.unblinded.disclosure.models import UnblindedHistory

READERS = (IndependentStatistician, CommitteeMember, CommitteeChair, UnblindedMonitor)


@page(roles=READERS)
def plan(request: Request, version: int | None = None) -> HttpResponseBase:
    """The version in force, whole; or the one of this number, also an earlier one."""
    found = queries.version_or_404(version)
    if found is None:
        return render(request, "analysis/no_plan.html", {"title": _("Analysis plan")})
    return _show(request, found)


def _show(request: Request, version: PlanVersion) -> HttpResponseBase:
    context = shared_context(version, reverse("unblinded_plan"), lambda n: reverse("unblinded_plan_version", args=[n]))
    looks = LooksSignature.objects.filter(plan_id=version.pk).first()
    has_looks = queries.plan_of(version).looks is not None
    may_sign = context["in_force"] and has_looks and looks is None and request.person.holds(IndependentStatistician)
    context |= {
        "signatures": show.signature_table(version, queries.signatures_of(version), looks, has_looks=has_looks),
        "sign_url": reverse("looks_sign") if may_sign else "",
    }
    if looks is not None:
        found = history_of(("unblinded_looks_signature", looks.pk), source=UnblindedHistory)
        context["history"] = lines(found, without=("signature", "plan_id", "signed_at"))
    return render(request, "analysis/plan.html", context)


@page(roles=(IndependentStatistician,))
@require_http_methods(["GET", "POST"])
def looks_sign(request: Request) -> HttpResponseBase:
    """Countersign the looks of the version in force."""
    version = queries.version_or_none()
    found = queries.plan_of(version) if version else None
    if version is None or found is None or found.looks is None:
        return redirect("unblinded_plan")
    form = SignatureForm(request.POST or None)
    if request.method == "POST" and form.carries_out(actions.countersign_looks, version=version, by=request.person):
        return redirect("unblinded_plan")
    context = {
        "title": _("Countersign the looks"),
        "facts": [
            (_("Version"), version.number), (_("Looks"), len(found.looks.looks)),
            (_("SHA-256 of the looks"), found.looks_sha256),
        ],
        "consequence": _("You confirm when the arms are compared before the end, and how much of alpha each look spends."),
        "form": form, "submit": _("Countersign version %(n)d") % {"n": version.number}, "cancel_url": reverse("unblinded_plan"),
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))
