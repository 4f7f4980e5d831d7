"""The tipping-point map of a stored result, and how models that impute took teams. Nothing is computed anew."""

from typing import Any

from django.utils.translation import gettext as _

from analysis.reports.rendering import arm_names, fmt, label
from trial.core.ui import model_figures
from trial.core.ui.charts import Chart, chart
from trial.core.ui.tables import Column, Table


def map_chart(frozen: dict[str, Any], found: dict[str, Any]) -> Chart:
    """The map as a figure: squares of both shifts, crosses where the answer has turned, the line along which it turns."""
    arm, control = arm_names(frozen)
    shift = _("Shift of missing values in %(arm)s, points")
    titles = (shift % {"arm": arm}, shift % {"arm": control})
    favors = (_("favors %(arm)s") % {"arm": arm}, _("favors %(arm)s") % {"arm": control})
    drawn = model_figures.shift_map(
        [(one["experimental"], one["reference"], one["estimate"], one["turned"]) for one in found["cells"]],
        [(f"{one['bound']} {one['strand']}", one["experimental"], one["reference"]) for one in found["line"]],
        titles,
        favors,
        below=frozen["better"] == "lower",
        name=_("no shift"),
    )
    sentence = _(
        "The difference at %(visit)s by how far missing values are shifted in either arm: the darker, the farther from 0. A cross marks what is"
        " concluded otherwise than without a shift; along the line an end of the interval is 0."
    ) % {"visit": label(frozen, frozen["primary_visit"])}
    return chart(drawn, _("Shifts in both arms"), sentence, _table(found, titles))


def _table(found: dict[str, Any], titles: tuple[str, str]) -> Table:
    columns = [
        Column(titles[0], number=True, decimals=2), Column(titles[1], number=True, decimals=2), Column(_("Difference"), number=True, decimals=2),
        Column(_("SE"), number=True, decimals=3), Column(_("Low"), number=True, decimals=2), Column(_("High"), number=True, decimals=2),
        Column("p", p=True), Column(_("Conclusion")),
    ]  # fmt: skip
    said = {True: _("turned"), False: _("as without a shift")}
    names = ("experimental", "reference", "estimate", "se", "lower", "upper", "p")
    return Table(columns, [[*(one[name] for name in names), said[one["turned"]]] for one in found["cells"]])


def map_sentence(frozen: dict[str, Any], found: dict[str, Any]) -> str:
    """In how many pairs of shifts the conclusion is another one, and how many values are shifted."""
    arm, control = arm_names(frozen)
    given = {
        "n": found["turned"], "all": len(found["cells"]), "arm": arm, "control": control, "far": fmt(found["experimental"][-1]),
        "moved": found["moved_experimental"], "other": found["moved_reference"],
    }  # fmt: skip
    turned = (
        _(
            "Shifted in both arms by up to %(far)s points in either direction, no pair of shifts changes what is concluded."
        )
        if not found["turned"]
        else _(
            "Shifted in both arms by up to %(far)s points in either direction, %(n)d of %(all)d pairs of shifts change what is concluded."
        )
    )
    shifted = _(
        "Shifted are %(moved)d values missing after stopping in %(arm)s, and all %(other)d missing ones in %(control)s."
    )
    return f"{turned} {shifted}" % given


def teams_words(teams: dict[str, Any] | None) -> str:
    """How an imputation model took teams that are random in the planned model; empty where it took them as planned."""
    if teams is None:
        return ""
    if teams["groups"] < 2:
        return _("The imputation model goes without teams: pooled as they would have to be, one group is left.")
    groups = "; ".join(" + ".join(one) for one in teams["pooled"])
    small = _(" Teams with fewer than five analyzed, or one arm alone, are pooled: %(groups)s.") % {"groups": groups}
    told = _("Teams are random in the planned model; the imputation model takes them as a factor with %(n)d levels.")
    return told % {"n": teams["groups"]} + (small if groups else "")
