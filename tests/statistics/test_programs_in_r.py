"""The program in R that a result's page offers, run by R itself: what it prints is what is stored.

Needs R with lme4, lmerTest, pbkrtest, emmeans, nlme and jsonlite, and is therefore called by ``make parity`` alone. Where mmrm is installed,
degrees of freedom are compared as well; else nlme's gls stands in for it (tests/statistics/r/kept.R).
"""

import copy
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from analysis.methods.canonical import plain
from analysis.reports.r_script import Files, r_script
from analysis.runs import compute, rehearsal
from analysis.runs.joined import as_csv
from tests.unit.analysis.runs.all_outcomes import table
from tests.unit.analysis.runs.by_plan import SEED, frozen_plan
from tests.unit.analysis.runs.test_specs import as_stored

pytestmark = pytest.mark.parity
HERE = Path(__file__).parent
MODELS: dict[str, dict[str, Any]] = {
    "clda": {},
    "mmrm": {"model": "mmrm", "visits": ["T2", "T3"], "baseline": "imrs_client_baseline"},
    "lmm": {"model": "lmm", "random": ["participant"]},
}


@cache
def planned(model: str) -> dict[str, Any]:
    """The specification of the IMR plan with this planned model."""
    frozen = copy.deepcopy(frozen_plan()) | {
        "outcomes": [],
        "tipping": None,
        "rerandomization": None,
        "imputations": [],
        "bootstrap": {"code": "bootstrap", "replicates": 9} if model == "clda" else None,
    }
    for one in frozen["fits"][:2]:
        one["fit"] |= MODELS[model]
    return frozen


def run(
    frozen: dict[str, Any], people: int, teams: int, folder: Path
) -> tuple[dict[str, Any], list[list[dict[str, Any]]], bool]:
    """The stored result, the tables that R printed, and whether gls stood in for mmrm."""
    content = table(people, teams=teams)
    joined = rehearsal.fake_join(compute.numbers_of(content), SEED, frozen)
    stored = as_stored(plain(compute.computed(content, joined, frozen)))
    (folder / "snapshot.csv").write_bytes(content)
    (folder / "arms.csv").write_bytes(as_csv(joined))
    (folder / "program.R").write_text(r_script(frozen, stored, Files("snapshot.csv", "arms.csv", fake=True)))
    made = subprocess.run(
        ["Rscript", "--vanilla", str(HERE / "r" / "kept.R"), "program.R", "printed.json"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    printed = json.loads((folder / "printed.json").read_text())
    return stored, printed["tables"], printed["stands_in"]


def differences(tables: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    """The tables of differences alone, one a model, under one set of names."""
    names = {"SE": "se", "lower.CL": "lower", "upper.CL": "upper", "p.value": "p"}
    return [
        [{names.get(key, key): value for key, value in row.items()} for row in rows]
        for rows in tables
        if "estimate" in rows[0] and "visit" in rows[0]
    ]


@pytest.mark.parametrize(("model", "teams"), [*((model, 4) for model in MODELS), ("clda", 14)])
def test_r_prints_what_is_stored(model: str, teams: int, tmp_path: Path) -> None:
    stored, tables, stands_in = run(planned(model), 120 if teams == 4 else 60, teams, tmp_path)
    assert stored["team"] == ("fixed" if teams == 4 else "random")
    fits = [one for one in stored["fits"] if one["kind"] in ("primary", "other_df", "random_intercepts")]
    printed = differences(tables)
    assert len(printed) == len(fits) == 3
    for one, rows in zip(fits, printed, strict=True):
        answer = one["answer"]
        assert answer["converged"], one["code"]
        by_gls = stands_in and answer["model"] in ("clda", "mmrm")
        adjusted = answer["df_method"] == "kenward_roger"
        for found in answer["differences"]:
            row = next(row for row in rows if row["visit"] == found["visit"])
            exact = ["estimate"] if by_gls and adjusted else ["estimate", "se"]
            exact += [] if by_gls else ["df", "lower", "upper", "p"]
            for name in exact:
                assert row[name] == pytest.approx(found[name], rel=2e-5, abs=1e-6), (one["code"], found["visit"], name)


@pytest.mark.parametrize(("model", "teams"), [*((model, 4) for model in MODELS), ("clda", 14)])
def test_r_prints_the_subgroups_that_are_stored(model: str, teams: int, tmp_path: Path) -> None:
    frozen = planned(model)
    for one in frozen["fits"][:2]:  # gls has no adjusted variance
        one["fit"]["df"] = "satterthwaite"
    stored, tables, stands_in = run(frozen, 187, teams, tmp_path)
    known = [one for one in stored["subgroups"] if "levels" in one]
    assert [one["code"] for one in known] == (["severity"] if teams == 4 else ["institution", "severity"])
    levels = [rows for rows in tables if "level" in rows[0] and "visit" not in rows[0]]
    tests = [rows[0] for rows in tables if {"f_stat", "F value"} & set(rows[0])]
    assert len(levels) == len(tests) == len(known)
    by_gls = stands_in and known[0]["model"]["model"] != "lmm"
    for one, rows, test in zip(known, levels, tests, strict=True):
        assert not {"p", "p.value", "Pr(>|t|)"} & set(rows[0]), "no level has a p of its own"
        for found, row in zip(one["levels"], rows, strict=True):
            for name in ("estimate", "se") if by_gls else ("estimate", "se", "lower", "upper"):
                assert row[name] == pytest.approx(found[name], rel=2e-4, abs=1e-5), (one["code"], name)
        statistic = test.get("f_stat", test.get("F value"))
        assert statistic == pytest.approx(one["interaction"]["statistic"], rel=1e-3, abs=1e-6)
        if not by_gls:
            df, p = ("denom_df", "p_val") if "f_stat" in test else ("DenDF", "Pr(>F)")
            assert test[df] == pytest.approx(one["interaction"]["df2"], rel=1e-3)
            assert test[p] == pytest.approx(one["interaction"]["p"], rel=1e-3)
