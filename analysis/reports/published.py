"""Comparisons of groups that were formed after randomization, as they were published. Each stands with its selection table.

They never stand on a first page, and every page of them says what they are not. Nothing is computed anew.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.methods.nonrandomized import REFUSED
from analysis.reports.outcomes import (
    FITS,
    control_name,
    follow_ups,
    or_na,
    primary_level,
    rater_of,
    with_interval,
)
from analysis.reports.rendering import fake_name, label, words
from trial.core.ui.parts import Certainty
from trial.core.ui.tables import Column, State, Table
from trial.core.ui.text import Text, p_words

LABEL = gettext_lazy(
    "Non-randomized comparison, as published: these groups were formed by what happened after randomization. A difference between them may"
    " be one of the people, not of the treatment."
)
TITLES: dict[str, Text] = {
    "completers": gettext_lazy("Completers against all controls"),
    "fidelity": gettext_lazy("Classes of fidelity against all controls"),
}
LINES: dict[str, Text] = {
    "randomized": gettext_lazy("Randomized to the experimental arm"),
    "not_known": gettext_lazy("Sessions not known"),
    "never_started": gettext_lazy("Attended no session"),
    "started": gettext_lazy("Attended at least one session"),
    "not_completed": gettext_lazy("Did not complete"),
    "open": gettext_lazy("Completion still open"),
    "enough_sessions": gettext_lazy("Attended enough sessions"),
    "not_classed": gettext_lazy("Group without a class of fidelity"),
    "control": gettext_lazy("Randomized to control, all of them"),
}
NAMES_REFUSED: dict[str, Text] = {
    "clda": gettext_lazy("a baseline mean held equal in both groups"),
    "rerandomization": gettext_lazy("re-randomization"),
}


@dataclass(frozen=True)
class Section:
    """One comparison as the page shows it."""

    title: Text
    sentence: str
    selection: Table
    baseline: Table
    table: Table
    certainty: list[Certainty]


def sections(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Section]:
    """Each comparison: who was selected, what they were like at baseline, every outcome, how sure one can be."""
    found = []
    for plan, one in zip(frozen["comparisons"], stored["comparisons"], strict=True):
        names = {c["code"]: c["name"] for c in plan["classes"]}
        found.append(
            Section(
                TITLES[plan["code"]], _sentence(frozen, one, names), _selection(frozen, plan, one, names), _baseline(frozen, one, names),
                outcomes_table(frozen, one, names), _certainty(frozen, one),
            )
        )  # fmt: skip
    return found


def refused_words() -> str:
    """What is not done here, whoever asks."""
    named = ", ".join(str(NAMES_REFUSED[code]) for code in REFUSED)
    return _("Refused here, because it rests on the lot: %(what)s.") % {"what": named}


def _sentence(frozen: dict[str, Any], found: dict[str, Any], names: dict[str, str]) -> str:
    """The primary outcome of each group in words."""
    outcome, one = frozen["outcomes"][0], found["outcomes"][0]
    if not one["analysis"]:
        return " ".join(words(p) for p in one["problems"])
    parts = []
    for d in _differences(one, primary_level(outcome)):
        group = names[d["arm"] or found["classes"][0]]
        value = d["value"]
        if value["estimate"] is not None:
            parts.append(f"{group} {with_interval(value)}, {p_words(value['p'])}")
    told = {
        "visit": frozen["visits"][frozen["primary_visit"]],
        "outcome": outcome["name"],
        "control": control_name(frozen),
    }
    return _("At %(visit)s, %(outcome)s against %(control)s: %(parts)s.") % {**told, "parts": "; ".join(parts) or "NA"}


def _differences(found: dict[str, Any], visit: str) -> list[dict[str, Any]]:
    return [d for d in found["analysis"]["differences"] if d["visit"] == visit]


def _selection(frozen: dict[str, Any], plan: dict[str, Any], found: dict[str, Any], names: dict[str, str]) -> Table:
    lines = {code: fake_name(words) for code, words in LINES.items()} if frozen.get("fake") else LINES
    texts = {**lines, **names}
    people = {line["code"]: line["people"] for line in found["selection"]}
    rows: list[list[Any]] = []
    for line in found["selection"]:
        share = f"{100 * line['people'] / people[line['of']]:.0f} %" if line["of"] and people[line["of"]] else None
        of = str(texts[line["of"]]) if line["of"] else None
        rows.append([str(texts[line["code"]]), line["people"], of, share])
    columns = [Column(_("Who")), Column(_("People"), number=True), Column(_("Of")), Column(_("Share"), number=True)]
    if plan["code"] == "completers":
        rule = {"share": round(100 * plan["share"]), "of": plan["denominator"]}
        note = _("Completed: attended at least %(share)d %% of the sessions %(of)s.") % rule
    else:
        note = _("Enough: at least %(n)d sessions. The class is that of the person's group.") % {
            "n": plan["minimum_sessions"]
        }
    return Table(columns, rows, caption=_("Who was selected"), note=note)


def _baseline(frozen: dict[str, Any], found: dict[str, Any], names: dict[str, str]) -> Table:
    others = _("Experimental arm, not selected")
    others = fake_name(others) if frozen.get("fake") else others
    texts = {**frozen["arms"], **names, "others": others}
    columns = [
        Column(_("Group")),
        Column(_("n"), number=True),
        Column(_("Mean"), number=True, decimals=2),
        Column(_("SD"), number=True, decimals=2),
    ]
    rows = [[texts[b["group"]], b["summary"]["n"], b["summary"]["mean"], b["summary"]["sd"]] for b in found["baseline"]]
    return Table(columns, rows, caption=_("%(name)s at baseline") % {"name": frozen["outcomes"][0]["name"]})


def outcomes_table(frozen: dict[str, Any], found: dict[str, Any], names: dict[str, str]) -> Table:
    """One line an outcome and group."""
    visits = follow_ups(frozen)
    columns = [Column(_("Outcome")), Column(_("Rated by")), Column(_("Group"))]
    for visit in visits:
        columns += [
            Column(_("Difference, %(visit)s") % {"visit": label(frozen, visit)}, number=True),
            Column("p", p=True),
        ]
    columns += [
        Column(_("d"), number=True, decimals=2),
        Column(_("p, condition × time"), p=True),
        Column(_("Model")),
    ]
    rows: list[list[Any]] = []
    for outcome, one in zip(frozen["outcomes"], found["outcomes"], strict=True):
        head = [outcome["name"], rater_of(outcome)]
        analysis = one["analysis"]
        if not analysis:
            rows.append([*head, None, *["NA"] * (2 * len(visits)), None, "NA", State("failed", _("Not estimable"))])
            continue
        joint = or_na((analysis.get("joint") or {}).get("p"))
        kind, said = FITS[analysis["fit"]["convergence"]["status"]] if analysis["fit"] else ("failed", _("Not fitted"))
        for group in found["classes"]:
            mine = {d["visit"]: d for d in analysis["differences"] if (d["arm"] or group) == group}
            cells: list[Any] = []
            for visit in visits:
                value = mine[visit]["value"] if visit in mine else {}
                cells += [with_interval(value), or_na(value.get("p"))]
            effect = mine.get(primary_level(outcome), {}).get("standardized")
            rows.append([*head, names[group], *cells, effect, joint, State(kind, said)])
    caption = _("Adjusted differences with 95 %% intervals, group minus %(control)s") % {
        "control": control_name(frozen)
    }
    note = _("d: difference / SD of the baseline of all randomized, pooled within arms, not of those selected.")
    return Table(columns, rows, caption=caption, note=note)


def _certainty(frozen: dict[str, Any], found: dict[str, Any]) -> list[Certainty]:
    reasons = [Certainty("poor", LABEL), Certainty("caution", refused_words())]
    said: dict[str, list[str]] = {}
    for outcome, one in zip(frozen["outcomes"], found["outcomes"], strict=True):
        analysis = one["analysis"]
        fit = analysis["fit"] if analysis else None
        problems = one["problems"] if not analysis else [*analysis["problems"], *(fit["warnings"] if fit else [])]
        for problem in problems:
            said.setdefault(words(problem), []).append(outcome["name"])
    return reasons + [Certainty("caution", f"{'; '.join(dict.fromkeys(n))}: {text}") for text, n in said.items()]


def as_rows(frozen: dict[str, Any], stored: dict[str, Any], *, fake: bool = False) -> Table:
    """All numbers, one line a comparison, outcome, group and visit."""
    names = ("arms", "comparison", "outcome", "role", "rater", "rater_blind", "group", "visit", "estimate", "se", "df", "low", "high", "p",
        "d", "p_condition_x_time")  # fmt: skip
    rows: list[list[Any]] = []
    for plan, one in zip(frozen["comparisons"], stored["comparisons"], strict=True):
        for outcome, found in zip(frozen["outcomes"], one["outcomes"], strict=True):
            analysis = found["analysis"]
            head = [
                "fake" if fake else "real",
                plan["code"],
                outcome["code"],
                outcome["role"],
                outcome["rater"],
                outcome["rater_blind"],
            ]
            for d in analysis["differences"] if analysis else []:
                values = [d["value"][k] for k in ("estimate", "se", "df", "low", "high", "p")]
                joint = (analysis.get("joint") or {}).get("p")
                group = d["arm"] or one["classes"][0]
                rows.append([*head, f"fake {group}" if fake else group, d["visit"], *values, d["standardized"], joint])
    return Table([Column(n) for n in names], rows)
