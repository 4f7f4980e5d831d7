"""The analysis that the plan in force describes: its model as planned, and what stands beside it. Pure.

``frozen_fits`` says which models; ``fit_all`` fits them, one after the other, on the table with its arms. One that cannot be fitted says why,
and the others go on.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.methods.commands.fit import as_answer
from analysis.methods.fitspec import FitSpec, read_fit_spec
from analysis.methods.fitting import fit_model
from analysis.methods.problems import Problem, Refused, error
from analysis.methods.progress import Watch
from analysis.plans.definition import Plan
from analysis.runs.diagnosed import diagnosed
from analysis.runs.joined import Joined
from analysis.runs.specs import ARM_COLUMN, team_column
from trial.protocol.definition import Protocol

PRIMARY, OTHER_DF = "primary", "other_df"
GROUP, RECEIVED = "group", "received"
FEWEST = 5
"""So many analyzed a team needs to be a factor of the model; and both arms."""


def frozen_fits(protocol: Protocol, plan: Plan) -> list[dict[str, Any]]:
    """Each model with its code, its kind, and its specification as plain data."""
    planned = planned_spec(protocol, plan, plan.estimand.outcome)
    fits = [_fit(PRIMARY, PRIMARY, planned)]
    other = "satterthwaite" if plan.model.df == "kenward_roger" else "kenward_roger"
    fits.append(_fit(OTHER_DF, OTHER_DF, {**planned, "df": other}))
    for one in plan.sensitivity:
        if one.kind == "random_intercepts":
            several = len(protocol.analysis.estimation) > 1
            for method in protocol.analysis.estimation:
                code = f"{one.code}_{method}" if several else one.code
                fits.append(_fit(code, one.kind, _random_intercepts(protocol, plan, method), protocol.analysis.visits))
        elif one.kind == "partially_nested":
            fits.append(_fit(one.code, one.kind, _partially_nested(protocol, plan)))
        elif one.kind == "complier_effect":
            fits.append(_fit(one.code, one.kind, _complier(protocol, plan), (plan.estimand.visit,)))
    return fits


def _fit(code: str, kind: str, spec: dict[str, Any], at: tuple[str, ...] = ()) -> dict[str, Any]:
    """``at``: rows of these visits alone, for a model that knows no visits."""
    read_fit_spec(spec)  # refused at once, where the plan asks for what no model gives
    return {"code": code, "kind": kind, "fit": spec, "at": list(at)}


def _common(protocol: Protocol, plan: Plan, outcome: str) -> dict[str, Any]:
    covariates = list(protocol.analysis.covariates)
    levels = {c.code: protocol.instrument(c.instrument).item(c.item).levels for c in covariates}
    return {
        "data": "snapshot",
        "outcome": outcome,
        "subject": "participant",
        "arm": ARM_COLUMN,
        "reference": protocol.control_arm.code,
        "covariates": [c.code for c in covariates],
        "categorical": [c.code for c in covariates if levels[c.code]],
        "confidence": 1 - plan.alpha if plan.sides == 2 else 1 - 2 * plan.alpha,
        "weights": "proportional",
    }


def planned_spec(protocol: Protocol, plan: Plan, outcome: str) -> dict[str, Any]:
    """The planned model of a scale."""
    model = plan.model
    spec = _common(protocol, plan, outcome) | {
        "model": model.method,
        "visit": "visit",
        "visits": list(model.visits),
        "df": model.df,
        "method": model.estimation,
    }
    if model.method == "lmm":
        spec["random"] = ["participant"]
    else:
        spec["covariance"] = [model.covariance, *model.fallback]
    if model.method == "mmrm":
        baseline = f"{outcome}_baseline"
        spec |= {"baseline": baseline} if model.baseline_by_visit else {"covariates": [baseline, *spec["covariates"]]}
    if model.team == "random":
        spec |= {"random": [team_column(protocol), "participant"]} if model.method == "lmm" else {}
    elif model.team != "none":
        spec["covariates"] = [*spec["covariates"], team_column(protocol)]
        spec["categorical"] = [*spec["categorical"], team_column(protocol)]
    return spec


def _random_intercepts(protocol: Protocol, plan: Plan, method: str) -> dict[str, Any]:
    """The model of analysis.toml: random intercepts of the participant, and of the team where that is random."""
    analysis = protocol.analysis
    spec = _common(protocol, plan, plan.estimand.outcome) | {"model": "lmm", "method": method, "df": "satterthwaite"}
    spec["random"] = [*([team_column(protocol)] if analysis.team == "random" else []), "participant"]
    if analysis.baseline == "covariate":
        spec["covariates"] = [f"{plan.estimand.outcome}_baseline", *spec["covariates"]]
    if analysis.time == "linear" and not analysis.arm_by_time:
        return {**spec, "covariates": [*spec["covariates"], "months"]}
    return {**spec, "visit": "visit", "visits": list(analysis.visits)}


def _partially_nested(protocol: Protocol, plan: Plan) -> dict[str, Any]:
    spec = _common(protocol, plan, plan.estimand.outcome) | {"model": "lmm", "df": "satterthwaite", "visit": "visit"}
    nested = {"arm": protocol.experimental_arm.code, "unit": GROUP}
    return spec | {"visits": list(protocol.analysis.visits), "random": ["participant"], "nested_in_arm": nested}


def _complier(protocol: Protocol, plan: Plan) -> dict[str, Any]:
    spec = _common(protocol, plan, plan.estimand.outcome) | {"model": "cace", "received": RECEIVED}
    del spec["weights"]  # it has no adjusted means
    return spec | {"baseline": f"{plan.estimand.outcome}_baseline"}


# --- fitting ---------------------------------------------------------------------------------------------------------


def fit_all(
    table: pd.DataFrame, joined: Mapping[str, Joined], frozen: Mapping[str, Any], watch: Watch
) -> dict[str, Any]:
    """Fit every model of the frozen specification. Refused where the planned model itself cannot be fitted.

    ``team`` of the answer says how teams entered the planned model: by the plan's rule, decided on who is analyzed.
    """
    everything = _with_treatment(table, joined)
    found: list[dict[str, Any]] = []
    specs: list[FitSpec] = []
    team = ""
    for n, one in enumerate(frozen["fits"]):
        watch.step(f"{n + 1}/{len(frozen['fits'])} {one['code']}"[:30], n / len(frozen["fits"]))
        rows = everything[everything["visit"].isin(one["at"])] if one["at"] else everything
        spec = read_fit_spec(one["fit"])
        if one["kind"] in (PRIMARY, OTHER_DF):
            spec, team = by_team_rule(rows, spec, frozen)
        specs.append(spec)
        found.append({"code": one["code"], "kind": one["kind"], **attempt(rows.reset_index(drop=True), spec)})
    if found[0]["answer"] is None:
        raise Refused(found[0]["problems"])
    outcome = frozen["fits"][0]["fit"]["outcome"]
    return {
        "fits": found,
        "team": team,
        "standard_deviation": baseline_spread(table, f"{outcome}_baseline"),
        **diagnosed(everything, specs[0], frozen),
    }


def one_difference(frozen: Mapping[str, Any], **numbers: float | None) -> dict[str, Any]:
    """An answer in the shape of the other fits that says one difference, that of the arms at the primary visit, and nothing beside it."""
    names = ("estimate", "se", "df", "statistic", "lower", "upper", "p")
    difference = {"visit": frozen["primary_visit"], "arm": frozen["experimental"]}
    return {
        "logLik": None,
        "coefficients": {name: [] for name in ("names", "estimate", "se", "df", "statistic", "p", "reason")},
        "lsmeans": [],
        "differences": [difference | {name: numbers.get(name) for name in names}],
    }


def baseline_spread(table: pd.DataFrame, column: str) -> dict[str, Any] | None:
    """The standard deviation of the baseline of all randomized, pooled within arms, and of how many; None where it is not measured."""
    if column not in table.columns:
        return None
    people = table.drop_duplicates("participant")
    values = pd.to_numeric(people[column].replace("", None), errors="coerce")
    by_arm = values.groupby(people[ARM_COLUMN])
    freedom = by_arm.count() - 1
    if freedom.min() < 1:
        return None
    pooled = float(np.sqrt((by_arm.var() * freedom).sum() / freedom.sum()))
    return {"value": pooled, "n": int(values.count())} if pooled > 0 else None


def attempt(table: pd.DataFrame, spec: FitSpec) -> dict[str, Any]:
    """A fitted model, or the problems that refused it."""
    problems: tuple[Problem, ...] = ()
    try:
        with np.errstate(all="ignore"):
            fitted = fit_model(table, spec)
        answer = as_answer(fitted, spec)
        answer.pop("warnings")  # they stand in ``problems``, to be said in the reader's language
        return {"answer": answer, "problems": fitted.problems}
    except Refused as refusal:
        problems = refusal.problems
    except (np.linalg.LinAlgError, ArithmeticError):
        problems = (error("fit_numbers"),)
    return {"answer": None, "problems": problems}


def _with_treatment(table: pd.DataFrame, joined: Mapping[str, Joined]) -> pd.DataFrame:
    """The table with the group of each person, and whether a session was attended; where nobody's is known, without."""
    people = {number: person for number, person in joined.items() if person.attended is not None or person.group}
    made = table.copy()
    if people:
        numbers = [str(number) for number in table["participant"]]
        made[GROUP] = [(people[n].group or "") if n in people else "" for n in numbers]
        made[RECEIVED] = ["1" if n in people and (people[n].attended or 0) > 0 else "0" for n in numbers]
    return made


def by_team_rule(table: pd.DataFrame, spec: FitSpec, frozen: Mapping[str, Any]) -> tuple[FitSpec, str]:
    """The planned model with its teams: as a factor where each has enough people and both arms, otherwise a random intercept.

    A repeated-measures model has no random intercept of the team: where teams are random, by the rule or by the plan, a mixed model takes its place.
    """
    column = frozen["team_column"]
    if frozen["team_rule"] == "random" and spec.model != "lmm":
        return _random_teams(spec, column), "random"
    if frozen["team_rule"] != "fixed_or_random" or column not in spec.covariates:
        return spec, str(frozen["team_rule"])
    values = pd.to_numeric(table[spec.outcome].replace("", None), errors="coerce")
    rows = table[values.notna() & table["visit"].isin(spec.visits)].drop_duplicates("participant")
    by_team = rows.groupby(column)
    enough = by_team.size().min() >= FEWEST and by_team[ARM_COLUMN].nunique().min() > 1
    if enough:
        return spec, "fixed"
    return _random_teams(spec, column), "random"


def _random_teams(spec: FitSpec, column: str) -> FitSpec:
    """Random intercepts of team and participant in place of a covariance of the visits."""
    without = tuple(one for one in spec.covariates if one != column)
    categorical = tuple(one for one in spec.categorical if one != column)
    return replace(spec, model="lmm", covariates=without, categorical=categorical, random=(column, "participant"))
