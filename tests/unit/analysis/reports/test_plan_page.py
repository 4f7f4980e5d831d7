"""The page of a result of the analysis plan: what stands where, and that a picture never stands without its words and numbers."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from analysis.reports import plan_beside, planned
from analysis.reports.downloads import Stored, with_figures
from analysis.reports.presenters import result_context
from analysis.unblinded.papers import sections
from tests.unit.analysis.runs.by_plan import frozen_plan, stored_plan, whole
from trial.core.ui.charts import svg
from trial.core.ui.tables import as_csv

TITLES = [
    "How much rests on the model",
    "All outcomes of the plan",
    "Subgroups",
    "Tipping point",
    "Re-randomization test",
    "Bootstrap",
    "Who was seen when",
    "Residuals",
    "Influence of single participants",
    "Covariance",
    "How the search ended",
]


@pytest.fixture(scope="module")
def context() -> dict[str, Any]:
    frozen, stored = whole()
    return with_figures(result_context(frozen, stored, fake=True))


def section(context: dict[str, Any], title: str) -> plan_beside.Section:
    return next(one for one in context["sections"] if one.title == title)


def test_what_a_reader_needs_first_stands_first(context: dict[str, Any]) -> None:
    titles = [one.title for one in context["sections"]]
    assert titles[: len(TITLES)] == TITLES
    assert all(title.startswith("The model in full") for title in titles[len(TITLES) :])
    folded = [one.folded for one in context["sections"]]
    assert folded == sorted(folded), "what is folded comes last"
    assert [one.title for one in context["result"].charts] == ["Adjusted means", "Difference by visit"]


def test_parts_that_were_not_computed_leave_no_trace() -> None:
    asked_for = ("outcomes", "subgroups", "tipping", "rerandomization")
    without = {key: value for key, value in stored_plan().items() if key not in asked_for}
    titles = [one.title for one in planned.sections(frozen_plan(), without)]
    assert not {"All outcomes of the plan", "Subgroups", "Tipping point", "Re-randomization test"} & set(titles)
    assert {"Who was seen when", "Residuals"} <= set(titles)
    early = {key: value for key, value in stored_plan().items() if key not in ("patterns", "diagnostics")}
    assert "Residuals" not in [one.title for one in planned.sections(frozen_plan(), early)], "a result from before"


def test_a_part_that_failed_says_why() -> None:
    frozen, stored = whole()
    problems = {"problems": [{"code": "fit_numbers", "data": {}}]}
    stored |= {"tipping": problems, "rerandomization": problems, "diagnostics": problems}
    found = {one.title: one for one in planned.sections(frozen, stored)}
    for title in ("Tipping point", "Re-randomization test", "Residuals"):
        assert "no inverse" in str(found[title].lead)
        assert not found[title].charts


def test_every_figure_is_drawn_with_sentence_table_and_address(context: dict[str, Any]) -> None:
    charts = [*context["result"].charts, *(figure for one in context["sections"] for figure in one.charts)]
    assert len(charts) == 14
    for figure in charts:
        assert figure.sentence
        assert figure.table is not None
        assert figure.table.rows
        assert figure.svg_url == f"?format=svg&figure={figure.key}"
        assert svg(figure.spec).startswith("<svg")
    assert len({figure.key for figure in charts}) == len(charts)


def test_outcomes_are_told_with_their_direction(context: dict[str, Any]) -> None:
    table = section(context, "All outcomes of the plan").tables[0]
    primary, worse, failed = table.rows
    assert primary[1] == "primary"
    assert worse[7] * primary[7] < 0, "less of a bad thing is an effect in favor"
    assert str(failed[8]) == "Not estimable"
    assert "Scale ses:" in str(table.note)


def test_a_subgroup_has_one_p_and_its_levels_none(context: dict[str, Any]) -> None:
    found = section(context, "Subgroups")
    table = found.tables[0]
    assert [column.label for column in table.columns][-1] == "p, interaction"
    assert [row[-1] for row in table.rows] == [0.7, None, 0.0467, None, None]
    assert [list(row[:4]) for row in table.rows[2:4]] == [
        ["Illness management at baseline", "≤ 3.01", 40, 31],
        ["Illness management at baseline", "> 3.01", 40, 27],
    ]
    assert str(table.rows[4][1]) == "Not estimable"
    assert "4 people of arm Care as usual (fake)" in str(table.note)
    assert "2 people whose level is not known" in str(table.note)
    assert "no p of its own" in str(found.lead)
    drawn = svg(found.charts[0].spec)
    for words in ("Everybody", "Institution Rotterdam", "Illness management at baseline", "interaction p", "(fake)"):
        assert words in drawn, words
    assert "Sex" not in drawn, "what could not be estimated is not drawn"
    assert found.charts[0].table is not None
    assert len(found.charts[0].table.rows) == 5


def test_nothing_is_drawn_where_no_subgroup_could_be_estimated() -> None:
    frozen, stored = whole()
    stored["subgroups"] = stored["subgroups"][2:]
    found = next(one for one in plan_beside.beside(frozen, stored) if one.title == "Subgroups")
    assert not found.charts
    assert "fewer than 10" in str(found.tables[0].note)


def test_the_file_of_numbers_has_levels_without_p() -> None:
    frozen, stored = whole()
    rows = [row for row in planned.as_rows(frozen, stored).rows if row[1] in ("subgroup", "interaction")]
    p = {(row[0], row[1]): row[9] for row in rows}
    assert p.pop(("severity", "interaction")) == 0.0467
    assert p.pop(("institution", "interaction")) == 0.7
    assert len(p) == 4
    assert set(p.values()) == {None}


def test_a_report_has_what_stands_beside_the_planned_contrast(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen, stored = whole()
    monkeypatch.setattr(sections, "source_of", lambda _run: "")
    run = SimpleNamespace(result=stored, result_sha256="ab" * 32)
    blocks = sections.result_blocks(run, frozen)  # type: ignore[arg-type]
    headings = [one["text"] for one in blocks if one["kind"] == "heading"]
    assert headings == TITLES[:6]
    table = next(one for one in blocks if one["kind"] == "table" and "by subgroup" in one["caption"])
    assert [row[-1] for row in table["rows"]][:3] == [".700", "–", ".047"]
    assert not any(one["kind"] == "heading" and "model in full" in one["text"] for one in blocks)


def test_arms_of_a_rehearsal_are_called_fake(context: dict[str, Any]) -> None:
    written = " ".join(
        str(text)
        for one in context["sections"]
        for text in (one.lead, *(figure.spec for figure in one.charts), *(as_csv(table) for table in one.tables))
    )
    for name in frozen_plan()["arms"].values():
        assert f"{name} (fake)" in written
        assert not re.search(rf"\b{re.escape(name)}(?! \(fake\))", written.replace("IMR and care as usual (fake)", ""))


def test_nothing_is_computed_while_a_result_is_drawn() -> None:
    frozen, stored = whole()
    stored["rerandomization"] = {**stored["rerandomization"], "p": 0.987}
    assert ".987" in str(plan_beside.beside(frozen, stored)[3].lead)
    stored["tipping"] = {**stored["tipping"], "turns_at": None}
    assert "No shift" in str(plan_beside.beside(frozen, stored)[2].lead)


def test_the_map_says_what_turned_in_words_marks_and_numbers(context: dict[str, Any]) -> None:
    told = section(context, "Tipping point")
    assert "1 of 9 pairs of shifts change what is concluded" in str(told.lead)
    assert "6 values missing after stopping" in str(told.lead)
    assert "all 4 missing ones" in str(told.lead)
    figure = told.charts[1]
    assert figure.table is not None
    assert [str(row[-1]) for row in figure.table.rows].count("turned") == 1
    drawn = svg(figure.spec)
    assert 'aria-roledescription="point"' in drawn, "the cross"
    assert "no shift" in drawn


def test_a_result_from_before_the_map_is_shown_without_it() -> None:
    frozen, stored = whole()
    early = stored | {"tipping": {key: value for key, value in stored["tipping"].items() if key != "map"}}
    (told,) = (one for one in planned.sections(frozen, early) if one.title == "Tipping point")
    assert len(told.charts) == 1
    assert "pairs of shifts" not in str(told.lead)


def test_how_an_imputation_model_took_teams_is_said() -> None:
    frozen, stored = whole()
    teams = {"groups": 3, "pooled": [["D1", "D2"], ["R4", "R5"]]}
    told = plan_beside.beside(frozen, stored | {"tipping": {**stored["tipping"], "teams": teams}})[2]
    assert "factor with 3 levels" in str(told.lead)
    assert "D1 + D2; R4 + R5" in str(told.lead)
    none = {"groups": 1, "pooled": [["D1", "D2"]]}
    told = plan_beside.beside(frozen, stored | {"tipping": {**stored["tipping"], "teams": none}})[2]
    assert "goes without teams" in str(told.lead)


def test_files_of_a_rehearsal_say_so() -> None:
    record = {"result_sha256": "ab" * 32, "extract_sha256": "", "snapshot_sha256": "cd" * 32}
    stored = Stored(frozen_plan(), stored_plan(), record, fake=True)
    assert stored.name.startswith("fake-arm-")
    assert stored.files.arms.startswith("fake-arms-")
    real = Stored(frozen_plan(), stored_plan(), record | {"extract_sha256": "ef" * 32})
    assert (real.files.arms, real.files.snapshot) == ("arms-efefefefefef.csv", "snapshot-cdcdcdcdcdcd.csv")
