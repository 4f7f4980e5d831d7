"""Counts: negative binomial regression (variance mu + mu^2 / theta), log link, offset, a random intercept of teams by Laplace.

log f(y) = lgamma(y + theta) - lgamma(theta) - lgamma(y + 1) + theta log theta + y log mu - (y + theta) log(mu + theta),  log mu = x'b + offset + u.

With teams, u_j ~ N(0, s^2) is integrated out by Laplace's approximation: l_j(u^) - log(s) - log(-l_j''(u^)) / 2, u^ the mode (as glmmTMB).
Gradients are by the complex step (Squire and Trapp 1998, SIAM Review 40:110-112), exact to rounding; the observed information is their
central difference. Standard errors are from the observed information, statistics are Wald's z. Where theta runs to infinity the model is
Poisson's; where s is 0 it is the one without teams.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from .likelihood import Array

_STEP = 1e-30
_MODES = 60


@dataclass(frozen=True)
class CountFit:
    """`beta` (p,), `covariance` (p, p) of beta; `theta` None for Poisson; `team_variance` None without teams, 0 where it is 0."""

    beta: Array
    covariance: Array
    theta: float | None
    team_variance: float | None
    log_likelihood: float
    gradient: float
    converged: bool


def fit_counts(y: Array, X: Array, offset: Array, teams: npt.NDArray[np.intp] | None = None) -> CountFit:
    """Fit counts y (N,) on X (N, p) of full column rank, offset (N,), teams (N,) coded from 0."""
    start = _poisson(y, X, offset)
    mu = np.exp(X @ start + offset)
    extra = float(((y - mu) ** 2 - y).sum())  # the score of 1 / theta at 0, twice
    if extra <= 0 and teams is None:
        return _finish(y, X, offset, None, start, theta=False)
    size = float(np.clip((mu**2).sum() / max(extra, 1e-3 * (mu**2).sum()), 0.05, 1e3))
    plain = _finish(y, X, offset, None, np.append(start, np.log(size)), theta=True)
    if teams is None:
        return plain
    begin = np.concatenate([plain.beta, [np.log(plain.theta or 1e3), np.log(0.3)]])
    found = _finish(y, X, offset, teams, begin, theta=True)
    if not found.converged or found.log_likelihood < plain.log_likelihood + 1e-9 or (found.team_variance or 0) < 1e-10:
        return CountFit(
            plain.beta, plain.covariance, plain.theta, 0.0, plain.log_likelihood, plain.gradient, plain.converged
        )
    return found


def _poisson(y: Array, X: Array, offset: Array) -> Array:
    """The maximum of Poisson's likelihood by Newton's steps, halved until they climb."""
    beta = np.asarray(np.linalg.lstsq(X, np.log(y + 0.5) - offset, rcond=None)[0], dtype=float)

    def height(b: Array) -> float:
        eta = X @ b + offset
        return float(y @ eta - np.exp(np.minimum(eta, 500)).sum())

    for _step in range(100):
        mu = np.exp(X @ beta + offset)
        score = X.T @ (y - mu)
        move = np.linalg.solve(X.T @ (X * mu[:, None]), score)
        if score @ move < 1e-20:
            break
        now, scale = height(beta), 1.0
        while height(beta + scale * move) < now and scale > 1e-8:
            scale /= 2
        beta = beta + scale * move
    return np.asarray(beta, dtype=float)


def _objective(
    y: Array, X: Array, offset: Array, teams: npt.NDArray[np.intp] | None, theta: bool
) -> Callable[[Any], Any]:
    """The log-likelihood as a function of (b, log theta, log s), which may be complex; the modes of the teams are kept between calls."""
    p = X.shape[1]
    constant = -special.gammaln(y + 1).sum()
    modes = np.zeros(0 if teams is None else int(teams.max()) + 1, dtype=complex)

    def height(parameters: Any) -> Any:
        eta = X @ parameters[:p] + offset
        if not theta:
            return constant + y @ eta - np.exp(eta).sum()
        size = np.exp(parameters[p])
        own = (special.loggamma(y + size) - special.loggamma(size)).sum() + len(y) * size * np.log(size) + constant
        if teams is None:
            return own + y @ eta - ((y + size) * np.log(np.exp(eta) + size)).sum()
        return own + _laplace(y, eta, size, np.exp(2 * parameters[p + 1]), teams, modes)

    return height


def _laplace(y: Array, eta: Any, size: Any, variance: Any, teams: npt.NDArray[np.intp], modes: Any) -> Any:
    """The part of the likelihood that has the teams' effects, which are taken at their modes."""
    u = modes.real + 0j * eta[0]
    for step in range(_MODES):
        mu = np.exp(eta + u[teams])
        slope = _sums(teams, y - (y + size) * mu / (mu + size), len(u)) - u / variance
        bend = _sums(teams, (y + size) * mu * size / (mu + size) ** 2, len(u)) + 1 / variance
        move = slope / bend
        u = u + move
        # a further step carries the imaginary part, which converges with the square of the real one
        if (
            step > 2
            and np.abs(move.real).max() < 1e-14 * (1 + np.abs(u.real).max())
            and np.abs(move.imag).max() < 1e-44
        ):
            break
    modes[:] = u.real
    mu = np.exp(eta + u[teams])
    bend = _sums(teams, (y + size) * mu * size / (mu + size) ** 2, len(u)) + 1 / variance
    fit = y @ (eta + u[teams]) - ((y + size) * np.log(mu + size)).sum()
    return fit - (u**2).sum() / (2 * variance) - len(u) * np.log(variance) / 2 - np.log(bend).sum() / 2


def _sums(teams: npt.NDArray[np.intp], values: Any, number: int) -> Any:
    real = np.bincount(teams, values.real, number)
    return real + 1j * np.bincount(teams, values.imag, number) if np.iscomplexobj(values) else real


def _finish(
    y: Array, X: Array, offset: Array, teams: npt.NDArray[np.intp] | None, start: Array, theta: bool
) -> CountFit:
    """The maximum from `start`: BFGS, then Newton's steps with the observed information."""
    height = _objective(y, X, offset, teams, theta)

    def gradient(b: Array) -> Array:
        return np.array([height(b + 1j * _STEP * one).imag / _STEP for one in np.eye(len(b))])

    def information(b: Array) -> Array:
        step = 1e-5 * np.maximum(1.0, np.abs(b))
        rows = [
            (gradient(b + h * e) - gradient(b - h * e)) / (2 * h) for h, e in zip(step, np.eye(len(b)), strict=True)
        ]
        found = -np.array(rows)
        return np.asarray((found + found.T) / 2, dtype=float)

    def below(b: Any) -> float:
        return -float(height(b + 0j).real)

    minimize: Any = optimize.minimize  # its stubs refuse a method named in a text
    rough = minimize(below, start, jac=lambda b: -gradient(np.asarray(b, dtype=float)), method="BFGS")
    best = np.asarray(rough.x if np.isfinite(rough.fun) else start, dtype=float)
    observed = information(best)
    for _step in range(20):
        slope = gradient(best)
        move = np.linalg.solve(observed, slope)
        if not np.isfinite(move).all() or np.abs(move).max() > 2:
            break
        best = best + move
        observed = information(best)
        if np.abs(move).max() < 1e-12:
            break
    p, slope = X.shape[1], gradient(best)
    spread = np.asarray(np.linalg.inv(observed), dtype=float)
    definite = bool(np.linalg.eigvalsh(observed)[0] > 0)
    return CountFit(
        beta=best[:p],
        covariance=spread[:p, :p],
        theta=float(np.exp(best[p])) if theta else None,
        team_variance=None if teams is None else float(np.exp(2 * best[p + 1])),
        log_likelihood=float(height(best + 0j).real),
        gradient=float(np.abs(slope).max()),
        converged=definite and bool(np.abs(slope).max() < 1e-6 * max(1.0, len(y) ** 0.5)),
    )
