"""The fixed effects of a trial's model, treatment coding, in the order in which R writes them.

A coefficient is a fact of the patient (1, an arm, the baseline, a covariate) times a weight for each visit (1, or 1 at one visit, or the
time itself). Hence x_it = B_t' c_i with the facts c_i (m,) and a fixed map B (T, m, p), which serves the likelihood, the LS means, and any other
row of the model matrix. Numbers are centered and scaled before cross-products; `back` leads to the coefficients as they are reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .fitspec import FitSpec
from .likelihood import Array
from .longtable import Factor, Long


@dataclass(frozen=True)
class Columns:
    """C (n, m) facts by unit (patient, or row), B (T, m, p), names (p,), and which coefficients change within patients (p,).

    Reported coefficients are back (p, p) times those of the scaled facts. `usual` (m,) are the facts of the patient for whom LS means are
    made, in the reference arm; `arms` the positions in it of the other arms' dummies. Of a subgroup `levels` are the positions of its dummies, and
    `products` (by arm) of their products with the arm's.
    """

    names: tuple[str, ...]
    C: Array
    B: Array
    back: Array
    within: npt.NDArray[np.bool_]
    usual: Array
    arms: tuple[int, ...]
    levels: tuple[int, ...] = ()
    products: tuple[tuple[int, ...], ...] = ()

    @property
    def compares(self) -> npt.NDArray[np.bool_]:
        """Which coefficients (p,) compare arms."""
        own = [*self.arms, *(position for by_arm in self.products for position in by_arm)]
        return np.asarray(self.B[:, own, :].any(axis=(0, 1)))

    def row(self, visit: int, arm: int, level: int | None = None) -> Array:
        """The row (p,) of the model matrix, for reported coefficients, whose product with them is the LS mean. ``level``: of the subgroup, or all."""
        facts = self.usual.copy()
        if level is not None:
            facts[list(self.levels)] = np.arange(1, len(self.levels) + 1) == level
        if arm:
            facts[self.arms[arm - 1]] = 1.0
        if arm and self.products:
            facts[list(self.products[arm - 1])] = facts[list(self.levels)]
        return np.asarray(np.linalg.solve(self.back.T, self.B[visit].T @ facts))

    def difference(self, visit: int, arm: int, level: int | None = None) -> Array:
        """The row of an arm's difference from the reference arm; in one level of the subgroup, or in all."""
        return self.row(visit, arm, level) - self.row(visit, 0, level)


@dataclass
class _Facts:
    """Facts in the making: columns (units,) or, for what changes within patients, (units, T); where the usual patient stands."""

    values: list[Array]
    usual: list[float]
    center: list[float]
    scale: list[float]

    def add(self, values: Array, usual: float, center: float = 0.0, scale: float = 1.0) -> int:
        """A new fact; its position."""
        self.values.append((values - center) / scale)
        self.usual.append((usual - center) / scale)
        self.center.append(center)
        self.scale.append(scale)
        return len(self.values) - 1


@dataclass(frozen=True)
class _Split:
    """A subgroup: the dummies of its levels after the first, with their names, and by arm the products with them."""

    levels: tuple[tuple[str, int], ...] = ()
    products: tuple[tuple[int, ...], ...] = ()


def usual_value(values: Array, weights: str) -> float:
    """Where emmeans evaluates a numeric covariate: the mean over the analyzed rows; of two values (0/1) what a factor with these weights has."""
    low, high = float(values.min()), float(values.max())
    if weights == "equal" and np.all((values == low) | (values == high)):
        return (low + high) / 2
    return float(values.mean())


def build_columns(data: Long, spec: FitSpec, by_row: bool) -> Columns:
    """The columns of `spec.model`; a unit is a row of the table if `by_row`, else a patient."""
    visits = data.visit.levels
    T = len(visits)
    linear = spec.visit_as == "number" and bool(spec.visit)
    first = _first_rows(data) if not by_row else np.arange(len(data.y))
    facts = _Facts([], [], [], [])
    terms: list[tuple[str, list[tuple[int, Array]], bool]] = []  # name, facts with their weights by visit, within
    every, each = np.ones(T), np.eye(T)
    one = facts.add(np.ones(len(first)), 1.0)
    arms = _arm_facts(data, spec, first, facts)
    times = [(spec.visit or "", np.array([float(v) for v in visits]))] if linear else []
    times = times or [(f"{spec.visit}{visits[t]}", each[t]) for t in range(1, T)]
    main_time = [(name, [(one, weight)], True) for name, weight in times]
    main_arm = [(name, [(position, every)], False) for name, position in arms]
    base = _baseline_facts(data, spec, first, facts)
    others = _covariate_terms(data, spec, first, facts, by_row)
    split = _subgroup_facts(data, spec, first, facts, [position for _name, position in arms])
    others += [(name, [(position, every)], False) for name, position in split.levels]
    terms.append(("(Intercept)", [(one, every)], False))
    base_terms = [(name, [(position, every)], False) for name, position in base]
    if spec.model == "mmrm":
        terms += [*base_terms, *main_time, *main_arm, *others]
        terms += [(f"{base[0][0]}:{when}", [(base[0][1], weight)], True) for when, weight in times if base]
        terms += [(f"{when}:{arm}", [(at, weight)], True) for arm, at in arms for when, weight in times]
    elif spec.model == "clda":
        terms += main_time
        terms += [(f"{when}:{arm}", [(at, weight)], True) for arm, at in arms for when, weight in times]
        terms += others
    else:
        terms += [*main_arm, *main_time, *base_terms, *others]
        terms += [(f"{arm}:{when}", [(at, weight)], True) for when, weight in times for arm, at in arms]
    terms += [(f"{level}:{when}", [(at, weight)], True) for level, at in split.levels for when, weight in times]
    for (arm, _at), by_arm in zip(arms, split.products, strict=False):
        named = [(f"{arm}:{level}", at) for (level, _own), at in zip(split.levels, by_arm, strict=True)]
        terms += [(name, [(at, every)], False) for name, at in named] if spec.model != "clda" else []
        terms += [(f"{name}:{when}", [(at, weight)], True) for name, at in named for when, weight in times]
    return _assemble(facts, terms, arms, T, split)


def _assemble(
    facts: _Facts,
    terms: list[tuple[str, list[tuple[int, Array]], bool]],
    arms: list[tuple[str, int]],
    visits: int,
    split: _Split,
) -> Columns:
    m, p = len(facts.values), len(terms)
    B, back = np.zeros((visits, m, p)), np.eye(p)
    for j, (_name, parts, _within) in enumerate(terms):
        for position, weight in parts:
            B[:, position, j] = weight
        back[j, j] = 1 / facts.scale[parts[0][0]]
        if j:
            back[0, j] = -facts.center[parts[0][0]] / facts.scale[parts[0][0]]
    return Columns(
        names=tuple(name for name, _parts, _within in terms),
        C=np.column_stack(facts.values),
        B=B,
        back=back,
        within=np.array([within for _name, _parts, within in terms]),
        usual=np.array(facts.usual),
        arms=tuple(position for _name, position in arms),
        levels=tuple(position for _name, position in split.levels),
        products=split.products,
    )


def _first_rows(data: Long) -> npt.NDArray[np.intp]:
    """One row of each patient, in the order of their codes."""
    first = np.empty(data.subjects, dtype=np.intp)
    first[data.subject[::-1]] = np.arange(len(data.y))[::-1]
    return first


def _arm_facts(data: Long, spec: FitSpec, first: npt.NDArray[np.intp], facts: _Facts) -> list[tuple[str, int]]:
    if data.arm is None:
        return []
    codes = data.arm.codes[first]
    return [
        (f"{spec.arm}{level}", facts.add((codes == k).astype(float), 0.0))
        for k, level in enumerate(data.arm.levels)
        if k
    ]


def _subgroup_facts(data: Long, spec: FitSpec, first: npt.NDArray[np.intp], facts: _Facts, arms: list[int]) -> _Split:
    """In the LS means its levels have the weights of the specification, as those of any factor."""
    one = data.others[spec.subgroup] if spec.subgroup else None
    if not isinstance(one, Factor):
        return _Split()
    equal = spec.weights == "equal"
    levels = [(f"{spec.subgroup}{level}", (one.codes == k).astype(float)) for k, level in enumerate(one.levels) if k]
    places = [
        (name, facts.add(values[first], 1 / len(one.levels) if equal else float(values.mean())))
        for name, values in levels
    ]
    products = tuple(
        tuple(facts.add(facts.values[arm] * values[first], 0.0) for _name, values in levels) for arm in arms
    )
    return _Split(tuple(places), products)


def _baseline_facts(data: Long, spec: FitSpec, first: npt.NDArray[np.intp], facts: _Facts) -> list[tuple[str, int]]:
    if data.baseline is None:
        return []
    values = data.baseline
    found = [(str(spec.baseline), facts.add(values[first], usual_value(values, spec.weights), 0.0, _spread(values)))]
    if data.baseline_missing is not None:
        gap = data.baseline_missing
        found.append((f"{spec.baseline}_missing", facts.add(gap[first], float(gap.mean()))))
    return found


def _spread(values: Array) -> float:
    spread = float(values.std())
    return spread if spread > 0 else 1.0


def _covariate_terms(
    data: Long, spec: FitSpec, first: npt.NDArray[np.intp], facts: _Facts, by_row: bool
) -> list[tuple[str, list[tuple[int, Array]], bool]]:
    """Covariates: numbers as they are, levels as dummies with the first as reference, in the LS means with the weights of the specification."""
    T = len(data.visit.levels)
    found: list[tuple[str, list[tuple[int, Array]], bool]] = []
    for one in data.covariates:
        if one.levels:
            equal = spec.weights == "equal"
            dummies = [(level, (one.values == k).astype(float)) for k, level in enumerate(one.levels) if k]
            parts = [
                (f"{one.name}{level}", values, 1 / len(one.levels) if equal else float(values.mean()), 0.0, 1.0)
                for level, values in dummies
            ]
        else:
            usual = usual_value(one.values, spec.weights)
            parts = [(one.name, one.values, usual, float(one.values.mean()), _spread(one.values))]
        for name, values, usual, center, scale in parts:
            changes = bool((values != values[_first_rows(data)][data.subject]).any())
            if by_row or not changes:
                position = facts.add(values[first], usual, center, scale)
                found.append((name, [(position, np.ones(T))], changes))
                continue
            at: list[tuple[int, Array]] = []
            for t in range(T):  # a fact for each visit
                column = np.full(data.subjects, center)
                mine = data.visit.codes == t
                column[data.subject[mine]] = values[mine]
                at.append((facts.add(column, usual, center, scale), np.eye(T)[t]))
            found.append((name, at, True))
    return found
