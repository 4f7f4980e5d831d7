"""The bootstrap of a stored result, and outcomes that were adjusted by shared lots. Nothing is computed anew."""

from typing import Any

from django.utils.translation import gettext as _

from analysis.reports.rendering import fmt, label, words
from trial.core.ui import model_figures
from trial.core.ui.charts import Chart, chart
from trial.core.ui.tables import Column, Table


def bootstrap_sentence(frozen: dict[str, Any], found: dict[str, Any]) -> str:
    """The interval between percentiles in words."""
    said = _(
        "In %(n)d samples of people drawn again with replacement, in each arm as many as it has, the middle %(level)d %% of the differences at"
        " %(visit)s lie between %(low)s and %(high)s; their standard deviation is %(se)s. The planned difference is %(value)s."
    ) % {
        "n": found["replicates"], "level": round(100 * found["confidence"]), "visit": label(frozen, frozen["primary_visit"]),
        "low": fmt(found["lower"]), "high": fmt(found["upper"]), "se": fmt(found["se"]), "value": fmt(found["estimate"]),
    }  # fmt: skip
    failed = _("%(n)d samples could not be fitted and are left out.") % {"n": found["failed"]}
    return f"{said} {failed}" if found["failed"] else said


def bootstrap_chart(frozen: dict[str, Any], found: dict[str, Any]) -> Chart:
    """How the estimates of the samples lie."""
    edges, counts = found["edges"], found["counts"]
    drawn = model_figures.histogram(
        edges, counts, _("Difference in points"), _("Samples"), observed=found["estimate"], name=_("as planned"),
        ends=(found["lower"], found["upper"]),
    )  # fmt: skip
    sentence = _(
        "The difference at %(visit)s in each sample; the line is the planned one, the broken lines are the ends of the interval."
    ) % {"visit": label(frozen, frozen["primary_visit"])}
    return chart(drawn, _("The difference in other samples"), sentence, bars(edges, counts, _("Samples")))


def bars(edges: list[float], counts: list[int], title: str) -> Table:
    """The numbers of a histogram, ``title`` being what is counted."""
    columns = [
        Column(_("From"), number=True, decimals=2),
        Column(_("To"), number=True, decimals=2),
        Column(title, number=True),
    ]
    return Table(columns, [[low, high, count] for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)])


def joint_words(joint: dict[str, Any] | None) -> str:
    """How secondary outcomes were adjusted by the lots that they share, or why they were not; empty where the plan adjusts otherwise."""
    if joint is None:
        return ""
    if "problems" in joint:
        why = " ".join(words(problem) for problem in joint["problems"])
        return _("The adjusted p of the secondary outcomes could not be computed: %(why)s") % {"why": why}
    said = _(
        "The secondary outcomes are adjusted together: in each of %(n)d allocations the largest of their statistics is held against the observed"
        " ones, the largest first."
    ) % {"n": joint["replicates"]}
    failed = _("%(n)d refits failed and count against the treatment.") % {"n": joint["failed"]}
    return f"{said} {failed}" if joint["failed"] else said
