"""Specifications of figures about a model: how its errors are spread, what its answer rests on. As ``figures``, for ``charts.chart``.

The same rules hold: a zero line where a difference is shown, labels instead of legends, data as values in the specification.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from trial.core.ui.text import Text

Pairs = Sequence[tuple[float, float]]
INDENT = "\N{ZERO WIDTH SPACE}" + "\N{NO-BREAK SPACE}" * 3
"""Spaces that a drawing keeps: it trims those at the beginning of a text, unless something stands before them."""


@dataclass(frozen=True)
class Line:
    """A line of a grouped forest plot: an estimate with its interval, or without one the head of the lines that follow, with its ``words``."""

    label: Text
    value: float | None = None
    low: float | None = None
    high: float | None = None
    words: Text = ""
    is_total: bool = False


def scatter(pairs: Pairs, x_title: Text, y_title: Text, *, diagonal: bool = False, width: int = 420) -> dict[str, Any]:
    """Points (x, y) against the zero line, or with ``diagonal`` against the line x = y."""
    rows = [{"x": x, "y": y} for x, y in pairs]
    if diagonal:
        ends = [min(min(pair) for pair in pairs), max(max(pair) for pair in pairs)]
        line = {
            "data": {"values": [{"x": end, "y": end} for end in ends]},
            "mark": {"type": "line", "strokeWidth": 1.25, "style": "quiet"},
            "encoding": {"x": _x("x", x_title), "y": _y("y", y_title)},
        }
    else:
        line = _level(0.0)
    points = {
        "mark": {"type": "point", "size": 22, "opacity": 0.55},
        "encoding": {"x": _x("x", x_title), "y": _y("y", y_title)},
    }
    return {"width": width, "height": 260, "data": {"values": rows}, "layer": [line, points]}


def histogram(
    edges: Sequence[float],
    counts: Sequence[int],
    x_title: Text,
    y_title: Text,
    *,
    observed: float,
    name: Text,
    ends: Sequence[float] = (),
) -> dict[str, Any]:
    """Bars between ``edges``, one more than ``counts``, a line with its ``name`` at the observed value, broken lines at ``ends``."""
    bars = [
        {"from": low, "to": high, "count": count}
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    x = {
        "field": "from",
        "type": "quantitative",
        "title": str(x_title),
        "scale": {"zero": False, "nice": False, "padding": 12},
    }
    y = {"field": "count", "type": "quantitative", "title": str(y_title)}
    tooltip = [_tip("from", _("From"), ".2f"), _tip("to", _("To"), ".2f"), _tip("count", str(y_title), "d")]
    at = {"datum": observed, "type": "quantitative"}
    return {
        "width": 480,
        "height": 240,
        "data": {"values": bars},
        "layer": [
            {
                "mark": {"type": "bar", "opacity": 0.45, "binSpacing": 1},
                "encoding": {"x": x, "x2": {"field": "to"}, "y": y, "y2": {"datum": 0}, "tooltip": tooltip},
            },
            {"data": {"values": [{}]}, "mark": {"type": "rule", "style": "zero", "strokeWidth": 2}, "encoding": {"x": at}},
            {
                "data": {"values": [{"name": str(name)}]},
                "mark": {"type": "text", "align": "left", "baseline": "top", "dx": 6, "fontWeight": 600, "y": 2},
                "encoding": {"x": at, "text": {"field": "name"}},
            },
            *(
                {
                    "data": {"values": [{}]},
                    "mark": {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.5},
                    "encoding": {"x": {"datum": end, "type": "quantitative"}},
                }
                for end in ends
            ),
        ],
    }  # fmt: skip


def curve(
    rows: Sequence[tuple[float, float, float, float]],
    x_title: Text,
    y_title: Text,
    *,
    turns_at: float | None = None,
    name: Text = "",
) -> dict[str, Any]:
    """A line with its band: rows of (x, value, low, high), the zero line, and where the answer turns, with its ``name``."""
    values = [{"x": x, "value": value, "low": low, "high": high} for x, value, low, high in rows]
    x = _x("x", x_title)
    tooltip = [
        _tip("x", str(x_title), ".2f"),
        _tip("value", str(y_title), ".2f"),
        _tip("low", _("From"), ".2f"),
        _tip("high", _("To"), ".2f"),
    ]
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "area"}, "encoding": {"x": x, "y": _y("low", y_title), "y2": {"field": "high"}}},
        _level(0.0),
        {"mark": "line", "encoding": {"x": x, "y": _y("value", y_title)}},
        {"mark": {"type": "point", "size": 40}, "encoding": {"x": x, "y": _y("value", y_title), "tooltip": tooltip}},
    ]
    if turns_at is not None:
        at = {"datum": turns_at, "type": "quantitative"}
        layers += [
            {"data": {"values": [{}]}, "mark": {"type": "rule", "strokeDash": [5, 4]}, "encoding": {"x": at}},
            {
                "data": {"values": [{"name": str(name)}]},
                "mark": {"type": "text", "align": "left", "baseline": "top", "dx": 6, "y": 2, "fontWeight": 600},
                "encoding": {"x": at, "text": {"field": "name"}},
            },
        ]
    return {"width": 480, "height": 260, "data": {"values": values}, "layer": layers}


def shift_map(
    cells: Sequence[tuple[float, float, float, bool]],
    line: Sequence[tuple[str, float, float]],
    titles: tuple[Text, Text],
    favors: tuple[Text, Text],
    *,
    below: bool,
    name: Text,
) -> dict[str, Any]:
    """Squares of (x, y, value, turned), darker the farther the value is from 0, its color by which of two it ``favors``; ``below``: whether
    the first of them is favored by values below 0.

    What turned carries a cross. ``line``: points (strand, x, y) where the answer turns; a ring with its ``name`` stands at 0, 0.
    """
    steps = sorted({x for x, _y, _value, _turned in cells})
    half = (steps[1] - steps[0]) / 2
    largest = max(abs(value) for _x, _y, value, _turned in cells) or 1.0
    names = [str(one) for one in favors]
    squares = [
        {
            "x": x, "y": y, "left": x - half, "right": x + half, "bottom": y - half, "top": y + half,
            "value": value, "favors": names[(value > 0) == below], "strength": abs(value) / largest, "turned": turned,
        }
        for x, y, value, turned in cells
    ]  # fmt: skip
    ends = [steps[0] - half, steps[-1] + half]
    x, y = (
        {"field": field, "type": "quantitative", "title": str(title), "scale": {"domain": ends, "nice": False},
         "axis": {"tickCount": 7, "grid": False}}
        for field, title in zip(("left", "bottom"), titles, strict=True)
    )  # fmt: skip
    shade = {
        "field": "strength",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, 1], "range": [0.05, 0.6]},
    }
    tooltip = [
        _tip("x", str(titles[0]), ".2f"),
        _tip("y", str(titles[1]), ".2f"),
        _tip("value", _("Difference"), ".2f"),
    ]
    color = {
        "field": "favors",
        "type": "nominal",
        "scale": {"domain": names},
        "legend": {"labelLimit": 420, "direction": "vertical"},
    }
    at = {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}}
    origin = {"x": {"datum": 0, "type": "quantitative"}, "y": {"datum": 0, "type": "quantitative"}}
    one = {"values": [{"name": str(name)}]}
    cross = {"type": "point", "shape": "cross", "angle": 45, "size": 70, "style": "quiet", "filled": True}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rect", "stroke": None},
            "encoding": {
                "x": x, "x2": {"field": "right"}, "y": y, "y2": {"field": "top"}, "color": color, "opacity": shade, "tooltip": tooltip,
            },
        },
        {"transform": [{"filter": "datum.turned"}], "mark": cross, "encoding": at},
        {
            "data": {"values": [{"strand": strand, "x": px, "y": py, "n": n} for n, (strand, px, py) in enumerate(line)]},
            "mark": {"type": "line", "strokeWidth": 2.5, "style": "zero"},
            "encoding": {**at, "detail": {"field": "strand"}, "order": {"field": "n", "type": "quantitative"}},
        },
        {"data": one, "mark": {"type": "point", "size": 120, "filled": False, "strokeWidth": 2, "style": "zero"}, "encoding": origin},
        {
            "data": one,
            "mark": {"type": "text", "align": "left", "baseline": "middle", "dx": 10, "fontWeight": 600},
            "encoding": {**origin, "text": {"field": "name"}},
        },
    ]  # fmt: skip
    return {"width": 420, "height": 420, "data": {"values": squares}, "layer": layers}


def ranked(values: Sequence[float], x_title: Text, y_title: Text) -> dict[str, Any]:
    """Values from the largest to the smallest, each a stem from 0."""
    rows = [{"rank": n + 1, "value": value} for n, value in enumerate(values)]
    x = {"field": "rank", "type": "quantitative", "title": str(x_title), "axis": {"tickMinStep": 1, "format": "d"},
         "scale": {"zero": False, "nice": False, "padding": 10}}  # fmt: skip
    y = {"field": "value", "type": "quantitative", "title": str(y_title)}
    tooltip = [_tip("rank", str(x_title), "d"), _tip("value", str(y_title), ".3f")]
    return {
        "width": 480,
        "height": 220,
        "data": {"values": rows},
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": {"x": x, "y": y, "y2": {"datum": 0}}},
            {"mark": {"type": "point", "size": 34}, "encoding": {"x": x, "y": y, "tooltip": tooltip}},
        ],
    }


def grouped(lines: Sequence[Line], x_title: Text, *, favors: tuple[Text, Text] | None = None) -> dict[str, Any]:
    """A forest plot in groups: heads in bold, what belongs to them below, the numbers in words at the right; labels may repeat.

    ``favors`` names what lies to the left and to the right of no difference.
    """
    names = {f"r{n}": _indented(line) for n, line in enumerate(lines)}
    bold = [f"r{n}" for n, line in enumerate(lines) if line.value is None or line.is_total]
    rows = [{"row": f"r{n}", **_line(line)} for n, line in enumerate(lines)]
    estimates = [row for row in rows if row["value"] is not None]
    sides = [f"\N{LEFTWARDS ARROW} {INDENT.join(map(str, favors))} \N{RIGHTWARDS ARROW}"] if favors else []
    x = {
        "field": "value",
        "type": "quantitative",
        "title": [str(x_title), *sides],
        "axis": {"tickCount": 6},
        "scale": {"zero": True, "padding": 10},
    }
    y = {"field": "row", "type": "nominal", "sort": list(names), "title": None, "axis": _names(names, bold)}
    point = {"x": x, "y": y, **_by_kind(), "tooltip": [_tip_words(str(x_title))]}
    zero = {"x": {"datum": 0.0, "type": "quantitative"}}
    return {
        "width": 380,
        "height": {"step": 28},
        "data": {"values": rows},
        "layer": [
            {"mark": {"type": "rule", "style": "zero"}, "data": {"values": [{}]}, "encoding": zero},
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "data": {"values": estimates},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y},
            },
            {"mark": "point", "data": {"values": estimates}, "encoding": point},
            {
                "mark": {"type": "text", "align": "left", "x": {"expr": "width + 16"}},
                "encoding": {"y": y, "text": {"field": "words"}},
            },
        ],
    }


def _indented(line: Line) -> str:
    return str(line.label) if line.value is None or line.is_total else f"{INDENT}{line.label}"


def _line(line: Line) -> dict[str, Any]:
    """The values of a line; those of a head are empty."""
    kind = "total" if line.is_total else "level"
    if line.value is None or line.low is None or line.high is None:
        return {"value": None, "low": None, "high": None, "words": str(line.words), "kind": kind}
    said = f"{line.value:.2f} ({line.low:.2f} to {line.high:.2f})".replace("-", "\N{MINUS SIGN}")
    return {"value": line.value, "low": line.low, "high": line.high, "words": said, "kind": kind}


def _names(names: dict[str, str], bold: Sequence[str]) -> dict[str, Any]:
    """An axis of names that may repeat, from the left, with room for the longest."""
    room = min(320, round(7.5 * max(map(len, names.values()), default=0)))
    is_bold = f"indexof({json.dumps(list(bold))}, datum.value) >= 0"
    return {
        "domain": False, "ticks": False, "grid": False, "labelFontSize": 13, "labelLimit": room, "minExtent": room,
        "labelAlign": "left", "labelPadding": room,
        "labelExpr": f"({json.dumps(names, ensure_ascii=False)})[datum.value]",
        "labelFontWeight": {"condition": {"test": is_bold, "value": "bold"}, "value": "normal"},
    }  # fmt: skip


def _by_kind() -> dict[str, Any]:
    """A level is a square, the total a larger diamond."""
    kinds = {"field": "kind", "type": "nominal", "legend": None}
    ranges: dict[str, list[Any]] = {"size": [70, 150], "shape": ["square", "diamond"]}
    return {name: {**kinds, "scale": {"domain": ["level", "total"], "range": one}} for name, one in ranges.items()}


def _tip_words(title: str) -> dict[str, Any]:
    return {"field": "words", "type": "nominal", "title": title}


def bars(rows: Sequence[tuple[Text, Text, float, Text]], x_title: Text) -> dict[str, Any]:
    """A bar with its words for each (row, group, value, words): a row a line, in it a bar a group, both in the order given."""
    values = [{"row": str(r), "group": str(g), "value": v, "words": str(w)} for r, g, v, w in rows]
    order, groups = (list(dict.fromkeys(one[key] for one in values)) for key in ("row", "group"))
    axis = {"domain": False, "ticks": False, "labelLimit": 300, "grid": False, "labelFontSize": 13}
    axis["minExtent"] = min(300, round(7.5 * max(map(len, map(str, order)), default=0)))
    y = {"field": "row", "type": "nominal", "sort": order, "title": None, "axis": axis}
    place = {"field": "group", "type": "nominal", "sort": groups}
    x = {"field": "value", "type": "quantitative", "title": str(x_title)}
    color = {**place, "legend": None}
    named = [{**one, "words": f"{one['words']} {one['group']}"} for one in values]
    return {
        "width": 380,
        "height": {"step": 18, "for": "offset"} if len(groups) > 1 else {"step": 28},
        "data": {"values": named},
        "layer": [
            {"mark": {"type": "bar", "opacity": 0.75}, "encoding": {"y": y, "yOffset": place, "x": x, "color": color}},
            {
                "mark": {"type": "text", "align": "left", "baseline": "middle", "dx": 6},
                "encoding": {"y": y, "yOffset": {**place, "bandPosition": 0.5}, "x": x, "text": {"field": "words"}},
            },
        ],
    }


def matrix(names: Sequence[Text], values: Sequence[Sequence[float]]) -> dict[str, Any]:
    """A symmetric matrix between -1 and 1 as shaded cells with their numbers."""
    labels = [str(name) for name in names]
    rows = [
        {"row": labels[i], "column": labels[j], "value": value, "words": f"{value:.2f}".replace("-", "\N{MINUS SIGN}")}
        for i, line in enumerate(values)
        for j, value in enumerate(line)
    ]
    plain = {"domain": False, "ticks": False}
    x = {
        "field": "column",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {**plain, "orient": "top", "labelAngle": 0},
    }
    y = {"field": "row", "type": "nominal", "sort": None, "title": None, "axis": {**plain, "labelLimit": 220}}
    shade = {
        "field": "strength",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, 1], "range": [0.04, 0.6]},
    }
    return {
        "width": {"step": 110},
        "height": {"step": 36},
        "data": {"values": [{**row, "strength": abs(float(str(row["value"])))} for row in rows]},
        "layer": [
            {
                "mark": {"type": "rect", "cornerRadius": 3, "stroke": None},
                "encoding": {"x": x, "y": y, "opacity": shade},
            },
            {"mark": {"type": "text"}, "encoding": {"x": x, "y": y, "text": {"field": "words"}}},
        ],
    }


def _level(at: float) -> dict[str, Any]:
    """The line of no difference."""
    encoding = {"y": {"datum": at, "type": "quantitative"}}
    return {"data": {"values": [{}]}, "mark": {"type": "rule", "style": "zero"}, "encoding": encoding}


def _x(field: str, title: Text) -> dict[str, Any]:
    scale = {"zero": False, "nice": False, "padding": 12}
    return {"field": field, "type": "quantitative", "title": str(title), "scale": scale, "axis": {"tickCount": 7}}


def _y(field: str, title: Text) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "title": str(title), "scale": {"zero": False, "padding": 8}}


def _tip(name: str, title: str, form: str) -> dict[str, Any]:
    return {"field": name, "type": "quantitative", "title": title, "format": form}
