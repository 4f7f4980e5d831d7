"""The log-likelihood of the random-intercept model, exact, with its first and second derivatives.

y_i = X_i b + 1 u_i + e_i for subject i with k_i rows, u ~ N(0, s_u), e ~ N(0, s_e), s_u and s_e variances. V_i = s_e I + s_u J has
two eigenspaces: the mean of the subject, eigenvalue e_k = s_e + k s_u, and the deviations from it, eigenvalue s_e. Every quantity
needed is therefore a weighted sum of one "within" and a few "between" cross-products (one per number of rows per subject),
made once; afterwards nothing depends on the number of subjects.

X is replaced by an orthonormal basis of its columns and y by its residual on it before cross-products are formed, so that they
lose no digits. Convention of the log-likelihood: -(N - p)/2 log(2 pi) under REML, -N/2 log(2 pi) under ML, no X'X term (as lme4,
nlme and mmrm print it).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import linalg

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """Cross-products of [Q | r]: Q orthonormal columns of X (X = Q R), r the residual of y on Q.

    within: (p+1, p+1); between: (m, p+1, p+1), one for each distinct number of rows `sizes` (m,), of `counts` (m,) subjects.
    """

    rows: int
    subjects: int
    rank: int
    sizes: Array
    counts: Array
    within: Array
    between: Array
    R: Array
    offset: Array  # Q'y
    reml: bool

    @property
    def deviations(self) -> int:
        """Degrees of freedom within subjects: rows minus subjects."""
        return self.rows - self.subjects


def basis(y: Array, X: Array) -> tuple[Array, Array, Array]:
    """[Q | r] (N, p+1), R and Q'y: X = Q R, r the residual of y on Q."""
    Q, R = _orthonormal(X)
    offset = Q.T @ y
    return np.column_stack([Q, y - Q @ offset]), np.asarray(R, dtype=np.float64), np.asarray(offset, dtype=np.float64)


def _orthonormal(X: Array) -> tuple[Array, Array]:
    """X = Q R: by Cholesky's factor of X'X where the columns are far from dependent, quick in many rows; else by Householder.

    Q'Q = I only to the square of the condition, which does no harm: cross-products of Q are computed, never taken for I.
    """
    gram = X.T @ X
    length = np.sqrt(np.diag(gram))
    try:
        root = np.linalg.cholesky(gram / np.outer(length, length)).T
        if np.diag(root).min() > 1e-2:
            return X @ (np.linalg.inv(root) / length[:, None]), root * length
    except np.linalg.LinAlgError:
        pass
    Q, R = linalg.qr(X, mode="economic")
    return np.asarray(Q, dtype=float), np.asarray(R, dtype=float)


def sums_by(groups: npt.NDArray[np.intp], Z: Array) -> tuple[npt.NDArray[np.intp], Array]:
    """Rows of each group (G,) and the sum of its rows of Z (G, p+1)."""
    number = np.bincount(groups)
    sums = np.column_stack([np.bincount(groups, column) for column in Z.T])
    return number.astype(np.intp), np.asarray(sums, dtype=float)


def build(y: Array, X: Array, groups: npt.NDArray[np.intp], reml: bool) -> Model:
    """Cross-products of y (N,) and X (N, p) of full column rank, groups (N,) coded 0..G-1."""
    Z, R, offset = basis(y, X)
    number, sums = sums_by(groups, Z)
    means = sums / number[:, None]
    deviations = Z - means[groups]
    sizes = np.unique(number)
    parts = [means[number == k] for k in sizes]
    return Model(
        rows=len(y),
        subjects=len(number),
        rank=X.shape[1],
        sizes=sizes.astype(float),
        counts=np.array([len(part) for part in parts], dtype=float),
        within=deviations.T @ deviations,
        between=np.stack([k * part.T @ part for k, part in zip(sizes, parts, strict=True)]),
        R=R,
        offset=offset,
        reml=reml,
    )


class Fitted(Protocol):
    """What linear combinations of the coefficients need of a fitted model of any number of levels."""

    @property
    def beta(self) -> Array: ...

    @property
    def covariance(self) -> Array: ...

    @property
    def log_likelihood(self) -> float: ...

    @property
    def freedom(self) -> int: ...

    def variance_gradient(self, combination: Array) -> Array: ...


@dataclass(frozen=True)
class State:
    """The model at given variances. `cross` = [Q|r]'V^-1[Q|r]; `root` its part for Q, factored; `gamma` the effects on Q."""

    model: Model
    s_u: float
    s_e: float
    eigen: Array
    cross: Array
    gamma: Array
    inverse: Array  # (Q'V^-1Q)^-1

    def weighted(self, within: float, between: Array) -> Array:
        """[Q|r]'F[Q|r] where F has eigenvalue `within` on deviations and between[k] on subject means."""
        return within * self.model.within + np.tensordot(between, self.model.between, 1)

    @cached_property
    def beta(self) -> Array:
        """Fixed effects, generalized least squares."""
        return np.asarray(linalg.solve_triangular(self.model.R, self.gamma + self.model.offset), dtype=float)

    @cached_property
    def covariance(self) -> Array:
        """(X'V^-1X)^-1."""
        half = linalg.solve_triangular(self.model.R, self.inverse)
        return np.asarray(linalg.solve_triangular(self.model.R, half.T), dtype=float)

    @property
    def quadratic(self) -> float:
        """(y - Xb)'V^-1(y - Xb)."""
        p = self.model.rank
        return float(self.cross[p, p] - self.cross[p, :p] @ self.gamma)

    @property
    def log_likelihood(self) -> float:
        """ML or REML log-likelihood, by the convention above."""
        m = self.model
        constant = m.rows - (m.rank if m.reml else 0)
        value = constant * np.log(2 * np.pi) + m.deviations * np.log(self.s_e) + self.quadratic
        value += float(m.counts @ np.log(self.eigen))
        if m.reml:
            value -= np.linalg.slogdet(self.inverse)[1]
            value += 2 * float(np.log(np.abs(np.diag(m.R))).sum())
        return float(-0.5 * value)

    @property
    def freedom(self) -> int:
        """Residual degrees of freedom of least squares."""
        return self.model.rows - self.model.rank

    def variance_gradient(self, combination: Array) -> Array:
        """Derivatives (2,) of l'(X'V^-1X)^-1 l in (s_u, s_e), for l = `combination` (p,) on the scale of X."""
        p = self.model.rank
        on_q = linalg.solve_triangular(self.model.R, combination, trans="T")
        half = self.inverse @ on_q
        first, _second = _derivative_weights(self)
        return np.array([float(half @ self.weighted(*weights)[:p, :p] @ half) for weights in first])


def at(model: Model, s_u: float, s_e: float) -> State:
    """The model at variances s_u >= 0 (between subjects) and s_e > 0 (residual)."""
    eigen = s_e + model.sizes * s_u
    cross = model.within / s_e + np.tensordot(1 / eigen, model.between, 1)
    p = model.rank
    inverse = linalg.inv(cross[:p, :p])
    return State(model, s_u, s_e, eigen, cross, inverse @ cross[:p, p], (inverse + inverse.T) / 2)


def profile(model: Model, share: float) -> State:
    """The model at intraclass correlation `share` in [0, 1), the total variance at its maximum for that share."""
    unit = at(model, share, 1 - share)
    total = unit.quadratic / (model.rows - (model.rank if model.reml else 0))
    return at(model, share * total, (1 - share) * total)


def profile_heights(model: Model, shares: Array) -> Array:
    """The log-likelihood of `profile` at many intraclass correlations (g,) at once."""
    p = model.rank
    eigen = 1 - shares[:, None] + model.sizes * shares[:, None]
    cross = model.within / (1 - shares)[:, None, None] + np.einsum("gm,mij->gij", 1 / eigen, model.between)
    diagonal = np.diagonal(np.linalg.cholesky(cross), axis1=1, axis2=2)
    freedom = model.rows - (p if model.reml else 0)
    value = freedom * (np.log(2 * np.pi * diagonal[:, p] ** 2 / freedom) + 1)
    value = value + model.deviations * np.log(1 - shares) + np.log(eigen) @ model.counts
    if model.reml:
        value = value + 2 * np.log(diagonal[:, :p]).sum(axis=1) + 2 * np.log(np.abs(np.diag(model.R))).sum()
    return np.asarray(-0.5 * value, dtype=float)


def _derivative_weights(state: State) -> tuple[list[tuple[float, Array]], dict[tuple[int, int], tuple[float, Array]]]:
    """Eigenvalues of V^-1 D_j V^-1 and V^-1 D_j V^-1 D_k V^-1 for D_0 = J (s_u) and D_1 = I (s_e)."""
    w, e, k = 1 / state.s_e, state.eigen, state.model.sizes
    first = [(0.0, k / e**2), (w**2, 1 / e**2)]
    second = {(0, 0): (0.0, k**2 / e**3), (0, 1): (0.0, k / e**3), (1, 1): (w**3, 1 / e**3)}
    return first, second


def derivatives(state: State) -> tuple[Array, Array]:
    """Score (2,) and Hessian (2, 2) of the log-likelihood in (s_u, s_e), the fixed effects profiled out."""
    m, p = state.model, state.model.rank
    w, e, k = 1 / state.s_e, state.eigen, m.sizes
    c = np.append(-state.gamma, 1.0)
    C = state.inverse
    first, second = _derivative_weights(state)
    A1 = [state.weighted(*weights) for weights in first]
    trace1 = [float(m.counts @ (k / e)), m.deviations * w + float(m.counts @ (1 / e))]
    trace2 = {
        (0, 0): float(m.counts @ (k / e) ** 2),
        (0, 1): float(m.counts @ (k / e**2)),
        (1, 1): m.deviations * w**2 + float(m.counts @ (1 / e**2)),
    }
    CA = [C @ A[:p, :p] for A in A1]
    cA = [A[:p] @ c for A in A1]  # X'V^-1 D_j V^-1 r
    score = np.empty(2)
    hessian = np.empty((2, 2))
    for j in (0, 1):
        trace = trace1[j] - (float(np.trace(CA[j])) if m.reml else 0.0)
        score[j] = -0.5 * (trace - float(c @ A1[j] @ c))
    for (j, i), weights in second.items():
        A2 = state.weighted(*weights)
        trace = trace2[j, i]
        if m.reml:
            trace += float(np.trace(CA[j] @ CA[i])) - 2 * float(np.trace(C @ A2[:p, :p]))
        quadratic = float(c @ A2 @ c) - float(cA[j] @ C @ cA[i])
        hessian[j, i] = hessian[i, j] = 0.5 * trace - quadratic
    return score, hessian
