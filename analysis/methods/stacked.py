"""Many refits of one model at once: the same Newton steps as in `mmrm`, for a stack of data sets that share patterns and covariance structure.

What is drawn anew for each data set may be small: the columns of the arm in a lot, nothing else. So the columns of [y | X] fall into `f` that all
data sets share and `g` of their own (all of them in a bootstrap sample), and what is kept of them are the cross-products of each pattern and pair
of visits (i, j), i >= j,

    S_q = Z_i'Z_j + Z_j'Z_i  (Z_i'Z_i where i = j),     so that  sum of Z'WZ = sum over patterns and pairs of W_ij S_q.

The covariance is unstructured and common to all patients, its parameters are its entries, in the order of `structures.entries`. A data set whose
search is not plain sailing (information that is not positive definite, no step that climbs) is given back to the single fit.

R data sets, P patterns, T visits, Q pairs of visits, z = f + g columns of which the first is y.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .likelihood import Array
from .patterns import Patterns
from .structures import entries

Rows = npt.NDArray[np.intp]

_PLAIN = 1e-9  # an eigenvalue of the scaled information below this share of the largest: for the single fit to judge
_STEPS, _HALVINGS = 20, 8
_ROOM = 4_000_000
"""The most numbers in an array of all data sets that climb together."""
_KEPT = 3_000_000
"""Once so many numbers were freed, the C library keeps what the steps free: new pages take longer than the sums in them."""
_TELLS = 1e-6
"""What a column adds to the others, as a share of its squared length; below it the single fit says what can be estimated."""


@dataclass(frozen=True)
class Stack:
    """Cross-products of R data sets. `shared` (P*Q, f*f) and `own` (R, P*Q, f*g + g*g): columns of the first with those of the second, and these.

    `pairs` (T, T, P): the visits that a pattern has; `people` (R, P); `rows` (R,), the observations; `log_root`: log|R| of the orthonormal basis
    of the columns that stand on one.
    """

    pairs: npt.NDArray[np.bool_]
    people: Array
    rows: Array
    shared: Array
    own: Array
    f: int
    g: int
    log_root: float

    def __len__(self) -> int:
        return len(self.own)

    def of(self, some: Rows) -> Stack:
        """The data sets at these places."""
        if len(some) == len(self):
            return self
        return replace(self, own=self.own[some], people=self.people[some], rows=self.rows[some])

    def cross(self, weights: Array) -> Array:
        """Z'MZ (R, a, z, z) of `a` symmetric weights M, given at the pairs (R, a, P*Q)."""
        R, a, _pairs = weights.shape
        f, g = self.f, self.g
        found = np.empty((R, a, f + g, f + g))
        found[..., :f, :f] = (weights.reshape(R * a, -1) @ self.shared).reshape(R, a, f, f)
        own = weights @ self.own
        found[..., :f, f:] = own[..., : f * g].reshape(R, a, f, g)
        found[..., f:, :f] = found[..., :f, f:].swapaxes(-1, -2)
        found[..., f:, f:] = own[..., f * g :].reshape(R, a, g, g)
        return found

    def inner(self, about: Array) -> Array:
        """<S_q, M> (R, P*Q) of a symmetric M (R, z, z)."""
        R, f, g = len(about), self.f, self.g
        own = np.concatenate([2 * about[:, :f, f:].reshape(R, f * g), about[:, f:, f:].reshape(R, g * g)], axis=1)
        found = about[:, :f, :f].reshape(R, f * f) @ self.shared.T
        return np.asarray(found + (self.own @ own[:, :, None])[:, :, 0])


def at_once(patterns: int, visits: int, f: int, g: int) -> int:
    """How many data sets of this size climb together."""
    pairs, z = len(entries(visits)), f + g
    each = max(patterns * pairs * max(g * z, pairs), pairs * z * z, visits**4)
    return max(1, _ROOM // each)


def tells(stack: Stack) -> npt.NDArray[np.bool_]:
    """Which data sets (R,) clearly tell each of their own columns of X from the others; the shared ones stand on an orthonormal basis."""
    where, f = entries(len(stack.pairs)), stack.f
    own = max(f, 1)  # y is the first column
    own_visit = stack.pairs[where[:, 0], where[:, 1]] & (where[:, 0] == where[:, 1])[:, None]
    weights = np.broadcast_to(own_visit.T.reshape(1, 1, -1), (len(stack), 1, own_visit.size)).astype(float)
    cross = stack.cross(weights)[:, 0]
    X1, X01 = cross[:, own:, own:], cross[:, 1:f, own:]
    length = np.sqrt(np.diagonal(X1, axis1=1, axis2=2))
    scale = np.where(length > 0, length, 1.0)
    rest = (X1 - X01.swapaxes(1, 2) @ X01) / (scale[:, :, None] * scale[:, None, :])
    return np.asarray(np.linalg.eigvalsh(rest)[:, 0] > _TELLS)


def cross_products(fixed: Patterns) -> Array:
    """S_q of the columns [y | X] that all data sets share (P*Q, f*f)."""
    where, P, T, r = entries(fixed.visits), len(fixed.seen), fixed.visits, fixed.rank
    i, j, twice = where[:, 0], where[:, 1], (where[:, 0] != where[:, 1])[:, None]
    found = np.empty((P, len(where), r + 1, r + 1))
    XX = fixed.XX.reshape(P, T, T, r, r)
    found[:, :, 0, 0] = fixed.YY[:, i, j] * (1 + twice[:, 0])
    found[:, :, 0, 1:] = found[:, :, 1:, 0] = fixed.XY[:, i, j] + twice * fixed.XY[:, j, i]
    found[:, :, 1:, 1:] = XX[:, i, j] + twice[..., None] * XX[:, j, i]
    return found.reshape(P * len(where), -1)


@dataclass(frozen=True)
class Tops:
    """Where the searches ended: `gamma` (R, z - 1), `inverse` (R, z - 1, z - 1) = (X'WX)^-1, `sigma` (R, T, T), where `found` (R,)."""

    found: npt.NDArray[np.bool_]
    sigma: Array
    gamma: Array
    inverse: Array


@dataclass(frozen=True)
class _Points:
    """The likelihood of each data set at its covariance. W (T, T, R, P)."""

    height: Array
    W: Array
    gamma: Array
    inverse: Array


def climb(stack: Stack, start: Array, reml: bool, enough: float) -> Tops:
    """The maxima from the covariance `start` (T, T), each with a decrement below `enough`, twice the log-likelihood still to be gained."""
    R, T, r = len(stack), len(start), stack.f + stack.g - 1
    where = entries(T)
    begin = start[where[:, 0], where[:, 1]]
    tops = Tops(np.zeros(R, dtype=bool), np.zeros((R, T, T)), np.zeros((R, r)), np.zeros((R, r, r)))
    np.empty(_KEPT)
    left, base, move = np.arange(R), np.tile(begin, (R, 1)), np.zeros((R, len(where)))
    height, halvings = np.full(R, -np.inf), np.zeros(R, dtype=np.intp)
    with contextlib.suppress(np.linalg.LinAlgError):  # who is still at work then has not been found
        for _step in range(_STEPS):
            theta = base + move
            climbs = _is_covariance(theta, T)
            points = _at(stack, np.where(climbs[:, None], theta, begin), T, reml)
            climbs &= points.height > height - 1e-12 * np.abs(points.height)
            score, information = _derivatives(stack, points, reml)
            values, newton = _newton(score, information)
            plain = values[:, 0] > _PLAIN * values[:, -1]
            done = climbs & plain & (np.einsum("ra,ra->r", score, newton) < enough)
            tops.found[left[done]] = True
            tops.sigma[left[done]] = _matrices(theta[done], T).transpose(2, 0, 1)
            tops.gamma[left[done]], tops.inverse[left[done]] = points.gamma[done], points.inverse[done]
            halvings = np.where(climbs, 0, halvings + 1)
            going = np.flatnonzero(np.where(climbs, plain & ~done, halvings < _HALVINGS))
            if not len(going):
                break
            base = np.where(climbs[:, None], theta, base)[going]
            move = np.where(climbs[:, None], newton, move / 2)[going]
            height = np.where(climbs, points.height, height)[going]
            stack, left, halvings = stack.of(going), left[going], halvings[going]
    return tops


def _matrices(theta: Array, visits: int) -> Array:
    """Symmetric matrices (T, T, R) from their entries (R, Q)."""
    where = entries(visits)
    sigma = np.empty((visits, visits, len(theta)))
    sigma[where[:, 0], where[:, 1]] = sigma[where[:, 1], where[:, 0]] = theta.T
    return sigma


def _is_covariance(theta: Array, visits: int) -> npt.NDArray[np.bool_]:
    with np.errstate(all="ignore"):
        _inverse, pivots = _inverted(_matrices(theta, visits))
    return np.asarray((pivots > 0).all(axis=0))


def _inverted(matrices: Array) -> tuple[Array, Array]:
    """Inverses of positive definite (T, T, ...) by Gauss and Jordan, and the pivots (T, ...), whose product is the determinant."""
    M, pivots = matrices.copy(), np.empty(matrices.shape[1:])
    for k in range(len(M)):
        pivots[k] = M[k, k]
        row, column = M[k] / pivots[k], M[:, k].copy()
        M -= column[:, None] * row[None]
        M[k], M[:, k] = row, -column / pivots[k]
        M[k, k] = 1 / pivots[k]
    return M, pivots


def _at(stack: Stack, theta: Array, visits: int, reml: bool) -> _Points:
    where, P = entries(visits), stack.people.shape[1]
    diagonal = np.arange(visits)
    padded = np.where(stack.pairs[:, :, None], _matrices(theta, visits)[..., None], 0.0)
    padded[diagonal, diagonal] += ~stack.pairs[diagonal, diagonal][
        :, None
    ]  # an identity for visits that a pattern does not have
    W, pivots = _inverted(padded)
    W *= stack.pairs[:, :, None]
    weights = W[where[:, 0], where[:, 1]].transpose(1, 2, 0).reshape(len(theta), 1, P * len(where))
    cross = stack.cross(weights)[:, 0]
    A, Xy = cross[:, 1:, 1:], cross[:, 1:, 0]
    inverse = np.linalg.inv(A)
    inverse = (inverse + inverse.swapaxes(1, 2)) / 2
    gamma = (inverse @ Xy[:, :, None])[:, :, 0]
    value = (np.log(pivots).sum(axis=0) * stack.people).sum(axis=1) + cross[:, 0, 0] - np.einsum("rp,rp->r", gamma, Xy)
    value += (stack.rows - (A.shape[1] if reml else 0)) * np.log(2 * np.pi)
    if reml:
        value += np.linalg.slogdet(A)[1] + 2 * stack.log_root
    return _Points(-0.5 * value, W, gamma, inverse)


@dataclass(frozen=True)
class _Places:
    """Where the entries a = (i, j) and b = (k, l) stand in products of matrices (Q, Q), and the halves of what is counted twice on diagonals."""

    i: Rows
    j: Rows
    once: Array


@functools.cache
def _places(visits: int) -> _Places:
    where = entries(visits)
    return _Places(where[:, 0], where[:, 1], np.where(where[:, 0] == where[:, 1], 0.5, 1.0))


def _derivatives(stack: Stack, points: _Points, reml: bool) -> tuple[Array, Array]:
    """Score (R, Q) and observed information (R, Q, Q) in the entries, as in `mmrm`."""
    W, N = points.W, stack.people
    T, _T, R, P = W.shape
    at = _places(T)
    i, j, once, Q = at.i, at.j, at.once, len(at.i)
    # W G_a W at the pair q: W_qi Waj + W_qj Wia
    WGW = W[i[None, :], i[:, None]] * W[j[:, None], j[None, :]] + W[i[None, :], j[:, None]] * W[i[:, None], j[None, :]]
    WGW *= once[:, None, None, None]
    weights = np.ascontiguousarray(WGW.transpose(2, 0, 3, 1)).reshape(R, Q, P * Q)
    slopes = stack.cross(weights)  # -dC
    c = np.concatenate([np.ones((R, 1)), -points.gamma], axis=1)
    about = c[:, :, None] * c[:, None, :]
    if reml:
        about[:, 1:, 1:] += points.inverse
    inner = stack.inner(about)  # sum of r r' + x A^-1 x', doubled off the diagonal
    traced = 2 * once * (W[i, j] * N).sum(axis=2).T  # tr(N W G_a)
    score = -0.5 * (traced - (weights @ inner[:, :, None])[:, :, 0])
    H = np.empty((T, T, R, P))
    H[i, j] = H[j, i] = inner.reshape(R, P, Q).transpose(2, 0, 1) * (0.5 / once)[:, None, None]
    U = np.einsum("stRP,tuRP,uvRP->svRP", W, H, W, optimize=True)
    K = 0.5 * N * W - U
    F = np.matmul(W.reshape(T * T, R, P).transpose(1, 0, 2), K.reshape(T * T, R, P).transpose(1, 2, 0))
    F = F.reshape(R, T, T, T, T)
    a, b = np.arange(Q)[:, None], np.arange(Q)[None, :]
    mixed = F[:, j[a], i[b], j[b], i[a]] + F[:, i[a], i[b], j[b], j[a]]
    mixed = mixed + F[:, j[a], j[b], i[b], i[a]] + F[:, i[a], j[b], i[b], j[a]]
    mixed *= once[:, None] * once[None, :]
    u = (slopes[:, :, 1:] @ c[:, None, :, None])[..., 0]  # X'W G_a W r
    hessian = mixed + u @ points.inverse @ u.swapaxes(1, 2)
    if reml:
        turned = points.inverse[:, None] @ slopes[:, :, 1:, 1:]
        across = turned.swapaxes(2, 3).reshape(R, Q, -1)
        hessian = hessian + 0.5 * turned.reshape(R, Q, -1) @ across.swapaxes(1, 2)
    return score, -(hessian + hessian.swapaxes(1, 2)) / 2


def _newton(score: Array, information: Array) -> tuple[Array, Array]:
    """Eigenvalues (R, Q) of the information scaled to a unit diagonal, and Newton's step."""
    scale = np.sqrt(np.maximum(np.abs(np.diagonal(information, axis1=1, axis2=2)), 1e-300))
    values, vectors = np.linalg.eigh(information / (scale[:, :, None] * scale[:, None, :]))
    size = np.maximum(np.abs(values), 1e-9 * np.abs(values).max(axis=1, keepdims=True))
    along = (vectors.swapaxes(1, 2) @ (score / scale)[:, :, None])[:, :, 0] / size
    return values, (vectors @ along[:, :, None])[:, :, 0] / scale
