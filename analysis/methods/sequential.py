"""Group-sequential design and monitoring: efficacy bounds that spend alpha by actual information, and what is still to be expected.

At look k the statistic Z_k has the information I_k; under the drift theta (the expectation of Z at I_max) E Z_k = theta sqrt(I_k / I_max)
and Cov(Z_j, Z_k) = sqrt(I_j / I_k), j <= k. The density of Z_k among the paths that have crossed no bound follows from that of Z_(k-1) by
one integration (Armitage, McPherson and Rowe 1969, JRSS A 132:235-244), here by Simpson's rule on the grid of Jennison and Turnbull (2000),
Group Sequential Methods, chapter 19. The bound of a look is where the probability of crossing there, and never before, is the alpha that the
spending function has for it (Lan and DeMets 1983, Biometrika 70:659-663).

Two-sided alpha A is two one-sided procedures of A/2 with the spending function at A/2: paths that would cross both bounds count twice, which
errs on the safe side. Futility is non-binding: no efficacy bound counts on somebody stopping for it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize, special, stats

from .likelihood import Array
from .problems import Refused, error
from .spending import Spending

Sides = Literal[1, 2]
FARTHEST = 38.0
"""Standard deviations beyond which a tail probability is below the smallest number."""
LEAST_STEP = 1e-3
"""The least rise of information from look to look, as a share of the later one: below it the integration has too few points."""
COARSEST = 48
"""Jennison and Turnbull's r: the grid has 12 r - 3 points. 48 gives bounds to 2e-8."""


@dataclass(frozen=True)
class Bound:
    """The efficacy bound of a look: stop where Z (two-sided: |Z|) is at least `z`.

    `nominal_p` is the p-value of `z` and `cumulative_alpha` what is spent up to here, both two-sided where the test is. `z` is None where the
    look has no alpha to spend: nothing can be significant there, and `nominal_p` is 0.
    """

    information: float
    fraction: float
    z: float | None
    nominal_p: float
    cumulative_alpha: float


@dataclass(frozen=True)
class Crossing:
    """By look, the probability of crossing the upper (lower) bound there first."""

    upper: tuple[float, ...]
    lower: tuple[float, ...]


@dataclass(frozen=True)
class _Paths:
    """Where the paths stand that crossed no bound: scores Z sqrt(I) (m,), and mass (m,), density times the weight of its point."""

    score: Array
    mass: Array
    information: float


_START = _Paths(np.zeros(1), np.ones(1), 0.0)


def boundaries(
    alpha: float,
    sides: Sides,
    information: Sequence[float],
    spending: Spending,
    *,
    maximum: float = 1.0,
    spent: Sequence[float] = (),
    final: bool = False,
) -> tuple[Bound, ...]:
    """The bounds of looks at the given actual information, in the order in which they are held.

    The fraction of a look is min(I_k / maximum, 1), that of the last analysis (`final`) 1, so that it spends all that is left; the
    correlations are those of the actual information. `spent` is the cumulative alpha (two-sided if the test is) at the looks already held,
    where it is not what the function says: a look that was not planned, or an earlier I_max. Never is less spent than was.

    Refused: alpha outside (0, 1) (one-sided: .5), information that does not rise by 1 in 1,000, a look after everything is spent, `spent` that
    falls, exceeds alpha or has more looks than there are.
    """
    _check(alpha, sides, information, maximum, spent)
    one_side = alpha / sides
    fractions = [min(i / maximum, 1.0) for i in information]
    if final:
        fractions[-1] = 1.0
    bounds: list[Bound] = []
    paths, used = _START, 0.0
    fineness = _fineness(information)
    for k, (held, fraction) in enumerate(zip(information, fractions, strict=True)):
        if used >= one_side:
            raise Refused([error("sequential_nothing_left", look=k + 1, before=k)])
        target = spent[k] / sides if k < len(spent) else max(spending(fraction, one_side), used)
        if final and k == len(information) - 1:
            target = one_side
        z = _bound(paths, held, target - used)
        used = target
        nominal = 0.0 if z is None else float(sides * stats.norm.sf(z))
        bounds.append(Bound(float(held), float(fraction), z, nominal, used * sides))
        if k < len(information) - 1:
            paths = _go_on(paths, held, -math.inf, FARTHEST if z is None else z, 0.0, fineness)
    return tuple(bounds)


def crossing(
    information: Sequence[float],
    upper: Sequence[float],
    lower: Sequence[float] | None = None,
    *,
    drift: float = 0.0,
    maximum: float | None = None,
) -> Crossing:
    """The probability of crossing first at each look, for bounds on the scale of Z; without `lower`, the upper ones alone.

    `drift` is the expectation of Z at `maximum` (default: the information of the last look). The sum of `upper` is the power. Refused: as by
    `boundaries`, and bounds that are not one for each look, or cross.
    """
    floor = [-math.inf] * len(information) if lower is None else list(lower)
    _check_information(information, maximum)
    if not len(information) == len(upper) == len(floor) or any(a > b for a, b in zip(floor, upper, strict=True)):
        raise Refused([error("sequential_bounds")])
    effect = drift / math.sqrt(maximum or information[-1])
    fineness = _fineness(information)
    paths, above, below = _START, [], []
    for held, low, high in zip(information, floor, upper, strict=True):
        above.append(_beyond(paths, held, high, effect))
        below.append(_beyond(paths, held, low, effect, -1))
        paths = _go_on(paths, held, low, high, effect, fineness)
    return Crossing(tuple(above), tuple(below))


def drift_for_power(information: Sequence[float], upper: Sequence[float], power: float) -> float:
    """The drift at the last look under which the upper bounds are crossed with probability `power`.

    Refused: a power that is not between the probability under no drift and 1.
    """

    def short(drift: float) -> float:
        return sum(crossing(information, upper, drift=drift).upper) - power

    if not (0 < power < 1 and short(0.0) < 0):
        raise Refused([error("sequential_power", got=power)])
    return float(optimize.brentq(short, 0.0, 2 * FARTHEST, xtol=1e-10))


def inflation(information: Sequence[float], upper: Sequence[float], alpha: float, sides: Sides, power: float) -> float:
    """R: how much more information the looks ask for than a trial of one analysis, (theta / (z_(1-alpha/sides) + z_power))^2."""
    fixed = float(stats.norm.isf(alpha / sides) + stats.norm.ppf(power))
    return (drift_for_power(information, upper, power) / fixed) ** 2


def maximum_information(delta: float, alpha: float, sides: Sides, power: float, inflated: float = 1.0) -> float:
    """I_max = R ((z_(1-alpha/sides) + z_power) / delta)^2, in 1 / (unit of delta)^2. Refused: delta 0, or a power outside (alpha, 1)."""
    if not (math.isfinite(delta) and delta and alpha < power < 1 and inflated >= 1):
        raise Refused([error("sequential_power", got=power)])
    return float(inflated * ((stats.norm.isf(alpha / sides) + stats.norm.ppf(power)) / delta) ** 2)


def z_of_t(statistic: float, df: float) -> float:
    """Z = Phi^-1(F_t,df(T)): the normal deviate as far out as T, so that a look with few df is not judged by t against a bound of z."""
    tail = max(float(stats.t.sf(abs(statistic), df)), 5e-324)
    return math.copysign(float(stats.norm.isf(tail)), statistic)


def conditional_power(z: float, fraction: float, final_bound: float, drift: float) -> float:
    """P(Z_K >= final_bound | Z = z at t) = 1 - Phi((b - z sqrt(t) - theta (1 - t)) / sqrt(1 - t)).

    `drift` is theta: under the design that of the plan, under the null 0, under the current trend `trend(z, t)`. No look in between counts.
    Lan and Wittes (1988), Biometrics 44:579-585. Refused: t outside (0, 1).
    """
    _check_fraction(fraction)
    rest = 1 - fraction
    return float(stats.norm.sf((final_bound - z * math.sqrt(fraction) - drift * rest) / math.sqrt(rest)))


def trend(z: float, fraction: float) -> float:
    """The drift that the data so far suggest: z / sqrt(t)."""
    _check_fraction(fraction)
    return z / math.sqrt(fraction)


def predictive_power(z: float, fraction: float, final_bound: float) -> float:
    """Conditional power averaged over the drift given the data, flat prior: theta ~ N(z / sqrt(t), 1 / t).

    1 - Phi((b sqrt(t) - z) / sqrt(1 - t)). Spiegelhalter, Freedman and Blackburn (1986), Controlled Clinical Trials 7:8-17.
    """
    _check_fraction(fraction)
    return float(stats.norm.sf((final_bound * math.sqrt(fraction) - z) / math.sqrt(1 - fraction)))


def futility_bound(threshold: float, fraction: float, final_bound: float, drift: float) -> float:
    """The z at a look below which conditional power under `drift` is less than `threshold`: a non-binding bound. Refused: outside (0, 1)."""
    _check_fraction(fraction)
    if not 0 < threshold < 1:
        raise Refused([error("sequential_power", got=threshold)])
    rest = 1 - fraction
    wanted = final_bound - drift * rest - math.sqrt(rest) * float(stats.norm.isf(threshold))
    return wanted / math.sqrt(fraction)


def _bound(paths: _Paths, information: float, alpha: float) -> float | None:
    """The z that paths exceed with probability alpha at this look; None where there is no alpha, or none that a number can hold."""
    if _beyond(paths, information, FARTHEST, 0.0) >= alpha:
        return None
    return float(
        optimize.brentq(
            lambda z: _beyond(paths, information, z, 0.0) - alpha, -FARTHEST, FARTHEST, xtol=1e-13, rtol=1e-14
        )
    )


def _beyond(paths: _Paths, information: float, z: float, effect: float, side: Literal[1, -1] = 1) -> float:
    """P(no bound crossed before, and Z above z), or below it with side -1; `effect` is E Z / sqrt(I)."""
    step = information - paths.information
    away = (paths.score + effect * step - z * math.sqrt(information)) / math.sqrt(step)
    return float(paths.mass @ special.ndtr(side * away))


def _go_on(paths: _Paths, information: float, low: float, high: float, effect: float, fineness: int) -> _Paths:
    """The paths between the bounds after one more look."""
    z, weight = _grid(low, high, effect * math.sqrt(information), fineness)
    step, score = information - paths.information, z * math.sqrt(information)
    away = (score[None, :] - paths.score[:, None] - effect * step) / math.sqrt(step)
    density = paths.mass @ np.exp(-0.5 * away**2) * math.sqrt(information / (2 * math.pi * step))
    return _Paths(score, density * weight, information)


def _grid(low: float, high: float, center: float, fineness: int) -> tuple[Array, Array]:
    """Points (m,) from low to high and Simpson's weights: dense around the center, thinning out beyond 3 (Jennison and Turnbull, 19.3.1)."""
    r = fineness
    outer = 3 + 4 * np.log(r / np.arange(1.0, r))
    inner = np.linspace(-3.0, 3.0, 4 * r + 1)
    ends = center + np.concatenate([-outer, inner, outer[::-1]])
    low, high = max(low, float(ends[0])), min(high, float(ends[-1]))
    if not low < high:  # nobody is left between the bounds
        return np.zeros(1), np.zeros(1)
    ends = np.concatenate([[low], ends[(ends > low) & (ends < high)], [high]])
    width = np.diff(ends)
    points, weight = np.empty(2 * len(ends) - 1), np.zeros(2 * len(ends) - 1)
    points[::2], points[1::2] = ends, (ends[:-1] + ends[1:]) / 2
    weight[1::2] = width * 4 / 6
    weight[:-1:2] += width / 6
    weight[2::2] += width / 6
    return points, weight


def _fineness(information: Sequence[float]) -> int:
    """r such that the narrowest transition, of standard deviation sqrt(1 - I_(k-1) / I_k), is wider than five points of the grid."""
    narrowest = min((math.sqrt(1 - a / b) for a, b in itertools.pairwise(information)), default=1.0)
    return max(COARSEST, math.ceil(0.75 * 5 / narrowest))


def _check(alpha: float, sides: int, information: Sequence[float], maximum: float, spent: Sequence[float]) -> None:
    if sides not in (1, 2):
        raise Refused([error("sequential_sides", got=sides)])
    if not 0 < alpha / sides < 0.5:
        raise Refused([error("sequential_alpha", got=alpha, most=sides / 2)])
    _check_information(information, maximum)
    if len(spent) > len(information):
        raise Refused([error("sequential_spent_looks", got=len(spent), looks=len(information))])
    for k, (before, after) in enumerate(itertools.pairwise((0.0, *spent)), 1):
        if not before <= after <= alpha:
            raise Refused([error("sequential_spent", look=k, got=float(after), before=float(before), alpha=alpha)])


def _check_information(information: Sequence[float], maximum: float | None) -> None:
    if maximum is not None and not (math.isfinite(maximum) and maximum > 0):
        raise Refused([error("sequential_maximum", got=maximum)])
    if not information:
        raise Refused([error("sequential_no_look")])
    for k, (before, after) in enumerate(itertools.pairwise((0.0, *information)), 1):
        if not (math.isfinite(after) and after > before):
            raise Refused([error("sequential_falling", look=k, got=float(after), before=float(before))])
        if k > 1 and after - before < LEAST_STEP * after:
            raise Refused([error("sequential_too_near", look=k, got=float(after), before=float(before))])


def _check_fraction(fraction: float) -> None:
    if not 0 < fraction < 1:
        raise Refused([error("sequential_fraction", got=fraction)])
