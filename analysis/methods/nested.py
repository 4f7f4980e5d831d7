"""Subjects in units (patients in teams): a random intercept of each, exact, by grouped sufficient statistics.

y = X b + unit t_j + subject u_i + e, variances s_t, s_u, s_e. Within a unit the subjects' part W^-1 = s_e I + s_u J (by subject) is that of
`likelihood`; the unit adds s_t 11', so that V^-1 = W - W1 (1/s_t + 1'W1)^-1 1'W and |V| = |W|^-1 (1 + s_t 1'W1). 1'W of a subject with k
rows is its sum of rows divided by s_e + k s_u. Everything needed is thus a sum of the cross-products of `likelihood.Model` and one vector
a unit; nothing depends on the number of subjects. Score and Hessian are in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
from scipy import linalg

from . import likelihood
from .likelihood import Array, Model

UNIT, SUBJECT, RESIDUAL = 0, 1, 2
_PAIRS = tuple(combinations_with_replacement((SUBJECT, RESIDUAL), 2))


@dataclass(frozen=True)
class NestedModel:
    """`two`: the cross-products by subject; of each unit and each number of rows a subject may have, the sum of rows (U, m, p+1) and the
    number of subjects (U, m)."""

    two: Model
    sums: Array
    counts: Array

    @property
    def units(self) -> int:
        """How many units there are."""
        return len(self.counts)


def build(y: Array, X: Array, subjects: npt.NDArray[np.intp], units: npt.NDArray[np.intp], reml: bool) -> NestedModel:
    """Cross-products of y (N,) and X (N, p) of full column rank; subjects and units (N,) coded from 0."""
    two = likelihood.build(y, X, subjects, reml)
    number, sums = likelihood.sums_by(subjects, likelihood.basis(y, X)[0])
    home = np.zeros(len(number), dtype=np.intp)
    home[subjects] = units
    size = np.searchsorted(two.sizes, number)
    shape = (int(units.max()) + 1, len(two.sizes))
    by_unit, counts = np.zeros((*shape, sums.shape[1])), np.zeros(shape)
    np.add.at(by_unit, (home, size), sums)
    np.add.at(counts, (home, size), 1.0)
    return NestedModel(two, by_unit, counts)


@dataclass(frozen=True)
class NestedState:
    """The model at variances `theta` (3,); `free` are those that are not fixed at 0."""

    model: NestedModel
    theta: Array
    free: tuple[int, ...]
    cross: Array
    log_determinant: float
    inverse: Array
    gamma: Array

    @cached_property
    def beta(self) -> Array:
        """Fixed effects, generalized least squares."""
        m = self.model.two
        return np.asarray(linalg.solve_triangular(m.R, self.gamma + m.offset), dtype=float)

    @cached_property
    def covariance(self) -> Array:
        """(X'V^-1X)^-1."""
        half = linalg.solve_triangular(self.model.two.R, self.inverse)
        return np.asarray(linalg.solve_triangular(self.model.two.R, half.T), dtype=float)

    @property
    def quadratic(self) -> float:
        """(y - Xb)'V^-1(y - Xb)."""
        p = self.model.two.rank
        return float(self.cross[p, p] - self.cross[p, :p] @ self.gamma)

    @property
    def log_likelihood(self) -> float:
        """ML or REML log-likelihood, by the convention of `likelihood`."""
        m, p = self.model.two, self.model.two.rank
        value = (m.rows - (p if m.reml else 0)) * np.log(2 * np.pi) + self.log_determinant + self.quadratic
        if m.reml:
            value -= np.linalg.slogdet(self.inverse)[1]
            value += 2 * float(np.log(np.abs(np.diag(m.R))).sum())
        return float(-0.5 * value)

    @property
    def freedom(self) -> int:
        """Residual degrees of freedom of least squares."""
        return self.model.two.rows - self.model.two.rank

    def variance_gradient(self, combination: Array) -> Array:
        """Derivatives of l'(X'V^-1X)^-1 l in the free variances, for l = `combination` (p,) on the scale of X."""
        p = self.model.two.rank
        half = self.inverse @ linalg.solve_triangular(self.model.two.R, combination, trans="T")
        return -np.asarray(half @ self._slopes[:, :p, :p] @ half)[list(self.free)]

    @cached_property
    def _slopes(self) -> Array:
        return _changes(self.model, self.theta)[0]


def at(model: NestedModel, theta: Array, free: tuple[int, ...] = (UNIT, SUBJECT, RESIDUAL)) -> NestedState:
    """The model at given variances."""
    two, p = model.two, model.two.rank
    s_t, s_u, s_e = theta
    e = s_e + two.sizes * s_u
    a = np.tensordot(model.sums, 1 / e, (1, 0))
    grown = 1 + s_t * (model.counts @ (two.sizes / e))
    cross = two.within / s_e + np.tensordot(1 / e, two.between, 1) - _weighted(a, s_t / grown, a)
    determinant = two.deviations * np.log(s_e) + two.counts @ np.log(e) + np.log(grown).sum()
    inverse = np.linalg.inv(cross[:p, :p])
    inverse = (inverse + inverse.T) / 2
    return NestedState(model, theta, free, cross, float(determinant), inverse, inverse @ cross[:p, p])


def heights(model: NestedModel, units: Array, subjects: Array) -> Array:
    """The log-likelihood at many ratios s_t / s_e (g,) and s_u / s_e (g,) at once, s_e at its maximum for each."""
    two, p = model.two, model.two.rank
    e = 1 + subjects[:, None] * two.sizes  # (g, m)
    a = np.einsum("tkz,gk->gtz", model.sums, 1 / e)
    grown = 1 + units[:, None] * ((two.sizes / e) @ model.counts.T)
    cross = (
        two.within
        + np.tensordot(1 / e, two.between, 1)
        - np.swapaxes(a * (units[:, None] / grown)[:, :, None], 1, 2) @ a
    )
    diagonal = np.diagonal(np.linalg.cholesky(cross), axis1=1, axis2=2)
    freedom = two.rows - (p if two.reml else 0)
    value = freedom * (np.log(2 * np.pi * diagonal[:, p] ** 2 / freedom) + 1)
    value = value + np.log(e) @ two.counts + np.log(grown).sum(axis=1)
    if two.reml:
        value = value + 2 * np.log(diagonal[:, :p]).sum(axis=1) + 2 * np.log(np.abs(np.diag(two.R))).sum()
    return np.asarray(-0.5 * value, dtype=float)


@dataclass(frozen=True)
class _Sums:
    """At variances theta: `a` (U, p+1) = 1'W[Q|r] and `d` (U,) = 1'W1 of each unit with their derivatives in s_u and s_e, first (2, ...) and
    second by pair; `inner` (p+1, p+1), [Q|r]'W[Q|r], likewise."""

    a: Array
    a_first: Array
    a_second: dict[tuple[int, int], Array]
    d: Array
    d_first: Array
    d_second: dict[tuple[int, int], Array]
    inner: Array
    inner_first: Array
    inner_second: dict[tuple[int, int], Array]


def _sums(model: NestedModel, theta: Array) -> _Sums:
    two = model.two
    sizes, (_s_t, s_u, s_e) = two.sizes, theta
    w = 1 / (s_e + sizes * s_u)
    by = {SUBJECT: sizes, RESIDUAL: np.ones_like(sizes)}  # how the eigenvalue s_e + k s_u changes
    weights = np.array(
        [w, *(-by[i] * w**2 for i in (SUBJECT, RESIDUAL)), *(2 * by[i] * by[j] * w**3 for i, j in _PAIRS)]
    )
    a = np.tensordot(weights, model.sums, (1, 1))
    d = weights @ (model.counts * sizes).T
    inner = np.tensordot(weights, two.between, 1)
    for place, power in ((0, 1 / s_e), (2, -1 / s_e**2), (5, 2 / s_e**3)):
        inner[place] += power * two.within
    second = {pair: 3 + place for place, pair in enumerate(_PAIRS)}
    return _Sums(
        a[0], a[1:3], {pair: a[at] for pair, at in second.items()},
        d[0], d[1:3], {pair: d[at] for pair, at in second.items()},
        inner[0], inner[1:3], {pair: inner[at] for pair, at in second.items()},
    )  # fmt: skip


@dataclass(frozen=True)
class Curved:
    """The log-likelihood with its derivatives in (s_t, s_u, s_e), the fixed effects profiled out: score (3,) and Hessian (3, 3)."""

    score: Array
    hessian: Array


def derivatives(state: NestedState) -> Curved:
    """Score and Hessian; with c = (-gamma, 1), C = [Q|r]'V^-1[Q|r] and A its part for Q:

    -2 l = log|V| + c'Cc (+ log|A| under REML), so that the second derivative has c'C_ij c - 2 v_i'A^-1 v_j with v_i the part for Q of C_i c.
    """
    model, p = state.model, state.model.two.rank
    first, second, log_first, log_second = _changes(model, state.theta)
    c = np.append(-state.gamma, 1.0)
    moved = first @ c  # (3, p+1)
    score = log_first + moved @ c
    hessian = log_second + np.einsum("i,abij,j->ab", c, second, c) - 2 * moved[:, :p] @ state.inverse @ moved[:, :p].T
    if model.two.reml:
        turned = state.inverse @ first[:, :p, :p]
        score = score + np.trace(turned, axis1=1, axis2=2)
        hessian = hessian + np.einsum("ij,abji->ab", state.inverse, second[:, :, :p, :p])
        hessian = hessian - np.einsum("aij,bji->ab", turned, turned)
    return Curved(-0.5 * score, -0.25 * (hessian + hessian.T))


def _changes(model: NestedModel, theta: Array) -> tuple[Array, Array, Array, Array]:
    """First (3, p+1, p+1) and second (3, 3, p+1, p+1) derivatives of [Q|r]'V^-1[Q|r], and those of log|V|: (3,), (3, 3)."""
    two, found = model.two, _sums(model, theta)
    s_t, s_u, s_e = theta
    a, d = found.a, found.d
    grown = 1 + s_t * d
    g = s_t / grown  # its derivatives: 1/grown^2 in s_t, -g^2 in d, -2 d/grown^3, -2 s_t/grown^3, 2 g^3
    first, second = np.empty((3, *found.inner.shape)), np.empty((3, 3, *found.inner.shape))
    log_first, log_second = np.empty(3), np.empty((3, 3))
    first[UNIT] = -_weighted(a, 1 / grown**2, a)
    second[UNIT, UNIT] = _weighted(a, 2 * d / grown**3, a)
    log_first[UNIT], log_second[UNIT, UNIT] = (d / grown).sum(), -((d / grown) ** 2).sum()
    e = s_e + two.sizes * s_u
    change = (two.sizes / e, 1 / e)  # of log e
    for i in (SUBJECT, RESIDUAL):
        a_i, d_i = found.a_first[i - 1], found.d_first[i - 1]
        g_i = -(g**2) * d_i
        first[i] = found.inner_first[i - 1] - _twice(a, 0.5 * g_i[:, None] * a + g[:, None] * a_i)
        crossed = _twice(a, -(s_t * d_i / grown**3)[:, None] * a + a_i / grown[:, None] ** 2)
        second[UNIT, i] = second[i, UNIT] = -crossed
        log_first[i] = two.counts @ change[i - 1] + (g * d_i).sum()
        log_second[UNIT, i] = log_second[i, UNIT] = (d_i / grown**2).sum()
    log_first[RESIDUAL] += two.deviations / s_e
    for i, j in _PAIRS:
        a_i, a_j, d_i, d_j = found.a_first[i - 1], found.a_first[j - 1], found.d_first[i - 1], found.d_first[j - 1]
        g_ij = 2 * g**3 * d_i * d_j - g**2 * found.d_second[i, j]
        half = 0.5 * g_ij[:, None] * a - (g**2 * d_i)[:, None] * a_j - (g**2 * d_j)[:, None] * a_i
        outer = _twice(a, half + g[:, None] * found.a_second[i, j]) + _twice(a_i, g[:, None] * a_j)
        second[i, j] = second[j, i] = found.inner_second[i, j] - outer
        curved = -two.counts @ (change[i - 1] * change[j - 1])
        log_second[i, j] = log_second[j, i] = curved + (g * found.d_second[i, j] - g**2 * d_i * d_j).sum()
    log_second[RESIDUAL, RESIDUAL] -= two.deviations / s_e**2
    return first, second, log_first, log_second


def _weighted(left: Array, weights: Array, right: Array) -> Array:
    return np.asarray((left * weights[:, None]).T @ right)


def _twice(left: Array, right: Array) -> Array:
    """left'right and its transpose."""
    found = left.T @ right
    return np.asarray(found + found.T)
