"""What the plan asks beside its model: values imputed by the reference arm, the lot drawn again, and the other outcomes. Pure.

Each is a part of its own, computed from the same table by whichever worker; the whole is put together from the parts in a fixed order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.methods.fitspec import FitSpec, read_fit_spec
from analysis.methods.imputation import Imputed, Strategy
from analysis.methods.lots import Lots, lots_of
from analysis.methods.multiplicity import fixed_sequence, holm
from analysis.methods.problems import Problem, Refused, error
from analysis.methods.progress import Watch
from analysis.methods.references import Events, Wide, imputed_difference, turning_point, wide_of
from analysis.methods.rerandomization import LEAST, Arms, Part, Rerandomization, combine, observe, replicate
from analysis.plans.definition import Plan
from analysis.runs.joined import Joined
from analysis.runs.planned import attempt, baseline_spread, by_team_rule, planned_spec
from analysis.runs.specs import outcome_of
from trial.protocol.definition import Protocol

STRATEGIES: Mapping[str, Strategy] = {"jump_to_reference": "j2r", "copy_increments": "cir", "copy_reference": "cr"}
TIPPING, REPLICATES = "tipping_point", "rerandomization"
DELTAS, STEP = 21, 0.1
"""So many shifts of a tipping point, each this share of the baseline's standard deviation further."""
BINS = 40

Replay = Callable[[bytes], Mapping[str, str]]
"""The declared scheme in the order of entry: 32 bytes of seed to the arm by study number."""


@dataclass(frozen=True)
class Lot:
    """How the arms of a run were drawn: the seed of replicates, and the scheme again; without one ``why`` it cannot be."""

    seed: str
    again: Replay | None
    why: tuple[Problem, ...] = ()


def lot_seed(seed: int) -> str:
    """The seed of the replicates: that of the run, and the name of the analysis."""
    return f"{seed}|{REPLICATES}"


# --- the specification ------------------------------------------------------------------------------------------------


def frozen_sensitivity(protocol: Protocol, plan: Plan) -> dict[str, Any]:
    """Imputations, tipping point, re-randomization and outcomes of the plan, as plain data; each empty or None where none is planned."""
    kinds = {one.kind: one.code for one in plan.sensitivity}
    listed = [(code, "secondary") for code in plan.outcomes.secondary]
    listed += [(code, "exploratory") for code in plan.outcomes.exploratory]
    return {
        "follow_ups": [visit.code for visit in protocol.follow_ups],
        "imputations": [{"code": kinds[kind], "kind": kind} for kind in STRATEGIES if kind in kinds],
        "tipping": {"code": kinds[TIPPING]} if TIPPING in kinds else None,
        "rerandomization": {"code": kinds[REPLICATES], "replicates": LEAST, "sides": plan.sides}
        if REPLICATES in kinds
        else None,
        "outcomes": [_outcome(protocol, plan, code, role) for code, role in listed],
        "multiplicity": plan.outcomes.multiplicity,
    }


def _outcome(protocol: Protocol, plan: Plan, code: str, role: str) -> dict[str, Any]:
    """A scale and the planned model of it, at those of its visits where it is measured."""
    spec = planned_spec(protocol, plan, code)
    measured = protocol.instrument_of(code).visits
    spec["visits"] = [visit for visit in spec["visits"] if visit in measured]
    return {**outcome_of(protocol, code), "role": role, "fit": spec}


# --- values that are missing ------------------------------------------------------------------------------------------


def imputation(
    table: pd.DataFrame, joined: Mapping[str, Joined], frozen: Mapping[str, Any], kind: str, watch: Watch
) -> dict[str, Any]:
    """The planned contrast with values imputed by the reference arm, in the shape of the other fits."""
    try:
        wide, events, spec = _imputable(table, joined, frozen)
        (found,) = imputed_difference(wide, events, spec, STRATEGIES[kind], watch=watch)
    except Refused as refusal:
        return {"answer": None, "problems": refusal.problems}
    except (np.linalg.LinAlgError, ArithmeticError):
        return {"answer": None, "problems": (error("fit_numbers"),)}
    return {"answer": _as_answer(found, frozen, spec, len(wide.people)), "problems": ()}


def _imputable(
    table: pd.DataFrame, joined: Mapping[str, Joined], frozen: Mapping[str, Any]
) -> tuple[Wide, Events, FitSpec]:
    """The case, who had the event when, and the model. Refused where nobody's treatment is known, or nobody stopped."""
    experimental = frozen["experimental"]
    if not any(person.attended is not None for person in joined.values() if person.arm == experimental):
        raise Refused([error("no_exposure")])
    planned, _how = by_team_rule(table, read_fit_spec(frozen["fits"][0]["fit"]), frozen)
    baseline = f"{planned.outcome}_baseline"
    follow_ups = [code for code in frozen["follow_ups"] if code in planned.visits]
    visits = tuple(follow_ups[: follow_ups.index(frozen["primary_visit"]) + 1])
    covariates = tuple(one for one in planned.covariates if one != baseline)
    spec = FitSpec(
        data=planned.data, model="mmrm", outcome=planned.outcome, subject=planned.subject, visit=planned.visit, visits=visits,
        arm=planned.arm, reference=planned.reference, baseline=baseline, covariates=covariates, categorical=planned.categorical,
        covariance=planned.covariance, method=planned.method, confidence=planned.confidence,
    )  # fmt: skip
    wide = wide_of(table, spec, visits, baseline, experimental)
    at = {number: (person.event_visit, person.dead_from) for number, person in joined.items()}
    event = {n: code for n, (one, _dead) in at.items() if (code := _first(one, visits, frozen["follow_ups"]))}
    death = {n: code for n, (_one, dead) in at.items() if (code := _first(dead, visits, frozen["follow_ups"]))}
    return wide, Events(event, death), spec


def _first(visit: str | None, visits: tuple[str, ...], follow_ups: list[str]) -> str | None:
    """The first of ``visits`` that is not before ``visit``."""
    if visit not in follow_ups:
        return None
    return next((one for one in visits if follow_ups.index(one) >= follow_ups.index(visit)), None)


def _as_answer(found: Imputed, frozen: Mapping[str, Any], spec: FitSpec, randomized: int) -> dict[str, Any]:
    difference = {
        "visit": frozen["primary_visit"], "arm": frozen["experimental"], "estimate": found.estimate, "se": found.se, "df": None,
        "statistic": found.statistic, "lower": found.lower, "upper": found.upper, "p": found.p,
    }  # fmt: skip
    return {
        "model": spec.model, "df_method": found.variance, "method": spec.method, "logLik": None, "randomized": randomized,
        "analyzed": found.analyzed, "imputed": {"experimental": found.imputed_experimental, "reference": found.imputed_reference},
        "coefficients": {name: [] for name in ("names", "estimate", "se", "df", "statistic", "p", "reason")},
        "lsmeans": [], "differences": [difference],
    }  # fmt: skip


def tipping(
    table: pd.DataFrame, joined: Mapping[str, Joined], frozen: Mapping[str, Any], watch: Watch
) -> dict[str, Any]:
    """The contrast with values after the event ever worse, and where the answer turns.

    ``turns_at``: 0 where the interval holds 0 without any shift, None where no shift of the table turns it.
    """
    try:
        wide, events, spec = _imputable(table, joined, frozen)
        spread = baseline_spread(table, f"{spec.outcome}_baseline")
        if spread is None:
            raise Refused([error("fit_all_missing", outcome=f"{spec.outcome}_baseline")])
        sign = 1.0 if frozen["better"] == "lower" else -1.0
        deltas = tuple(sign * STEP * n * spread["value"] for n in range(DELTAS))
        rows = imputed_difference(wide, events, spec, "mar", deltas, watch)
        turns = turning_point((rows[0], rows[DELTAS // 2], rows[-1]))
    except Refused as refusal:
        return {"problems": refusal.problems}
    except (np.linalg.LinAlgError, ArithmeticError):
        return {"problems": (error("fit_numbers"),)}
    inside = turns is not None and abs(turns) <= abs(deltas[-1])
    numbers = ("delta", "estimate", "se", "lower", "upper", "p")
    return {
        "rows": [{name: getattr(row, name) + 0.0 for name in numbers} for row in rows],
        "turns_at": turns if inside else None,
    }


# --- the lot drawn again ----------------------------------------------------------------------------------------------


def replicates(
    table: pd.DataFrame, frozen: Mapping[str, Any], lot: Lot | None, start: int, stop: int, watch: Watch
) -> dict[str, Any]:
    """The observed statistic, and those of the replicates from ``start`` to before ``stop``; or why there is none."""
    try:
        if lot is None or lot.again is None:
            raise Refused((lot.why if lot else ()) or [error("rerandomization_no_scheme")])
        planned = read_fit_spec(frozen["fits"][0]["fit"])
        spec, _team = by_team_rule(table, planned, frozen)
        lots = lots_of(table, spec, frozen["primary_visit"], frozen["experimental"])
        scheme, again = _scheme(lots, lot.again), lots.statistic
        toward = -1.0 if frozen["better"] == "lower" and frozen["rerandomization"]["sides"] == 1 else 1.0

        def statistic(arms: Arms) -> Any:
            watch.check()
            return toward * np.asarray(again(arms), dtype=float)

        observed = observe(statistic, lots.arms)
        with np.errstate(all="ignore"):
            part = replicate(
                _told(statistic, watch, stop - start), scheme, lots.arms, seed=lot.seed, start=start, stop=stop
            )
    except Refused as refusal:
        return {"problems": refusal.problems}
    values = [value if np.isfinite(value) else None for value in part.statistics]
    return {"observed": observed, "start": start, "stop": stop, "seed": lot.seed, "statistics": values}


def _told(statistic: Callable[[Arms], Any], watch: Watch, rows: int) -> Callable[[Arms], Any]:
    """The statistic, telling how far it is."""
    done = 0

    def of(arms: Arms) -> Any:
        nonlocal done
        values = statistic(arms)
        done += len(arms)
        watch.step("fitting", min(done / rows, 1.0))
        return values

    return of


def _scheme(lots: Lots, again: Replay) -> Callable[[bytes], Any]:
    """The replay as codes, in the order of the people who are analyzed; -1, which is refused, for an arm that nobody has."""
    code = {level: n for n, level in enumerate(lots.levels)}

    def scheme(seed: bytes) -> Any:
        drawn = again(seed)
        return np.array([code.get(drawn.get(one, ""), -1) for one in lots.people], dtype=np.int64)

    return scheme


def rerandomization(frozen: Mapping[str, Any], parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The test from its parts, with a histogram of the statistics."""
    refused = next((part for part in parts if "problems" in part), None)
    if refused is not None:
        return {"problems": refused["problems"]}
    plan = frozen["rerandomization"]
    made = [
        Part(one["seed"], one["start"], one["stop"], tuple(float("nan") if v is None else v for v in one["statistics"]))
        for one in parts
    ]
    try:
        found = combine(made, parts[0]["observed"], replicates=plan["replicates"], sides=plan["sides"])
    except Refused as refusal:
        return {"problems": refusal.problems}
    edges, counts = _histogram(found)
    return {
        "p": found.p, "replicates": found.replicates, "observed": found.observed, "edges": edges, "counts": counts,
        "extreme": found.extreme, "failed": found.failed, "error": found.error,
    }  # fmt: skip


def _histogram(found: Rerandomization) -> tuple[list[float], list[int]]:
    """Bins of one width around 0, in tenths, wide enough for every statistic and the observed one."""
    values = np.array([v for v in found.statistics if v is not None])
    farthest = max(float(np.abs(values).max(initial=0.0)), abs(found.observed))
    half = max(np.ceil(10 * farthest) / 10, 0.1)
    counts, edges = np.histogram(values, BINS, (-half, half))
    return [float(edge) for edge in edges], [int(count) for count in counts]


# --- the other outcomes -----------------------------------------------------------------------------------------------


def outcome(table: pd.DataFrame, frozen: Mapping[str, Any], code: str) -> dict[str, Any]:
    """One scale by the planned model."""
    one = next(one for one in frozen["outcomes"] if one["code"] == code)
    try:
        spec, _team = by_team_rule(table, read_fit_spec(one["fit"]), frozen)
    except Refused as refusal:
        return {"answer": None, "problems": refusal.problems, "standard_deviation": None}
    return {**attempt(table, spec), "standard_deviation": baseline_spread(table, f"{code}_baseline")}


def with_adjusted(frozen: Mapping[str, Any], parts: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The outcomes in the plan's order, each with its p adjusted for the secondary ones; exploratory ones are not tested."""
    secondary = [
        _p(part["answer"], frozen["primary_visit"])
        for one, part in zip(frozen["outcomes"], parts, strict=True)
        if one["role"] == "secondary"
    ]
    adjust = {"holm": holm, "fixed_sequence": fixed_sequence}.get(frozen["multiplicity"])
    adjusted = adjust(secondary) if adjust else [None] * len(secondary)
    adjusted = adjusted + [None] * (len(parts) - len(adjusted))
    return [
        {"code": one["code"], **part, "p_adjusted": p}
        for one, part, p in zip(frozen["outcomes"], parts, adjusted, strict=True)
    ]


def _p(answer: Mapping[str, Any] | None, visit: str) -> float | None:
    """p of the contrast at the primary visit."""
    return next((one["p"] for one in (answer or {}).get("differences", ()) if one["visit"] == visit), None)
