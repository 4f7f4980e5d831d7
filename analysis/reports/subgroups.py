"""The subgroups of a stored result as table and forest plot: the difference in each level, and once a subgroup the p of its interaction."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.reports.rendering import arm_codes, arm_names, fmt, label, words
from trial.core.ui import model_figures
from trial.core.ui.charts import Chart, chart
from trial.core.ui.tables import Column, State, Table
from trial.core.ui.text import p_words

Found = tuple[dict[str, Any], dict[str, Any]]


def named(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Found]:
    """What was planned of each subgroup with what was found, in the order of the plan."""
    known = {one["code"]: one for one in frozen.get("subgroups", ())}
    return [(known[one["code"]], one) for one in stored["subgroups"] if one["code"] in known]


def lead(frozen: dict[str, Any]) -> str:
    """What the one test of a subgroup says, and what its levels do not."""
    return _(
        "Whether the difference at %(visit)s depends on what was known of people before randomization. Each subgroup has one test, of its interaction"
        " with the arm; a level has an interval and no p of its own, and none is corrected for the number of subgroups."
    ) % {"visit": label(frozen, frozen["primary_visit"])}


def subgroup_table(frozen: dict[str, Any], pairs: list[Found]) -> Table:
    """A row a level; p of the interaction in the first of each subgroup."""
    arms = _arms(frozen)
    rows: list[list[Any]] = []
    for planned, found in pairs:
        if "problems" in found:
            rows.append(
                [planned["name"], State("failed", _("Not estimable")), *[None] * len(arms), None, None, None, None]
            )
            continue
        for n, one in enumerate(found["levels"]):
            counts = [one["n"].get(arm, 0) for arm in arms]
            p = None if n else found["interaction"]["p"]
            rows.append([planned["name"], one["label"], *counts, one["estimate"], one["lower"], one["upper"], p])
    columns = [
        Column(_("Subgroup")), Column(_("Level")), *(Column(_("%(arm)s, n") % {"arm": name}, number=True) for name in arms.values()),
        Column(_("Difference"), number=True, decimals=2), Column(_("Low"), number=True, decimals=2),
        Column(_("High"), number=True, decimals=2), Column(_("p, interaction"), p=True),
    ]  # fmt: skip
    caption = _("Differences at %(visit)s by subgroup") % {"visit": label(frozen, frozen["primary_visit"])}
    return Table(columns, rows, caption=caption, note=" ".join(_notes(frozen, pairs)))


def _arms(frozen: dict[str, Any]) -> dict[str, str]:
    """The names of the arms by code, the experimental one first."""
    return dict(zip(arm_codes(frozen), arm_names(frozen), strict=True))


def _notes(frozen: dict[str, Any], pairs: list[Found]) -> list[str]:
    """What n is, how each was tested, and whatever makes one less sure."""
    said = [_("n: with the outcome at %(visit)s.") % {"visit": label(frozen, frozen["primary_visit"])}]
    for planned, found in pairs:
        if "problems" in found:
            why = " ".join(_in_words(frozen, problem) for problem in found["problems"])
            said.append(f"{planned['name']}: {why}")
            continue
        said.append(_tested(planned["name"], found["interaction"]))
        if found["unknown"]:
            left = ngettext(
                "%(n)d person whose level is not known is not in this model.",
                "%(n)d people whose level is not known are not in this model.",
                found["unknown"],
            )
            said.append(left % {"n": found["unknown"]})
        said += [words(problem) for problem in found["warnings"]]
    return said


def _tested(name: str, test: dict[str, Any]) -> str:
    numbers = {
        "df": test["df1"],
        "residual": f"{test['df2']:.1f}",
        "f": fmt(test["statistic"]),
        "p": p_words(test["p"]),
    }
    return _("%(name)s: interaction F(%(df)d, %(residual)s) = %(f)s, %(p)s.") % {"name": name, **numbers}


def _in_words(frozen: dict[str, Any], problem: dict[str, Any]) -> str:
    """A problem that names an arm calls it as this reader may see it."""
    data = problem["data"]
    named = {"arm": frozen["arms"].get(data["arm"], data["arm"])} if "arm" in data else {}
    return words({**problem, "data": {**data, **named}})


def subgroup_chart(frozen: dict[str, Any], pairs: list[Found], whole: dict[str, Any] | None) -> Chart | None:
    """The forest: everybody as a diamond, then each level under the name of its subgroup; None where no level could be estimated."""
    known = [(planned, found) for planned, found in pairs if "levels" in found]
    if not known:
        return None
    lines = []
    if whole and whole["estimate"] is not None:
        lines.append(
            model_figures.Line(_("Everybody"), whole["estimate"], whole["lower"], whole["upper"], is_total=True)
        )
    for planned, found in known:
        said = _("interaction %(p)s") % {"p": p_words(found["interaction"]["p"])}
        lines.append(model_figures.Line(planned["name"], words=said))
        lines += [
            model_figures.Line(one["label"], one["estimate"], one["lower"], one["upper"]) for one in found["levels"]
        ]
    drawn = model_figures.grouped(lines, _("Difference in points"), favors=_favors(frozen))
    sentence = _(
        "Differences at %(visit)s in each level of a subgroup with intervals, and the p of each interaction; the diamond is everybody."
    ) % {"visit": label(frozen, frozen["primary_visit"])}
    return chart(drawn, _("Differences by subgroup"), sentence, _numbers(known, whole))


def _favors(frozen: dict[str, Any]) -> tuple[str, str]:
    """What lies to the left of no difference and what to the right."""
    experimental, control = arm_names(frozen)
    return (experimental, control) if frozen["better"] == "lower" else (control, experimental)


def _numbers(known: list[Found], whole: dict[str, Any] | None) -> Table:
    columns = [Column(_("Level"))] + [
        Column(t, number=True, decimals=2) for t in (_("Difference"), _("Low"), _("High"))
    ] + [Column(_("p, interaction"), p=True)]  # fmt: skip
    rows: list[list[Any]] = []
    if whole:
        rows.append([_("Everybody"), whole["estimate"], whole["lower"], whole["upper"], None])
    for planned, found in known:
        rows += [
            [f"{planned['name']}: {one['label']}", one["estimate"], one["lower"], one["upper"], None if n else found["interaction"]["p"]]
            for n, one in enumerate(found["levels"])
        ]  # fmt: skip
    return Table(columns, rows)
