"""The maximum of the two-level likelihood: a grid over the intraclass correlation, Brent in the best bracket, Newton to the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from . import likelihood
from .likelihood import Array, Model, State

_GRID = np.concatenate([[0.0], np.geomspace(1e-4, 0.5, 24), 1 - np.geomspace(0.45, 1e-4, 24)])
_NEWTON_STEPS = 40
_NEAR, _VERY_NEAR = 1e-3, 1e-9
"""How near Brent comes before Newton, in shares of the bracket's end; the second where the first was too far away."""


@dataclass(frozen=True)
class Top:
    """The highest point found, how many Newton steps led there, and how many local maxima the grid has."""

    state: State
    steps: int
    maxima: int
    boundary: bool


def maximize(model: Model, hint: float | None) -> Top:
    """Grid over the intraclass correlation, the best bracket by Brent, Newton steps to the end; 0 is compared exactly."""
    shares = np.unique(_GRID if hint is None else np.append(_GRID, hint))
    heights = likelihood.profile_heights(model, shares)
    padded = np.concatenate([[-np.inf], heights, [-np.inf]])
    maxima = int(((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:])).sum())
    best = int(np.argmax(heights))
    low = shares[max(best - 1, 0)]
    high = shares[best + 1] if best + 1 < len(shares) else 1 - 1e-12
    for nearness in (_NEAR, _VERY_NEAR):
        inside = optimize.minimize_scalar(
            lambda share: -likelihood.profile(model, share).log_likelihood,
            bounds=(float(low), float(high)),
            method="bounded",
            options={"xatol": nearness * float(high)},
        )
        state, steps, ended = _newton(likelihood.profile(model, float(inside.x)))
        if ended:
            break
    edge = likelihood.profile(model, 0.0)
    if edge.log_likelihood >= state.log_likelihood - 1e-12 and likelihood.derivatives(edge)[0][0] <= 0:
        return Top(edge, 0, maxima, boundary=True)
    return Top(state, steps, maxima, boundary=False)


def _newton(state: State) -> tuple[State, int, bool]:
    """Newton steps in the logarithms of the variances, halved until they climb; at last, whether they ended where nothing is left to gain."""
    for step in range(_NEWTON_STEPS):
        gradient, hessian = in_logs(state)
        if np.linalg.eigvalsh(-hessian).min() <= 0:
            return state, step, False
        move = np.clip(np.linalg.solve(-hessian, gradient), -2, 2)
        if gradient @ move < 1e-12 * (1 + abs(state.log_likelihood)):
            # so near the top one more step is exact, though heights are too coarse to show it
            return _moved(state, move), step + 1, True
        for _halving in range(30):
            tried = _moved(state, move)
            if tried.log_likelihood >= state.log_likelihood:
                break
            move = move / 2
        else:  # no step climbs any more: rounding
            return state, step, True
        state = tried
    return state, _NEWTON_STEPS, False


def _moved(state: State, move: Array) -> State:
    """The model at other variances, by a step in their logarithms."""
    s_u, s_e = np.array([state.s_u, state.s_e]) * np.exp(move)
    return likelihood.at(state.model, float(s_u), float(s_e))


def in_logs(state: State) -> tuple[Array, Array]:
    """Score and Hessian in (log s_u, log s_e)."""
    score, hessian = likelihood.derivatives(state)
    scale = np.array([state.s_u, state.s_e])
    return score * scale, hessian * np.outer(scale, scale) + np.diag(score * scale)
