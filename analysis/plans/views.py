"""The plan on the open side: reading it, loading a version, signing."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods

from analysis.plans import actions, queries
from analysis.plans import presenters as show
from analysis.plans.models import PlanSignature, PlanVersion
from analysis.plans.reading import parse
from trial.core.access import Person, Request, page
from trial.core.access.roles import DataManager, Investigator, Monitor, Sponsor, TrialStatistician
from trial.core.errors import Refused
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui import forms
from trial.core.ui.forms import status_of
from trial.participants.forms import SignatureForm
from trial.participants.queries import randomized_by_day
from trial.protocol.problems import ProtocolError
from trial.protocol.queries import current

READERS = (TrialStatistician, Investigator, DataManager, Monitor, Sponsor)
LARGEST = 200_000


class PlanForm(forms.Form):
    """A version of the plan, as text."""

    text = forms.TextAreaField(
        _lazy("The plan as TOML"),
        hint=_lazy("Paste the whole file plan.toml. Nothing is loaded before it is read without a problem."),
        rows=24,
    )


@page(roles=READERS)
def plan(request: Request, version: int | None = None) -> HttpResponseBase:
    """The version in force, whole; or the one of this number, also an earlier one."""
    found = queries.version_or_404(version)
    if found is None:
        new_url = reverse("plan_new") if request.person.holds(TrialStatistician) else ""
        return render(request, "analysis/no_plan.html", {"title": _("Analysis plan"), "new_url": new_url})
    return render(request, "analysis/plan.html", _context(request, found))


def _context(request: Request, version: PlanVersion) -> dict[str, Any]:
    newest = queries.version_or_none()
    in_force = newest is not None and newest.pk == version.pk
    capacity = _capacity(request.person, version) if in_force else ""
    may_load = in_force and request.person.holds(TrialStatistician)
    return {
        **shared_context(version, reverse("plan"), lambda n: reverse("plan_version", args=[n])),
        "signatures": show.signature_table(version, queries.signatures_of(version)),
        "sign_url": reverse("plan_sign") if capacity else "",
        "new_url": reverse("plan_new") if may_load else "",
        "history": lines(
            history_of(("plans_planversion", version.pk), *_rows(queries.signatures_of(version).values())),
            without=("document", "signature", "loaded_at", "signed_at", "plan_id"),
        ),
    }


def _rows(signatures: Any) -> Sequence[tuple[str, Any]]:
    return [("plans_plansignature", one.pk) for one in signatures]


def shared_context(version: PlanVersion, home: str, address: Any) -> dict[str, Any]:
    """What both sides show of a version."""
    versions = list(PlanVersion.objects.order_by("-number"))
    newest, found = versions[0], queries.plan_of(version)
    in_force = version.pk == newest.pk
    before = next((one for one in versions if one.number == version.number - 1), None)
    return {
        "title": _("Analysis plan"), "over": found.title,
        "crumbs": [] if in_force else [(_("Analysis plan"), home), (_("Version %(n)d") % {"n": version.number}, "")],
        "in_force": in_force, "waits_for": [show.CAPACITIES[one] for one in queries.unsigned(version)] if in_force else [],
        "facts": [
            (_("Version"), version.number), (_("Loaded"), version.loaded_at), (_("SHA-256"), version.sha256),
            *([(_("Why it took the place of the earlier one"), found.change)] if found.change else []),
        ],
        "sections": show.sections_of(found, current(), next((day for day, _number in randomized_by_day()), None)),
        "changes": show.change_table(before.document, version.document) if before else None,
        "versions": show.version_table(versions, address) if len(versions) > 1 else None,
    }  # fmt: skip


def _capacity(person: Person, version: PlanVersion) -> str:
    """In which capacity this person may sign now, or none."""
    for one in queries.unsigned(version):
        if person.holds(actions.SIGNERS[one]):
            return str(one)
    return ""


@page(roles=(TrialStatistician,))
@require_http_methods(["GET", "POST"])
def plan_new(request: Request) -> HttpResponseBase:
    """Load a version; whatever is wrong with it is said with its place, and what was typed stays."""
    form = PlanForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.load_plan(plan=parse(form.cleaned_data["text"], current()), by=request.person)
            return redirect("plan")
        except ProtocolError as error:
            for problem in error.problems[:20]:
                form.add_error("text", str(problem))
        except Refused as refusal:
            form.add_error("text", str(refusal.message))
    context = {
        "title": _("Load a version of the plan"), "form": form, "submit": _("Load this version"), "cancel_url": reverse("plan"),
        "crumbs": [(_("Analysis plan"), reverse("plan")), (_("New version"), "")],
    }  # fmt: skip
    return render(request, "trial/form.html", context, status=status_of(form))


@page(roles=(TrialStatistician, Investigator))
@require_http_methods(["GET", "POST"])
def plan_sign(request: Request) -> HttpResponseBase:
    """Sign the version in force."""
    version = queries.version_or_none()
    capacity = _capacity(request.person, version) if version else ""
    if version is None or not capacity:
        return redirect("plan")
    form = SignatureForm(request.POST or None)
    if request.method == "POST" and form.carries_out(
        actions.sign_plan, version=version, capacity=capacity, by=request.person
    ):
        return redirect("plan")
    context = {
        "title": _("Sign the analysis plan"),
        "facts": [
            (_("Version"), version.number), (_("SHA-256"), version.sha256),
            (_("You sign as"), show.CAPACITIES[PlanSignature.Capacity(capacity)]),
        ],
        "consequence": _("Every result will name this version. A later change makes a new version, which is signed anew."),
        "form": form, "submit": _("Sign version %(n)d") % {"n": version.number}, "cancel_url": reverse("plan"),
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))
