"""Figures: drawn on the server in two themes, told apart without color, with words and numbers beside them."""

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
