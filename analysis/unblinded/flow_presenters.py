"""The flow by arm as a figure and as a table that says the same."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from analysis.unblinded.flow import ArmFlow, VisitFlow
from trial.core.ui.charts import Chart, chart
from trial.core.ui.tables import Column, Table
from trial.participants.queries import Recruitment

WIDTH, GAP, LINE, PAD, BETWEEN = 270, 40, 19, 12, 30
"""Pixels: a box, the room between columns, a line of text, the room inside a box, the room between rows."""

Box = list[str]


def flow_table(arms: Sequence[ArmFlow]) -> Table:
    """One line a step, one column an arm."""
    columns = [Column(_("Step")), *(Column(arm.name, number=True) for arm in arms), Column(_("All"), number=True)]
    rows: list[list[Any]] = [_row(_("Allocated"), [a.allocated for a in arms])]
    sessions = [a.sessions for a in arms]
    if any(sessions):
        names = (_("Attended no session"), _("Attended at least one session"), _("Completed the program"))
        rows += [_row(name, [s[n] if s else None for s in sessions]) for n, name in enumerate(names)]
    for visits in zip(*(a.visits for a in arms), strict=True):
        name = visits[0].name
        rows.append(_row(_("%(visit)s: done") % {"visit": name}, [v.done for v in visits]))
        rows.append(_row(_("%(visit)s: missed") % {"visit": name}, [v.missed_in_all for v in visits]))
        for n, (reason, _count) in enumerate(visits[0].missed):
            told = _("%(visit)s: missed, %(reason)s") % {"visit": name, "reason": reason.lower()}
            rows.append(_row(told, [v.missed[n][1] for v in visits]))
        rows.append(_row(_("%(visit)s: still to come") % {"visit": name}, [v.pending for v in visits]))
    rows.append(_row(_("Analyzed: a value of the primary outcome"), [a.analyzed for a in arms]))
    return Table(columns, rows, caption=_("Flow of participants by arm"), csv_url="?format=csv")


def _row(name: str, counts: list[int | None]) -> list[Any]:
    return [name, *counts, sum(n or 0 for n in counts)]


def flow_sentence(arms: Sequence[ArmFlow]) -> str:
    """The flow in words: allocated, seen at the last visit, analyzed."""
    parts = [
        _("%(arm)s: %(allocated)d allocated, %(done)d done at %(visit)s, %(analyzed)d analyzed") % {
            "arm": a.name, "allocated": a.allocated, "done": a.visits[-1].done, "visit": a.visits[-1].name, "analyzed": a.analyzed,
        }
        for a in arms
    ]  # fmt: skip
    return "; ".join(parts) + "."


def flow_chart(arms: Sequence[ArmFlow], way_in: Recruitment) -> Chart:
    """The flow diagram: the common way in above, a column for each arm below."""
    randomized = sum(a.allocated for a in arms)
    out = way_in.screened - way_in.randomized
    top = [
        [_("Considered: %(n)d") % {"n": way_in.screened}],
        [
            _("Randomized: %(n)d") % {"n": randomized},
            _("Not randomized: %(n)d (excluded %(excluded)d, declined %(declined)d)")
            % {"n": out, "excluded": way_in.excluded, "declined": way_in.declined},
        ],
    ]
    spec = diagram(top, [_column(arm) for arm in arms])
    sentence = _("From above: considered, randomized, then each arm by visit. The table below has the same numbers.")
    return chart(spec, _("Flow of participants by arm"), sentence, None)


def _column(arm: ArmFlow) -> list[Box]:
    boxes: list[Box] = [[arm.name, _("Allocated: %(n)d") % {"n": arm.allocated}]]
    if arm.sessions:
        never, started, completed = arm.sessions
        boxes[0] += [
            _("No session: %(n)d") % {"n": never},
            _("At least one session: %(n)d") % {"n": started},
            _("Completed: %(n)d") % {"n": completed},
        ]
    boxes += [_visit(visit) for visit in arm.visits]
    boxes.append([_("Analyzed: %(n)d") % {"n": arm.analyzed}])
    return boxes


def _visit(visit: VisitFlow) -> Box:
    lines = [visit.name, _("Done: %(n)d") % {"n": visit.done}, _("Missed: %(n)d") % {"n": visit.missed_in_all}]
    lines += [f"\N{BULLET} {reason}: {n}" for reason, n in visit.missed if n]
    if visit.pending:
        lines.append(_("Still to come: %(n)d") % {"n": visit.pending})
    return lines


def diagram(top: Sequence[Box], columns: Sequence[Sequence[Box]]) -> dict[str, Any]:
    """A flow diagram: boxes of lines one below the other, first in the middle, then side by side in columns."""
    whole = len(columns) * WIDTH + (len(columns) - 1) * GAP
    boxes: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    y, middle = 0, whole / 2
    for box in top:
        if y:
            links.append({"x": middle, "x2": middle, "y": y - BETWEEN, "y2": y})
        y = _draw(boxes, lines, 0, whole, y, box, len(box)) + BETWEEN
    for row in range(max(len(column) for column in columns)):
        height = max(len(column[row]) for column in columns)
        for n, column in enumerate(columns):
            left = n * (WIDTH + GAP)
            center = left + WIDTH / 2
            links.append({"x": center, "x2": center, "y": y - BETWEEN, "y2": y})
            _draw(boxes, lines, left, left + WIDTH, y, column[row], height)
        y += height * LINE + 2 * PAD + BETWEEN
    return _figure(boxes, lines, links, whole, y - BETWEEN)


def _draw(
    boxes: list[dict[str, Any]], lines: list[dict[str, Any]], left: float, right: float, y: float, box: Box, height: int
) -> int:
    """Add a box with its lines, as high as ``height`` lines; where it ends."""
    bottom = int(y + height * LINE + 2 * PAD)
    boxes.append({"x": left, "x2": right, "y": y, "y2": bottom})
    lines += [
        {"x": left + PAD, "y": y + PAD + (n + 0.5) * LINE, "text": text, "weight": "head" if n == 0 else "line"}
        for n, text in enumerate(box)
    ]
    return bottom


def _figure(boxes: Any, lines: Any, links: Any, width: float, height: float) -> dict[str, Any]:
    def place(name: str, far: float, turned: bool = False) -> dict[str, Any]:
        scale = {"domain": [0, far], "nice": False, "zero": False, "reverse": turned}
        return {"field": name, "type": "quantitative", "axis": None, "scale": scale}

    x, y = place("x", width), place("y", height, turned=True)
    both = {"x": x, "y": y, "x2": {"field": "x2"}, "y2": {"field": "y2"}}
    text = {"x": x, "y": y, "text": {"field": "text"}}
    return {
        "width": width,
        "height": height,
        "layer": [
            {
                "data": {"values": links},
                "mark": {"type": "rule", "style": "quiet", "strokeWidth": 1.5},
                "encoding": both,
            },
            {
                "data": {"values": boxes},
                "mark": {"type": "rect", "filled": False, "style": "quiet", "strokeWidth": 1.5, "cornerRadius": 4},
                "encoding": both,
            },
            *(
                {
                    "data": {"values": [line for line in lines if line["weight"] == weight]},
                    "mark": {"type": "text", "align": "left", "baseline": "middle", "fontSize": 13, "fontWeight": bold},
                    "encoding": text,
                }
                for weight, bold in (("head", 600), ("line", 400))
            ),
        ],
    }
