"""Effects by construction: how large each difference between the arms is to be, and how the made-up answers are brought there.

The contrast is the adjusted difference of a scale at a visit (random intercept a person, condition x time, everybody with at least one
score), divided by the SD of the baseline of all randomized, pooled within arms; + favors the experimental arm. Published: .34 on the
primary and .52 on self-esteem at 18 months; MHRM small, the rest about nothing, all but insight and addiction in favor of IMR at 12
months (T/120 to T/132). Figures other than these two are made up, and all below .15.

Nobody searched for a seed: answers are made first, then moved. ``solve`` moves the latent answers of the experimental arm: for the
baseline by one amount for everybody at every visit, so that the arms begin alike (analyses with and without baseline as covariate then
agree); for each later visit by a further amount, weighted by how much of the program a person took. Each time the answers are rounded to
the items and scored again, and the interval of the amount is halved until the contrast of these scores is the wanted one. So it is the items
of some people that differ, a point up or down.

What comes out says nothing about the trial whose figures went in.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

TARGETS: Mapping[str, tuple[float, float, float]] = {
    "imrs_client": (0.0, 0.18, 0.34),
    "sers": (0.0, 0.28, 0.52),
    "mhrm": (0.0, 0.08, 0.13),
    "imrs_clinician": (0.0, 0.08, 0.08),
    "mspss": (0.0, 0.05, 0.06),
    "cses": (0.0, 0.09, 0.10),
    "ses": (0.0, 0.03, 0.02),
    "insight": (0.0, -0.04, -0.02),
    "asi": (0.0, -0.03, -0.02),
    "bsi": (0.0, 0.06, 0.07),
    "sfs": (0.0, 0.05, 0.05),
    "ismi": (0.0, 0.06, 0.08),
}
"""Standardized differences at T1, T2 and T3 by scale."""
NOTHING = (0.0, 0.0, 0.0)

WIDEST, HALVINGS, SWEEPS = 2.0, 16, 3


def contrasts(scores: Array, treated: Mask, better: int) -> Array:
    """Standardized adjusted differences by visit. ``scores``: people x visits, NaN where there is none; ``better``: 1 or -1.

    Generalized least squares within each arm, with one variance between and one within people, estimated by moments from those who have
    every score: V = s (I + r J), so that V^-1 = (I - r / (1 + n r) J) / s for a person with n scores.
    """
    ratio = _ratio(scores, treated)
    difference = _means(scores[treated], ratio) - _means(scores[~treated], ratio)
    first = scores[:, 0]
    groups = [first[arm & ~np.isnan(first)] for arm in (treated, ~treated)]
    pooled = sum(((group - group.mean()) ** 2).sum() for group in groups) / (sum(map(len, groups)) - 2)
    return np.asarray(better * difference / np.sqrt(pooled))


def _means(scores: Array, ratio: float) -> Array:
    """The adjusted mean of each visit: the normal equations, summed over people."""
    known = (~np.isnan(scores)).astype(float)
    given = np.nan_to_num(scores)
    shrink = ratio / (1 + ratio * known.sum(axis=1))
    left = np.diag(known.sum(axis=0)) - (known * shrink[:, None]).T @ known
    right = given.sum(axis=0) - known.T @ (shrink * given.sum(axis=1))
    return np.asarray(np.linalg.solve(left, right))


def _ratio(scores: Array, treated: Mask) -> float:
    """Variance between people over variance within."""
    covariance = np.zeros((scores.shape[1],) * 2)
    count = 0
    for arm in (treated, ~treated):
        whole = scores[arm & ~np.isnan(scores).any(axis=1)]
        centered = whole - whole.mean(axis=0)
        covariance += centered.T @ centered
        count += len(whole) - 1
    covariance /= count
    visits = len(covariance)
    between = (covariance.sum() - np.trace(covariance)) / (visits * (visits - 1))
    return float(max(between, 0.0) / (np.trace(covariance) / visits - max(between, 0.0)))


Score = Callable[[int, list[float]], Array]


def solve(score: Score, treated: Mask, better: int, wanted: tuple[float, ...]) -> list[float]:
    """By how much the latent answers of the experimental arm move for each visit, so that the contrasts are the ``wanted`` ones.

    ``score(visit, moves)`` gives everybody's scores at a visit. Visits hang together, through people who missed one and since the
    first move holds for every visit; so the round over the visits is made several times.
    """
    moves = [0.0] * len(wanted)
    scores = np.column_stack([score(visit, moves) for visit in range(len(wanted))])
    for _sweep in range(SWEEPS):
        for visit, aim in enumerate(wanted):
            low, high = -WIDEST, WIDEST
            for _halving in range(HALVINGS):
                moves[visit] = (low + high) / 2
                for touched in range(len(wanted)) if visit == 0 else (visit,):
                    scores[:, touched] = score(touched, moves)
                if contrasts(scores, treated, better)[visit] < aim:
                    low = moves[visit]
                else:
                    high = moves[visit]
    return moves
