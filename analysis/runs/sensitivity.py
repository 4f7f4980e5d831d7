"""What the plan asks beside its model: values imputed by the reference arm, the lot drawn again, and the other outcomes. Pure.

Each is a part of its own, computed from the same table by whichever worker; the whole is put together from the parts in a fixed order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.methods.fitspec import read_fit_spec
from analysis.methods.lots import Lots, lots_of
from analysis.methods.multiplicity import fixed_sequence, holm
from analysis.methods.problems import Problem, Refused, error
from analysis.methods.progress import Watch
from analysis.methods.rerandomization import LEAST, Arms, Rerandomization, combine, observe, replicate
from analysis.plans.definition import Plan
from analysis.runs.imputed import IMPUTATIONS
from analysis.runs.planned import attempt, baseline_spread, by_team_rule, planned_spec
from analysis.runs.resampled import BINS, frozen_resampling, made_of, refused_in
from analysis.runs.specs import outcome_of
from trial.protocol.definition import Protocol

TIPPING, REPLICATES = "tipping_point", "rerandomization"

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
        "imputations": [{"code": kinds[kind], "kind": kind} for kind in IMPUTATIONS if kind in kinds],
        "tipping": {"code": kinds[TIPPING]} if TIPPING in kinds else None,
        "rerandomization": {"code": kinds[REPLICATES], "replicates": LEAST, "sides": plan.sides}
        if REPLICATES in kinds
        else None,
        "outcomes": [_outcome(protocol, plan, code, role) for code, role in listed],
        "multiplicity": plan.outcomes.multiplicity,
        **frozen_resampling(plan),
    }


def _outcome(protocol: Protocol, plan: Plan, code: str, role: str) -> dict[str, Any]:
    """A scale and the planned model of it, at those of its visits where it is measured."""
    spec = planned_spec(protocol, plan, code)
    measured = protocol.instrument_of(code).visits
    spec["visits"] = [visit for visit in spec["visits"] if visit in measured]
    return {**outcome_of(protocol, code), "role": role, "fit": spec}


# --- the lot drawn again ----------------------------------------------------------------------------------------------


def replicates(
    table: pd.DataFrame, frozen: Mapping[str, Any], lot: Lot | None, start: int, stop: int, watch: Watch, code: str = ""
) -> dict[str, Any]:
    """The observed statistic, and those of the replicates from ``start`` to before ``stop``; or why there is none. ``code``: of another
    outcome than the primary one, under the same lots.
    """
    try:
        if lot is None or lot.again is None:
            raise Refused((lot.why if lot else ()) or [error("rerandomization_no_scheme")])
        fit = next((one["fit"] for one in frozen["outcomes"] if one["code"] == code), frozen["fits"][0]["fit"])
        spec, _team = by_team_rule(table, read_fit_spec(fit), frozen)
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
    values = [value if np.isfinite(value) else None for value in part.values]
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
    if refused := refused_in(parts):
        return refused
    plan = frozen["rerandomization"]
    try:
        found = combine(
            made_of(parts, "statistics"), parts[0]["observed"], replicates=plan["replicates"], sides=plan["sides"]
        )
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


def with_adjusted(
    frozen: Mapping[str, Any], parts: list[Mapping[str, Any]], joint: Mapping[str, float] | None = None
) -> list[dict[str, Any]]:
    """The outcomes in the plan's order, each with its p adjusted for the secondary ones; exploratory ones are not tested.

    ``joint``: p by outcome where it is adjusted by lots that the outcomes share.
    """
    secondary = [
        _p(part["answer"], frozen["primary_visit"])
        for one, part in zip(frozen["outcomes"], parts, strict=True)
        if one["role"] == "secondary"
    ]
    adjust = {"holm": holm, "fixed_sequence": fixed_sequence}.get(frozen["multiplicity"])
    adjusted = adjust(secondary) if adjust else [None] * len(secondary)
    adjusted = adjusted + [None] * (len(parts) - len(adjusted))
    if joint is not None:
        adjusted = [joint.get(one["code"]) for one in frozen["outcomes"]]
    return [
        {"code": one["code"], **part, "p_adjusted": p}
        for one, part, p in zip(frozen["outcomes"], parts, adjusted, strict=True)
    ]


def _p(answer: Mapping[str, Any] | None, visit: str) -> float | None:
    """p of the contrast at the primary visit."""
    return next((one["p"] for one in (answer or {}).get("differences", ()) if one["visit"] == visit), None)
