"""Forecasts of candidate schemes, for the independent statistician."""

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from analysis.pooled.presenters import progress_of
from analysis.unblinded.forecasts import actions, presenters
from analysis.unblinded.forecasts.candidates import block_sets, specification
from analysis.unblinded.models import ForecastRun
from trial.core.access import Request, page
from trial.core.access.roles import IndependentStatistician
from trial.core.errors import Refused
from trial.core.history.presenters import lines
from trial.core.history.queries import history_of
from trial.core.ui import forms, live
from trial.core.ui.forms import posted, status_of
from trial.core.ui.tables import csv_response, shown
from trial.protocol.queries import current
from trial.unblinded.disclosure.models import UnblindedHistory

ONLY = (IndependentStatistician,)


class ForecastForm(forms.Form):
    """How many people, how many trials, which further blocks."""

    people = forms.IntegerField(gettext_lazy("Participants in the whole trial"), min_value=2, max_value=5000)
    trials = forms.IntegerField(
        gettext_lazy("Simulated trials"), min_value=100, max_value=5000, hint=gettext_lazy("1000 give shares to about half a percent.")
    )  # fmt: skip
    sizes = forms.TextAreaField(
        gettext_lazy("Further sets of block sizes"),
        required=False,
        rows=3,
        hint=gettext_lazy("One set a line, such as: 5 15. The usual schemes are compared anyway."),
    )

    def clean(self) -> dict[str, Any]:
        """The specification, or what makes no scheme."""
        found = super().clean() or {}
        if {"people", "trials"} <= found.keys():
            try:
                found["spec"] = specification(
                    current(),
                    people=found["people"],
                    trials=found["trials"],
                    blocks=block_sets(found.get("sizes", "")),
                )
            except Refused as refusal:
                self.add_error("sizes", ValidationError(str(refusal.message)))
        return found


@page(roles=ONLY)
def forecast_list(request: Request) -> HttpResponseBase:
    """All forecasts."""
    runs = list(ForecastRun.objects.defer("result").order_by("-created_at", "id")[:100])
    context = {
        "title": _("Forecasts of allocation"),
        "lead": _("What each scheme would cost in this trial. Not for anybody who recruits."),
        "table": presenters.run_table(runs),
    }
    return render(request, "unblinded/analysis/forecasts.html", context)


@page(roles=ONLY)
@require_http_methods(["GET", "POST"])
def forecast_new(request: Request) -> HttpResponseBase:
    """Ask for a forecast."""
    protocol = current()
    form = ForecastForm(posted(request), initial={"people": protocol.target_sample_size, "trials": 1000})
    if request.method == "POST" and form.is_valid():
        run = actions.start_forecast(spec=form.cleaned_data["spec"], by=request.person)
        return redirect("forecast", run.pk)
    context = {
        "title": _("New forecast"),
        "crumbs": [(_("Forecasts"), reverse("forecasts")), (_("New"), "")],
        "form": form,
        "submit": _("Start the simulation"),
        "cancel_url": reverse("forecasts"),
    }
    return render(request, "trial/form.html", context, status=status_of(form))


@page(roles=ONLY)
def forecast_page(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Progress, or the candidates side by side."""
    run = get_object_or_404(ForecastRun, pk=key)
    title = _("Forecast of %(day)s") % {"day": shown(run.created_at)}
    context: dict[str, Any] = {
        "title": title, "crumbs": [(_("Forecasts"), reverse("forecasts")), (title, "")], "run": run,
        "record": _record(run),
        "history": lines(history_of(("unblinded_forecast_run", run.pk), source=UnblindedHistory)),
    }  # fmt: skip
    if run.state != ForecastRun.State.SUCCEEDED:
        return render(request, "analysis/run.html", context | {"job": _progress(run)})
    table = presenters.result_table(run.spec, run.result)
    if request.GET.get("format") == "csv":
        return csv_response(table, f"forecast-{run.result_sha256[:12]}")
    context |= {
        "sentence": presenters.certain_sentence(run.spec, run.result),
        "table": table,
        "charts": [presenters.guess_chart(run.spec, run.result), presenters.balance_chart(run.spec, run.result)],
    }
    return render(request, "unblinded/analysis/forecast.html", context)


def _record(run: ForecastRun) -> list[tuple[str, Any]]:
    return [
        (_("Participants"), run.spec["people"]),
        (_("Strata"), len(run.spec["strata"])),
        (_("Simulated trials"), run.spec["trials"]),
        (_("Seed of the simulation"), run.seed),
        (_("Code"), run.code_version[:16]),
        (_("SHA-256 of the result"), run.result_sha256[:16] or "–"),
    ]


def _progress(run: ForecastRun) -> Any:
    poll, cancel, result = (
        reverse(name, args=[run.pk]) for name in ("forecast_progress", "forecast_cancel", "forecast")
    )
    return progress_of(run, poll=poll, cancel=cancel, result=result)


@page(roles=ONLY)
def forecast_progress(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """The part of the page that follows a simulation."""
    run = get_object_or_404(ForecastRun, pk=key)
    return live.progress(request, _progress(run), is_over=run.is_over)


@page(roles=ONLY)
@require_POST
def forecast_cancel(request: Request, key: uuid.UUID) -> HttpResponseBase:
    """Ask it to stop."""
    actions.cancel_forecast(run=get_object_or_404(ForecastRun, pk=key), by=request.person)
    return redirect("forecast", key)
