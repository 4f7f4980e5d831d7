"""The planned contrast under resampling: the bootstrap of its people, and the lot drawn again for several outcomes at once. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from analysis.methods.blocks import Part
from analysis.methods.bootstrap import REPLICATES, Resampling, combine, resample, resampling_of
from analysis.methods.fitspec import read_fit_spec
from analysis.methods.multiplicity import max_t
from analysis.methods.problems import Refused, error
from analysis.methods.progress import Watch
from analysis.plans.definition import Plan
from analysis.runs.planned import by_team_rule, one_difference

BOOTSTRAP, MAX_T = "bootstrap", "max_t"
BINS = 40


def frozen_resampling(plan: Plan) -> dict[str, Any]:
    """The bootstrap where the plan has one, and how many lots several outcomes share where it adjusts by them; of what it has not, no key."""
    code = next((one.code for one in plan.sensitivity if one.kind == BOOTSTRAP), None)
    return {BOOTSTRAP: {"code": code, "replicates": REPLICATES}} if code else {}


def samples(
    table: pd.DataFrame, frozen: Mapping[str, Any], seed: str, start: int, stop: int, watch: Watch
) -> dict[str, Any]:
    """The estimate, and those of the samples from ``start`` to before ``stop``; or why there is none."""

    def tell(done: int) -> None:
        watch.step("fitting", done / (stop - start))

    try:
        with np.errstate(all="ignore"):
            found = _of(table, frozen)
            observed = found.observed
            part = resample(found, seed=seed, start=start, stop=stop, tell=tell)
    except Refused as refusal:
        return {"problems": refusal.problems}
    except (np.linalg.LinAlgError, ArithmeticError):
        return {"problems": (error("fit_numbers"),)}
    values = [value if np.isfinite(value) else None for value in part.values]
    return {"observed": observed, "start": start, "stop": stop, "seed": seed, "estimates": values}


def _of(table: pd.DataFrame, frozen: Mapping[str, Any]) -> Resampling:
    spec, _team = by_team_rule(table, read_fit_spec(frozen["fits"][0]["fit"]), frozen)
    return resampling_of(table, spec, frozen["primary_visit"], frozen["experimental"])


def refused_in(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Why there is no whole: the problems of the first part that has any."""
    return next(({"problems": one["problems"]} for one in parts if "problems" in one), None)


def made_of(parts: Sequence[Mapping[str, Any]], key: str) -> list[Part]:
    """Stored parts as what they were computed as; ``key`` is where their values are."""
    return [
        Part(one["seed"], one["start"], one["stop"], tuple(float("nan") if v is None else v for v in one[key]))
        for one in parts
    ]


def bootstrap(frozen: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The interval from its parts, with a histogram of the estimates."""
    if refused := refused_in(parts):
        return refused
    try:
        found = combine(
            made_of(parts, "estimates"),
            parts[0]["observed"],
            replicates=frozen[BOOTSTRAP]["replicates"],
            confidence=frozen["confidence"],
        )
    except Refused as refusal:
        return {"problems": refusal.problems}
    counts, edges = np.histogram(found.estimates, BINS)
    told = {name: value for name, value in asdict(found).items() if name != "estimates"}
    return {**told, "edges": [float(one) for one in edges], "counts": [int(one) for one in counts]}


def as_fit(frozen: Mapping[str, Any], found: Mapping[str, Any], planned: Mapping[str, Any]) -> dict[str, Any]:
    """The bootstrap as one of the fits, beside the ``planned`` one: its estimate with the interval between percentiles, and no p."""
    head = {"code": frozen[BOOTSTRAP]["code"], "kind": BOOTSTRAP}
    if "problems" in found or planned["answer"] is None:
        return {**head, "answer": None, "problems": found.get("problems", planned["problems"])}
    kept = {name: planned["answer"][name] for name in ("model", "method", "randomized", "analyzed")}
    numbers = {name: found[name] for name in ("estimate", "se", "lower", "upper")}
    return {**head, "answer": {**kept, "df_method": "percentile", **one_difference(frozen, **numbers)}, "problems": ()}


# --- several outcomes under one lot --------------------------------------------------------------------------------------


def joint_codes(frozen: Mapping[str, Any]) -> list[str]:
    """The outcomes that share the lots: the secondary ones, where the plan adjusts by the largest statistic."""
    if frozen.get("multiplicity") != MAX_T:
        return []
    return [one["code"] for one in frozen["outcomes"] if one["role"] == "secondary"]


def jointly(frozen: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> tuple[dict[str, float], dict[str, Any]]:
    """p adjusted by the largest statistic, by outcome; and how many lots and failed refits, or why there is none.

    ``parts``: by outcome in the order of ``joint_codes``, each in the order of its lots. An outcome that has no statistic is left out.
    """
    codes, each = joint_codes(frozen), len(parts) // len(joint_codes(frozen))
    of = {code: parts[n * each : (n + 1) * each] for n, code in enumerate(codes)}
    known = [code for code in codes if not any("problems" in part for part in of[code])]
    told = {"method": MAX_T, "replicates": frozen["rerandomization"]["replicates"], "outcomes": known}
    if not known:
        return {}, {**told, "problems": of[codes[0]][0]["problems"]}
    observed = np.array([of[code][0]["observed"] for code in known])
    columns = [[v for part in of[code] for v in part["statistics"]] for code in known]
    statistics = np.array(columns, dtype=float).T
    adjusted = max_t(observed, statistics)
    failed = int((~np.isfinite(statistics)).sum())
    return dict(zip(known, map(float, adjusted), strict=True)), {**told, "failed": failed}
