"""Samples of people fitted together: each counts every patient a number of times, and its cross-products are sums with these weights.

Nothing is shared between two samples but the patients, so that all columns are a sample's own (`stacked`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .blocks import ENOUGH
from .likelihood import Array
from .mmrm import maximize
from .patterns import collect, in_patterns
from .repeated import Found
from .stacked import Stack, at_once, climb, tells
from .structures import entries

Weights = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Refits:
    """The fit of the patients as they are, the `contrast` (p,) on its columns, and how samples of them are fitted.

    A sample is a row of weights: how often each patient (n,) is in it.
    """

    found: Found
    contrast: Array
    reml: bool

    @property
    def row(self) -> Array:
        """The contrast (r,) on the orthonormal basis of the first fit, in units of the outcome."""
        return self.found.scale * self.found.patterns.on_basis(self.contrast)

    def together(self, weights: Weights) -> Array:
        """The differences in samples (R, n); each by itself where the search is not plain sailing."""
        if not self.found.top.structure.free or len(self.found.labels) > 1:
            return self.alone(weights)
        values = np.full(len(weights), np.nan)
        size = at_once(len(self.found.patterns.seen), self.found.patterns.visits, 0, self.found.patterns.rank + 1)
        for start in range(0, len(weights), size):
            part = slice(start, start + size)
            stack = self.stack(weights[part])
            plain = np.flatnonzero(tells(stack))
            if len(plain):
                tops = climb(stack.of(plain), self.found.top.point.sigma[0], self.reml, ENOUGH)
                values[part][plain] = np.where(tops.found, tops.gamma @ self.row, np.nan)
        left = np.flatnonzero(np.isnan(values))
        values[left] = self.alone(weights[left])
        return values

    def alone(self, weights: Weights) -> Array:
        """The same, each sample fitted by itself: what `together` has to equal."""
        return np.array([self._one(row) for row in weights])

    def _one(self, weights: Weights) -> float:
        found, who = self.found, np.repeat(np.arange(len(weights)), weights)
        try:
            patterns = collect(found.columns.C[who], found.Y[who], found.columns.B, found.group[who], len(found.labels))
            top = maximize(patterns, found.top.structure, self.reml, found.top.point.sigma, ENOUGH)
        except np.linalg.LinAlgError:
            return float("nan")
        if top is None or not top.converged or not patterns.tells(self.contrast):
            return float("nan")
        return float(found.scale * patterns.on_basis(self.contrast) @ top.point.gamma)

    def stack(self, weights: Weights) -> Stack:
        """The cross-products of samples (R, n)."""
        columns, Y, patterns = self.found.columns, self.found.Y, self.found.patterns
        R, T, P, m, z = len(weights), patterns.visits, len(patterns.seen), columns.C.shape[1], patterns.rank + 1
        observed = ~np.isnan(Y)
        order, _codes, start, stop = in_patterns(observed, self.found.group)
        facts = np.concatenate([columns.C, np.where(observed, Y, 0.0)], axis=1)[order]
        counted = weights[:, order].astype(float)
        sums = np.empty((R, P, 1, m + T, m + T))
        for pattern, (a, b) in enumerate(zip(start, stop, strict=True)):
            products = (facts[a:b, :, None] * facts[a:b, None, :]).reshape(b - a, -1)
            sums[:, pattern, 0] = (counted[:, a:b] @ products).reshape(R, m + T, m + T)
        turned = np.zeros((T, m + T, z))  # [y_t | x_t] from the facts
        turned[np.arange(T), m + np.arange(T), 0] = 1.0
        turned[:, :m, 1:] = columns.B[:, :, patterns.kept] @ np.linalg.inv(patterns.root)
        where = entries(T)
        i, j, twice = where[:, 0], where[:, 1], (where[:, 0] != where[:, 1]).astype(float)[:, None, None]
        own = turned[i].transpose(0, 2, 1) @ (sums @ turned)[:, :, j]
        own += twice * own.swapaxes(3, 4)
        people = np.stack([counted[:, a:b].sum(axis=1) for a, b in zip(start, stop, strict=True)], axis=1)
        return Stack(
            pairs=patterns.pairs.transpose(1, 2, 0),
            people=people,
            rows=people @ patterns.seen.sum(axis=1),
            shared=np.empty((P * len(where), 0)),
            own=own.reshape(R, P * len(where), z * z),
            f=0,
            g=z,
            log_root=patterns.log_root,
        )
