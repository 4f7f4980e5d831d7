"""Looks before the end, for the independent statistician and the committee. Every opening of a result goes into the ledger."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from analysis.plans.queries import plan_of, version_or_none
from analysis.pooled.presenters import progress_of, run_history
from analysis.reports.people import source_of
from analysis.reports.presenters import record_facts, result_context, result_rows
from analysis.unblinded.looks import actions, queries
from analysis.unblinded.looks import presenters as show
from analysis.unblinded.looks.forms import RecommendationForm, RequestForm
from analysis.unblinded.models import ComparativeRun, Look, LookRequest
from analysis.unblinded.presenters import KINDS
from trial.core.access import Request, page
from trial.core.access.roles import CommitteeChair, CommitteeMember, IndependentStatistician
from trial.core.errors import Refused
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import csv_response, shown
from trial.participants.forms import SignatureForm
from trial.unblinded.disclosure.actions import note
from trial.unblinded.disclosure.models import UnblindedHistory
from trial.unblinded.disclosure.queries import planned_unblinding

COMMITTEE = (CommitteeMember, CommitteeChair)
READERS = (IndependentStatistician, *COMMITTEE)


def _crumbs(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [(_("Looks before the end"), reverse("looks")), *more]


@page(roles=READERS)
def look_list(request: Request) -> HttpResponseBase:
    """Planned looks and whether they are due, requests that wait, and what was begun. No number of any result."""
    version = version_or_none()
    plan = plan_of(version) if version else None
    is_open = planned_unblinding() is None
    may_begin = is_open and request.person.holds(IndependentStatistician)
    standings = show.planned_looks(plan) if plan else []
    context = {
        "title": _("Looks before the end"),
        "lead": _("Nobody on the open side knows whether a look is due, runs or was held."),
        "is_closed": not is_open,
        "planned": show.planned_table(standings, plan, may_begin=may_begin) if plan else None,
        "requests": show.request_table(queries.waiting_requests(), may_begin=may_begin),
        "begun": show.begun_table(list(Look.objects.order_by("number"))),
        "ask_url": reverse("look_ask") if is_open and request.person.holds(*COMMITTEE) else "",
    }
    return render(request, "unblinded/analysis/looks.html", context)


@page(roles=(IndependentStatistician,))
@require_http_methods(["GET", "POST"])
def look_begin(request: Request, code: str) -> HttpResponseBase:
    """Confirm and begin a planned look."""
    version = version_or_none()
    plan = plan_of(version) if version else None
    planned = next((one for one in plan.looks.looks if one.code == code), None) if plan and plan.looks else None
    snapshot = queries.newest_snapshot()
    if plan is None or planned is None:
        raise Http404
    if request.method == "POST":
        return _begun(request, actions.begin_planned, code=code)
    context = {
        "title": _("Begin the planned look: %(name)s") % {"name": code.replace("_", " ")},
        "facts": [
            *_data_facts(snapshot),
            (_("When it is due"), queries.trigger_of(planned, plan, snapshot).words),
            (_("What is compared"), _("The plan's primary outcome by its primary model, nothing else")),
        ],
        "consequence": _("Outcomes are joined to the real arms, and alpha is spent at the information that is found. It cannot be taken back."),
        "submit": _("Begin this look"), "cancel_url": reverse("looks"), "crumbs": _crumbs((code.replace("_", " "), "")),
    }  # fmt: skip
    return render(request, "confirm.html", context)


@page(roles=(IndependentStatistician,))
@require_http_methods(["GET", "POST"])
def look_requested(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Confirm a request of the committee and begin its look, as somebody else."""
    asked = get_object_or_404(LookRequest, pk=key)
    if request.method == "POST":
        return _begun(request, actions.begin_requested, request=asked)
    cost = _("the spending function at the information that is found") if asked.blind_timing else _("the plan's price")
    context = {
        "title": _("Confirm a request for a look"),
        "facts": [
            (_("Asked"), asked.requested_at), (_("In the name of"), str(show.ASKED_FOR[asked.asked_for])), (_("Why"), asked.words),
            (_("It costs"), cost), *_data_facts(queries.newest_snapshot()),
        ],
        "consequence": _("No plan has this look. It spends alpha, and the final report names it. It cannot be taken back."),
        "submit": _("Confirm and begin this look"), "cancel_url": reverse("looks"), "crumbs": _crumbs((_("Request"), "")),
    }  # fmt: skip
    return render(request, "confirm.html", context)


def _data_facts(snapshot: Any) -> list[tuple[str, Any]]:
    if snapshot is None:
        return [(_("Snapshot"), _("none yet"))]
    return [
        (_("Snapshot"), shown(snapshot.made_at)),
        (_("SHA-256"), snapshot.sha256[:16]),
        (_("Participants"), snapshot.participants),
    ]


def _begun(request: Request, act: Any, /, **given: Any) -> HttpResponse:
    """The page of the look that was begun; what refuses it is said on the list."""
    try:
        run = act(by=request.person, **given)
    except Refused as refusal:
        messages.error(request, str(refusal.message))
        return redirect("looks")
    return redirect("look", run.look.number)


@page(roles=READERS)
def look_page(request: Request, number: int) -> HttpResponseBase:
    """One look: progress, failure, or result with the committee's recommendation. That a result was opened goes into the ledger."""
    look = get_object_or_404(Look, number=number)
    run = queries.newest_run(look)
    if run is None:
        raise Http404
    context: dict[str, Any] = {
        "title": show.name_of(look), "crumbs": _crumbs((show.name_of(look), "")), "run": run, "record": record_facts(run),
        "history": run_history(history_of(("unblinded_comparative_run", run.pk), source=UnblindedHistory), KINDS, show.HISTORY),
    }  # fmt: skip
    if run.state != ComparativeRun.State.SUCCEEDED:
        return render(request, "analysis/run.html", context | {"job": _progress(request, run)})
    note(what="look opened", subject=str(look.number), by=request.person)
    if request.GET.get("format") == "csv":
        rows = result_rows(run.spec, run.result)
        if rows is None:
            raise Http404
        return csv_response(rows, f"look-{look.number}-{run.result_sha256[:12]}")
    found = result_context(run.spec, run.result, source=source_of(run))
    found |= _committee(request, look)
    found["history"] = [*found["history"], *context["history"]]
    return render(request, "analysis/look.html", context | found | {"readers": show.reader_table(look)})


def _progress(request: Request, run: ComparativeRun) -> Any:
    """How far it is; only the independent statistician follows and stops it."""
    mine = request.person.holds(IndependentStatistician)
    poll, cancel = (
        reverse(name, args=[run.pk]) if mine else "" for name in ("comparative_progress", "comparative_cancel")
    )
    return progress_of(
        run, poll=poll, cancel=cancel, result=reverse("look", args=[run.look.number]) if run.look else ""
    )


def _committee(request: Request, look: Look) -> dict[str, Any]:
    """What the committee wrote and signed, and the one step that this person can take."""
    written = queries.recommendations(look)
    newest = written[0] if written else None
    found: dict[str, Any] = {
        "committee": show.recommendation_table(written),
        "signatures": show.signature_table(newest) if newest else None,
        "told": show.told_words(newest) if newest else "",
    }
    rows = [("unblinded_recommendation", one.pk) for one in written]
    rows += [("unblinded_recommendation_signature", one.pk) for one in (newest.signatures.all() if newest else ())]
    changed = history_of(*rows, source=UnblindedHistory) if rows else []
    found["history"] = lines(
        changed, show.HISTORY, without=("signature", "written_at", "signed_at", "look_id", "recommendation_id")
    )
    if not request.person.holds(*COMMITTEE):
        return found
    address = [look.number]
    if newest is None:
        return found | {"recommend_url": reverse("look_recommend", args=address), "recommend_words": _("Recommend")}
    if queries.sealed(look) is None:
        found["change_url"] = reverse("look_recommend", args=address)
    step = show.waits_for(request.person, newest)
    if step:
        name = "look_tell" if queries.sealed(look) else "look_sign"
        found |= {"recommend_url": reverse(name, args=address), "recommend_words": step}
    return found


@page(roles=COMMITTEE)
@require_http_methods(["GET", "POST"])
def look_ask(request: Request) -> HttpResponseBase:
    """Ask in writing for a comparison that no plan has."""
    form = RequestForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.ask_for_look(by=request.person, **form.cleaned_data)
            return redirect("looks")
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    context = {
        "title": _("Ask for a look"), "crumbs": _crumbs((_("Request"), "")), "form": form, "submit": _("Ask for this look"),
        "lead": _("The independent statistician, another person, confirms and begins it. It spends alpha and is named in the final report."),
        "cancel_url": reverse("looks"),
    }  # fmt: skip
    return render(request, "trial/form.html", context, status=status_of(form))


@page(roles=COMMITTEE)
@require_http_methods(["GET", "POST"])
def look_recommend(request: Request, number: int) -> HttpResponseBase:
    """Write what the committee recommends."""
    look = get_object_or_404(Look, number=number)
    form = RecommendationForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.recommend(look=look, by=request.person, **form.cleaned_data)
            return redirect("look", number)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
    name = show.name_of(look)
    context = {
        "title": _("Recommendation after %(look)s") % {"look": name}, "form": form, "submit": _("Write this recommendation"),
        "crumbs": _crumbs((name, reverse("look", args=[number])), (_("Recommendation"), "")), "cancel_url": reverse("look", args=[number]),
    }  # fmt: skip
    return render(request, "trial/form.html", context, status=status_of(form))


@page(roles=COMMITTEE)
@require_http_methods(["GET", "POST"])
def look_sign(request: Request, number: int) -> HttpResponseBase:
    """Sign the newest recommendation about a look."""
    look = get_object_or_404(Look, number=number)
    newest = next(iter(queries.recommendations(look)), None)
    if newest is None:
        return redirect("look", number)
    form = SignatureForm(request.POST or None)
    signs = {"recommendation": newest, "by": request.person}
    if request.method == "POST" and form.carries_out(actions.sign_recommendation, **signs):
        return redirect("look", number)
    last = request.person.holds(CommitteeChair)
    context = {
        "title": _("Sign the recommendation"),
        "facts": [(_("Look"), show.name_of(look)), (_("Recommendation"), str(show.WORDS[newest.word])), (_("Reasons"), newest.words)],
        "consequence": _("The chair signs last: from now on it stands as it is.") if last else _("You sign as a member of the committee."),
        "form": form, "submit": _("Sign the recommendation"), "cancel_url": reverse("look", args=[number]),
    }  # fmt: skip
    return render(request, "confirm.html", context, status=status_of(form))


@page(roles=(CommitteeChair,))
@require_http_methods(["GET", "POST"])
def look_tell(request: Request, number: int) -> HttpResponseBase:
    """Confirm, and let the word pass the gate."""
    look = get_object_or_404(Look, number=number)
    found = queries.sealed(look)
    if found is None:
        return redirect("look", number)
    if request.method == "POST":
        actions.tell_team(look=look, by=request.person)
        return redirect("look", number)
    context = {
        "title": _("Tell the team"), "facts": [(_("Look"), show.name_of(look)), (_("The team reads"), str(show.WORDS[found.word]))],
        "consequence": _("Everybody who works in this trial sees this word and its day, on both sides, and nothing else. It cannot be taken back."),
        "submit": _("Tell the team"), "cancel_url": reverse("look", args=[number]),
    }  # fmt: skip
    return render(request, "confirm.html", context)
