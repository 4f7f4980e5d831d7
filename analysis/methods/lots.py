"""The planned contrast under other lots: what the re-randomization test computes again and again.

The model is read and laid out once. Another lot changes nothing but the facts of the arm (a column of C for mmrm and clda, by row for lmm), and
its search starts from the variances of the lot as it fell. The contrast L'b is studentized by its model-based standard error. The lots of a block
climb together (`stacked`), which is ten times as fast; one whose search is not plain sailing is fitted by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from .blocks import ENOUGH
from .columns import Columns, build_columns
from .fitspec import FitSpec
from .likelihood import Array
from .longtable import Factor, Long, read_long
from .mixed import independent_columns
from .mmrm import Maximum, maximize
from .nestedrefit import begin, has_intercepts
from .patterns import Patterns, collect
from .problems import Refused, error
from .repeated import search, wide
from .rerandomization import Arms, Statistic
from .stackedlots import StackOfLots

_ROW = "row of the table"


@dataclass(frozen=True)
class Lots:
    """`people` who are analyzed, in the order of `arms` (n,), coded by `levels` (the reference is 0); and the statistic of rows of such arms.

    `alone` is the same statistic with each row fitted by itself: what `statistic` has to equal.
    """

    people: tuple[str, ...]
    levels: tuple[str, ...]
    arms: Arms
    statistic: Statistic
    alone: Statistic


def lots_of(table: pd.DataFrame, spec: FitSpec, visit: str, experimental: str) -> Lots:
    """The contrast of `experimental` with the reference at `visit` in the model of `spec` (mmrm, clda or lmm). Raises Refused."""
    numbered = table.assign(**{_ROW: np.arange(len(table))})
    data = read_long(numbered, replace(spec, random=(*spec.random, _ROW)))
    factor, arm = data.others[_ROW], data.arm
    if (
        arm is None
        or not isinstance(factor, Factor)
        or visit not in data.visit.levels
        or experimental not in arm.levels
    ):
        raise Refused([error("rerandomization_no_statistic")])
    people, arms = [""] * data.subjects, np.zeros(data.subjects, dtype=np.int64)
    cells = table[str(spec.subject)].astype(str).to_numpy()
    for code, who in zip(factor.codes, data.subject, strict=True):
        people[who] = cells[int(factor.levels[code])]
    arms[data.subject] = arm.codes
    columns = build_columns(data, spec, by_row=spec.model == "lmm")
    facts = columns.arms[arm.levels.index(experimental) - 1]
    contrast = columns.B[data.visit.levels.index(visit), facts]
    make = _mixed if spec.model == "lmm" else _repeated
    return Lots(tuple(people), arm.levels, arms, *make(data, spec, columns, contrast))


def _each(one: Callable[[Arms], float]) -> Statistic:
    def of(rows: Arms) -> Array:
        return np.array([one(arms) for arms in rows])

    return of


def _with_arms(columns: Columns, arms: npt.NDArray[np.integer]) -> Array:
    """The facts C with another lot; arms by unit of C."""
    C = columns.C.copy()
    for level, position in enumerate(columns.arms, start=1):
        C[:, position] = arms == level
    return C


def _repeated(data: Long, spec: FitSpec, columns: Columns, contrast: Array) -> tuple[Statistic, Statistic]:
    """Together and alone; not-a-number where a refit ends nowhere, or does not tell the contrast."""
    Y, _center, _scale = wide(data)
    group = np.zeros(data.subjects, dtype=np.intp)
    first, _tried = search(collect(columns.C, Y, columns.B, group), spec)
    reml, sigma = spec.method == "reml", first.point.sigma

    def one(arms: Arms) -> float:
        try:
            patterns = collect(_with_arms(columns, arms), Y, columns.B, group)
            top = maximize(patterns, first.structure, reml, sigma, ENOUGH)
        except np.linalg.LinAlgError:
            return float("nan")
        return _studentized(patterns, top, contrast)

    alone = _each(one)
    if not first.structure.free:
        return alone, alone
    stacks = StackOfLots.of(columns, Y)
    own = contrast[columns.compares]

    def together(rows: Arms) -> Array:
        found = np.concatenate([stacks.studentized(some, own, sigma[0], reml, ENOUGH) for some in stacks.chunks(rows)])
        left = np.flatnonzero(np.isnan(found))
        found[left] = alone(rows[left])
        return found

    return together, alone


def _studentized(patterns: Patterns, top: Maximum | None, contrast: Array) -> float:
    """L'b / SE; not-a-number where the search failed, or the data do not tell L'b."""
    if top is None or not top.converged or not patterns.tells(contrast):
        return float("nan")
    row = patterns.on_basis(contrast)
    return float(row @ top.point.gamma / np.sqrt(row @ top.point.inverse @ row))


def _mixed(data: Long, spec: FitSpec, columns: Columns, contrast: Array) -> tuple[Statistic, Statistic]:
    """Random intercepts of the subject, and of its unit where there is one; not-a-number where a refit ends nowhere."""
    if data.arm is None or not has_intercepts(data, spec):
        raise Refused([error("rerandomization_no_statistic")])

    def matrix(arms: Arms) -> Array:
        return np.asarray(
            np.einsum("nm,nmp->np", _with_arms(columns, arms), columns.B[data.visit.codes], optimize=True)
        )

    X = matrix(data.arm.codes)
    kept, _null = independent_columns(X)
    begun, row = begin(data, spec, X, columns.names), contrast[kept]

    def one(arms: Arms) -> float:
        state = begun.again(begun.y, matrix(arms[data.subject])[:, kept], begun.subjects, begun.units)
        if state is None:
            return float("nan")
        return float(row @ state.beta / np.sqrt(row @ state.covariance @ row))

    alone = _each(one)
    return alone, alone
