"""A stored result of the analysis plan as people read it: the planned contrast, and every model that stands beside it."""

from typing import Any

from django.utils.translation import gettext as _

from analysis.plans.presenters import WORDS
from analysis.reports import subgroups
from analysis.reports.plan_beside import Section, beside, contrast, fit_name
from analysis.reports.plan_model import of_the_model
from analysis.reports.plan_shifts import teams_words
from analysis.reports.rendering import (
    FAKE,
    arm_codes,
    differences_table,
    label,
    means_chart,
    primary_sentence,
    rater_certainty,
    said,
    words,
)
from trial.core.ui import figures
from trial.core.ui.charts import Chart, chart
from trial.core.ui.parts import Certainty, Result
from trial.core.ui.tables import Column, Table
from trial.core.ui.text import p_words

NUMBERS = ("estimate", "se", "df", "lower", "upper", "p")


def planned_result(frozen: dict[str, Any], stored: dict[str, Any], *, fake: bool = False, source: str = "") -> Result:
    """Sentence, differences by visit, adjusted means, and how sure one can be."""
    planned = _as_analysis(frozen, stored)
    return Result(
        sentence=said(planned_sentence(frozen, stored), fake=fake),
        table=differences_table(frozen, planned),
        charts=[one for one in (means_chart(frozen, planned), differences_chart(frozen, planned)) if one],
        certainty=_certainty(frozen, stored),
        marked=FAKE if fake else "",
        source=source,
    )


def sections(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Section]:
    """What follows the planned contrast: other models, other outcomes, then, folded, what shows whether the model holds."""
    return [_models(frozen, stored), *beside(frozen, stored), *behind_the_answer(frozen, stored)]


def behind_the_answer(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Section]:
    """What shows whether the model holds, and the models in full; folded."""
    return [*of_the_model(frozen, stored), *_in_full(frozen, stored)]


def planned_sentence(frozen: dict[str, Any], stored: dict[str, Any]) -> str:
    """The planned contrast in words, with interval and p."""
    found = contrast(frozen, stored["fits"][0]["answer"])
    if found is None or found["estimate"] is None:
        return _("No difference could be estimated: %(why)s") % {"why": (found or {}).get("reason") or _("see below.")}
    return primary_sentence(frozen, _as_analysis(frozen, stored))


def _as_analysis(frozen: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """The planned model as the pages of the other analyses read theirs."""
    first = stored["fits"][0]
    answer, control = first["answer"], arm_codes(frozen)[1]
    joint = answer.get("joint")
    return {
        "spec": {
            "arm": {"reference": control},
            "confidence": frozen["confidence"],
            "primary_visit": frozen["primary_visit"],
        },
        "differences": [
            {"visit": one["visit"], "value": _value(one), "standardized": _d(frozen, stored, one)}
            for one in answer["differences"]
        ],
        "means": [
            {"visit": one["visit"], "arm": one["arm"], "value": _value(one)}
            for one in answer["lsmeans"]
            if one["visit"] is not None
        ],
        "joint": {**joint, "df": joint["num_df"], "df_residual": joint["den_df"]}
        if joint and joint["p"] is not None
        else None,
        "standard_deviation": stored["standard_deviation"],
        "problems": first["problems"],
    }


def _value(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "low": one["lower"], "high": one["upper"]}


def _d(frozen: dict[str, Any], stored: dict[str, Any], one: dict[str, Any]) -> float | None:
    """Standardized by the baseline of all randomized, + in favor of the experimental arm; one SD for every model."""
    sd = stored["standard_deviation"]
    if sd is None or one["estimate"] is None:
        return None
    value: float = one["estimate"] / sd["value"]
    return -value if frozen["better"] == "lower" else value


def fits_table(frozen: dict[str, Any], stored: dict[str, Any]) -> Table:
    """The contrast at the primary visit under each model."""
    rows = []
    for fit in stored["fits"]:
        one = contrast(frozen, fit["answer"])
        numbers = [one[name] for name in NUMBERS] if one else [None] * len(NUMBERS)
        degrees = WORDS.get((fit["answer"] or {}).get("df_method", ""), "")
        rows.append([fit_name(frozen, fit), degrees, *numbers, _d(frozen, stored, one) if one else None])
    caption = _("The contrast at %(visit)s under each model") % {"visit": label(frozen, frozen["primary_visit"])}
    left = ", ".join(str(WORDS[kind]) for kind in frozen["not_computed"])
    note = _("Planned, and not computed by this program: %(what)s.") % {"what": left} if left else ""
    columns = [
        Column(_("Model")), Column(_("Method for df")), Column(_("Difference"), number=True, decimals=2), Column(_("SE"), number=True, decimals=3),
        Column(_("df"), number=True, decimals=1), Column(_("Low"), number=True, decimals=2), Column(_("High"), number=True, decimals=2),
        Column(_("p"), p=True), Column(_("d"), number=True, decimals=2),
    ]  # fmt: skip
    return Table(columns, rows, caption=caption, note=note)


def coefficient_tables(frozen: dict[str, Any], stored: dict[str, Any]) -> list[tuple[str, Table]]:
    """The coefficients of each model that could be fitted."""
    columns = [Column(_("Term"), code=True)] + [
        Column(text, number=True, decimals=4) for text in (_("Estimate"), _("SE"), _("df"), _("Statistic"))
    ] + [Column(_("p"), p=True)]  # fmt: skip
    found = []
    for fit in stored["fits"]:
        if not fit["answer"] or not fit["answer"]["coefficients"]["names"]:  # imputation has none of its own
            continue
        one = fit["answer"]["coefficients"]
        rows = [
            list(row)
            for row in zip(*(one[k] for k in ("names", "estimate", "se", "df", "statistic", "p")), strict=True)
        ]
        caption = _("Coefficients, log-likelihood %(value)s") % {"value": _number(fit["answer"]["logLik"])}
        found.append((fit_name(frozen, fit), Table(columns, rows, caption=caption)))
    return found


def _number(value: float | None) -> str:
    return "NA" if value is None else f"{value:.6f}".replace("-", "\N{MINUS SIGN}")


def differences_chart(frozen: dict[str, Any], planned: dict[str, Any]) -> Chart | None:
    """The adjusted difference at each visit with its interval, and the line of no difference."""
    known = [one for one in planned["differences"] if one["visit"] is not None and one["value"]["low"] is not None]
    if not known:
        return None
    named = [
        (label(frozen, one["visit"]), *(one["value"][key] for key in ("estimate", "low", "high"))) for one in known
    ]
    points = [figures.VisitPoint(_("Difference"), *one) for one in named]
    names = {
        "arm": frozen["arms"][frozen["experimental"]],
        "control": frozen["arms"][planned["spec"]["arm"]["reference"]],
    }
    spec = figures.by_visit(points, _("Difference in points"), width=480, zero=True)
    sentence = (
        _("Adjusted differences by visit, %(arm)s minus %(control)s, with intervals; at the line there is none.")
        % names
    )
    columns = [Column(_("Visit"))] + [
        Column(t, number=True, decimals=2) for t in (_("Difference"), _("Low"), _("High"))
    ]
    return chart(spec, _("Difference by visit"), sentence, Table(columns, named))


def _models(frozen: dict[str, Any], stored: dict[str, Any]) -> Section:
    drawn = _forest(frozen, stored)
    lead = _("The planned contrast under each model of the plan.")
    return Section(
        _("How much rests on the model"), lead, charts=[drawn] if drawn else [], tables=[fits_table(frozen, stored)]
    )


def _in_full(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Section]:
    return [
        Section(_("The model in full (%(name)s)") % {"name": name}, tables=[table], folded=True)
        for name, table in coefficient_tables(frozen, stored)
    ]


def _forest(frozen: dict[str, Any], stored: dict[str, Any]) -> Chart | None:
    estimates = [
        figures.Estimate(
            fit_name(frozen, fit), one["estimate"], one["lower"], one["upper"], is_total=fit["kind"] == "primary"
        )
        for fit in stored["fits"]
        if (one := contrast(frozen, fit["answer"])) and one["estimate"] is not None
    ]
    if not estimates:
        return None
    drawn = figures.forest(estimates, _("Difference in points"))
    sentence = _("The contrast at the primary visit under each model; the diamond is the planned one.")
    return chart(drawn, _("How much rests on the model"), sentence, fits_table(frozen, stored))


def _certainty(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Certainty]:
    first = stored["fits"][0]
    found = [
        Certainty("good", _("The planned model converged: %(model)s.") % {"model": WORDS[first["answer"]["model"]]})
    ]
    if stored["team"] in ("fixed", "random") and frozen["team_rule"] == "fixed_or_random":
        found.append(
            Certainty("good", _("Teams entered as: %(how)s, by the plan's rule.") % {"how": WORDS[stored["team"]]})
        )
    final = stored.get("final")
    if final and final["held"] and not final["problems"]:
        looked = _(
            "Looks were held before: interval and p above are those of a single analysis. Allowing for the looks, %(p)s."
        )
        found.append(Certainty("caution", looked % {"p": p_words(final["p_stagewise"])}))
    found += [Certainty("caution", words(problem)) for problem in first["problems"]]
    for fit in stored["fits"][1:]:
        if teams := teams_words((fit["answer"] or {}).get("teams")):
            found.append(Certainty("caution", f"{fit_name(frozen, fit)}: {teams}"))
        if not fit["answer"]:
            why = " ".join(words(problem) for problem in fit["problems"])
            found.append(Certainty("poor", f"{fit_name(frozen, fit)}: {why}"))
    return found + rater_certainty(frozen)


def as_rows(frozen: dict[str, Any], stored: dict[str, Any], *, fake: bool = False) -> Table:
    """Every difference of every model as one table, for its CSV."""
    columns = [Column(name) for name in ("model", "kind", "df method", "visit", *NUMBERS, "standardized", "data")]
    data = "fake" if fake else "trial"
    rows = [
        [
            fit["code"],
            fit["kind"],
            fit["answer"]["df_method"],
            one["visit"] or "",
            *(one[name] for name in NUMBERS),
            _d(frozen, stored, one),
            data,
        ]
        for fit in stored["fits"]
        if fit["answer"]
        for one in fit["answer"]["differences"]
    ]
    return Table(columns, [*rows, *_subgroup_rows(frozen, stored, data)])


def _subgroup_rows(frozen: dict[str, Any], stored: dict[str, Any], data: str) -> list[list[Any]]:
    """Each level, which has no p, and each interaction, which has nothing else."""
    rows: list[list[Any]] = []
    for planned, found in subgroups.named(frozen, stored) if stored.get("subgroups") else ():
        if "problems" in found:
            continue
        head, visit = [planned["code"], "interaction", found["model"]["df_method"]], frozen["primary_visit"]
        test = found["interaction"]
        rows.append([*head, visit, None, None, test["df2"], None, None, test["p"], None, data])
        for one in found["levels"]:
            numbers = [one["estimate"], one["se"], None, one["lower"], one["upper"], None]
            name = f"{planned['code']}: {one['label']}"
            rows.append([name, "subgroup", head[2], visit, *numbers, _d(frozen, stored, one), data])
    return rows
