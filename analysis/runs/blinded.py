"""What can be said of information and sample size without any arm: the internal pilot study. Pure.

The primary model is fitted without its arm; what it leaves of the outcome at the primary visit, given the baseline, is the one-sample
residual variance s2. It is at most pi (1 - pi) delta^2 too large (pi: the share of the experimental arm), which asks for a few people too
many and inflates no type-I error (Kieser and Friede 2003, Statistics in Medicine 22:3571-3581; with a baseline as covariate Friede and Kieser
2011, Pharmaceutical Statistics 10:8-13). From it:

- information reached: I = n pi (1 - pi) / s2, n people with the outcome at the primary visit;
- participants needed with that outcome: N = I_max s2 / (pi (1 - pi)), where I_max = R ((z_(1-alpha/sides) + z_power) / delta)^2.

Teams that enter as the data allow are left out: whether they are a factor depends on who is in which arm. Nothing of this knows an arm.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.methods.commands.fit import as_answer
from analysis.methods.fitspec import read_fit_spec
from analysis.methods.fitting import fit_model
from analysis.methods.problems import Refused, error
from analysis.plans.definition import Plan
from analysis.runs.monitoring import rules_of
from analysis.runs.planned import planned_spec
from analysis.runs.specs import team_column
from trial.protocol.definition import Protocol

NEEDS_ARM = ("arm", "reference")


@dataclass(frozen=True)
class Blinded:
    """Without any arm: residual variance, people with the outcome at the primary visit, information, its share of I_max, people needed."""

    variance: float
    people: int
    information: float
    maximum: float | None
    share: float | None
    needed: int | None


def frozen_blinded(protocol: Protocol, plan: Plan) -> dict[str, Any]:
    """The primary model without its arm, and what the information is measured against."""
    spec = {
        key: value for key, value in planned_spec(protocol, plan, plan.estimand.outcome).items() if key not in NEEDS_ARM
    }
    if spec["model"] == "clda":  # without arms there is no baseline that they share: it is the model of all visits
        spec["model"] = "mmrm"
    if plan.model.team == "fixed_or_random":
        team = team_column(protocol)
        spec |= {key: [one for one in spec[key] if one != team] for key in ("covariates", "categorical")}
    ratio = {arm.code: arm.ratio for arm in protocol.arms}
    return {
        "fit": spec,
        "baseline_visit": protocol.baseline.code if protocol.baseline.code in plan.model.visits else "",
        "primary_visit": plan.estimand.visit,
        "experimental_share": ratio[protocol.experimental_arm.code] / sum(ratio.values()),
        "maximum": rules_of(plan)["maximum"],
        "target": protocol.target_sample_size,
    }


def blinded(table: pd.DataFrame, frozen: Mapping[str, Any]) -> Blinded:
    """Information and sample size of this table. Refused where nobody has the outcome yet, or the model cannot be fitted."""
    spec = read_fit_spec(frozen["fit"])
    values = pd.to_numeric(table[spec.outcome].replace("", None), errors="coerce")
    people = int((values.notna() & (table["visit"] == frozen["primary_visit"])).sum())
    if not people:
        raise Refused([error("blinded_nobody")])
    try:
        with np.errstate(all="ignore"):
            answer = as_answer(fit_model(table, spec), spec)
    except (np.linalg.LinAlgError, ArithmeticError) as failure:
        raise Refused([error("fit_numbers")]) from failure
    variance = _residual(answer, frozen["primary_visit"], frozen["baseline_visit"])
    halves = frozen["experimental_share"] * (1 - frozen["experimental_share"])
    information, maximum = people * halves / variance, frozen["maximum"]
    return Blinded(
        variance=variance,
        people=people,
        information=information,
        maximum=maximum,
        share=information / maximum if maximum else None,
        needed=math.ceil(maximum * variance / halves) if maximum else None,
    )


def _residual(answer: Mapping[str, Any], visit: str, baseline: str) -> float:
    """The variance at the primary visit; given the baseline, where that is one of the model's visits."""
    if "variances" in answer:  # random intercepts: one variance at all visits, one covariance between them
        between = sum(value for level, value in answer["variances"].items() if level != "residual")
        whole = between + answer["variances"]["residual"]
        return float(whole - between**2 / whole) if baseline else float(whole)
    visits, matrix = list(answer["covariance"]["visits"]), answer["covariance"]["matrix"]
    at = visits.index(visit)
    if not baseline:
        return float(matrix[at][at])
    first = visits.index(baseline)
    return float(matrix[at][at] - matrix[at][first] ** 2 / matrix[first][first])
