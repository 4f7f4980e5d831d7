"""What the plan asks of values that are missing: imputed by the reference arm, by those who were seen after stopping, or shifted. Pure.

Imputation is keyed to the intercurrent event (`Joined.event_visit`), not to dropout; nothing is imputed after death.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.methods.fitspec import FitSpec, read_fit_spec
from analysis.methods.imputation import Imputed, Strategy
from analysis.methods.problems import Refused, error
from analysis.methods.progress import Watch
from analysis.methods.references import (
    Events,
    Wide,
    imputed_difference,
    retrieved_difference,
    shiftable_difference,
    turning_point,
    wide_of,
)
from analysis.methods.tipping import tipping_map
from analysis.runs.joined import Joined
from analysis.runs.planned import baseline_spread, by_team_rule, one_difference
from analysis.runs.specs import ARM_COLUMN
from analysis.runs.strata import Member, pooled_teams

STRATEGIES: Mapping[str, Strategy] = {"jump_to_reference": "j2r", "copy_increments": "cir", "copy_reference": "cr"}
RETRIEVED = "retrieved_dropout"
IMPUTATIONS = (*STRATEGIES, RETRIEVED)
DELTAS, STEP = 21, 0.1
"""So many shifts of a tipping point, each this share of the baseline's standard deviation further."""
MAP = tuple(0.4 * n for n in range(-5, 6))
"""The shifts of either arm in the map, in standard deviations of the baseline: as far as the curve, in both directions."""
POOLED = "pooled teams"
"""The column of teams as the imputation model takes them where the planned model takes them at random."""


def imputation(
    table: pd.DataFrame, joined: Mapping[str, Joined], frozen: Mapping[str, Any], kind: str, watch: Watch
) -> dict[str, Any]:
    """The planned contrast with missing values imputed, in the shape of the other fits.

    ``teams`` of the answer: how the imputation model took teams, where the planned one takes them at random.
    """
    try:
        wide, events, spec, teams = imputable(table, joined, frozen)
        if kind == RETRIEVED:
            found = retrieved_difference(wide, events, spec, watch)
        else:
            (found,) = imputed_difference(wide, events, spec, STRATEGIES[kind], watch=watch)
    except Refused as refusal:
        return {"answer": None, "problems": refusal.problems}
    except (np.linalg.LinAlgError, ArithmeticError):
        return {"answer": None, "problems": (error("fit_numbers"),)}
    return {"answer": _as_answer(found, frozen, spec, len(wide.people), teams), "problems": ()}


def imputable(
    table: pd.DataFrame, joined: Mapping[str, Joined], frozen: Mapping[str, Any]
) -> tuple[Wide, Events, FitSpec, dict[str, Any] | None]:
    """The case, who had the event when, the model, and how it takes teams where the planned one takes them at random.

    Refused where nobody's treatment is known.
    """
    experimental = frozen["experimental"]
    if not any(person.attended is not None for person in joined.values() if person.arm == experimental):
        raise Refused([error("no_exposure")])
    planned, how = by_team_rule(table, read_fit_spec(frozen["fits"][0]["fit"]), frozen)
    baseline = f"{planned.outcome}_baseline"
    follow_ups = [code for code in frozen["follow_ups"] if code in planned.visits]
    visits = tuple(follow_ups[: follow_ups.index(frozen["primary_visit"]) + 1])
    covariates = tuple(one for one in planned.covariates if one != baseline)
    spec = FitSpec(
        data=planned.data, model="mmrm", outcome=planned.outcome, subject=planned.subject, visit=planned.visit, visits=visits,
        arm=planned.arm, reference=planned.reference, baseline=baseline, covariates=covariates, categorical=planned.categorical,
        covariance=planned.covariance, method=planned.method, confidence=planned.confidence,
    )  # fmt: skip
    table, spec, teams = _with_teams(table, spec, frozen["team_column"]) if how == "random" else (table, spec, None)
    wide = wide_of(table, spec, visits, baseline, experimental)
    at = {number: (person.event_visit, person.dead_from) for number, person in joined.items()}
    event = {n: code for n, (one, _dead) in at.items() if (code := _first(one, visits, frozen["follow_ups"]))}
    death = {n: code for n, (_one, dead) in at.items() if (code := _first(dead, visits, frozen["follow_ups"]))}
    return wide, Events(event, death), spec, teams


def _with_teams(table: pd.DataFrame, spec: FitSpec, column: str) -> tuple[pd.DataFrame, FitSpec, dict[str, Any]]:
    """Small teams pooled, and what comes of it a factor: a repeated-measures model has no random intercept of the team."""
    values = pd.to_numeric(table[spec.outcome].replace("", None), errors="coerce")
    seen = set(table["participant"].astype(str)[values.notna() & table["visit"].isin(spec.visits)])
    people = table.drop_duplicates("participant")
    columns = (people[name].astype(str) for name in ("participant", column, "site", ARM_COLUMN))
    pooled = pooled_teams(Member(team, site, arm, who in seen) for who, team, site, arm in zip(*columns, strict=True))
    told = {"groups": pooled.groups, "pooled": pooled.joined}
    if pooled.groups < 2:
        return table, spec, told
    made = table.assign(**{POOLED: table[column].astype(str).map(pooled.group_of)})
    with_it = replace(spec, covariates=(*spec.covariates, POOLED), categorical=(*spec.categorical, POOLED))
    return made, with_it, told


def _first(visit: str | None, visits: tuple[str, ...], follow_ups: list[str]) -> str | None:
    """The first of ``visits`` that is not before ``visit``."""
    if visit not in follow_ups:
        return None
    return next((one for one in visits if follow_ups.index(one) >= follow_ups.index(visit)), None)


def _as_answer(
    found: Imputed, frozen: Mapping[str, Any], spec: FitSpec, randomized: int, teams: dict[str, Any] | None
) -> dict[str, Any]:
    told = {
        "model": spec.model, "df_method": found.variance, "method": spec.method, "randomized": randomized, "analyzed": found.analyzed,
        "imputed": {"experimental": found.imputed_experimental, "reference": found.imputed_reference},
        **({"teams": teams} if teams else {}),
    }  # fmt: skip
    return told | one_difference(
        frozen,
        estimate=found.estimate,
        se=found.se,
        statistic=found.statistic,
        lower=found.lower,
        upper=found.upper,
        p=found.p,
    )


def tipping(
    table: pd.DataFrame, joined: Mapping[str, Joined], frozen: Mapping[str, Any], watch: Watch
) -> dict[str, Any]:
    """The contrast with values after the event ever worse, and where the answer turns; ``map``: the same with a shift for each arm.

    ``turns_at``: 0 where the interval holds 0 without any shift, None where no shift of the table turns it.
    """
    try:
        wide, events, spec, teams = imputable(table, joined, frozen)
        spread = baseline_spread(table, f"{spec.outcome}_baseline")
        if spread is None:
            raise Refused([error("fit_all_missing", outcome=f"{spec.outcome}_baseline")])
        sign = 1.0 if frozen["better"] == "lower" else -1.0
        deltas = tuple(sign * STEP * n * spread["value"] for n in range(DELTAS))
        found = shiftable_difference(wide, events, spec, "mar", watch)
        rows = [found.at(delta, 0.0, spec.confidence) for delta in deltas]
        turns = turning_point((rows[0], rows[DELTAS // 2], rows[-1]))
        over_both = tipping_map(found, [spread["value"] * share for share in MAP], spec.confidence)
    except Refused as refusal:
        return {"problems": refusal.problems}
    except (np.linalg.LinAlgError, ArithmeticError):
        return {"problems": (error("fit_numbers"),)}
    inside = turns is not None and abs(turns) <= abs(deltas[-1])
    numbers = ("delta", "estimate", "se", "lower", "upper", "p")
    return {
        "rows": [{name: getattr(row, name) + 0.0 for name in numbers} for row in rows],
        "turns_at": turns if inside else None,
        "map": over_both,
        **({"teams": teams} if teams else {}),
    }
