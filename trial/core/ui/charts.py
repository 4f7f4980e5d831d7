"""Figures: one specification, drawn on the server for every reader and made interactive in the browser for who wants it.

A figure is an SVG inside an ``<img>`` (the SVG of vl-convert carries style attributes, which the content policy would refuse inside the
page; ``img-src data:`` allows it), once for light and once for dark pages, with a sentence, a table, and the specification as a JSON
block that ``chart.js`` reads.
"""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import quote

import vl_convert

from trial.core.ui.tables import Table
from trial.core.ui.text import Text

Theme = Literal["light", "dark"]

VEGA_LITE = "6.4"
"""The version of the specification that vl-convert compiles; the vendored one in the browser has the same minor version."""

PALETTE: dict[Theme, list[str]] = {
    "light": ["#0b5cad", "#c75b00", "#4b8b3b", "#8a3f8f", "#5b6470"],
    "dark": ["#4f9bea", "#ffb877", "#8fce7c", "#d79adb", "#b3bcc8"],
}
"""Arms and groups in order: told apart with every kind of color blindness; blue is the darker one in gray. Shape and label say it too."""

SHAPES = ["circle", "diamond", "square", "triangle-up", "cross"]
DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2]]

WIDEST = 960
"""As wide as a figure gets: the room of a card on a wide screen."""

_INK: dict[Theme, dict[str, str]] = {
    "light": {"text": "#1c2530", "soft": "#556070", "grid": "#e3e7ec", "axis": "#8d97a5"},
    "dark": {"text": "#e4e8ee", "soft": "#a9b3c0", "grid": "#2c343e", "axis": "#6b7685"},
}


@dataclass(frozen=True)
class Chart:
    """A figure for ``{% chart ... %}``: ``sentence`` says what it shows, ``table`` holds its numbers.

    ``svg_url`` leads to the drawing alone, ``csv_url`` to the numbers alone.
    """

    spec: dict[str, Any]
    title: Text
    sentence: Text
    table: Table | None
    key: str
    svg_url: str = ""
    csv_url: str = ""

    @property
    def light(self) -> str:
        """The figure on a light page, as an address of its data."""
        return _drawn(json.dumps(themed(self.spec, "light"), sort_keys=True))

    @property
    def dark(self) -> str:
        """The figure on a dark page, as an address of its data."""
        return _drawn(json.dumps(themed(self.spec, "dark"), sort_keys=True))

    @property
    def width(self) -> int:
        """How wide the figure stands in its card, in pixels: a third wider than drawn, so that its letters are those of the page."""
        found = re.search(r'width="(\d+)', _svg(json.dumps(themed(self.spec, "light"), sort_keys=True)))
        return min(round(int(found[1]) * 4 / 3), WIDEST) if found else WIDEST

    @property
    def specs(self) -> dict[str, Any]:
        """Both specifications, for the browser."""
        return {"light": themed(self.spec, "light"), "dark": themed(self.spec, "dark")}


def chart(spec: Any, title: Text, sentence: Text, table: Table | None = None) -> Chart:
    """A figure from an Altair chart or a Vega-Lite specification as a mapping.

    The specification holds data, marks and encodings; colors, fonts and axes come from here. Data are in the specification itself.
    """
    made: Mapping[str, Any] = spec if isinstance(spec, Mapping) else spec.to_dict()
    plain: dict[str, Any] = json.loads(json.dumps(made, default=str))
    digest = sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:10]
    return Chart(plain, title, sentence, table, f"figure-{digest}")


def svg(spec: Mapping[str, Any], theme: Theme = "light") -> str:
    """The figure as an SVG document, for reports in print."""
    return str(vl_convert.vegalite_to_svg(themed(spec, theme), vl_version=VEGA_LITE))


def warm() -> None:
    """Start the drawing engine of this process. It takes a second, and nothing else runs meanwhile: better before the first request."""
    svg({"data": {"values": [{"a": 1}]}, "mark": "point", "encoding": {"x": {"field": "a", "type": "quantitative"}}})


def themed(spec: Mapping[str, Any], theme: Theme) -> dict[str, Any]:
    """The specification with our colors, fonts and axes; what the specification itself configures wins."""
    made = copy.deepcopy(dict(spec))
    made["$schema"] = "https://vega.github.io/schema/vega-lite/v6.json"
    made.pop("usermeta", None)
    made["config"] = _merged(_config(theme), made.get("config", {}))
    made.setdefault("background", "transparent")
    return made


def _config(theme: Theme) -> dict[str, Any]:
    ink = _INK[theme]
    labels = {"labelColor": ink["soft"], "titleColor": ink["text"], "labelFontSize": 12, "titleFontSize": 12}
    return {
        "font": "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif",
        # The browser's letters may be wider than those that the server measured.
        "padding": {"left": 28, "right": 56, "top": 8, "bottom": 8},
        "view": {"stroke": None, "continuousWidth": 560, "continuousHeight": 280},
        "axis": {
            **labels,
            "titleFontWeight": "normal",
            "titlePadding": 10,
            "labelPadding": 6,
            "gridColor": ink["grid"],
            "domainColor": ink["axis"],
            "tickColor": ink["axis"],
            "tickSize": 4,
        },
        "axisX": {"grid": False, "labelSeparation": 14, "labelOverlap": "greedy"},
        "legend": {**labels, "orient": "top", "symbolSize": 90, "columnPadding": 28, "title": None},
        "header": labels,
        "range": {"category": PALETTE[theme], "symbol": SHAPES},
        "text": {"color": ink["text"], "fontSize": 12},
        "rule": {"color": ink["axis"]},
        "line": {"strokeWidth": 2.25, "color": PALETTE[theme][0]},
        "point": {"filled": True, "size": 70, "opacity": 1, "color": PALETTE[theme][0]},
        "bar": {"color": PALETTE[theme][0]},
        "rect": {"color": PALETTE[theme][0]},
        "area": {"color": PALETTE[theme][0], "opacity": 0.15},
        "errorbar": {"thickness": 1.5},
        "style": {
            "quiet": {"color": ink["soft"]},
            "zero": {"color": ink["text"], "strokeWidth": 1.25},
            "flowbox": {"fill": PALETTE[theme][0], "fillOpacity": 0.07, "stroke": ink["axis"], "strokeWidth": 1.25},
        },
    }


def _merged(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in over.items():
        held = base.get(key)
        base[key] = _merged(held, value) if isinstance(held, dict) and isinstance(value, Mapping) else value
    return base


@lru_cache(maxsize=256)
def _svg(spec: str) -> str:
    """The drawing of a specification; a process draws each once."""
    return str(vl_convert.vegalite_to_svg(json.loads(spec), vl_version=VEGA_LITE))


def _drawn(spec: str) -> str:
    return "data:image/svg+xml," + quote(_svg(spec), safe="!$&'()*+,-./:;=?@_~")
