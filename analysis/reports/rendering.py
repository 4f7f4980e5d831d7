"""A stored result as people read it. Nothing is computed anew: every number is in the stored result."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.methods.problems import Problem
from analysis.methods.words import SENTENCES, arguments
from trial.core.ui import figures
from trial.core.ui.charts import Chart, chart
from trial.core.ui.parts import Certainty, CertaintyLevel, Result
from trial.core.ui.tables import Column, Table
from trial.core.ui.text import Text, p_words

FAKE = gettext_lazy(
    "Fake arm: people were put into arms by lot for this rehearsal. Nothing here is a result of the trial."
)

STATUS: dict[str, tuple[CertaintyLevel, Text]] = {
    "converged": ("good", gettext_lazy("The model converged.")),
    "converged_with_warnings": ("caution", gettext_lazy("The model converged, with warnings.")),
    "boundary": (
        "caution",
        gettext_lazy("The variance between participants is exactly 0; the reduced model is shown."),
    ),
    "not_converged": ("poor", gettext_lazy("The model did not converge; its estimates are withheld.")),
}


def fake_name(name: Text) -> str:
    """The name of an arm, or of a group, of people who were put there by lot: nobody takes it for a real one."""
    return _("%(name)s (fake)") % {"name": name}


def faked(frozen: dict[str, Any]) -> dict[str, Any]:
    """A specification whose arms and groups are called fake, wherever their names go: sentences, tables, figures."""
    arms, groups = ({code: fake_name(name) for code, name in frozen.get(key, {}).items()} for key in ("arms", "groups"))
    plans = [
        {**plan, "classes": [{**one, "name": fake_name(one["name"])} for one in plan["classes"]]}
        for plan in frozen.get("comparisons", ())
    ]
    return {**frozen, "fake": True, "arms": arms, "groups": groups, "comparisons": plans}


def said(sentence: Text, *, fake: bool) -> Text:
    """The sentence of a result; of a rehearsal it says so itself, for whoever copies it alone."""
    return _("Rehearsal on a fake arm, no result: %(sentence)s") % {"sentence": sentence} if fake else sentence


def model_result(frozen: dict[str, Any], stored: dict[str, Any], *, fake: bool = False, source: str = "") -> Result:
    """The result of a comparative analysis, real or rehearsed: sentence, table of differences, picture, certainty."""
    analysis = reported(frozen, stored)
    return Result(
        sentence=said(primary_sentence(frozen, analysis), fake=fake),
        table=differences_table(frozen, analysis),
        charts=[c for c in (means_chart(frozen, analysis), observed_chart(frozen, analysis)) if c],
        certainty=_certainty(frozen, analysis),
        marked=FAKE if fake else "",
        source=source,
    )


def pooled_result(frozen: dict[str, Any], stored: dict[str, Any], *, source: str = "") -> Result:
    """Pooled figures of all participants together."""
    analysis = reported(frozen, stored)
    counts = analysis["counts"]
    sentence = _("%(with)d of %(all)d randomized participants have at least one follow-up value of %(name)s.") % {
        "with": counts["with_outcome"], "all": counts["subjects"], "name": frozen["outcome"]["name"],
    }  # fmt: skip
    drawn = pooled_chart(frozen, analysis)
    return Result(
        sentence=sentence, table=descriptives_table(frozen, analysis), charts=[drawn] if drawn else [],
        certainty=rater_certainty(frozen), source=source,
    )  # fmt: skip


def reported(frozen: dict[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    """The analysis that counts; what the plan has beside it stands in the details."""
    found: dict[str, Any] = stored["analyses"][frozen["reported"]]
    return found


def _primary(analysis: dict[str, Any]) -> dict[str, Any] | None:
    wanted = analysis["spec"].get("primary_visit")
    found = [d for d in analysis["differences"] if d["visit"] == wanted] or analysis["differences"]
    return found[0] if found else None


def primary_sentence(frozen: dict[str, Any], analysis: dict[str, Any]) -> str:
    """The difference at the primary visit in words, with interval and p."""
    difference = _primary(analysis)
    names, control = frozen["arms"], analysis["spec"]["arm"]["reference"]
    if difference is None or difference["value"]["estimate"] is None:
        return _("No difference could be estimated: %(why)s") % {
            "why": " ".join(words(p) for p in analysis["problems"]) or _("see below.")
        }
    value = difference["value"]
    return _(
        "At %(visit)s, %(outcome)s in %(arm)s is %(estimate)s points %(direction)s than in %(control)s"
        " (%(level)d %% interval %(low)s to %(high)s, %(p)s)."
    ) % {
        "visit": label(frozen, difference["visit"]), "outcome": frozen["outcome"]["name"],
        "arm": names[frozen["experimental"]], "control": names[control],
        "estimate": fmt(abs(value["estimate"])), "direction": _("higher") if value["estimate"] > 0 else _("lower"),
        "level": round(100 * analysis["spec"]["confidence"]), "low": fmt(value["low"]), "high": fmt(value["high"]), "p": p_words(value["p"]),
    }  # fmt: skip


def fmt(value: float | None) -> str:
    """Two decimals and a true minus sign; NA for what is not estimable."""
    # + 0.0: what rounds to nothing has no sign
    return "NA" if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")


def label(frozen: dict[str, Any], level: str) -> str:
    """A visit in words."""
    if level == "baseline":
        return _("baseline")
    return str(frozen["labels"].get(level, level))


def differences_table(frozen: dict[str, Any], analysis: dict[str, Any]) -> Table:
    """The adjusted differences by visit, with the joint test below them."""
    columns = [
        Column(_("Visit")), Column(_("Difference"), number=True, decimals=2), Column(_("SE"), number=True, decimals=3),
        Column(_("df"), number=True, decimals=1), Column(_("Low"), number=True, decimals=2), Column(_("High"), number=True, decimals=2),
        Column(_("p"), p=True), Column(_("d"), number=True, decimals=2),
    ]  # fmt: skip
    rows = []
    for d in analysis["differences"]:
        v = d["value"]
        rows.append(
            [
                label(frozen, d["visit"]),
                v["estimate"],
                v["se"],
                v["df"],
                v["low"],
                v["high"],
                v["p"],
                d["standardized"],
            ]
        )
    sd = analysis["standard_deviation"] or {}
    caption = _("Adjusted differences, %(arm)s minus %(control)s") % {
        "arm": frozen["arms"][frozen["experimental"]], "control": frozen["arms"][analysis["spec"]["arm"]["reference"]],
    }  # fmt: skip
    note = _("d: difference / SD of the baseline pooled within arms (%(sd)s, n %(n)s); + favors %(arm)s.") % {
        "sd": fmt(sd.get("value")), "n": sd.get("n", "NA"), "arm": frozen["arms"][frozen["experimental"]],
    }  # fmt: skip
    note = f"{note} {joint_words(analysis)}".strip()
    return Table(columns, rows, caption=caption, empty=_("No difference could be estimated."), note=note)


def joint_words(analysis: dict[str, Any]) -> str:
    """The joint test of condition and time, or why there is none."""
    joint = analysis.get("joint")
    if not joint:
        return ""
    if joint["p"] is None:
        return _("Condition × time: NA. %(why)s") % {"why": words({"code": joint["reason"], "data": {}})}
    return _("Condition × time: F(%(df)d, %(residual)s) = %(f)s, %(p)s.") % {
        "df": joint["df"], "residual": f"{joint['df_residual']:.1f}", "f": fmt(joint["statistic"]), "p": p_words(joint["p"]),
    }  # fmt: skip


def coefficients_table(frozen: dict[str, Any], analysis: dict[str, Any]) -> Table | None:
    """The coefficients of the fitted model."""
    if not analysis["fit"]:
        return None
    columns = [Column(_("Term"), code=True)] + [
        Column(label, number=True, decimals=4) for label in (_("Estimate"), _("SE"), _("df"), _("t"))
    ] + [Column(_("p"), p=True)]  # fmt: skip
    rows = [
        [c["name"], c["estimate"], c["se"], c["df"], c["statistic"], c["p"]] for c in analysis["fit"]["coefficients"]
    ]
    caption = _("Coefficients (%(method)s)") % {"method": analysis["fit"]["method"].upper()}
    return Table(columns, rows, caption=fake_name(caption) if frozen.get("fake") else caption)


def descriptives_table(frozen: dict[str, Any], analysis: dict[str, Any]) -> Table:
    """Observed values by visit, and by arm where there is one."""
    columns = [Column(_("Visit")), Column(_("Arm")), Column(_("n"), number=True), Column(_("Missing"), number=True)]
    columns += [Column(label, number=True, decimals=2) for label in (_("Mean"), _("SD"), _("Lowest"), _("Highest"))]
    rows = []
    for d in analysis["descriptives"]:
        s = d["summary"]
        arm = frozen["arms"].get(d["arm"], d["arm"]) if d["arm"] else _("all")
        rows.append(
            [label(frozen, d["visit"]), arm, s["n"], s["missing"], s["mean"], s["sd"], s["minimum"], s["maximum"]]
        )
    return Table(columns, rows, caption=_("Observed values of %(name)s") % {"name": frozen["outcome"]["name"]})


def fit_facts(analysis: dict[str, Any]) -> list[tuple[str, Any]]:
    """The convergence record and the variances."""
    fit = analysis["fit"]
    if not fit:
        return []
    c = fit["convergence"]
    between = fit.get("variance_unit")
    teams = [(_("Variance between teams"), f"{between:.6f} ({fit['units']})")] if between is not None else []
    return [
        (_("Estimation"), fit["method"].upper()), (_("Rows, participants"), f"{fit['rows']}, {fit['subjects']}"),
        (_("Log-likelihood"), f"{fit['log_likelihood']:.6f}"), *teams,
        (_("Variance between participants"), f"{fit['variance_subject']:.6f}"),
        (_("Residual variance"), f"{fit['variance_residual']:.6f}"), (_("Degrees of freedom"), fit["df_method"]),
        (_("Convergence"), c["status"].replace("_", " ")), (_("Optimizer"), c["optimizer"]), (_("Largest gradient"), f"{c['gradient']:.1e}"),
    ]  # fmt: skip


def _certainty(frozen: dict[str, Any], analysis: dict[str, Any]) -> list[Certainty]:
    found: list[Certainty] = []
    fit = analysis["fit"]
    if fit:
        level, told = STATUS[fit["convergence"]["status"]]
        found.append(Certainty(level, told))
        found += [Certainty("caution", words(p)) for p in fit["warnings"]]
    found += [Certainty("caution", words(p)) for p in analysis["problems"]]
    if "team_not_in_model" in frozen["notes"]:
        found.append(
            Certainty(
                "caution",
                _("The plan's random intercept of team is not in this model: it has one of participants only."),
            )
        )
    return found + rater_certainty(frozen)


def rater_certainty(frozen: dict[str, Any]) -> list[Certainty]:
    """Who rated the outcome, and whether that person was blind."""
    rater = frozen["outcome"]["rater"]
    blind = _("blind") if frozen["outcome"]["rater_blind"] else _("not blind")
    level: CertaintyLevel = "good" if frozen["outcome"]["rater_blind"] else "caution"
    return [Certainty(level, _("Rated by the %(rater)s, who is %(blind)s.") % {"rater": rater, "blind": blind})]


def words(problem: dict[str, Any]) -> str:
    """A stored problem as a sentence."""
    sentence = SENTENCES.get(problem["code"])
    made = Problem(**problem)
    return _(sentence) % arguments(made) if sentence else problem["code"]


def means_chart(frozen: dict[str, Any], analysis: dict[str, Any]) -> Chart | None:
    """Adjusted means by visit and arm, with their intervals."""
    known = [m for m in analysis["means"] if m["value"]["low"] is not None]
    if not known:
        return None
    points = [
        figures.VisitPoint(
            arm_name(frozen, m["arm"]), label(frozen, m["visit"]), m["value"]["estimate"], m["value"]["low"], m["value"]["high"]
        )
        for m in known
    ]  # fmt: skip
    columns = [Column(_("Visit")), Column(_("Arm"))] + [
        Column(t, number=True, decimals=2) for t in (_("Mean"), _("Low"), _("High"))
    ]
    rows = [
        [label(frozen, m["visit"]), arm_name(frozen, m["arm"]), *(m["value"][k] for k in ("estimate", "low", "high"))]
        for m in known
    ]
    sentence = _("Adjusted means of %(name)s by visit and arm, with %(level)d %% intervals.") % {
        "name": frozen["outcome"]["name"], "level": round(100 * analysis["spec"]["confidence"]),
    }  # fmt: skip
    drawn = figures.by_visit(points, frozen["outcome"]["name"], width=480)
    return chart(drawn, _("Adjusted means"), sentence, Table(columns, rows))


def arm_codes(frozen: dict[str, Any]) -> tuple[str, str]:
    """The experimental arm and the reference."""
    experimental = str(frozen["experimental"])
    return experimental, next(code for code in frozen["arms"] if code != experimental)


def arm_names(frozen: dict[str, Any]) -> tuple[str, str]:
    """Their names, as this reader may see them."""
    experimental, control = arm_codes(frozen)
    return frozen["arms"][experimental], frozen["arms"][control]


def arm_name(frozen: dict[str, Any], code: str) -> str:
    """The name of an arm or of a group that is compared."""
    return str({**frozen["arms"], **frozen.get("groups", {})}.get(code, code))


def observed_chart(frozen: dict[str, Any], analysis: dict[str, Any]) -> Chart | None:
    """Observed means by visit and arm."""
    points = [
        figures.VisitPoint(arm_name(frozen, d["arm"]), label(frozen, d["visit"]), d["summary"]["mean"])
        for d in analysis["descriptives"]
        if d["arm"] and d["summary"]["mean"] is not None
    ]
    if not points:
        return None
    drawn = figures.by_visit(points, frozen["outcome"]["name"], width=480)
    sentence = _("Observed means of %(name)s by visit and arm.") % {"name": frozen["outcome"]["name"]}
    return chart(drawn, _("Observed means"), sentence, descriptives_table(frozen, analysis))


def pooled_chart(frozen: dict[str, Any], analysis: dict[str, Any]) -> Chart | None:
    """Observed means of all participants together, with one standard deviation on either side."""
    points = [
        figures.VisitPoint(_("all"), label(frozen, d["visit"]), s["mean"], s["mean"] - s["sd"], s["mean"] + s["sd"])
        for d in analysis["descriptives"]
        if d["arm"] is None and (s := d["summary"])["sd"] is not None
    ]
    if not points:
        return None
    drawn = figures.by_visit(points, frozen["outcome"]["name"], width=480)
    sentence = _("Mean of %(name)s at each visit, all participants together; the bars reach one SD to either side.") % {
        "name": frozen["outcome"]["name"]
    }
    return chart(drawn, _("Pooled means"), sentence, descriptives_table(frozen, analysis))
