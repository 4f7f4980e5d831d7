"""Specifications of the figures that trials need. Each gives a Vega-Lite specification for ``charts.chart``.

All follow the same rules: arms by color, shape and dash; the label at the line's end instead of a legend; intervals always; the zero line
where a difference is shown.
"""

import datetime
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from trial.core.ui.charts import DASHES
from trial.core.ui.text import Text


@dataclass(frozen=True)
class Point:
    """An estimate with its interval: ``group`` (arm or series), place on the axis, value, lower and upper limit."""

    group: str
    at: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """One row of a forest plot, with its words and numbers."""

    label: str
    value: float
    low: float
    high: float
    is_total: bool = False


def trajectories(points: Sequence[Point], x_title: Text, y_title: Text, width: int = 560) -> dict[str, Any]:
    """Means with intervals over time, one line a group; groups are set side by side so that intervals do not cover each other."""
    groups = list(dict.fromkeys(point.group for point in points))
    span = (max(p.at for p in points) - min(p.at for p in points)) or 1.0
    shift = {group: (i - (len(groups) - 1) / 2) * span * 0.012 for i, group in enumerate(groups)}
    rows = [
        {"group": p.group, "at": p.at + shift[p.group], "value": p.value, "low": p.low, "high": p.high} for p in points
    ]
    ends = [max((r for r in rows if r["group"] == group), key=lambda r: float(str(r["at"]))) for group in groups]
    room = 0.055 * (max(p.high for p in points) - min(p.low for p in points))
    labels = _apart([{**end, "label": end["value"]} for end in ends], room)
    color = {"field": "group", "type": "nominal", "sort": groups, "legend": None}
    x = {
        "field": "at",
        "type": "quantitative",
        "title": str(x_title),
        "axis": {"values": sorted({p.at for p in points}), "format": "~g"},
        "scale": {"nice": False, "zero": False, "padding": 14},
    }
    y = {"field": "value", "type": "quantitative", "title": str(y_title), "scale": {"zero": False, "padding": 8}}
    tooltip = [
        _tip("group", _("Group")),
        _tip("value", _("Mean"), ".2f"),
        _tip("low", _("From"), ".2f"),
        _tip("high", _("To"), ".2f"),
    ]
    dash = {**color, "scale": {"domain": groups, "range": [DASHES[i % len(DASHES)] for i in range(len(groups))]}}
    return {
        "width": width,
        "height": 300,
        "data": {"values": rows},
        "layer": [
            {"mark": "rule", "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color}},
            {"mark": "line", "encoding": {"x": x, "y": y, "color": color, "strokeDash": dash}},
            {"mark": "point", "encoding": {"x": x, "y": y, "color": color, "shape": color, "tooltip": tooltip}},
            {
                "data": {"values": labels},
                "mark": {"type": "text", "align": "left", "dx": 12, "fontWeight": 600, "fontSize": 13},
                "encoding": {"x": x, "y": {**y, "field": "label"}, "text": {"field": "group"}, "color": color},
            },
        ],
    }


def _apart(ends: list[dict[str, Any]], room: float) -> list[dict[str, Any]]:
    """The labels at the lines' ends, moved up where the one below would be written over."""
    placed = sorted(ends, key=lambda end: float(end["label"]))
    for below, end in itertools.pairwise(placed):
        end["label"] = max(end["label"], below["label"] + room)
    return placed


def recruitment(
    days: Sequence[tuple[datetime.date, int]], target: Sequence[tuple[datetime.date, int]]
) -> dict[str, Any]:
    """Cumulative recruitment as steps against the target as a dashed line; no line where there is no target (of a single site)."""
    real, plan = _("Recruited"), _("Target")
    rows = [{"day": d.isoformat(), "count": n, "series": real} for d, n in days]
    rows += [{"day": d.isoformat(), "count": n, "series": plan} for d, n in target]
    drawn = [series for series in (real, plan) if any(r["series"] == series for r in rows)]
    ends = [max((r for r in rows if r["series"] == series), key=lambda r: str(r["day"])) for series in drawn]
    x = {
        "field": "day",
        "type": "temporal",
        "title": None,
        "axis": {"format": "%b %Y", "tickCount": 6},
    }
    y = {"field": "count", "type": "quantitative", "title": _("Participants"), "axis": {"tickMinStep": 1}}
    tooltip = [
        {"field": "day", "type": "temporal", "title": _("Day"), "format": "%d %b %Y"},
        _tip("count", _("Participants"), "d"),
    ]
    return {
        "width": 560,
        "height": 260,
        "data": {"values": rows},
        "layer": [
            {
                "transform": [{"filter": {"field": "series", "equal": plan}}],
                "mark": {"type": "line", "strokeDash": [5, 4], "strokeWidth": 1.75, "style": "quiet"},
                "encoding": {"x": x, "y": y},
            },
            {
                "transform": [{"filter": {"field": "series", "equal": real}}],
                "mark": {"type": "line", "interpolate": "step-after", "point": {"size": 16, "opacity": 0}},
                "encoding": {"x": x, "y": y, "tooltip": tooltip},
            },
            {
                "data": {"values": ends},
                "mark": {"type": "text", "align": "left", "dx": 8, "fontWeight": 600},
                "encoding": {"x": x, "y": y, "text": {"field": "series"}},
            },
        ],
    }


def forest(
    estimates: Sequence[Estimate],
    x_title: Text,
    *,
    null: float = 0.0,
    log: bool = False,
    favors: tuple[Text, Text] | None = None,
) -> dict[str, Any]:
    """Estimates with intervals, one a row, the line of no difference, the numbers in words at the right.

    ``log`` for ratios (``null`` 1). ``favors`` names what lies to the left and to the right of no difference.
    """
    rows = [
        {
            "label": e.label,
            "value": e.value,
            "low": e.low,
            "high": e.high,
            "words": f"{e.value:.2f} ({e.low:.2f} to {e.high:.2f})".replace("-", "\N{MINUS SIGN}"),
            "kind": "total" if e.is_total else "part",
        }
        for e in estimates
    ]
    order = [e.label for e in estimates]
    sides = f"\N{LEFTWARDS ARROW} {favors[0]}   {favors[1]} \N{RIGHTWARDS ARROW}" if favors else ""
    title = [str(x_title), sides] if favors else str(x_title)
    x = {
        "field": "value",
        "type": "quantitative",
        "title": title,
        "axis": {"tickCount": 6},
        "scale": {"type": "log"} if log else {"zero": True, "padding": 10},
    }
    y_axis = {"domain": False, "ticks": False, "labelLimit": 260, "grid": False, "labelFontSize": 13}
    y = {"field": "label", "type": "nominal", "sort": order, "title": None, "axis": y_axis}
    size = {
        "field": "kind",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": ["part", "total"], "range": [70, 150]},
    }
    shape = {**size, "scale": {"domain": ["part", "total"], "range": ["square", "diamond"]}}
    return {
        "width": 380,
        "height": {"step": 34},
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "rule", "style": "zero"},
                "data": {"values": [{}]},
                "encoding": {"x": {"datum": null, "type": "quantitative"}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y},
            },
            {
                "mark": "point",
                "encoding": {"x": x, "y": y, "size": size, "shape": shape, "tooltip": [_tip("words", str(x_title))]},
            },
            {
                "mark": {"type": "text", "align": "left", "x": 396},
                "encoding": {"y": y, "text": {"field": "words"}},
            },
        ],
    }


def missingness(rows: Sequence[tuple[str, str, int, int]]) -> dict[str, Any]:
    """A map of what is missing: rows of (instrument, visit, missing, expected) as shaded cells with their counts."""
    values = [
        {"instrument": i, "visit": v, "missing": m, "expected": n, "share": m / n if n else 0.0, "words": f"{m}/{n}"}
        for i, v, m, n in rows
    ]
    x = {
        "field": "visit",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"orient": "top", "labelAngle": 0, "domain": False, "ticks": False},
    }
    y = {
        "field": "instrument",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"domain": False, "ticks": False, "labelLimit": 220},
    }
    return {
        "width": {"step": 84},
        "height": {"step": 32},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rect", "cornerRadius": 3, "stroke": None},
                "encoding": {
                    "x": x,
                    "y": y,
                    "opacity": {
                        "field": "share",
                        "type": "quantitative",
                        "legend": None,
                        "scale": {"domain": [0, 1], "range": [0.06, 0.75]},
                    },
                    "tooltip": [
                        _tip("instrument", _("Instrument")),
                        _tip("visit", _("Visit")),
                        _tip("words", _("Missing")),
                    ],
                },
            },
            {"mark": {"type": "text"}, "encoding": {"x": x, "y": y, "text": {"field": "words"}}},
        ],
    }


def _tip(name: str, title: str, form: str = "") -> dict[str, Any]:
    kind = "quantitative" if form else "nominal"
    return {"field": name, "type": kind, "title": title, **({"format": form} if form else {})}
