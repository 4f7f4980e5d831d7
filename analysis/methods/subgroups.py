"""Whether the arms differ more in one subgroup than in another: the difference in each level, and the test of the interaction.

One model for all levels: subgroup x visit and subgroup x arm x visit beside the planned terms, one covariance. The interaction at a visit is
the joint test that the differences of all levels are equal there. Levels have an interval and no p of their own: that one is below .05 and
another above says nothing of whether they differ (Gelman and Stern 2006, Am Stat 60:328-331; Rothwell 2005, Lancet 365:176-186).
"""

from __future__ import annotations

import numpy as np

from .columns import Columns
from .fitspec import FitSpec
from .longtable import Factor, Long
from .marginal import Asked
from .results import LevelDifference, Moderation


def moderated(
    data: Long, spec: FitSpec, columns: Columns, answers: Asked, common_first: bool = False
) -> Moderation | None:
    """The differences by level and visit, and their interactions; None without a subgroup. `common_first`: all arms share their first mean."""
    one = data.others[spec.subgroup] if spec.subgroup else None
    if not isinstance(one, Factor) or data.arm is None:
        return None
    reference, *others = data.arm.levels
    visits = [(t, name or None) for t, name in enumerate(data.visit.levels) if t or not common_first]
    differences = tuple(
        LevelDifference(
            level, visit, arm, reference, answers.combination(f"{level} {arm}", columns.difference(t, k, at))
        )
        for t, visit in visits
        for at, level in enumerate(one.levels)
        for k, arm in enumerate(others, start=1)
    )
    interactions = tuple(
        (visit, answers.jointly("interaction", _contrasts(columns, t, len(others), len(one.levels))))
        for t, visit in visits
    )
    return Moderation(str(spec.subgroup), one.levels, differences, interactions)


def _contrasts(
    columns: Columns, visit: int, arms: int, levels: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The difference of each level less that of the first, for each arm: rows (arms x (levels - 1), p)."""
    return np.array(
        [
            columns.difference(visit, k, at) - columns.difference(visit, k, 0)
            for k in range(1, arms + 1)
            for at in range(1, levels)
        ]
    )
