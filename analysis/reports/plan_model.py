"""How well the planned model describes its data: who was seen when, residuals, influence, covariance, and how the search ended.

Points carry no study number; all of it is stored with the result (``analysis.runs.diagnosed``).
"""

from typing import Any

from django.utils.translation import gettext as _

from analysis.reports.plan_beside import Section, fit_name, method_words, not_made
from analysis.reports.rendering import label
from trial.core.ui import model_figures
from trial.core.ui.charts import Chart, chart
from trial.core.ui.tables import Column, Table

FEW = 24
"""So many of the most influential people are drawn; the others are smaller."""


def of_the_model(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Section]:
    """Everything a statistician looks at before believing the table, folded."""
    found = [_patterns(frozen, stored)] if stored.get("patterns") else []
    diagnostics = stored.get("diagnostics")
    if diagnostics and "problems" in diagnostics:
        found.append(not_made(_("Residuals"), diagnostics))
    elif diagnostics:
        found += [_residuals(diagnostics), _influence(diagnostics)]
    return [*found, _covariance(frozen, stored), _convergence(frozen, stored)]


# --- who was seen when ---------------------------------------------------------------------------------------------------


def _patterns(frozen: dict[str, Any], stored: dict[str, Any]) -> Section:
    arms = list(frozen["arms"])
    totals = {arm: sum(one["by_arm"].get(arm, 0) for one in stored["patterns"]) for arm in arms}
    rows, drawn = [], []
    for one in stored["patterns"]:
        name = " + ".join(label(frozen, visit) for visit in one["seen"]) or _("at no visit")
        counts = [one["by_arm"].get(arm, 0) for arm in arms]
        rows.append([name, *counts, sum(counts)])
        drawn += [
            (name, frozen["arms"][arm], 100 * count / totals[arm] if totals[arm] else 0.0, str(count))
            for arm, count in zip(arms, counts, strict=True)
        ]
    columns = (
        [Column(_("Seen at"))]
        + [Column(frozen["arms"][arm], number=True) for arm in arms]
        + [Column(_("All"), number=True)]
    )
    table = Table(columns, rows, caption=_("Participants by the visits at which the outcome is there"))
    every = frozen["fits"][0]["fit"]["visits"]
    complete = sum(sum(one["by_arm"].values()) for one in stored["patterns"] if one["seen"] == every)
    lead = _("%(complete)d of %(all)d randomized participants have the outcome at every visit of the model.") % {
        "complete": complete, "all": sum(totals.values()),
    }  # fmt: skip
    spec = model_figures.bars(drawn, _("Percent of the arm"))
    figure = chart(
        spec, _("Patterns of missing visits"), _("At which visits the outcome is there, in percent of each arm."), table
    )
    return Section(_("Who was seen when"), lead, charts=[figure], folded=True)


# --- residuals and influence ---------------------------------------------------------------------------------------------


def _residuals(found: dict[str, Any]) -> Section:
    title = _("Residuals")
    lead = _(
        "If the model holds, scaled residuals have the variance 1 and no pattern, and their quantiles lie on the line."
    )
    pairs, quantiles = ([(x, y) for x, y in found[key]] for key in ("residuals", "quantiles"))
    against = chart(
        model_figures.scatter(pairs, _("Fitted value"), _("Scaled residual")),
        _("Residuals against fitted values"),
        _(
            "Scaled residuals of the planned model by fitted value: %(shown)d of %(n)d observations, evenly chosen if not all."
        )
        % {"shown": len(pairs), "n": found["observations"]},
        _spread_table(found["residuals"]),
    )
    normal = chart(
        model_figures.scatter(quantiles, _("Normal quantile"), _("Scaled residual"), diagonal=True),
        _("Quantiles of the residuals"),
        _("Scaled residuals in order, against where a normal distribution has them; the line is perfect agreement."),
        Table([Column(_("Normal quantile"), number=True, decimals=2), Column(_("Scaled residual"), number=True, decimals=2)],
              quantiles[:: max(1, len(quantiles) // 20)]),
    )  # fmt: skip
    return Section(title, lead, charts=[against, normal], folded=True)


def _spread_table(pairs: list[list[float]]) -> Table:
    """How many residuals lie how far out: what a reader without the figure wants to know of it."""
    limits = [float("-inf"), -3, -2, -1, 0, 1, 2, 3, float("inf")]
    names = [_("below −3"), "−3 to −2", "−2 to −1", "−1 to 0", "0 to 1", "1 to 2", "2 to 3", _("above 3")]
    rows = [
        [name, sum(low <= residual < high for _fitted, residual in pairs)]
        for name, low, high in zip(names, limits[:-1], limits[1:], strict=True)
    ]
    return Table([Column(_("Scaled residual")), Column(_("Observations"), number=True)], rows)


def _influence(found: dict[str, Any]) -> Section:
    title = _("Influence of single participants")
    largest = [one["distance"] for one in found["influence"][:FEW]]
    lead = _(
        "Cook's distance: how far all coefficients move without one participant, the variances held. Well below 1: no participant decides alone."
    )
    if found["alone"]:
        lead = f"{lead} " + _("%(n)d participants alone decide a coefficient, and have no distance.") % {
            "n": found["alone"]
        }
    table = Table(
        [Column(_("Rank"), number=True), Column(_("Distance"), number=True, decimals=3)],
        [[one["rank"], one["distance"]] for one in found["influence"][:FEW]],
    )
    if not largest:
        return Section(title, lead, tables=[table], folded=True)
    sentence = _("The %(n)d largest of %(all)d distances; the largest is %(value)s.") % {
        "n": len(largest), "all": found["people"], "value": f"{largest[0]:.2f}",
    }  # fmt: skip
    figure = chart(model_figures.ranked(largest, _("Rank"), _("Distance")), _("Largest distances"), sentence, table)
    return Section(title, lead, charts=[figure], folded=True)


# --- covariance and search -----------------------------------------------------------------------------------------------


def _covariance(frozen: dict[str, Any], stored: dict[str, Any]) -> Section:
    title, answer = _("Covariance"), stored["fits"][0]["answer"]
    found = answer.get("covariance")
    if not found or "matrix" not in found:
        variances = answer.get("variances") or {}
        names = {
            "residual": _("Within participants"),
            "participant": _("Between participants"),
            frozen["team_column"]: _("Between teams"),
        }
        rows = [[names.get(name, name), value] for name, value in variances.items()]
        columns = [Column(_("Variance")), Column(_("Estimate"), number=True, decimals=4)]
        return Section(title, tables=[Table(columns, rows, empty=_("This model has none."))], folded=True)
    names_of = [label(frozen, visit) for visit in found["visits"]]
    spread = [found["matrix"][i][i] ** 0.5 for i in range(len(names_of))]
    correlation = [
        [value / spread[i] / spread[j] for j, value in enumerate(row)] for i, row in enumerate(found["matrix"])
    ]
    columns = [Column("")] + [Column(name, number=True, decimals=3) for name in names_of]
    tables = [
        Table(columns, [[name, *row] for name, row in zip(names_of, matrix, strict=True)], caption=caption)
        for matrix, caption in (
            (found["matrix"], _("Covariance between visits")),
            (correlation, _("Correlation between visits")),
        )
    ]
    lead = _("Structure: %(name)s.") % {"name": method_words(answer["structure"])}
    figure: Chart = chart(
        model_figures.matrix(names_of, correlation),
        _("Correlation between visits"),
        _("How much the values of a participant at two visits go together, as the planned model estimates it."),
        tables[1],
    )
    return Section(title, lead, charts=[figure], tables=tables[:1], folded=True)


def _convergence(frozen: dict[str, Any], stored: dict[str, Any]) -> Section:
    """How the search of each model ended."""
    rows = []
    for fit in stored["fits"]:
        answer = fit["answer"]
        if not answer or "convergence" not in answer:  # what was imputed was not searched for
            continue
        search = answer.get("convergence") or {}
        steps = search.get("steps", search.get("polish_iterations"))
        eigenvalues = search.get("eigenvalues") or []
        tried = ", ".join(str(method_words(name)) for name in search.get("tried", ()))
        rows.append(
            [
                fit_name(frozen, fit), answer["n_obs"], answer["analyzed"], steps, _power(search.get("gradient")), _power(search.get("decrement")),
                _power(min(eigenvalues)) if eigenvalues else None, tried or None, answer["logLik"],
            ]
        )  # fmt: skip
    columns = [
        Column(_("Model")), Column(_("Observations"), number=True), Column(_("Participants"), number=True), Column(_("Steps"), number=True),
        Column(_("Largest gradient"), number=True), Column(_("Gain still expected"), number=True), Column(_("Smallest eigenvalue"), number=True),
        Column(_("Covariances tried")), Column(_("Log-likelihood"), number=True, decimals=4),
    ]  # fmt: skip
    return Section(_("How the search ended"), tables=[Table(columns, rows)], folded=True)


def _power(value: float | None) -> str | None:
    return None if value is None else f"{value:.1e}"
