"""Covariance structures of the visits: unstructured, or standard deviations times a patterned correlation.

A structured covariance is sigma_st = exp(l_s + l_t) * prod_k rho_k^e(s,t,k): every family here is a monomial in its correlations, so that
first and second derivatives are exact and short. Names as in mmrm: a final h has a standard deviation a visit.

    us    every entry its own parameter
    cs    one correlation                    csh   ... and a standard deviation a visit
    ar1   rho^|s - t|                        ar1h
    toep  one correlation a lag              toeph
    ad    product of the correlations of neighbors between s and t      adh
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .likelihood import Array

NAMES = ("us", "toeph", "adh", "csh", "cs", "ar1", "ar1h", "toep", "ad")
CHAIN = ("us", "toeph", "adh", "csh", "cs")


@functools.cache
def entries(visits: int) -> npt.NDArray[np.intp]:
    """The Q = T (T + 1) / 2 entries (row, column) of the lower triangle."""
    found = np.array([(i, j) for i in range(visits) for j in range(i + 1)], dtype=np.intp)
    found.flags.writeable = False
    return found


@dataclass(frozen=True)
class Structure:
    """One family for T visits. `spreads` (Q, v) and `powers` (Q, c): exponents of each entry in the v log SDs and c correlations."""

    name: str
    visits: int
    spreads: Array
    powers: Array

    @property
    def free(self) -> bool:
        """Unstructured: the parameters are the entries."""
        return self.name == "us"

    @property
    def size(self) -> int:
        """Number of parameters."""
        return len(entries(self.visits)) if self.free else self.spreads.shape[1] + self.powers.shape[1]

    def values(self, theta: Array) -> Array:
        """The entries (Q,) at the parameters."""
        if self.free:
            return theta
        v = self.spreads.shape[1]
        value: Array = np.exp(self.spreads @ theta[:v]) * np.prod(theta[v:] ** self.powers, axis=1)
        return value

    def jacobian(self, theta: Array) -> Array:
        """Derivatives (Q, size) of the entries."""
        if self.free:
            return np.eye(len(theta))
        v = self.spreads.shape[1]
        scale = np.exp(self.spreads @ theta[:v])
        by_rho = [scale * self._powers_without(theta[v:], (k,)) for k in range(self.powers.shape[1])]
        return np.column_stack([self.spreads * self.values(theta)[:, None], *by_rho])

    def curvature(self, theta: Array, weights: Array) -> Array:
        """Sum of weights (Q,) times the second derivatives of the entries (size, size)."""
        if self.free:
            return np.zeros((len(theta), len(theta)))
        v, jacobian = self.spreads.shape[1], self.jacobian(theta)
        scale = weights * np.exp(self.spreads @ theta[:v])
        found = np.zeros((len(theta), len(theta)))
        found[:, :v] = (jacobian * weights[:, None]).T @ self.spreads
        found[:v, v:] = found[v:, :v].T
        for j in range(self.powers.shape[1]):
            for k in range(self.powers.shape[1]):
                found[v + j, v + k] = scale @ self._powers_without(theta[v:], (j, k))
        return found

    def _powers_without(self, rho: Array, by: tuple[int, ...]) -> Array:
        """The monomials (Q,) in rho, differentiated by each correlation in `by`."""
        power, factor = self.powers.copy(), np.ones(len(self.powers))
        for k in by:
            factor = factor * power[:, k]
            power[:, k] = np.maximum(power[:, k] - 1, 0)
        value: Array = factor * np.prod(rho**power, axis=1)
        return value

    def start(self, sigma: Array) -> Array:
        """Parameters near a given covariance (T, T)."""
        where = entries(self.visits)
        if self.free:
            return sigma[where[:, 0], where[:, 1]]
        logs = np.log(np.diag(sigma)) / 2
        rho = sigma[where[:, 0], where[:, 1]] / np.exp(logs[where[:, 0]] + logs[where[:, 1]])
        single = self.powers.sum(axis=1) == 1
        mean = [rho[single & (self.powers[:, k] == 1)].mean() for k in range(self.powers.shape[1])]
        spread = logs if self.spreads.shape[1] > 1 else np.array([logs.mean()])
        return np.concatenate([spread, np.clip(mean, -0.9, 0.9)])


def structure(name: str, visits: int) -> Structure:
    """The family of this name for so many visits."""
    where = entries(visits)
    if name == "us":
        return Structure(name, visits, np.empty((len(where), 0)), np.empty((len(where), 0)))
    base = name.removesuffix("h")
    spreads = np.zeros((len(where), visits))
    np.add.at(spreads, (np.arange(len(where)), where[:, 0]), 1.0)
    np.add.at(spreads, (np.arange(len(where)), where[:, 1]), 1.0)
    lag, last = where[:, 0] - where[:, 1], visits - 1
    if base == "toep":
        powers = (lag[:, None] == np.arange(1, visits)).astype(float)
    elif base == "ad":
        k = np.arange(last)
        powers = ((where[:, 1:] <= k) & (k < where[:, :1])).astype(float)
    else:
        powers = (lag if base == "ar1" else np.minimum(lag, 1))[:, None].astype(float)
    return Structure(name, visits, spreads if name.endswith("h") else spreads.sum(axis=1, keepdims=True), powers)


def chain_of(names: Sequence[str], visits: int) -> tuple[Structure, ...]:
    """The families to be tried, in order; one with as many parameters as an earlier one of two visits would be the same and is skipped."""
    found: list[Structure] = []
    for name in names:
        one = structure(name, visits)
        if visits > 2 or one.size not in [other.size for other in found]:
            found.append(one)
    return tuple(found)
