"""What a stored result of the plan has beside the planned contrast: the other outcomes, the tipping point, the re-randomization test.

Each part stands on the page only where the result holds it. Nothing is computed anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from analysis.plans.presenters import WORDS
from analysis.reports import subgroups
from analysis.reports.outcomes import or_na, rater_of, with_interval
from analysis.reports.plan_draws import bars, bootstrap_chart, bootstrap_sentence, joint_words
from analysis.reports.plan_shifts import map_chart, map_sentence, teams_words
from analysis.reports.rendering import arm_names, fmt, label, words
from trial.core.ui import figures, model_figures
from trial.core.ui.charts import Chart, chart
from trial.core.ui.tables import Column, State, Table
from trial.core.ui.text import Text, p_words

ROLES: dict[str, Text] = {
    "primary": _lazy("primary"),
    "secondary": _lazy("secondary"),
    "exploratory": _lazy("exploratory"),
}


NAMES: dict[str, Text] = {
    "primary": _lazy("As planned"),
    "other_df": _lazy("As planned, other degrees of freedom"),
}


@dataclass(frozen=True)
class Section:
    """A part of the page of a result: a sentence, facts, figures, tables. ``folded``: behind its title until somebody wants it."""

    title: str
    lead: Text = ""
    facts: Sequence[tuple[Text, Any]] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    folded: bool = False


def contrast(frozen: dict[str, Any], answer: dict[str, Any] | None) -> dict[str, Any] | None:
    """The difference at the primary visit; of a model without visits its only one."""
    differences = answer["differences"] if answer else []
    at = [one for one in differences if one["visit"] == frozen["primary_visit"]]
    found: dict[str, Any] | None = (at or [one for one in differences if one["visit"] is None] or [None])[0]
    return found


def fit_name(frozen: dict[str, Any], fit: dict[str, Any]) -> str:
    """What a model is called."""
    name = NAMES.get(fit["kind"]) or WORDS[fit["kind"]]
    method = (fit["answer"] or {}).get("method")
    return f"{name} ({str(method).upper()})" if fit["code"].endswith(("_ml", "_reml")) and method else str(name)


def beside(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Section]:
    """The parts that this result holds, in the order in which a reader asks for them."""
    parts = {
        "outcomes": _outcomes,
        "subgroups": _subgroups,
        "tipping": _tipping,
        "rerandomization": _rerandomization,
        "bootstrap": _bootstrap,
    }
    return [make(frozen, stored) for key, make in parts.items() if stored.get(key)]


def not_made(title: str, found: dict[str, Any]) -> Section:
    """A part that was planned and could not be computed says why."""
    return Section(title, lead=" ".join(words(problem) for problem in found["problems"]))


# --- the other outcomes --------------------------------------------------------------------------------------------------


def _outcomes(frozen: dict[str, Any], stored: dict[str, Any]) -> Section:
    pairs = _named(frozen, stored)
    lead = _(
        "One outcome is primary. Secondary outcomes are adjusted for their number as planned; exploratory ones are not."
    )
    lead = f"{lead} {joint_words(stored.get('joint'))}".strip()
    drawn = _forest(frozen, pairs)
    return Section(_("All outcomes of the plan"), lead, charts=[drawn] if drawn else [], tables=[_table(frozen, pairs)])


def _named(frozen: dict[str, Any], stored: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What is known of each outcome with what was found: the primary first, the others in the order of the result."""
    first = {
        "code": frozen["outcome"]["code"],
        "answer": stored["fits"][0]["answer"],
        "problems": stored["fits"][0]["problems"],
        "standard_deviation": stored["standard_deviation"],
        "p_adjusted": None,
    }
    known = {one["code"]: one for one in frozen.get("outcomes", ())}
    others = [(known[one["code"]], one) for one in stored["outcomes"] if one["code"] in known]
    return [
        ({**frozen["outcome"], "role": "primary"}, first),
        *(pair for pair in others if pair[1]["code"] != first["code"]),
    ]


def _effect(
    outcome: dict[str, Any], found: dict[str, Any], one: dict[str, Any] | None
) -> tuple[float, float, float] | None:
    """The standardized difference with its interval, + in favor of the experimental arm."""
    sd = found["standard_deviation"]
    if one is None or one["estimate"] is None or not sd:
        return None
    sign = -1 if outcome["direction"] == "higher_is_worse" else 1
    ends = sorted(sign * one[name] / sd["value"] for name in ("lower", "upper"))
    return sign * one["estimate"] / sd["value"], ends[0], ends[1]


def _table(frozen: dict[str, Any], pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> Table:
    rows: list[list[Any]] = []
    for outcome, found in pairs:
        one, head = contrast(frozen, found["answer"]), [outcome["name"], str(ROLES[outcome["role"]]), rater_of(outcome)]
        if found["answer"] is None or one is None or one["estimate"] is None:
            rows.append([*head, None, "NA", "NA", None, None, State("failed", _("Not estimable"))])
            continue
        effect = _effect(outcome, found, one)
        state = State("info", _("With warnings")) if found["problems"] else State("done", _("Converged"))
        interval = with_interval({**one, "low": one["lower"], "high": one["upper"]})
        rows.append(
            [
                *head,
                found["answer"]["analyzed"],
                interval,
                or_na(one["p"]),
                found["p_adjusted"],
                effect[0] if effect else None,
                state,
            ]
        )
    columns = [
        Column(_("Outcome")), Column(_("Role")), Column(_("Rated by")), Column(_("n"), number=True), Column(_("Difference"), number=True),
        Column("p", p=True), Column(_("p, adjusted"), p=True), Column(_("d"), number=True, decimals=2), Column(_("Model")),
    ]  # fmt: skip
    why = [f"{o['name']}: {' '.join(words(p) for p in f['problems'])}" for o, f in pairs if not f["answer"]]
    note = _("d: difference / SD of the baseline of all randomized, pooled within arms; + favors %(arm)s.") % {
        "arm": frozen["arms"][frozen["experimental"]]
    }
    caption = _("Differences at %(visit)s with intervals") % {"visit": label(frozen, frozen["primary_visit"])}
    return Table(columns, rows, caption=caption, note=" ".join([note, *why]))


def _forest(frozen: dict[str, Any], pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> Chart | None:
    estimates = [
        figures.Estimate(outcome["name"], *effect, is_total=outcome["role"] == "primary")
        for outcome, found in pairs
        if (effect := _effect(outcome, found, contrast(frozen, found["answer"])))
    ]
    if not estimates:
        return None
    experimental, control = arm_names(frozen)
    spec = figures.forest(estimates, _("Standardized effect (d)"), favors=(control, experimental))
    sentence = _("Standardized differences at %(visit)s with intervals; the diamond is the primary outcome.") % {
        "visit": label(frozen, frozen["primary_visit"])
    }
    columns = [Column(_("Outcome"))] + [Column(t, number=True, decimals=2) for t in (_("d"), _("Low"), _("High"))]
    rows = [[one.label, one.value, one.low, one.high] for one in estimates]
    return chart(spec, _("Effects on all outcomes"), sentence, Table(columns, rows))


# --- groups that were there before randomization -------------------------------------------------------------------------


def _subgroups(frozen: dict[str, Any], stored: dict[str, Any]) -> Section:
    pairs = subgroups.named(frozen, stored)
    whole = contrast(frozen, stored["fits"][0]["answer"])
    drawn, table = subgroups.subgroup_chart(frozen, pairs, whole), subgroups.subgroup_table(frozen, pairs)
    return Section(_("Subgroups"), subgroups.lead(frozen), charts=[drawn] if drawn else [], tables=[table])


# --- how far the missing values would have to be off ---------------------------------------------------------------------


def _tipping(frozen: dict[str, Any], stored: dict[str, Any]) -> Section:
    title, found = _("Tipping point"), stored["tipping"]
    if "problems" in found:
        return not_made(title, found)
    turns, over_both = found["turns_at"], found.get("map")
    said = [
        _turning(frozen, found),
        map_sentence(frozen, over_both) if over_both else "",
        teams_words(found.get("teams")),
    ]
    lead = " ".join(one for one in said if one)
    columns = [
        Column(_("Shift"), number=True, decimals=2), Column(_("Difference"), number=True, decimals=2), Column(_("SE"), number=True, decimals=3),
        Column(_("Low"), number=True, decimals=2), Column(_("High"), number=True, decimals=2), Column("p", p=True),
    ]  # fmt: skip
    rows = [[one[name] for name in ("delta", "estimate", "se", "lower", "upper", "p")] for one in found["rows"]]
    points = [
        (one["delta"], one["estimate"], one["lower"], one["upper"])
        for one in found["rows"]
        if one["estimate"] is not None
    ]
    if not points:
        return Section(title, lead, tables=[Table(columns, rows)])
    at = _("turns at %(delta)s") % {"delta": fmt(turns)} if turns is not None else ""
    drawn = model_figures.curve(points, _("Shift of missing values, points"), _("Difference"), turns_at=turns, name=at)
    sentence = _("The difference at %(visit)s with its interval, by how far missing values are shifted.") % {
        "visit": label(frozen, frozen["primary_visit"])
    }
    charts = [chart(drawn, _("Difference by shift of missing values"), sentence, Table(columns, rows))]
    return Section(title, lead, charts=[*charts, *([map_chart(frozen, over_both)] if over_both else [])])


def _turning(frozen: dict[str, Any], found: dict[str, Any]) -> str:
    """Where the conclusion turns, or why it does not."""
    turns, rows = found["turns_at"], found["rows"]
    if rows[0]["estimate"] == rows[-1]["estimate"]:
        return _("No value is missing after the program was stopped: a shift changes nothing.")
    if turns == 0:
        return _("The interval holds 0 without any shift: there is no answer that could turn.")
    if turns is None:
        said = _("No shift that was tried in %(arm)s alone changes what is concluded of the planned contrast.")
        return said % {"arm": frozen["arms"][frozen["experimental"]]}
    return _(
        "What is concluded changes where missing values after stopping in %(arm)s are %(delta)s points off what the model expects."
    ) % {"arm": frozen["arms"][frozen["experimental"]], "delta": fmt(turns)}


# --- the allocation alone ------------------------------------------------------------------------------------------------


def _rerandomization(frozen: dict[str, Any], stored: dict[str, Any]) -> Section:
    title, found = _("Re-randomization test"), stored["rerandomization"]
    if "problems" in found:
        return not_made(title, found)
    which = _("the one that was drawn for this rehearsal") if frozen.get("fake") else _("the real one")
    lead = _(
        "Set against %(replicates)d allocations that the scheme could have made as well, by how far each is from no difference, %(which)s has %(p)s."
    ) % {"replicates": found["replicates"], "which": which, "p": p_words(found["p"])}
    edges, counts = found["edges"], found["counts"]
    drawn = model_figures.histogram(
        edges, counts, _("Studentized difference"), _("Allocations"), observed=found["observed"], name=_("observed")
    )
    sentence = _("The studentized difference under each allocation; the line is the observed one, %(value)s.") % {
        "value": fmt(found["observed"])
    }
    return Section(
        title,
        lead,
        charts=[
            chart(drawn, _("The difference under other allocations"), sentence, bars(edges, counts, _("Allocations")))
        ],
    )


# --- other people like these --------------------------------------------------------------------------------------------


def _bootstrap(frozen: dict[str, Any], stored: dict[str, Any]) -> Section:
    title, found = _("Bootstrap"), stored["bootstrap"]
    if "problems" in found:
        return not_made(title, found)
    return Section(title, bootstrap_sentence(frozen, found), charts=[bootstrap_chart(frozen, found)])


def method_words(code: str) -> Text:
    """A method of the plan in words; a code that has none as it is."""
    return WORDS.get(code, code)
