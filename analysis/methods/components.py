"""Linear mixed models by variance components, blocks of dependent rows at a time: V = sum_a theta_a G_a, y = X b + e, Var(e) = V.

Each random term has a covariance matrix D = L L' of its effects (a variance, or those of an intercept and a slope with their covariance);
the entries of D and the residual variances are the theta. The search is Newton's in the entries of L and the logarithms of the residual
variances: there a variance of 0 (or a correlation of 1) is an ordinary maximum, L having a zero on its diagonal. Score and observed Hessian are
exact, as in `mmrm`. Starts are several, since the surface may have several maxima.

    H_ab = 1/2 tr(W G_a W G_b) - tr(Phi Q_ab) - r'W G_a W G_b W r + 1/2 tr(Phi A_a Phi A_b) + u_a'Phi u_b
    Q_ab = X'W G_a W G_b W X,  A_a = -X'W G_a W X,  u_a = X'W G_a W r,  W = V^-1,  Phi = (X'WX)^-1         (ML: no terms in Phi)

Kenward and Roger's adjustment here uses the expected information, as pbkrtest: 1/2 tr(W G_a W G_b) - tr(Phi Q_ab) + 1/2 tr(Phi A_a Phi A_b).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .likelihood import Array
from .longtable import Codes

_DECREMENT, _STEPS, _HALVINGS = 1e-18, 100, 40
_GONE = 1e-6  # a standard deviation below this share of the residual one is 0


@dataclass(frozen=True)
class Term:
    """Random effects of `units` (N,): one column of `z` (N, q) an effect; q is 1 or 2. A unit of -1 has none."""

    name: str
    units: Codes
    z: Array

    @property
    def entries(self) -> int:
        """Entries of D: 1 or 3."""
        q = int(self.z.shape[1])
        return q * (q + 1) // 2


@dataclass(frozen=True)
class Batch:
    """Blocks of one size b: X (k, b, r), y (k, b), G (k, a, b, b); `rows` (k, b) of the table they are."""

    X: Array
    y: Array
    G: Array
    rows: Codes


@dataclass(frozen=True)
class Blocks:
    """All blocks, the terms they come from, and how many residual variances there are."""

    batches: tuple[Batch, ...]
    terms: tuple[Term, ...]
    residuals: int
    rows: int
    rank: int
    log_root: float

    @property
    def size(self) -> int:
        """Number of theta."""
        return sum(term.entries for term in self.terms) + self.residuals


def build_blocks(
    y: Array, X: Array, terms: Sequence[Term], blocks: Codes, residual: Codes | None = None, log_root: float = 0.0
) -> Blocks:
    """Rows with one code in `blocks` (N,) may depend on each other; `residual` (N,) says which residual variance a row has."""
    order = np.argsort(blocks, kind="stable")
    _codes, start, counts = np.unique(blocks[order], return_index=True, return_counts=True)
    batches = []
    kind = np.zeros(len(y), dtype=np.intp) if residual is None else residual
    residuals = int(kind.max()) + 1
    for size in np.unique(counts):
        rows = order[start[counts == size][:, None] + np.arange(size)]  # (k, b)
        G: list[Array] = []
        for term in terms:
            same = (term.units[rows][:, :, None] == term.units[rows][:, None, :]) & (term.units[rows] >= 0)[:, :, None]
            z = term.z[rows]
            for i in range(term.z.shape[1]):
                for j in range(i + 1):
                    outer = z[:, :, None, i] * z[:, None, :, j]
                    G.append(same * (outer if i == j else outer + outer.transpose(0, 2, 1)))
        G += [np.eye(size) * (kind[rows] == k)[:, :, None] for k in range(residuals)]
        batches.append(Batch(X[rows], y[rows], np.stack(G, axis=1), rows))
    return Blocks(tuple(batches), tuple(terms), residuals, len(y), X.shape[1], log_root)


@dataclass(frozen=True)
class Level:
    """The model at `theta`: log-likelihood, coefficients gamma (r,), Phi; score and observed information (a,), (a, a) in theta; A_slopes
    (a, r, r); Q (a, a, r, r); trace (a, a) = tr(W G_a W G_b)."""

    theta: Array
    height: float
    gamma: Array
    phi: Array
    score: Array
    information: Array
    A_slopes: Array
    Q: Array
    trace: Array


def evaluate(model: Blocks, theta: Array, reml: bool) -> Level | None:
    """The likelihood with its derivatives; None where V is no covariance."""
    r, a = model.rank, model.size
    A, Xy, log_V = np.zeros((r, r)), np.zeros(r), 0.0
    inverses = []
    try:
        for batch in model.batches:
            V = np.einsum("kabc,a->kbc", batch.G, theta)
            log_V += 2 * float(np.log(np.diagonal(np.linalg.cholesky(V), axis1=1, axis2=2)).sum())
            W = np.linalg.inv(V)
            WX = W @ batch.X
            A += np.einsum("kbr,kbs->rs", batch.X, WX)
            Xy += np.einsum("kbr,kb->r", WX, batch.y)
            inverses.append((W, WX))
        log_A = 2 * float(np.log(np.diag(np.linalg.cholesky(A))).sum())
    except np.linalg.LinAlgError:
        return None
    phi = np.asarray(np.linalg.inv(A), dtype=float)
    gamma = phi @ Xy
    quadratic, first, second = 0.0, np.zeros(a), np.zeros((a, a))
    slopes, Q, u, trace = np.zeros((a, r, r)), np.zeros((a, a, r, r)), np.zeros((a, r)), np.zeros((a, a))
    for batch, (W, WX) in zip(model.batches, inverses, strict=True):
        left = batch.y - batch.X @ gamma
        We = np.einsum("kbc,kc->kb", W, left)
        quadratic += float((left * We).sum())
        WG = W[:, None] @ batch.G
        GWX, GWe = batch.G @ WX[:, None], np.einsum("kabc,kc->kab", batch.G, We)
        slopes -= np.einsum("kbr,kabs->ars", WX, GWX)
        flat = GWX.transpose(1, 3, 0, 2).reshape(a * r, -1)
        turned = (W[:, None] @ GWX).transpose(1, 3, 0, 2).reshape(a * r, -1)
        Q += (flat @ turned.T).reshape(a, r, a, r).transpose(0, 2, 1, 3)
        u += np.einsum("kbr,kab->ar", WX, GWe)
        second += np.einsum("kab,kbc,kdc->ad", GWe, W, GWe, optimize=True)
        trace += np.einsum("kabc,kdcb->ad", WG, WG, optimize=True)
        first += np.einsum("kabb->a", WG) - np.einsum("kb,kab->a", We, GWe)
    constant = (model.rows - (r if reml else 0)) * np.log(2 * np.pi)
    height = -0.5 * (log_V + quadratic + constant + (log_A + 2 * model.log_root if reml else 0.0))
    score = -0.5 * (first + (np.einsum("rs,ars->a", phi, slopes) if reml else 0.0))
    hessian = 0.5 * trace - second + u @ phi @ u.T
    if reml:
        hessian = hessian - np.einsum("rs,absr->ab", phi, Q) + 0.5 * _twice(phi, slopes)
    if not np.isfinite(height):
        return None
    return Level(theta, float(height), gamma, (phi + phi.T) / 2, score, -(hessian + hessian.T) / 2, slopes, Q, trace)


def _twice(phi: Array, slopes: Array) -> Array:
    """tr(Phi A_a Phi A_b)."""
    turned = phi @ slopes
    return np.asarray(np.einsum("ars,bsr->ab", turned, turned))


def expected_information(level: Level) -> Array:
    """The expected information of theta under REML."""
    found = 0.5 * level.trace - np.einsum("rs,absr->ab", level.phi, level.Q) + 0.5 * _twice(level.phi, level.A_slopes)
    return np.asarray((found + found.T) / 2, dtype=float)


def adjusted(level: Level, spread: Array) -> Array:
    """Kenward and Roger's covariance (r, r), with `spread` (a, a) that of theta."""
    phi = level.phi
    middle = np.einsum("ab,abrs->rs", spread, level.Q)
    middle = middle - np.einsum("ab,aij,jk,bkl->il", spread, level.A_slopes, phi, level.A_slopes, optimize=True)
    return np.asarray(phi + phi @ (middle + middle.T) @ phi)


# --- the search --------------------------------------------------------------------------------------------------------


def to_theta(model: Blocks, roots: Array) -> tuple[Array, Array, Array]:
    """theta (a,) at the search's parameters, its Jacobian (a, a), and its second derivatives (a, a, a)."""
    a = model.size
    theta, J, bend = np.zeros(a), np.zeros((a, a)), np.zeros((a, a, a))
    at = 0
    for term in model.terms:
        if term.entries == 1:
            s = roots[at]
            theta[at], J[at, at], bend[at, at, at] = s * s, 2 * s, 2.0
        else:
            p, q, s = roots[at : at + 3]  # L = [[p, 0], [q, s]]; theta: p^2, p q, q^2 + s^2
            theta[at : at + 3] = p * p, p * q, q * q + s * s
            J[at, at], J[at + 1, at], J[at + 1, at + 1] = 2 * p, q, p
            J[at + 2, at + 1], J[at + 2, at + 2] = 2 * q, 2 * s
            bend[at, at, at] = bend[at + 2, at + 1, at + 1] = bend[at + 2, at + 2, at + 2] = 2.0
            bend[at + 1, at, at + 1] = bend[at + 1, at + 1, at] = 1.0
        at += term.entries
    for k in range(at, a):
        theta[k] = J[k, k] = bend[k, k, k] = np.exp(roots[k])
    return theta, J, bend


@dataclass(frozen=True)
class Top:
    """Where a search ended: `free` (a,) of the roots that are not 0, and the Jacobian of theta in them."""

    level: Level
    roots: Array
    J: Array
    information: Array
    free: npt.NDArray[np.bool_]
    steps: int
    decrement: float
    converged: bool

    @property
    def boundary(self) -> bool:
        """A variance is 0, or a correlation is 1."""
        return not self.free.all()


def climb(model: Blocks, roots: Array, reml: bool) -> Top | None:
    """Newton steps that must climb, from `roots`; None where the start has no likelihood."""
    theta, J, bend = to_theta(model, roots)
    level = evaluate(model, theta, reml)
    if level is None:
        return None
    steps = 0
    while True:
        score = J.T @ level.score
        information = J.T @ level.information @ J - np.einsum("a,abc->bc", level.score, bend)
        values, vectors = np.linalg.eigh(information)
        size = np.maximum(np.abs(values), 1e-10 * np.abs(values).max())
        move = vectors @ ((vectors.T @ score) / size)
        decrement = float(score @ move)
        if decrement < _DECREMENT or steps == _STEPS:
            break
        move = np.clip(move, -3, 3)
        for halving in range(_HALVINGS):
            tried = roots + move / 2**halving
            there = to_theta(model, tried)
            higher = evaluate(model, there[0], reml)
            if higher is not None and higher.height > level.height - 1e-12 * abs(level.height):
                break
        else:
            break
        roots, (theta, J, bend), level = tried, there, higher
        steps += 1
    return _top(model, roots, reml, steps, decrement)


def _top(model: Blocks, roots: Array, reml: bool, steps: int, decrement: float) -> Top | None:
    """The end of a search: what is as good as 0 is 0 where the likelihood is no lower for it."""
    level = evaluate(model, to_theta(model, roots)[0], reml)
    residual = float(np.exp(roots[-1] / 2))
    free = np.ones(len(roots), dtype=bool)
    for k in _diagonal(model):
        if abs(roots[k]) < _GONE * residual:
            zeroed = roots.copy()
            zeroed[k] = 0.0
            lower = evaluate(model, to_theta(model, zeroed)[0], reml)
            if level is not None and lower is not None and lower.height >= level.height - 1e-9:
                roots, level, free[k] = zeroed, lower, False
    if level is None:
        return None
    _theta, J, bend = to_theta(model, roots)
    information = J.T @ level.information @ J - np.einsum("a,abc->bc", level.score, bend)
    own = information[np.ix_(free, free)]
    scale = np.sqrt(np.maximum(np.abs(np.diag(own)), 1e-300))
    definite = bool(np.linalg.eigvalsh(own / np.outer(scale, scale))[0] > 1e-10)
    good = definite and decrement < 1e-8
    return Top(level, roots, J[:, free], own, free, steps, decrement, good)


def _diagonal(model: Blocks) -> list[int]:
    """Positions of the roots that are standard deviations: those that may be 0."""
    found, at = [], 0
    for term in model.terms:
        found += [at] if term.entries == 1 else [at, at + 2]
        at += term.entries
    return found


def search(model: Blocks, reml: bool, starts: Sequence[Array]) -> tuple[Top, int] | None:
    """The highest of the maxima that the starts lead to, and how many different ones there are."""
    tops = [top for start in starts if (top := climb(model, start, reml)) is not None]
    good = [top for top in tops if top.converged]
    if not good:
        return None
    best = max(good, key=lambda top: top.level.height)
    return best, len({round(top.level.height, 6) for top in good})


def several_starts(model: Blocks, variance: float) -> list[Array]:
    """Starts with small, middling and large effects; `variance` is the residual one of least squares."""
    found = []
    for share in (0.1, 0.5, 2.0):
        roots: list[float] = []
        for term in model.terms:
            sd = np.sqrt(share * variance / np.maximum((term.z**2).mean(axis=0), 1e-12))
            roots += [float(sd[0])] if term.entries == 1 else [float(sd[0]), 0.0, float(sd[1])]
        found.append(np.array(roots + [float(np.log(variance / (1 + share)))] * model.residuals))
    return found
