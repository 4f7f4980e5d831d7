"""Forecasts as pages show them."""

from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from analysis.pooled.presenters import STATES
from analysis.unblinded.models import ForecastRun
from trial.core.ui import charts, figures
from trial.core.ui.tables import Column, Link, State, Table
from trial.core.ui.text import Text

Parameters = Mapping[str, Any]


def name_of(name: str, parameters: Parameters) -> str:
    """A candidate in words, with its parameters."""
    ratio = " : ".join(str(part) for _code, part in parameters["arms"])
    if name == "permuted-blocks":
        sizes = ", ".join(str(size) for size in parameters["block_sizes"])
        return (_("Blocks of %(sizes)s") if "," not in sizes else _("Blocks of random size: %(sizes)s")) % {
            "sizes": sizes
        }
    if name == "block-urn":
        return _("Block urn, %(balance)d times %(ratio)s") % {"balance": parameters["balance"], "ratio": ratio}
    if name == "big-stick":
        return _("Big stick, difference at most %(limit)d") % {"limit": parameters["limit"]}
    if name == "minimization":
        p = parameters["p"][0] / parameters["p"][1]
        return _("Minimization over stratum and sex, p = %(p)s") % {"p": f"{p:.2f}".lstrip("0")}
    return _("Complete randomization")


def names_of(spec: Mapping[str, Any]) -> list[str]:
    """The candidates of a specification in words."""
    return [name_of(name, parameters) for name, parameters in spec["candidates"]]


def run_table(runs: Sequence[ForecastRun]) -> Table:
    """Forecasts, newest first."""
    columns = [
        Column(_("Started")),
        Column(_("State")),
        Column(_("Participants"), number=True),
        Column(_("Trials"), number=True),
        Column(""),
    ]
    rows = [
        [run.created_at, State(*STATES[run.state]), run.spec["people"], run.spec["trials"], Link(_("Open"), reverse("forecast", args=[run.pk]))]
        for run in runs
    ]  # fmt: skip
    return Table(
        columns,
        rows,
        empty=_("A forecast plays many trials of this size under each scheme. Make one before the sequence is sealed."),
    )


def result_table(spec: Mapping[str, Any], result: Mapping[str, Any]) -> Table:
    """The candidates side by side."""
    columns = [
        Column(_("Scheme")),
        Column(_("Certain"), number=True, unit="%", decimals=1),
        Column(_("Guessed, one person"), number=True, unit="%", decimals=1),
        Column(_("Guessed, arms unseen"), number=True, unit="%", decimals=1),
        Column(_("Off target, mean"), number=True, decimals=1),
        Column(_("95 % of trials below"), number=True, decimals=1),
        Column(_("Largest"), number=True, decimals=1),
        Column(_("Worst stratum, mean"), number=True, decimals=1),
    ]
    rows = [
        [
            name,
            100 * one["certain"],
            100 * one["guessed"],
            100 * one["without_arms"],
            *one["off_target"],
            one["stratum_off_target"][0],
        ]
        for name, one in zip(names_of(spec), result["forecasts"], strict=True)
    ]
    return Table(columns, rows)


def guess_chart(spec: Mapping[str, Any], result: Mapping[str, Any]) -> charts.Chart:
    """Right guesses of the one-person site, with the middle 90 % of trials."""
    one = result["forecasts"][0]
    estimates = [
        _spread(name, 100 * found["guessed"], [100 * share for share in found["guesses"]])
        for name, found in zip(names_of(spec), result["forecasts"], strict=True)
    ]
    drawn = figures.forest(estimates, _("Right guesses, %"), null=100 * one["without_arms"])
    sentence = _(
        "Right guesses of somebody who recruits and sees the arms of the stratum, mean and middle 90 %% of simulated trials. "
        "The line stands at %(share).0f %%: always guessing the larger arm."
    ) % {"share": 100 * one["without_arms"]}
    return charts.chart(drawn, _("What could be guessed"), sentence, result_table(spec, result))


def balance_chart(spec: Mapping[str, Any], result: Mapping[str, Any]) -> charts.Chart:
    """How far the first arm ends off its share, with the middle 90 % of trials."""
    estimates = [
        _spread(name, sum(found["offs"]) / len(found["offs"]), found["offs"])
        for name, found in zip(names_of(spec), result["forecasts"], strict=True)
    ]
    drawn = figures.forest(estimates, _("Participants more or fewer than the ratio says"))
    sentence = _(
        "Participants of the first arm more or fewer than its share of the whole trial, middle 90 % of simulated trials."
    )
    return charts.chart(drawn, _("How far off the ratio"), sentence)


def certain_sentence(spec: Mapping[str, Any], result: Mapping[str, Any]) -> Text:
    """The price of the first candidate in one sentence, at both kinds of site."""
    first = result["forecasts"][0]
    return _(
        "%(name)s: to one person who recruits and sees the arms, %(certain).0f %% of the next allocations are certain and "
        "%(guessed).0f %% are guessed; where coordinators see no arm, %(unseen).0f %%, by always naming the larger arm."
    ) % {
        "name": names_of(spec)[0],
        "certain": 100 * first["certain"],
        "guessed": 100 * first["guessed"],
        "unseen": 100 * first["without_arms"],
    }


def _spread(name: str, value: float, values: Sequence[float]) -> figures.Estimate:
    cut = quantiles(values, n=20, method="inclusive")
    return figures.Estimate(name, value, cut[0], cut[-1])
