"""What a result says about its own model: who was seen when, scaled residuals, and how much each person moves the answer. Pure.

Nothing in here carries a study number, and points stand in the order of their values, so that no place tells whose they are.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.methods.diagnostics import Diagnostics, diagnose
from analysis.methods.fitspec import FitSpec
from analysis.methods.problems import Refused, error
from analysis.runs.specs import ARM_COLUMN

MOST_POINTS, MOST_QUANTILES, MOST_PEOPLE = 2000, 400, 100
"""So many are kept; a figure of more says nothing more."""


def diagnosed(table: pd.DataFrame, spec: FitSpec, frozen: Mapping[str, Any]) -> dict[str, Any]:
    """``patterns`` of missing visits by arm, and ``diagnostics`` of the planned model as it was fitted."""
    return {"patterns": _patterns(table, spec, frozen), "diagnostics": _diagnostics(table, spec)}


def _patterns(table: pd.DataFrame, spec: FitSpec, frozen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of everybody randomized: at which visits of the model there is an outcome, the most frequent first."""
    values = pd.to_numeric(table[spec.outcome].replace("", None), errors="coerce")
    at = table.assign(there=values.notna())
    at = at[at["visit"].isin(spec.visits)]
    people = table.drop_duplicates("participant").set_index("participant")[ARM_COLUMN]
    there: dict[str, set[str]] = {}
    for number, visit in zip(at["participant"][at["there"]], at["visit"][at["there"]], strict=True):
        there.setdefault(str(number), set()).add(str(visit))
    seen = {number: tuple(visit for visit in spec.visits if visit in visits) for number, visits in there.items()}
    counts: dict[tuple[str, ...], dict[str, int]] = {}
    for number, arm in people.items():
        by_arm = counts.setdefault(seen.get(str(number), ()), dict.fromkeys(frozen["arms"], 0))
        by_arm[str(arm)] = by_arm.get(str(arm), 0) + 1
    ordered = sorted(counts.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    return [{"seen": list(visits), "by_arm": by_arm} for visits, by_arm in ordered]


def _diagnostics(table: pd.DataFrame, spec: FitSpec) -> dict[str, Any]:
    try:
        with np.errstate(all="ignore"):
            return _points(diagnose(table.reset_index(drop=True), spec))
    except Refused as refusal:
        return {"problems": refusal.problems}
    except (np.linalg.LinAlgError, ArithmeticError):
        return {"problems": (error("fit_numbers"),)}


def _points(found: Diagnostics) -> dict[str, Any]:
    """Residuals by fitted value, their quantiles beside those of a normal distribution, and the largest distances by rank.

    ``alone``: how many people decide a coefficient alone, so that there is no answer without them.
    """
    order = np.argsort(found.fitted, kind="stable")
    pairs = _spread(np.column_stack([found.fitted, found.scaled])[order], MOST_POINTS)
    known = np.sort(found.distance[~np.isnan(found.distance)])[::-1]
    return {
        "residuals": sorted([_short(value) for value in pair] for pair in pairs),
        "quantiles": [[_short(value) for value in pair] for pair in _spread(found.quantiles, MOST_QUANTILES)],
        "influence": [{"rank": n + 1, "distance": _short(value)} for n, value in enumerate(known[:MOST_PEOPLE])],
        "observations": len(found.scaled),
        "people": len(found.distance),
        "alone": int(np.isnan(found.distance).sum()),
    }  # fmt: skip


def _spread(rows: Any, most: int) -> Any:
    """At most so many, evenly from the first to the last."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]


def _short(value: float) -> float:
    """Four digits: enough for a figure, and no more of a person than that."""
    return float(f"{value:.4g}")
