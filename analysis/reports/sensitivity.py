"""The plan's other outcomes, the tipping point and the re-randomization test of a stored result, as tables."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from analysis.plans.presenters import WORDS
from analysis.reports.rendering import label, words
from trial.core.ui.tables import Column, Table
from trial.core.ui.text import Text

ROLES: dict[str, Text] = {"secondary": _lazy("secondary"), "exploratory": _lazy("exploratory")}
RATERS: dict[bool, Text] = {True: _lazy("blind"), False: _lazy("not blind")}


def sensitivity_tables(frozen: dict[str, Any], stored: dict[str, Any]) -> list[Table]:
    """What of these the plan asks for; results from before the program computed them have none."""
    made = (_outcomes(frozen, stored), _rerandomization(stored), _tipping(frozen, stored))
    return [one for one in made if one]


def _outcomes(frozen: dict[str, Any], stored: dict[str, Any]) -> Table | None:
    """Each outcome by the planned model, with who rated it, and p adjusted as planned."""
    found = {one["code"]: one for one in stored.get("outcomes", ())}
    if not found:
        return None
    rows = [_outcome(frozen, planned, found[planned["code"]]) for planned in frozen["outcomes"]]
    columns = [
        Column(_("Outcome")), Column(_("Claim")), Column(_("Rater")), Column(_("Difference"), number=True, decimals=2),
        Column(_("SE"), number=True, decimals=3), Column(_("Low"), number=True, decimals=2),
        Column(_("High"), number=True, decimals=2), Column(_("p"), p=True), Column(_("p adjusted"), p=True),
        Column(_("d"), number=True, decimals=2), Column(_("Not analyzed because")),
    ]  # fmt: skip
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    caption = _("Other outcomes by the planned model, at %(visit)s") % {"visit": label(frozen, frozen["primary_visit"])}
    note = _("Multiplicity: %(how)s. Exploratory outcomes are not tested.") % {"how": WORDS[frozen["multiplicity"]]}
    return Table(columns, rows, caption=caption, note=note)


def _outcome(frozen: dict[str, Any], planned: dict[str, Any], one: dict[str, Any]) -> list[Any]:
    answer = one["answer"] or {"differences": []}
    at = next((d for d in answer["differences"] if d["visit"] == frozen["primary_visit"]), None)
    numbers = [at[name] for name in ("estimate", "se", "lower", "upper", "p")] if at else [None] * 5
    rater = f"{planned['rater']}, {RATERS[planned['rater_blind']]}"
    why = " ".join(words(problem) for problem in one["problems"]) if at is None else ""
    claim = str(ROLES.get(planned["role"], planned["role"]))
    return [planned["name"], claim, rater, *numbers, one["p_adjusted"], _d(planned, one, numbers[0]), why]


def _d(planned: dict[str, Any], one: dict[str, Any], estimate: float | None) -> float | None:
    """Standardized by the baseline of all randomized, + in favor of the experimental arm."""
    if estimate is None or one["standard_deviation"] is None:
        return None
    value: float = estimate / one["standard_deviation"]["value"]
    return -value if planned["direction"] == "higher_is_worse" else value


def _rerandomization(stored: dict[str, Any]) -> Table | None:
    found = stored.get("rerandomization")
    if found is None:
        return None
    caption = _("Re-randomization test")
    if "problems" in found:
        return Table([Column(_("Not computed because"))], [[_why(found)]], caption=caption)
    columns = [
        Column(_("Observed statistic"), number=True, decimals=3), Column(_("Replicates"), number=True),
        Column(_("As extreme"), number=True), Column(_("p"), p=True), Column(_("Monte-Carlo error of p"), number=True, decimals=4),
    ]  # fmt: skip
    row = [found["observed"], found["replicates"], found["extreme"], found["p"], found["error"]]
    failed = found["failed"]
    note = _("%(n)d replicates could not be fitted; they count as extreme.") % {"n": failed} if failed else ""
    return Table(columns, [row], caption=caption, note=note)


def _tipping(frozen: dict[str, Any], stored: dict[str, Any]) -> Table | None:
    found = stored.get("tipping")
    if found is None:
        return None
    caption = _("Tipping point: values after the program was stopped, shifted for the worse")
    if "problems" in found:
        return Table([Column(_("Not computed because"))], [[_why(found)]], caption=caption)
    columns = [
        Column(_("Shift in points"), number=True, decimals=2), Column(_("Difference"), number=True, decimals=2),
        Column(_("SE"), number=True, decimals=3), Column(_("Low"), number=True, decimals=2),
        Column(_("High"), number=True, decimals=2), Column(_("p"), p=True),
    ]  # fmt: skip
    names = ("delta", "estimate", "se", "lower", "upper", "p")
    rows = [[row[name] for name in names] for row in found["rows"]]
    return Table(columns, rows, caption=caption, note=_turning(found))


def _turning(found: dict[str, Any]) -> str:
    at, rows = found["turns_at"], found["rows"]
    if rows[0]["estimate"] == rows[-1]["estimate"]:
        return _("No value is missing after the program was stopped: a shift changes nothing.")
    if at is None:
        return _("No shift of the table turns the answer.")
    if at == 0:
        return _("The interval holds 0 without any shift: there is no answer that could turn.")
    return _("The answer turns at a shift of %(points)s points.") % {
        "points": f"{at:.2f}".replace("-", "\N{MINUS SIGN}")
    }


def _why(found: dict[str, Any]) -> str:
    return " ".join(words(problem) for problem in found["problems"])
