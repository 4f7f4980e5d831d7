"""Figures: drawn on the server in two themes, told apart without color, with words and numbers beside them."""

import json
import re
from urllib.parse import unquote

import altair
from django.template import engines

from trial.core.ui import charts, figures
from trial.core.ui.tables import Column, Table

POINTS = [
    figures.Point(arm, month, 1.0 + month / 10 * (arm == "A"), 0.5, 2.5) for arm in ("A", "B") for month in (0, 6, 12)
]


def _luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2) of a color as #rrggbb."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_the_palette_stands_out_from_its_ground() -> None:
    for theme, ground in (("light", "#ffffff"), ("dark", "#1b2027")):
        for color in charts.PALETTE[theme]:  # type: ignore[index]
            light, dark = sorted((_luminance(color), _luminance(ground)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 3.0, (theme, color)


def test_the_first_two_arms_differ_in_gray() -> None:
    for theme in ("light", "dark"):
        first, second = charts.PALETTE[theme][:2]  # type: ignore[index]
        assert abs(_luminance(first) ** (1 / 2.4) - _luminance(second) ** (1 / 2.4)) > 0.08, theme


def test_arms_differ_by_shape_and_dash_and_have_their_label_at_the_end() -> None:
    drawing = charts.svg(figures.trajectories(POINTS, "Month", "Mean"))
    assert drawing.count("stroke-dasharray") >= 1
    for words in (">A<", ">B<", ">Month<", ">Mean<"):
        assert words in drawing
    assert all(color in drawing for color in charts.PALETTE["light"][:2])


def test_a_figure_is_the_same_whatever_made_it() -> None:
    spec = altair.Chart(altair.Data(values=[{"a": 1, "b": 2}])).mark_point().encode(x="a:Q", y="b:Q")
    from_altair = charts.chart(spec, "T", "S")
    assert from_altair == charts.chart(spec.to_dict(), "T", "S")
    assert unquote(from_altair.light).startswith("data:image/svg+xml,<svg")
    assert from_altair.light != from_altair.dark
    assert charts.PALETTE["dark"][0] in unquote(from_altair.dark)


def test_a_figure_stands_in_the_page_with_its_sentence_its_table_and_its_data() -> None:
    spec = figures.forest(
        [figures.Estimate("</script><b>x", 0.3, -0.1, 0.7, True)], "Difference", favors=("left", "right")
    )
    drawn = charts.chart(spec, "Title", 'It says "yes".', Table([Column("n", number=True)], [[1]]))
    html = str(engines["django"].from_string("{% chart c %}").render({"c": drawn}))
    assert 'alt="It says &quot;yes&quot;."' in html
    assert html.count("<script") == 1
    assert '<script id="' + drawn.key + '-spec" type="application/json">' in html
    assert "</script><b>" not in html
    assert not re.search(r"<[^>]*\sstyle=", html)


def test_all_figures_of_trials_can_be_drawn() -> None:
    import datetime

    day = datetime.date(2026, 1, 1)
    for spec in (
        figures.recruitment(
            [(day, 0), (day + datetime.timedelta(days=90), 12)], [(day, 0), (day + datetime.timedelta(days=90), 20)]
        ),
        figures.missingness([("IMRS", "T1", 0, 0), ("IMRS", "T2", 3, 12)]),
        figures.forest([figures.Estimate("OR", 1.4, 0.9, 2.2)], "Odds ratio", null=1.0, log=True),
    ):
        assert "<svg" in charts.svg(spec)


def test_means_by_visit_name_each_arm_at_its_end_and_show_zero() -> None:
    points = [
        figures.VisitPoint(arm, visit, value, value - 0.3, value + 0.3)
        for visit, values in (("T1 “b”", (-0.2, 0.1)), ("T2", (0.4, 0.41)))
        for arm, value in zip(("A", "B"), values, strict=True)
    ]
    spec = figures.by_visit(points, "Change")
    drawing = charts.svg(spec)
    for words in (">A<", ">B<", ">T1 “b”<", ">T2<", ">Change<"):
        assert words in drawing
    assert drawing.count("stroke-dasharray") >= 1
    assert "legend" not in re.sub(r'"legend": null', "", json.dumps(spec))
    heights = [row["label_at"] for row in spec["layer"][-1]["data"]["values"]]
    assert heights[1] - heights[0] > 0.05  # the lines end 0.01 apart
    assert any(layer["mark"] == {"type": "rule", "style": "zero"} for layer in spec["layer"])


def test_means_without_intervals_and_of_one_group_have_neither() -> None:
    spec = figures.by_visit([figures.VisitPoint("all", visit, 2.0) for visit in ("T1", "T2")], "Mean")
    assert [layer["mark"] for layer in spec["layer"]] == ["line", "point"]
    assert "<svg" in charts.svg(spec)


def test_a_figure_stands_a_third_wider_than_drawn_at_most_as_wide_as_a_card() -> None:
    small = charts.chart(figures.missingness([("IMRS", "T1", 0, 9)]), "T", "S")
    wide = charts.chart(figures.trajectories(POINTS, "x", "y", width=1200), "T", "S")
    drawn = int(re.search(r'width="(\d+)', unquote(small.light))[1])  # type: ignore[index]
    assert small.width == round(drawn * 4 / 3)
    assert wide.width == charts.WIDEST


def test_the_engine_can_be_started_before_it_is_needed() -> None:
    charts.warm()
