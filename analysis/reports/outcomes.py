"""All outcomes of a stored result: one sentence for the primary, one table, one forest plot, each outcome by itself, and admissions.

Nothing is computed anew. Every line says who rated the outcome, and whether blind.
"""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.reports.rendering import FAKE, fmt, label, model_result, primary_sentence, said, words
from trial.core.ui import figures
from trial.core.ui.charts import Chart, chart
from trial.core.ui.parts import Certainty, Result
from trial.core.ui.tables import Column, Link, State, Table
from trial.core.ui.text import Text

RATERS: dict[str, Text] = {
    "participant": gettext_lazy("participant"),
    "interviewer": gettext_lazy("interviewer"),
    "clinician": gettext_lazy("clinician"),
    "record": gettext_lazy("record"),
}
FITS: dict[str, tuple[str, Text]] = {
    "converged": ("done", gettext_lazy("Converged")),
    "converged_with_warnings": ("info", gettext_lazy("With warnings")),
    "boundary": ("info", gettext_lazy("Variance 0")),
    "not_converged": ("failed", gettext_lazy("Not converged")),
}
Address = Callable[[str], str]


def outcomes_result(
    frozen: dict[str, Any],
    stored: dict[str, Any],
    *,
    address: Address | None = None,
    fake: bool = False,
    source: str = "",
) -> Result:
    """Sentence for the primary, table of all outcomes, forest plot, certainty."""
    drawn = forest(frozen, stored)
    return Result(
        sentence=said(outcomes_sentence(frozen, stored), fake=fake),
        table=overview(frozen, stored, address),
        charts=[drawn] if drawn else [],
        certainty=certainty(frozen, stored),
        marked=FAKE if fake else "",
        source=source,
    )


def pairs(frozen: dict[str, Any], stored: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each outcome of the plan with what was found, in the plan's order: the primary first."""
    return list(zip(frozen["outcomes"], stored["outcomes"], strict=True))


def outcomes_sentence(frozen: dict[str, Any], stored: dict[str, Any]) -> str:
    """The result of the primary outcome in words."""
    outcome, found = pairs(frozen, stored)[0]
    if not found["analysis"]:
        why = " ".join(words(p) for p in found["problems"])
        return _("%(name)s could not be analyzed: %(why)s") % {"name": outcome["name"], "why": why}
    return primary_sentence({**frozen, "outcome": outcome}, found["analysis"])


def single(frozen: dict[str, Any], stored: dict[str, Any], code: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """One outcome as a result of its own; None where there is none of this code, or it has no analysis."""
    for outcome, found in pairs(frozen, stored):
        if outcome["code"] == code and found["analysis"]:
            method = outcome["spec"]["method"]
            alone = {**frozen, "outcome": outcome, "reported": method, "notes": []}
            return alone, {"analyses": {method: found["analysis"]}}
    return None


def outcome_result(alone: dict[str, Any], stored: dict[str, Any], *, fake: bool = False, source: str = "") -> Result:
    """One outcome in full."""
    return model_result(alone, stored, fake=fake, source=source)


# --- the table -----------------------------------------------------------------------------------------------------------


def rater_of(outcome: dict[str, Any]) -> str:
    """Who rated, and whether blind."""
    rater = str(RATERS.get(outcome["rater"], outcome["rater"]))
    return (_("%(rater)s, blind") if outcome["rater_blind"] else _("%(rater)s, not blind")) % {"rater": rater}


def follow_ups(frozen: dict[str, Any]) -> list[str]:
    """The visits after baseline of any outcome, in order."""
    levels = [level for outcome in frozen["outcomes"] for level in outcome["spec"]["time"]["levels"]]
    return [v for v in dict.fromkeys(levels) if v not in {o["spec"]["baseline_visit"] for o in frozen["outcomes"]}]


def overview(frozen: dict[str, Any], stored: dict[str, Any], address: Address | None) -> Table:
    """One line an outcome: differences with intervals, standardized effect, joint test, fit."""
    visits, primary = follow_ups(frozen), frozen["primary_visit"]
    columns = [Column(_("Outcome")), Column(_("Rated by")), Column(_("n"), number=True)]
    for visit in visits:
        columns += [
            Column(_("Difference, %(visit)s") % {"visit": label(frozen, visit)}, number=True),
            Column("p", p=True),
        ]
    columns += [
        Column(_("p, Holm"), p=True), Column(_("d"), number=True, decimals=2), Column(_("p, condition × time"), p=True),
        Column(_("Model")),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for outcome, found in pairs(frozen, stored):
        analysis = found["analysis"]
        name = _("%(name)s (primary)") % {"name": outcome["name"]} if outcome["role"] == "primary" else outcome["name"]
        row: list[Any] = [Link(name, address(outcome["code"])) if address and analysis else name, rater_of(outcome)]
        if not analysis:
            rows.append([*row, 0, *["NA"] * (2 * len(visits)), "NA", None, "NA", State("failed", _("Not estimable"))])
            continue
        by_visit = {d["visit"]: d for d in analysis["differences"]}
        row.append(analysis["counts"]["analyzed"])
        for visit in visits:
            value = by_visit[visit]["value"] if visit in by_visit else {}
            row += [with_interval(value), or_na(value.get("p"))]
        effect = by_visit.get(primary_level(outcome), {}).get("standardized")
        joint = (analysis.get("joint") or {}).get("p")
        kind, said = FITS[analysis["fit"]["convergence"]["status"]] if analysis["fit"] else ("failed", _("Not fitted"))
        holm = None if outcome["role"] == "primary" else or_na(found.get("holm"))
        rows.append([*row, holm, effect, or_na(joint), State(kind, said)])
    arms = {"arm": frozen["arms"][frozen["experimental"]], "control": control_name(frozen)}
    caption = (
        _("Primary and secondary outcomes: adjusted differences with 95 %% intervals, %(arm)s minus %(control)s") % arms
    )
    note = _(
        "d: difference at %(visit)s / SD of the baseline of all randomized, pooled within arms; + favors %(arm)s. Holm: over the"
        " secondary outcomes at that visit. NA: not estimable, see below."
    ) % {"visit": frozen["visits"][primary], "arm": arms["arm"]}
    return Table(columns, rows, caption=caption, note=note, csv_url="?format=csv")


def control_name(frozen: dict[str, Any]) -> str:
    """The name of the reference arm."""
    return str(frozen["arms"][frozen["outcomes"][0]["spec"]["arm"]["reference"]])


def primary_level(outcome: dict[str, Any]) -> str:
    """The primary visit as this outcome's model names it."""
    return str(outcome["spec"].get("primary_visit") or "")


def with_interval(value: dict[str, Any]) -> str:
    """An estimate with its interval, or NA."""
    if value.get("estimate") is None:
        return "NA"
    low, high = fmt(value["low"]), fmt(value["high"])
    interval = (_("(%(low)s to %(high)s)") % {"low": low, "high": high}).replace(" ", "\N{NO-BREAK SPACE}")
    return f"{fmt(value['estimate'])} {interval}"


def or_na(p: float | None) -> float | str:
    """A p-value for a column of p-values, or NA."""
    return "NA" if p is None else p


def as_rows(frozen: dict[str, Any], stored: dict[str, Any], *, fake: bool = False) -> Table:
    """All numbers, one line an outcome and visit: the CSV of the table."""
    columns = [Column(c) for c in ("arms", "outcome", "name", "role", "rater", "rater_blind", "n", "visit", "estimate", "se", "df",
        "low", "high", "p", "p_holm", "d", "d_low", "d_high", "p_condition_x_time", "model", "reason")]  # fmt: skip
    rows: list[list[Any]] = []
    for outcome, found in pairs(frozen, stored):
        head = [
            "fake" if fake else "real",
            outcome["code"],
            outcome["name"],
            outcome["role"],
            outcome["rater"],
            outcome["rater_blind"],
        ]
        rows += _lines(head, found, primary_level(outcome))
    return Table(columns, rows)


def _lines(head: list[Any], found: dict[str, Any], primary: str) -> list[list[Any]]:
    analysis = found["analysis"]
    if not analysis:
        return [[*head, 0, "", *[None] * 11, "", " ".join(words(p) for p in found["problems"])]]
    joint, fit = (analysis.get("joint") or {}).get("p"), analysis["fit"]
    status = fit["convergence"]["status"] if fit else ""
    lines = []
    for d in analysis["differences"]:
        v = d["value"]
        holm = found.get("holm") if d["visit"] == primary else None
        numbers = [v[name] for name in ("estimate", "se", "df", "low", "high", "p")]
        effects = [d.get(name) for name in ("standardized", "standardized_low", "standardized_high")]
        lines.append(
            [
                *head,
                analysis["counts"]["analyzed"],
                d["visit"],
                *numbers,
                holm,
                *effects,
                joint,
                status,
                v["reason"] or "",
            ]
        )
    return lines or [[*head, 0, "", *[None] * 11, status, " ".join(words(p) for p in analysis["problems"])]]


# --- the picture ---------------------------------------------------------------------------------------------------------


def forest(frozen: dict[str, Any], stored: dict[str, Any]) -> Chart | None:
    """Standardized effects at the primary visit with their intervals, the primary outcome marked."""
    estimates, left_out = [], 0
    for outcome, found in pairs(frozen, stored):
        effect = primary_difference(outcome, found)
        if not effect or effect.get("standardized_low") is None:
            left_out += 1
            continue
        ends = (effect["standardized"], effect["standardized_low"], effect["standardized_high"])
        estimates.append(figures.Estimate(outcome["name"], *ends, is_total=outcome["role"] == "primary"))
    if not estimates:
        return None
    visit = frozen["visits"][frozen["primary_visit"]]
    favors = (control_name(frozen), frozen["arms"][frozen["experimental"]])
    spec = figures.forest(estimates, _("Standardized effect (d) at %(visit)s") % {"visit": visit}, favors=favors)
    sentence = _("Standardized effects with 95 %% intervals at %(visit)s; the diamond is the primary outcome.") % {
        "visit": visit
    }
    if left_out:
        sentence += " " + _("%(n)d outcomes are not estimable and not drawn.") % {"n": left_out}
    columns = [Column(_("Outcome"))] + [Column(t, number=True, decimals=2) for t in (_("d"), _("Low"), _("High"))]
    table = Table(columns, [[e.label, e.value, e.low, e.high] for e in estimates])
    return chart(spec, _("All outcomes"), sentence, table)


def primary_difference(outcome: dict[str, Any], found: dict[str, Any]) -> dict[str, Any] | None:
    """The difference at the primary visit."""
    if not found["analysis"]:
        return None
    return next((d for d in found["analysis"]["differences"] if d["visit"] == primary_level(outcome)), None)


# --- how sure one can be -------------------------------------------------------------------------------------------------


def certainty(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Certainty]:
    """How many models converged, each warning with the outcomes it belongs to, and who knew the arm."""
    both = pairs(frozen, stored)
    statuses = [
        f["analysis"]["fit"]["convergence"]["status"] if f["analysis"] and f["analysis"]["fit"] else ""
        for _o, f in both
    ]
    good = sum(s in ("converged", "converged_with_warnings", "boundary") for s in statuses)
    level: Any = "good" if good == len(both) else "caution"
    found = [Certainty(level, _("%(good)d of %(all)d models converged.") % {"good": good, "all": len(both)})]
    said: dict[str, list[str]] = {}
    for outcome, one in both:
        for problem in _problems(one):
            said.setdefault(words(problem), []).append(outcome["name"])
    found += [Certainty("caution", f"{'; '.join(dict.fromkeys(names))}: {text}") for text, names in said.items()]
    blind = sum(o["rater_blind"] for o, _f in both)
    note = _("%(blind)d of %(all)d outcomes were rated by somebody who did not know the arm.") % {
        "blind": blind,
        "all": len(both),
    }
    found.append(Certainty("good" if blind == len(both) else "caution", note))
    found.append(
        Certainty("caution", _("One outcome is primary. Without the adjustment by Holm the others are exploratory."))
    )
    return found


def _problems(found: dict[str, Any]) -> list[dict[str, Any]]:
    analysis = found["analysis"]
    if not analysis:
        return list(found["problems"])
    return [*analysis["problems"], *(analysis["fit"]["warnings"] if analysis["fit"] else [])]


# --- admissions ----------------------------------------------------------------------------------------------------------


def admissions_table(frozen: dict[str, Any], stored: dict[str, Any]) -> Table | None:
    """Any admission and days, as published; None where the trial looks up no records."""
    found, plan = stored["admissions"], frozen["records"]
    if not found:
        return None
    arms = [frozen["arms"][frozen["experimental"]], control_name(frozen)]
    columns = [
        Column(_("Measure")), Column(_("Rated by")), *(Column(arm, number=True) for arm in arms), Column(_("Effect")),
        Column(_("Estimate"), number=True), Column("p", p=True),
    ]  # fmt: skip
    rater = rater_of(plan)
    any_, days, groups = found["any"], found["days"], (found["experimental"], found["reference"])
    of = [f"{g['after']} / {g['known']}" for g in groups]
    odds, risk = any_["odds_ratio"], any_["risk_difference"]
    after = _("Any admission in %(days)d days after %(visit)s") % {
        "days": plan["after_days"], "visit": frozen["visits"].get(plan["after_visit"], plan["after_visit"])
    }  # fmt: skip
    spread = [_mean_sd(days[g]) for g in ("experimental", "reference")]
    change = _("Days in hospital, year after %(after)s minus year before %(before)s") % {
        "after": plan["after_visit"], "before": plan["before_visit"],
    }  # fmt: skip
    rows = [
        [after, rater, *of, _("Odds ratio"), with_interval(odds), or_na(odds["p"])],
        [after, rater, *of, _("Risk difference"), with_interval(risk), or_na(risk["p"])],
        [change, rater, *spread, _("Shift (Hodges-Lehmann)"), with_interval(days["shift"]), or_na(days["p"])],
    ]
    note = _("Odds ratio and risk difference adjusted for any admission before; days by Mann-Whitney (U = %(u)s, %(how)s).") % {
        "u": fmt(days["u"]),
        "how": _("ties and continuity corrected") if days["continuity"] else _("corrected for ties"),
    }  # fmt: skip
    return Table(columns, rows, caption=_("Hospital admissions, from records"), note=note)


def admissions_certainty(stored: dict[str, Any]) -> list[Certainty]:
    """Separation, what was left out, and why something is not estimable."""
    found = stored["admissions"]
    if not found:
        return []
    known, people = (sum(found[g][key] for g in ("experimental", "reference")) for key in ("known", "people"))
    told = _("The records of %(known)d of %(all)d people are known for both years.") % {"known": known, "all": people}
    reasons = [Certainty("good" if known == people else "caution", told)]
    reasons += [Certainty("caution", words(p)) for p in found["any"]["problems"]]
    codes = [found["any"]["odds_ratio"]["reason"], found["days"]["reason"], found["days"]["shift"]["reason"]]
    reasons += [
        Certainty("poor", words({"code": code, "data": {}, "severity": "warning"}))
        for code in dict.fromkeys(codes)
        if code
    ]
    return reasons


def _mean_sd(summary: dict[str, Any]) -> str:
    if summary["mean"] is None:
        return "NA"
    return f"{fmt(summary['mean'])} ({fmt(summary['sd'])}), n {summary['n']}"
