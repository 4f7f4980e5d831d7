"""Specifications of the figures that trials need. Each gives a Vega-Lite specification for ``charts.chart``.

All follow the same rules: arms by color, shape and dash; the label at the line's end instead of a legend; intervals always; the zero line
where a difference is shown.
"""

import datetime
import json
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
class VisitPoint:
    """The value of a group at a visit, with its interval where there is one; visits come in the order of the points."""

    group: str
    visit: str
    value: float
    low: float | None = None
    high: float | None = None


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
    axis = {"values": sorted({p.at for p in points}), "format": "~g"}
    rows = [{"group": p.group, "at": p.at, "value": p.value, "low": p.low, "high": p.high} for p in points]
    return _lines(rows, {"title": str(x_title), "axis": axis}, y_title, width)


def by_visit(points: Sequence[VisitPoint], y_title: Text, width: int = 560, *, zero: bool = False) -> dict[str, Any]:
    """Means by visit, one line a group (arm), with intervals where the points have them.

    As ``trajectories``, for visits that have names and an order but no place in time. A single group stands without its name. ``zero``: the
    points are differences, and the line of no difference is drawn wherever they lie.
    """
    visits = list(dict.fromkeys(point.visit for point in points))
    names = json.dumps([str(visit) for visit in visits], ensure_ascii=False)
    axis = {"values": list(range(len(visits))), "labelExpr": f"{names}[datum.value]", "labelOverlap": False}
    rows = [
        {
            "group": p.group,
            "at": visits.index(p.visit),
            "visit": p.visit,
            "value": p.value,
            "low": p.low,
            "high": p.high,
        }
        for p in points
    ]
    return _lines(rows, {"title": None, "axis": axis}, y_title, width, inset=40, zero=zero)


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
    y_axis = {"domain": False, "ticks": False, "labelLimit": 300, "grid": False, "labelFontSize": 13}
    # room by the number of letters: those of the browser may be wider than those that the server measured
    y_axis["minExtent"] = min(300, round(7.5 * max(map(len, order), default=0)))
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
                "mark": {"type": "text", "align": "left", "x": {"expr": "width + 16"}},
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


def _lines(
    rows: Sequence[dict[str, Any]],
    x_axis: dict[str, Any],
    y_title: Text,
    width: int,
    inset: int = 14,
    zero: bool = False,
) -> dict[str, Any]:
    """One line a group, by color, shape and dash, its name at its end; the zero line where asked for, or where values lie on both sides of it."""
    groups = list(dict.fromkeys(str(row["group"]) for row in rows))
    span = (max(r["at"] for r in rows) - min(r["at"] for r in rows)) or 1.0
    shift = {group: (i - (len(groups) - 1) / 2) * span * 0.012 for i, group in enumerate(groups)}
    rows = [{**row, "at": row["at"] + shift[str(row["group"])]} for row in rows]
    color = {"field": "group", "type": "nominal", "sort": groups, "legend": None}
    dash = {**color, "scale": {"domain": groups, "range": [DASHES[i % len(DASHES)] for i in range(len(groups))]}}
    x = {**x_axis, "field": "at", "type": "quantitative", "scale": {"nice": False, "zero": False, "padding": inset}}
    y = {"field": "value", "type": "quantitative", "title": str(y_title), "scale": {"zero": zero, "padding": 8}}
    spread = [row for row in rows if row["low"] is not None and row["high"] is not None]
    tooltip = [_tip("group", _("Group")), _tip("value", _("Mean"), ".2f")]
    tooltip += [_tip("low", _("From"), ".2f"), _tip("high", _("To"), ".2f")] if spread else []
    layers: list[dict[str, Any]] = [
        {"mark": "line", "encoding": {"x": x, "y": y, "color": color, "strokeDash": dash}},
        {"mark": "point", "encoding": {"x": x, "y": y, "color": color, "shape": color, "tooltip": tooltip}},
    ]
    if spread:
        limits = {"y": {**y, "field": "low"}, "y2": {"field": "high"}}
        layers.insert(0, {"data": {"values": spread}, "mark": "rule", "encoding": {"x": x, **limits, "color": color}})
    low, high = _reach(rows)
    if zero or low < 0 < high:
        at_zero = {"y": {"datum": 0, "type": "quantitative"}}
        layers.insert(0, {"data": {"values": [{}]}, "mark": {"type": "rule", "style": "zero"}, "encoding": at_zero})
    if len(groups) > 1:
        named = {"x": x, "y": {**y, "field": "label_at"}, "text": {"field": "group"}, "color": color}
        mark = {"type": "text", "align": "left", "baseline": "middle", "dx": 12, "fontWeight": 600, "fontSize": 13}
        ends = [max((r for r in rows if r["group"] == group), key=lambda r: float(r["at"])) for group in groups]
        layers.append({"data": {"values": _apart(ends, high - low)}, "mark": mark, "encoding": named})
    return {"width": width, "height": 300, "data": {"values": rows}, "layer": layers}


def _reach(rows: Sequence[dict[str, Any]]) -> tuple[float, float]:
    values = [float(row[key]) for row in rows for key in ("value", "low", "high") if row[key] is not None]
    return min(values), max(values)


def _apart(ends: Sequence[dict[str, Any]], reach: float) -> list[dict[str, Any]]:
    """The ends of lines with the height of their names (``label_at``), set apart where they would cover each other."""
    least = reach * 0.07
    placed = sorted(ends, key=lambda row: float(row["value"]))
    heights = [float(row["value"]) for row in placed]
    for i in range(1, len(heights)):
        if (missing := least - (heights[i] - heights[i - 1])) > 0:
            heights[:i] = [height - missing / 2 for height in heights[:i]]
            heights[i] += missing / 2
    return [{**row, "label_at": round(height, 6)} for row, height in zip(placed, heights, strict=True)]


def _tip(name: str, title: str, form: str = "") -> dict[str, Any]:
    kind = "quantitative" if form else "nominal"
    return {"field": name, "type": kind, "title": title, **({"format": form} if form else {})}
