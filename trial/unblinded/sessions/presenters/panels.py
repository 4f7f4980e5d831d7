"""Panels of the unblinded first pages: attendance and completion by group, and fidelity."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trial.core.access import Person
from trial.core.access.roles import FidelityRater, IndependentStatistician, TreatmentCoordinator, UnblindedDataManager
from trial.core.ui.charts import Chart, chart
from trial.core.ui.tables import Table
from trial.core.ui.work import Panel
from trial.protocol.definition import FidelityScale, SessionsPlan
from trial.protocol.queries import NoProtocol, current
from trial.unblinded.randomization.queries import allocations
from trial.unblinded.sessions import fidelity, queries
from trial.unblinded.sessions.presenters.tables import (
    attendance_by_group,
    counts_by_group,
    fidelity_table,
    percent,
)
from trial.unblinded.sessions.presenters.words import DENOMINATORS
from trial.unblinded.sessions.queries import FidelityLine, PersonLine

STEP = 30
"""Height of one group in a figure, in pixels."""
TOOLTIP = [{"field": "group", "type": "nominal"}, {"field": "words", "type": "nominal"}]


def panels_for(person: Person) -> list[Panel]:
    """Attendance and completion, and fidelity by consensus, for those who oversee treatment."""
    if not person.holds(TreatmentCoordinator, UnblindedDataManager, IndependentStatistician, FidelityRater):
        return []
    try:
        protocol = current()
    except NoProtocol:
        return []
    panels = []
    if protocol.sessions is not None and person.holds(
        TreatmentCoordinator, UnblindedDataManager, IndependentStatistician
    ):
        opens = person.holds(TreatmentCoordinator, UnblindedDataManager)
        panels.append(_attendance(queries.person_lines(allocations()), protocol.sessions, opens))
    lines = queries.fidelity_lines(queries.groups(), protocol.fidelity)
    if protocol.fidelity:
        link = person.holds(FidelityRater, UnblindedDataManager)
        panels.append(_fidelity([line for line in lines if line.consensus is not None], protocol.fidelity[0], link))
    return panels


def _attendance(lines: list[PersonLine], plan: SessionsPlan, link: bool) -> Panel:
    rule = plan.completion
    words = _("Completed: attended at least %(share)s %% of the sessions %(of)s. Open until the program of a person has ended.") % {
        "share": f"{100 * rule.share:g}", "of": DENOMINATORS[rule.denominator],
    }  # fmt: skip
    table = attendance_by_group(lines, words, link=link)
    counts = counts_by_group(lines).values()
    attended, offered = sum(one.attended for one in counts), sum(one.offered for one in counts)
    ended, completed = sum(one.ended for one in counts), sum(one.completed for one in counts)
    sentence = _("%(attended)d of %(offered)d sessions that were offered were attended.") % {
        "attended": attended,
        "offered": offered,
    }
    sentence += " " + _("%(completed)d of %(ended)d people whose program ended completed it.") % {
        "completed": completed,
        "ended": ended,
    }
    figure = attendance_chart(lines, sentence, table) if offered else None
    return Panel(
        _("Attendance and completion"),
        "unblinded/sessions/panel.html",
        {"sentence": sentence, "chart": figure, "table": table},
    )


def attendance_chart(lines: list[PersonLine], sentence: str, table: Table) -> Chart:
    """By group: attended in percent of what was offered as a bar, completed in percent of ended programs as a diamond."""
    counts, names = counts_by_group(lines), {line.group.pk: line.group.code for line in lines if line.group is not None}
    attended, completed = _("Attended, of offered"), _("Completed, of ended")
    bars, points = [], []
    for key in sorted(names, key=lambda key: names[key]):
        one = counts[key]
        if one.offered:
            bars.append(_share(names[key], attended, one.attended, one.offered))
        if one.ended:
            points.append(_share(names[key], completed, one.completed, one.ended))
    y = {"field": "group", "type": "nominal", "title": None, "axis": {"domain": False, "ticks": False}}
    x = {"field": "share", "type": "quantitative", "title": _("Percent"), "scale": {"domain": [0, 100]}}
    series = {"field": "series", "type": "nominal"}
    common = {"x": x, "y": y, "color": {**series, "scale": {"domain": [attended, completed]}}, "tooltip": TOOLTIP}
    shape = {**series, "scale": {"domain": [attended, completed], "range": ["square", "diamond"]}}
    bar = {"type": "bar", "height": 12, "cornerRadiusEnd": 3}
    diamond = {"type": "point", "size": 130, "stroke": "white", "strokeWidth": 1}
    spec: dict[str, Any] = {
        "width": 480,
        "height": {"step": STEP},
        "layer": [
            {"data": {"values": bars}, "mark": bar, "encoding": common},
            {
                "data": {"values": points},
                "mark": diamond,
                "encoding": {**common, "shape": shape},
            },
        ],
    }
    return chart(spec, _("Attendance and completion by group"), sentence, table)


def _share(group: str, series: str, part: int, whole: int) -> dict[str, Any]:
    return {"group": group, "series": series, "share": percent(part, whole), "words": f"{part}/{whole}"}


def _fidelity(lines: list[FidelityLine], first: FidelityScale, link: bool) -> Panel:
    table = fidelity_table(lines, link=link)
    scores = [line.consensus.score for line in lines if line.scale.code == first.code and line.consensus is not None]
    found = fidelity.summary(scores)
    if found is None:
        words = _("No group has a consensus yet.")
        return Panel(_("Fidelity"), "unblinded/sessions/panel.html", {"sentence": words, "chart": None, "table": None})
    spread = f" ({_('SD')} {found.sd:.2f})" if found.sd is not None else ""
    words = ngettext(
        "%(scale)s: %(mean)s in %(count)d group.",
        "%(scale)s: mean %(mean)s%(spread)s over %(count)d groups.",
        found.count,
    )
    sentence = words % {
        "scale": first.name, "mean": f"{found.mean:.2f}", "spread": spread, "count": found.count,
    }  # fmt: skip
    figure = fidelity_chart([line for line in lines if line.scale.code == first.code], first, sentence, table)
    return Panel(
        _("Fidelity"), "unblinded/sessions/panel.html", {"sentence": sentence, "chart": figure, "table": table}
    )


def fidelity_chart(lines: list[FidelityLine], scale: FidelityScale, sentence: str, table: Table) -> Chart:
    """Scores by group on the scale's range, with the cut-offs of its bands."""
    rows = [
        {"group": line.group.code, "score": float(line.consensus.score), "words": f"{line.consensus.score:.2f}"}
        for line in sorted(lines, key=lambda line: line.group.code)
        if line.consensus is not None
    ]
    cuts = [{"cut": float(band.minimum), "name": band.name} for band in scale.bands]
    y = {"field": "group", "type": "nominal", "title": None, "axis": {"domain": False, "ticks": False}}
    x = {"type": "quantitative", "title": scale.name, "scale": {"domain": [scale.min, scale.max], "zero": False}}
    spec: dict[str, Any] = {
        "width": 480,
        "height": {"step": STEP},
        "layer": [
            {"data": {"values": cuts}, "mark": {"type": "rule", "strokeDash": [4, 3]}, "encoding": {"x": {**x, "field": "cut"}}},
            {
                "data": {"values": cuts},
                "mark": {"type": "text", "align": "left", "dx": 4, "y": -6, "style": "quiet"},
                "encoding": {"x": {**x, "field": "cut"}, "text": {"field": "name"}},
            },
            {
                "data": {"values": rows},
                "mark": {"type": "point", "size": 110},
                "encoding": {"x": {**x, "field": "score"}, "y": y, "tooltip": [{"field": "words", "title": scale.name}]},
            },
            {
                "data": {"values": rows},
                "mark": {"type": "text", "align": "left", "dx": 10},
                "encoding": {"x": {**x, "field": "score"}, "y": y, "text": {"field": "words"}},
            },
        ],
    }  # fmt: skip
    return chart(spec, _("Fidelity by group"), sentence, table)
