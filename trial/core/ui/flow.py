"""The flow of participants as a figure: one box a step from top to bottom, and beside the arrow those who do not go on."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

WIDTH, BOX, ASIDE, LINE, PAD, GAP = 640, 230, 370, 18, 12, 26
LETTERS = {BOX: 29, ASIDE: 50}
"""How many letters of the figure's face fit into a box of that width, with room for a wider face."""


@dataclass(frozen=True)
class Step:
    """A box of the main line, in ``lines`` of text, and ``aside`` the lines of the box beside the arrow that leads on from it."""

    lines: Sequence[str]
    aside: Sequence[str] = field(default_factory=list)


def flow(steps: Sequence[Step]) -> dict[str, Any]:
    """The Vega-Lite specification of a flow; colors and fonts come from ``charts``."""
    boxes: list[dict[str, Any]] = []
    arrows: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    middle, top = BOX / 2, 0.0
    steps = [Step(_wrapped(step.lines, BOX), _wrapped(step.aside, ASIDE)) for step in steps]
    for number, step in enumerate(steps):
        bottom = top + _height(step.lines)
        boxes.append(_box(0, BOX, top, bottom, step.lines))
        if number == len(steps) - 1 and not step.aside:
            top = bottom
            break
        beside = bottom + GAP
        under = beside + _height(step.aside) if step.aside else bottom
        if step.aside:
            boxes.append(_box(WIDTH - ASIDE, WIDTH, beside, under, step.aside))
            at = (beside + under) / 2
            arrows.append({"x": middle, "x2": WIDTH - ASIDE - 8, "y": at, "y2": at})
            heads.append({"x": WIDTH - ASIDE - 6, "y": at, "angle": 90})
        top = under + GAP
        if number < len(steps) - 1:
            arrows.append({"x": middle, "x2": middle, "y": bottom, "y2": top - 8})
            heads.append({"x": middle, "y": top - 6, "angle": 180})
        else:
            arrows.append({"x": middle, "x2": middle, "y": bottom, "y2": (beside + under) / 2})
            top = under
    x = {"field": "x", "type": "quantitative", "axis": None, "scale": {"domain": [0, WIDTH], "nice": False}}
    y = {
        "field": "y",
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [0, top], "nice": False, "reverse": True},
    }
    span = {"x": x, "x2": {"field": "x2"}, "y": y, "y2": {"field": "y2"}}
    head = {"field": "angle", "type": "quantitative", "scale": None}
    return {
        "width": WIDTH,
        "height": top,
        "layer": [
            {"data": {"values": arrows}, "mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": span},
            {
                "data": {"values": heads},
                "mark": {"type": "point", "shape": "triangle-up", "size": 60, "style": "quiet"},
                "encoding": {"x": x, "y": y, "angle": head},
            },
            {
                "data": {"values": boxes},
                "mark": {
                    "type": "rect",
                    "cornerRadius": 4,
                    "style": "flowbox",
                },
                "encoding": span,
            },
            {
                "data": {"values": boxes},
                "mark": {
                    "type": "text",
                    "align": "left",
                    "baseline": "top",
                    "dx": PAD,
                    "dy": PAD,
                    "lineBreak": "\n",
                    "lineHeight": LINE,
                    "fontSize": 13,
                },
                "encoding": {"x": x, "y": y, "text": {"field": "text"}},
            },
        ],
    }


def _wrapped(lines: Sequence[str], width: int) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, LETTERS[width], subsequent_indent="   ")]


def _height(lines: Sequence[str]) -> float:
    return len(lines) * LINE + 2 * PAD - 4


def _box(left: float, right: float, top: float, bottom: float, lines: Sequence[str]) -> dict[str, Any]:
    return {"x": left, "x2": right, "y": top, "y2": bottom, "text": "\n".join(lines)}
