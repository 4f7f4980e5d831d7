"""Whether the planned contrast differs between the subgroups of the plan: one model for each variable. Pure.

Each is a part of its own. What is stored of a level has an interval and no p: the one test is that of the interaction.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.methods.commands.fit import as_answer
from analysis.methods.fitspec import read_fit_spec
from analysis.methods.fitting import fit_model
from analysis.methods.problems import Problem, Refused, error
from analysis.plans.definition import Plan
from analysis.plans.variables import Variable, known_at_baseline
from analysis.runs.planned import by_team_rule
from analysis.runs.specs import ARM_COLUMN
from trial.protocol.definition import Protocol

COLUMN = "subgroup"
FEWEST = 10
"""So many people of each arm with the outcome at the primary visit a level needs; of fewer nothing is said."""
SAID_ELSEWHERE = ("rank_deficient", "covariate_missing")
"""Warnings that every such model has: an institution beside its teams; people of whom the level is not known are counted."""


def frozen_subgroups(protocol: Protocol, plan: Plan) -> list[dict[str, Any]]:
    """Each subgroup of the plan: the column of the snapshot that divides, and its levels, or where it is cut.

    A snapshot may be of an earlier version of the protocol, which asked something else: the result then says that the column is not there.
    """
    known = known_at_baseline(protocol)
    found = [(one, known.get(one.by, Variable("", one.by))) for one in plan.subgroups]
    return [
        {
            "code": one.code,
            "name": one.name,
            "column": variable.column,
            "levels": [{"value": value, "label": label} for value, label in variable.levels],
            "cut": one.cut,
        }
        for one, variable in found
    ]


def subgroup(table: pd.DataFrame, frozen: Mapping[str, Any], code: str) -> dict[str, Any]:
    """The difference in each level at the primary visit and the test of the interaction, or the problems that refused them."""
    one = next(one for one in frozen["subgroups"] if one["code"] == code)
    try:
        with np.errstate(all="ignore"):
            return {"code": code, **_compared(table, one, frozen)}
    except Refused as refusal:
        return {"code": code, "problems": refusal.problems}
    except (np.linalg.LinAlgError, ArithmeticError):
        return {"code": code, "problems": (error("fit_numbers"),)}


def _compared(table: pd.DataFrame, one: Mapping[str, Any], frozen: Mapping[str, Any]) -> dict[str, Any]:
    divided, labels, cut = _divided(table, one)
    spec = read_fit_spec({**frozen["fits"][0]["fit"], "subgroup": COLUMN})
    spec, _team = by_team_rule(table, spec, frozen)
    counts = _counts(divided, spec.outcome, labels, frozen)
    _refuse_few(counts, labels)
    fitted = fit_model(divided, spec)
    answer, problems = as_answer(fitted, spec), fitted.problems
    at = frozen["primary_visit"]
    found = {d["level"]: d for d in answer["subgroup"]["differences"] if d["visit"] == at}
    test = next(t for t in answer["subgroup"]["interactions"] if t["visit"] == at)
    if test["p"] is None or any(found[value]["estimate"] is None for value in labels):
        raise Refused([error("subgroup_not_estimable"), *problems])
    levels = [
        {"label": label, "n": counts[value], **{key: found[value][key] for key in ("estimate", "se", "lower", "upper")}}
        for value, label in labels.items()
    ]
    return {
        "levels": levels,
        "interaction": {"statistic": test["statistic"], "df1": test["num_df"], "df2": test["den_df"], "p": test["p"]},
        "cut": cut,
        "unknown": _unknown(divided),
        "model": {key: answer[key] for key in ("model", "df_method", "structure", "variance") if key in answer},
        "warnings": tuple(problem for problem in problems if problem.code not in SAID_ELSEWHERE),
    }


# --- who is where -----------------------------------------------------------------------------------------------------


def _divided(table: pd.DataFrame, one: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, str], float | None]:
    """The table with the level of each row, labels by level in their order, and where a number was cut.

    The median is that of everybody randomized whose value is known, whatever their arm and outcome.
    """
    column = one["column"]
    if column not in table.columns:
        raise Refused([error("subgroup_no_column", column=column)])
    if one["levels"]:
        places = {level["value"]: str(n) for n, level in enumerate(one["levels"], start=1)}
        labels = {places[level["value"]]: level["label"] for level in one["levels"]}
        values = [places.get(str(cell).strip(), "") for cell in table[column].fillna("")]
        present = set(values)
        return table.assign(**{COLUMN: values}), {k: v for k, v in labels.items() if k in present}, None
    numbers = pd.to_numeric(table[column].replace("", None), errors="coerce")
    known = numbers[~table["participant"].duplicated()].dropna()
    if known.empty or one["cut"] is None:
        raise Refused([error("subgroup_unknown", column=column)])
    cut = float(f"{known.median():.12g}") if one["cut"] == "median" else float(one["cut"])
    values = ["" if pd.isna(value) else "1" if value <= cut else "2" for value in numbers]
    words = f"{cut:.4g}".replace("-", "\N{MINUS SIGN}")
    labels = {"1": f"\N{LESS-THAN OR EQUAL TO} {words}", "2": f"> {words}"}
    return table.assign(**{COLUMN: values}), labels, cut


def _counts(
    divided: pd.DataFrame, outcome: str, labels: Mapping[str, str], frozen: Mapping[str, Any]
) -> dict[str, dict[str, int]]:
    """By level and arm how many people have the outcome at the primary visit."""
    values = pd.to_numeric(divided[outcome].replace("", None), errors="coerce")
    there = divided[values.notna() & (divided["visit"] == frozen["primary_visit"])]
    found = there.groupby([COLUMN, ARM_COLUMN])["participant"].nunique()
    return {level: {arm: int(found.get((level, arm), 0)) for arm in sorted(frozen["arms"])} for level in labels}


def _refuse_few(counts: Mapping[str, Mapping[str, int]], labels: Mapping[str, str]) -> None:
    """Refuse one level alone, and a level with too few people of an arm: their difference would be taken for more than it is."""
    if len(labels) < 2:
        raise Refused([error("subgroup_one_level", level=", ".join(labels.values()))])
    few: list[Problem] = [
        error("subgroup_few" if n else "subgroup_empty", level=labels[level], arm=arm, got=n, least=FEWEST)
        for level, by_arm in counts.items()
        for arm, n in by_arm.items()
        if n < FEWEST
    ]
    if few:
        raise Refused(few)


def _unknown(divided: pd.DataFrame) -> int:
    """How many people have no level: they are not in the model."""
    return int((divided.drop_duplicates("participant")[COLUMN] == "").sum())
