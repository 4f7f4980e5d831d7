"""The likelihood of repeated measures and its maximum: Gaussian rows y_i = X_i b + e_i, Var(e_i) = Sigma at the visits of patient i.

With W = Sigma_i^-1, A = X'WX, b = A^-1 X'Wy, r = y - Xb (sums over patients, kept by pattern in `patterns.Patterns`):

    2 logLik = -log|V| - r'Wr - (N - p) log(2 pi) - log|A| + log|X'X|    REML: the last term is left out, as mmrm, nlme and lme4 do
    score_a  = -1/2 [tr(W G_a) - r'W G_a W r - tr(A^-1 X'W G_a W X)]      G_a = dSigma / d theta_a

and the observed Hessian in closed form (Lindstrom and Bates 1988, JASA 83:1014-1022, for Sigma linear in its entries). ML drops the terms
in A. Structures other than `us` follow by the chain rule. Newton steps, halved until they climb; the start is the available-case covariance.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from .likelihood import Array
from .patterns import Patterns
from .structures import Structure, entries

_DECREMENT, _STEPS, _HALVINGS = 1e-18, 100, 40
_LOG_TURN = math.log(2 * math.pi)
_FLAT = 1e-11  # an eigenvalue of the information below this share of the largest: a direction the data say nothing of


@dataclass(frozen=True)
class Point:
    """The likelihood at covariance matrices `sigma` (K, T, T), and what derivatives and variances are made of.

    gamma (r,): coefficients on the orthonormal basis; inverse (r, r) = A^-1; W (P, T, T). The rest is empty unless derivatives were asked
    for: score (K Q,) and hessian (K Q, K Q) in the entries; `average`, the average information, positive semidefinite; A_slopes (K Q, r, r) = dA;
    WG (P, Q, T, T) = W G_a, WGW its product with W.
    """

    height: float
    sigma: Array
    gamma: Array
    inverse: Array
    W: Array
    score: Array
    hessian: Array
    average: Array
    A_slopes: Array
    WG: Array
    WGW: Array


_NOTHING = np.empty(0)


@functools.cache
def _generators(visits: int) -> Array:
    """dSigma / d entry (Q, T, T)."""
    where = entries(visits)
    G = np.zeros((len(where), visits, visits))
    a = np.arange(len(where))
    G[a, where[:, 0], where[:, 1]] = G[a, where[:, 1], where[:, 0]] = 1.0
    G.flags.writeable = False
    return G


def matrices(values: Array, visits: int) -> Array:
    """Symmetric matrices (K, T, T) from their entries (K Q,)."""
    where = entries(visits)
    by_group = values.reshape(-1, len(where))
    sigma = np.empty((len(by_group), visits, visits))
    sigma[:, where[:, 0], where[:, 1]] = sigma[:, where[:, 1], where[:, 0]] = by_group
    return sigma


def evaluate(data: Patterns, sigma: Array, reml: bool, derivatives: bool = True) -> Point | None:
    """The likelihood at `sigma` (K, T, T); None where that is no covariance."""
    r = data.rank
    padded = sigma[data.group] * data.pairs + data.unseen
    try:
        root = np.linalg.cholesky(padded)
        W = np.asarray(np.linalg.inv(padded) * data.pairs, dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    w = W.reshape(-1)
    factor, failed = lapack.dpotrf((w @ data.XX).reshape(r, r), lower=1)
    if failed:
        return None
    half, _failed = lapack.dpotri(factor, lower=1)  # the lower triangle, zeros above
    inverse = half + half.T
    inverse.flat[:: r + 1] /= 2
    Xy = w @ data.XY.reshape(-1, r)
    gamma = inverse @ Xy
    log_V = 2 * np.log(root.diagonal(axis1=1, axis2=2)).sum(axis=1) @ data.people
    height = log_V + w @ data.YY.reshape(-1) - gamma @ Xy + (data.rows - (r if reml else 0)) * _LOG_TURN
    height = -0.5 * float(height + (2 * (np.log(factor.diagonal()).sum() + data.log_root) if reml else 0.0))
    if not math.isfinite(height):
        return None
    if not derivatives:
        return Point(height, sigma, gamma, inverse, W, *[_NOTHING] * 6)
    return Point(height, sigma, gamma, inverse, W, *_derivatives(data, gamma, inverse, W, reml))


def _derivatives(data: Patterns, gamma: Array, inverse: Array, W: Array, reml: bool) -> tuple[Array, ...]:
    """Score, observed Hessian, average information, dA, WG and WGW, in the entries of all covariance matrices."""
    P, T, r = len(data.seen), data.visits, data.rank
    G = _generators(T)
    Q = len(G)
    Xb = data.XY @ gamma
    XXb = (data.XX.reshape(-1, r) @ gamma).reshape(P, T, T, r)
    R = data.YY - Xb - Xb.transpose(0, 2, 1) + XXb @ gamma  # sum of r r'
    WR = W @ R @ W
    N = data.people[:, None, None] * W
    WH = W @ (data.XX @ inverse.reshape(-1)).reshape(P, T, T) @ W if reml else np.zeros_like(WR)
    gradient = -0.5 * ((N - WR - WH).reshape(P, -1) @ G.reshape(Q, -1).T)
    WG = W[:, None] @ G
    WGW = WG @ W[:, None]
    Xr = data.XY - XXb  # sum of x_is r_it
    size = data.groups * Q
    score, dA, u = np.zeros(size), np.zeros((size, r, r)), np.zeros((size, r))
    mixed, spread = np.zeros((size, size)), np.zeros((size, size))
    K = 0.5 * N - WH - WR
    for group in range(data.groups):
        mine = data.group == group if data.groups > 1 else slice(None)
        part = slice(group * Q, (group + 1) * Q)
        score[part] = gradient[mine].sum(axis=0)
        flat = WGW[mine].transpose(1, 0, 2, 3).reshape(Q, -1)
        dA[part] = -(flat @ data.XX.reshape(P, -1, r * r)[mine].reshape(-1, r * r)).reshape(Q, r, r)
        u[part] = flat @ Xr[mine].reshape(-1, r)
        left = WG[mine].transpose(1, 0, 2, 3).reshape(Q, -1)
        mixed[part, part] = left @ _right(K[mine], G)
        spread[part, part] = left @ _right(WR[mine], G)
    uu = u @ inverse @ u.T
    hessian = mixed + uu
    if reml:
        turned = inverse @ dA
        hessian = hessian + 0.5 * turned.reshape(size, -1) @ turned.transpose(0, 2, 1).reshape(size, -1).T
    return score, (hessian + hessian.T) / 2, 0.5 * (spread - uu), dA, WG, WGW


def _right(K: Array, G: Array) -> Array:
    """K G_b, laid out so that WG @ this is the sum of tr(W G_a K G_b) over patterns."""
    product = K[:, None] @ G  # (P, Q, T, T)
    return product.transpose(0, 3, 2, 1).reshape(-1, len(G))


@dataclass(frozen=True)
class Maximum:
    """Where the search ended. `theta` are the parameters of `structure`, one set a group; J (K Q, size) their effect on the entries.

    `information` is the observed information in theta; `decrement` what Newton still expects to gain, twice; `converged`: no gain left and
    the information is positive definite; `history` has the log-likelihood of each step.
    """

    structure: Structure
    point: Point
    theta: Array
    J: Array
    information: Array
    gradient: float
    decrement: float
    eigenvalues: tuple[float, ...]
    steps: int
    converged: bool
    history: tuple[float, ...]


def available_cases(data: Patterns) -> Array:
    """Residual covariances (K, T, T) of least squares from whoever has both visits, made positive definite: the start of the search."""
    r = data.rank
    identity = (np.eye(data.visits) * data.pairs).reshape(-1)
    gamma = np.linalg.solve((identity @ data.XX).reshape(r, r), identity @ data.XY.reshape(-1, r))
    Xb = data.XY @ gamma
    fitted = (data.XX @ (gamma[:, None] * gamma).reshape(-1)).reshape(data.YY.shape)  # sum of (x_is'g)(x_it'g)
    R = data.YY - Xb - Xb.transpose(0, 2, 1) + fitted
    found = []
    for group in range(data.groups):
        mine = data.group == group
        number = np.tensordot(data.people[mine], data.pairs[mine], 1)
        sigma = R[mine].sum(axis=0) / np.maximum(number, 1)
        values, vectors = np.linalg.eigh(sigma)
        found.append((vectors * np.maximum(values, 1e-3 * max(values.max(), 1e-300))) @ vectors.T)
    return np.stack(found)


def _in_theta(structure: Structure, theta: Array, point: Point) -> tuple[Array, Array, Array, Array]:
    """J, score, observed information and average information in the parameters of the structure."""
    groups = len(point.sigma)
    if structure.free:
        return np.eye(len(theta)), point.score, -point.hessian, point.average
    Q, size = len(entries(structure.visits)), structure.size
    J, bent = np.zeros((groups * Q, groups * size)), np.zeros((groups * size, groups * size))
    for g in range(groups):
        own, part = slice(g * size, (g + 1) * size), slice(g * Q, (g + 1) * Q)
        J[part, own] = structure.jacobian(theta[own])
        bent[own, own] = structure.curvature(theta[own], point.score[part])
    return J, J.T @ point.score, -(J.T @ point.hessian @ J + bent), J.T @ point.average @ J


def _values(structure: Structure, theta: Array) -> Array:
    if structure.free:
        return theta
    return np.concatenate([structure.values(one) for one in theta.reshape(-1, structure.size)])


def maximize(
    data: Patterns, structure: Structure, reml: bool, start: Array | None = None, enough: float = _DECREMENT
) -> Maximum | None:
    """The maximum of the likelihood; None where not even the start has a likelihood.

    Refits of nearly the same data (another lot, a bootstrap sample) begin at the covariances `start` (K, T, T) of the first fit; `enough` is the
    decrement at which they end, twice the log-likelihood still to be gained.
    """
    T = data.visits
    theta = np.concatenate([structure.start(one) for one in (available_cases(data) if start is None else start)])
    point = evaluate(data, matrices(_values(structure, theta), T), reml)
    if point is None and not structure.free:  # a correlation pattern that is no covariance: start without correlation
        theta = theta.reshape(-1, structure.size).copy()
        theta[:, structure.spreads.shape[1] :] = 0.0
        theta = theta.reshape(-1)
        point = evaluate(data, matrices(_values(structure, theta), T), reml)
    if point is None:
        return None
    history = [point.height]
    steps, stuck = 0, False
    while True:
        J, score, information, average = _in_theta(structure, theta, point)
        values, move = _newton(score, information, average)
        decrement = float(score @ move)
        if decrement < enough or stuck or steps == _STEPS:
            break
        steps += 1
        for halving in range(_HALVINGS):
            tried = theta + move / 2**halving
            higher = evaluate(data, matrices(_values(structure, tried), T), reml, derivatives=halving == 0)
            if higher is not None and higher.height > point.height - 1e-12 * abs(point.height):
                break
        else:
            stuck = True
            continue
        whole = higher if higher.score.size else evaluate(data, higher.sigma, reml)
        if whole is None:
            stuck = True
            continue
        theta, point = tried, whole
        history.append(point.height)
    definite = bool(values[0] > _FLAT * values[-1])
    gradient = float(np.abs(score).max())
    good = definite and decrement < 1e-8
    return Maximum(
        structure, point, theta, J, information, gradient, decrement, tuple(map(float, values)), steps, good,
        tuple(history),
    )  # fmt: skip


def _newton(score: Array, information: Array, average: Array) -> tuple[Array, Array]:
    """Eigenvalues of the information scaled to a unit diagonal, and an uphill step: Newton's, else by the average information."""
    judged: Array | None = None
    for matrix in (information, average):
        scale = np.sqrt(np.maximum(np.abs(matrix.diagonal()), 1e-300))
        values, vectors = np.linalg.eigh(matrix / (scale[:, None] * scale))
        judged = values if judged is None else judged
        if values[0] > _FLAT * values[-1]:
            break
    size = np.maximum(np.abs(values), 1e-9 * np.abs(values).max())
    step = vectors @ ((vectors.T @ (score / scale)) / size) / scale
    return judged if judged is not None else values, step
