"""The stack of data sets that differ in nothing but the lot: what each lot adds to what all of them share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .columns import Columns
from .likelihood import Array
from .patterns import Patterns, collect, in_patterns
from .rerandomization import Arms
from .stacked import Rows, Stack, at_once, climb, cross_products, tells
from .structures import entries


@dataclass(frozen=True)
class StackOfLots:
    """What is computed once. `facts` (n, m + T): of the patients, arms left out, and their outcomes, by pattern; `order`, `start`, `stop` of these.

    `turned` (m, T*p): the orthonormal basis of the shared columns from the facts; `arms` (T, k, g): the columns of the arms from k dummies.
    """

    fixed: Patterns
    shared: Array
    facts: Array
    order: Rows
    start: Rows
    stop: Rows
    turned: Array
    arms: Array

    @classmethod
    def of(cls, columns: Columns, Y: Array) -> StackOfLots:
        """From the columns of the model and the outcomes (n, T)."""
        compares, dummies = columns.compares, list(columns.arms)
        others = np.setdiff1d(np.arange(columns.C.shape[1]), dummies)
        C, B = columns.C[:, others], columns.B[:, others][:, :, ~compares]
        group = np.zeros(len(Y), dtype=np.intp)
        fixed, observed = collect(C, Y, B, group), ~np.isnan(Y)
        order, _codes, start, stop = in_patterns(observed, group)
        turned = B[:, :, fixed.kept] @ np.linalg.inv(fixed.root)
        return cls(
            fixed=fixed,
            shared=cross_products(fixed),
            facts=np.concatenate([C, np.where(observed, Y, 0.0)], axis=1)[order],
            order=order,
            start=start,
            stop=stop,
            turned=turned.transpose(1, 0, 2).reshape(len(others), -1),
            arms=columns.B[:, dummies][:, :, compares],
        )

    def chunks(self, rows: Arms) -> Iterator[Arms]:
        """The lots (R, n), few enough at a time to be held in memory."""
        T, _k, g = self.arms.shape
        size = at_once(len(self.fixed.seen), T, self.fixed.rank + 1, g)
        return (rows[at : at + size] for at in range(0, len(rows), size))

    def stack(self, rows: Arms) -> Stack:
        """The data sets of these lots (R, n)."""
        fixed, T = self.fixed, self.fixed.visits
        _T, k, g = self.arms.shape
        R, P, m, f = len(rows), len(fixed.seen), len(self.turned), fixed.rank + 1
        lots = np.stack([rows == level for level in range(1, k + 1)], axis=1)[:, :, self.order].astype(float)
        sums = np.stack(
            [lots[:, :, a:b] @ self.facts[a:b] for a, b in zip(self.start, self.stop, strict=True)], axis=1
        )  # (R, P, k, m + T)
        number = np.stack([lots[:, :, a:b].sum(axis=2) for a, b in zip(self.start, self.stop, strict=True)], axis=1)
        side = np.empty((R, P, k, T, f))
        side[..., 0] = sums[..., m:]
        side[..., 1:] = (sums[..., :m] @ self.turned).reshape(R, P, k, T, f - 1)
        where = entries(T)
        i, j = where[:, 0], where[:, 1]
        twice = (i != j).astype(float)[:, None, None]
        mixed = np.einsum("RPkqf,qkg->RPqfg", side[:, :, :, i], self.arms[j])
        mixed += np.einsum("RPkqf,qkg->RPqfg", side[:, :, :, j], twice * self.arms[i])
        both = np.einsum("qkg,qkh->kqgh", self.arms[i], self.arms[j])
        both = (both + twice * both.swapaxes(2, 3)).reshape(k, -1)
        among = (number @ both).reshape(R, P * len(where), g * g)
        own = np.concatenate([mixed.reshape(R, P * len(where), f * g), among], axis=2)
        return Stack(
            pairs=fixed.pairs.transpose(1, 2, 0),
            people=np.broadcast_to(fixed.people, (R, P)),
            rows=np.full(R, float(fixed.rows)),
            shared=self.shared,
            own=own,
            f=f,
            g=g,
            log_root=fixed.log_root,
        )

    def studentized(self, rows: Arms, contrast: Array, sigma: Array, reml: bool, enough: float) -> Array:
        """L'b / SE of each lot (R, n), L = `contrast` (g,) on the columns of the arms; not-a-number for what the single fit has to look at."""
        found = np.full(len(rows), np.nan)
        stack = self.stack(rows)
        plain = np.flatnonzero(tells(stack))
        if not len(plain):
            return found
        tops = climb(stack.of(plain), sigma, reml, enough)
        p = self.fixed.rank
        variance = np.einsum("g,rgh,h->r", contrast, tops.inverse[:, p:, p:], contrast)
        with np.errstate(all="ignore"):
            found[plain] = np.where(tops.found, tops.gamma[:, p:] @ contrast / np.sqrt(variance), np.nan)
        return found
