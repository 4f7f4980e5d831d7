"""Monitoring by what was spent: the bounds of a look and of the final analysis, from actual information and the looks already held. Pure.

Both sides use it: behind the wall for looks and the final analysis, on the open side for the rehearsal on a fake arm. Everything is plain
data: what a frozen specification holds, and what a stored result says.

Z is + in favor of the experimental arm. Alpha and the price of a look are two-sided where the plan's test is; I_max and spending are those
of the plan, or None where it plans no look: then a look costs its price, and nothing is said of what is still to come.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.methods.problems import Refused, error
from analysis.methods.sequential import (
    FARTHEST,
    LEAST_STEP,
    Bound,
    boundaries,
    conditional_power,
    crossing,
    futility_bound,
    maximum_information,
    predictive_power,
    trend,
    z_of_t,
)
from analysis.methods.spending import Spending
from analysis.plans.definition import Plan

SMALLEST_SHARE = 0.2
"""No look with less of the information, unless the committee asks for it: so early a look says little and costs alpha."""
FEWEST = 20
"""No look with fewer people of an arm at the primary visit, unless the committee asks."""


def rules_of(plan: Plan) -> dict[str, Any]:
    """What the plan says of monitoring, as plain data for a frozen specification."""
    looks = plan.looks
    found: dict[str, Any] = {
        "alpha": plan.alpha, "sides": plan.sides, "price": plan.unplanned_price * plan.sides / 2,
        "spending": None, "parameter": None, "maximum": None, "delta": None, "power": None, "futility": 0.0,
    }  # fmt: skip
    if looks is None:
        return found
    maximum = maximum_information(looks.delta, plan.alpha, _sides(plan.sides), looks.power, looks.inflation)
    return found | {
        "spending": looks.spending, "parameter": looks.parameter, "maximum": maximum,
        "delta": looks.delta, "power": looks.power, "futility": looks.futility,
    }  # fmt: skip


def _sides(sides: int) -> Any:
    return 1 if sides == 1 else 2


@dataclass(frozen=True)
class Contrast:
    """The primary contrast of a look: estimate, SE, information 1 / SE squared, and Z oriented to the experimental arm."""

    estimate: float
    se: float
    df: float | None
    information: float
    z: float


def contrast_of(difference: Mapping[str, Any], better: str) -> Contrast:
    """From the stored difference at the primary visit. Refused where none could be estimated."""
    estimate, se = difference.get("estimate"), difference.get("se")
    if estimate is None or se is None or not se > 0:
        raise Refused([error("look_no_contrast")])
    df = difference.get("df")
    t = estimate / se
    z = z_of_t(t, df if df is not None and math.isfinite(df) else math.inf)
    return Contrast(estimate, se, df, 1 / se**2, -z if better == "lower" else z)


# --- a look ----------------------------------------------------------------------------------------------------------


def judged(rules: Mapping[str, Any], look: Mapping[str, Any], contrast: Contrast) -> dict[str, Any]:
    """What a look found, spent and left, as plain data.

    ``look``: ``number``, ``code``, ``planned``, ``costs`` ("function" or "price"), ``asked`` (the committee wants it however early), and
    ``earlier``: the looks already held, each with number, planned, information, alpha, z, bound. Refused: information that does not rise,
    a look under a fifth of it that nobody asked for, and one that would leave no alpha for the end.
    """
    fraction = share(rules, contrast.information)
    if fraction is not None and fraction < SMALLEST_SHARE and not look["asked"]:
        raise Refused([error("look_early", share=round(fraction, 3), least=SMALLEST_SHARE)])
    earlier = list(look["earlier"])
    spent = [one["alpha"] for one in earlier]
    used = spent[-1] if spent else 0.0
    if look["costs"] == "price":
        spent.append(used + rules["price"])
        if spent[-1] >= rules["alpha"]:
            raise Refused([error("look_no_alpha", alpha=rules["alpha"], used=used, price=rules["price"])])
    information = [*(one["information"] for one in earlier), contrast.information]
    bound = _bounds(rules, information, spent)[-1]
    spent_now = [*(one["alpha"] for one in earlier), bound.cumulative_alpha]
    return {
        "number": look["number"], "code": look["code"], "planned": look["planned"], "costs": look["costs"],
        "estimate": contrast.estimate, "se": contrast.se, "df": contrast.df,
        "information": contrast.information, "maximum": rules["maximum"], "fraction": fraction, "z": contrast.z,
        "bound": bound.z, "nominal_p": bound.nominal_p,
        "cumulative_alpha": bound.cumulative_alpha, "spent": bound.cumulative_alpha - used, "alpha": rules["alpha"],
        "crossed": crossed(contrast.z, bound.z, rules["sides"]),
        "held": [*earlier, _held(look, contrast, fraction, bound)],
        "ahead": _ahead(rules, information, spent_now, fraction, contrast.z),
        "without": _without(rules, earlier, information, spent_now) if not look["planned"] else None,
    }  # fmt: skip


def share(rules: Mapping[str, Any], information: float) -> float | None:
    """The share of I_max that is reached, at most 1; None for a plan without I_max."""
    return min(information / rules["maximum"], 1.0) if rules["maximum"] else None


def crossed(z: float, bound: float | None, sides: int) -> str:
    """Which bound was crossed: that in favor of the ``experimental`` arm, of the ``control`` (two-sided tests), or none, the empty text."""
    if bound is None:
        return ""
    if z >= bound:
        return "experimental"
    return "control" if sides == 2 and z <= -bound else ""


def _held(look: Mapping[str, Any], contrast: Contrast, fraction: float | None, bound: Bound) -> dict[str, Any]:
    return {
        "number": look["number"], "code": look["code"], "planned": look["planned"], "information": contrast.information,
        "fraction": fraction, "z": contrast.z, "bound": bound.z, "alpha": bound.cumulative_alpha,
    }  # fmt: skip


def _bounds(
    rules: Mapping[str, Any], information: Sequence[float], spent: Sequence[float], *, final: bool = False
) -> tuple[Bound, ...]:
    """The bounds at this actual information, with what was spent at the looks of ``spent``."""
    spending = Spending(rules["spending"] or "obf", rules["parameter"])
    maximum = rules["maximum"] or information[-1]
    return boundaries(
        rules["alpha"], _sides(rules["sides"]), information, spending, maximum=maximum, spent=spent, final=final
    )


def _ahead(
    rules: Mapping[str, Any], information: Sequence[float], spent: Sequence[float], fraction: float | None, z: float
) -> dict[str, Any] | None:
    """What is still to be expected if the next analysis is the final one, at I_max; None where that is not known, or nothing is left."""
    if fraction is None or rules["maximum"] * (1 - LEAST_STEP) <= information[-1] or spent[-1] >= rules["alpha"]:
        return None
    final = _bounds(rules, [*information, rules["maximum"]], spent, final=True)[-1].z
    if final is None:
        return None
    design = rules["delta"] * math.sqrt(rules["maximum"])
    futility = rules["futility"]
    bound = futility_bound(futility, fraction, final, design) if futility else None
    return {
        "final_bound": final,
        "design": conditional_power(z, fraction, final, design),
        "null": conditional_power(z, fraction, final, 0.0),
        "trend": conditional_power(z, fraction, final, trend(z, fraction)),
        "predictive": predictive_power(z, fraction, final),
        "futility": {"threshold": futility, "z": bound, "below": z < bound} if bound is not None else None,
    }


def _without(
    rules: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], information: Sequence[float], spent: Sequence[float]
) -> dict[str, Any] | None:
    """The bound of a final analysis at I_max with this unplanned look, and as if it had not been held."""
    if not rules["maximum"] or rules["maximum"] * (1 - LEAST_STEP) <= information[-1] or spent[-1] >= rules["alpha"]:
        return None
    before = [one["information"] for one in earlier]
    return {
        "final_bound_with": _bounds(rules, [*information, rules["maximum"]], spent, final=True)[-1].z,
        "final_bound_without": _bounds(
            rules, [*before, rules["maximum"]], [one["alpha"] for one in earlier], final=True
        )[-1].z,
    }


# --- the final analysis ----------------------------------------------------------------------------------------------


def final(rules: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], contrast: Contrast) -> dict[str, Any]:
    """The final analysis at t = 1 with all that is left, beside what it would have been without the looks that nobody had planned.

    ``p_stagewise``: the probability under no difference of an outcome at least as extreme in the order of stages (Tsiatis, Rosner and Mehta
    1984, Biometrics 40:797-803), crossings at earlier looks counted; without looks it is the ordinary p. ``problems``: why there is no bound.
    """
    found: dict[str, Any] = {
        "estimate": contrast.estimate, "se": contrast.se, "df": contrast.df, "information": contrast.information,
        "z": contrast.z, "alpha": rules["alpha"], "held": list(earlier),
        "spent_before": earlier[-1]["alpha"] if earlier else 0.0,
        "bound": None, "nominal_p": None, "p_stagewise": None, "crossed": "", "without": None, "problems": [],
    }  # fmt: skip
    information = [*(one["information"] for one in earlier), contrast.information]
    try:
        bounds = _bounds(rules, information, [one["alpha"] for one in earlier], final=True)
    except Refused as refusal:
        return found | {"problems": list(refusal.problems)}
    last = bounds[-1]
    found |= {
        "bound": last.z, "nominal_p": last.nominal_p, "crossed": crossed(contrast.z, last.z, rules["sides"]),
        "p_stagewise": _stagewise(rules, bounds, contrast.z),
    }  # fmt: skip
    planned = [one for one in earlier if one["planned"]]
    if len(planned) < len(earlier):
        as_planned = _bounds(rules, [*(one["information"] for one in planned), contrast.information], (), final=True)
        found["without"] = {
            "bound": as_planned[-1].z,
            "crossed": crossed(contrast.z, as_planned[-1].z, rules["sides"]),
        }
    return found


def _stagewise(rules: Mapping[str, Any], bounds: Sequence[Bound], z: float) -> float:
    """The p-value in the order of stages, both tails where the test has two sides."""
    held = [FARTHEST if one.z is None else one.z for one in bounds[:-1]]
    reached = abs(z) if rules["sides"] == 2 else z
    tail = sum(crossing([one.information for one in bounds], [*held, reached]).upper)
    return float(min(1.0, rules["sides"] * tail))
