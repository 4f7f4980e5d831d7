"""Repeated measures by missingness pattern: one pass over the patients, after which nothing depends on their number.

x_it = B_t' c_i: the row of the model matrix of patient i at visit t is a fixed map B (T, m, p) of columns c_i (m,) that belong to the patient.
Patients who are seen at the same visits share one covariance matrix, so that the likelihood of all of them needs no more than the sum of
their [c, y]'[c, y] (m + T, m + T). There are at most 2^T - 1 patterns, times the number of groups with a covariance matrix of their own.

The columns of X are turned into an orthonormal basis before cross-products are kept, so that they lose no digits: X_kept = Q R.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import linalg

from .likelihood import Array

_DEPENDENT = 1e-11  # squared length of what a column adds to the earlier ones, against its own


UNTOLD = 1e-8
"""A combination that has more than this along what X cannot tell is not determined."""


@dataclass(frozen=True)
class Patterns:
    """Cross-products of the P patterns of T visits, on an orthonormal basis of r columns.

    `seen` (P, T) and `pairs` (P, T, T) say which visits, and pairs of them, a pattern has; `people` (P,) how many patients; `group` (P,) which
    covariance matrix is theirs. XX (P*T*T, r*r), XY (P, T, T, r) = sum of x_is y_it, YY (P, T, T). `rows` counts the observations.
    `kept` are the columns of X that do not depend on earlier ones, `root` is R, and `null` (p, p - r) spans what the data say nothing of.
    """

    seen: npt.NDArray[np.bool_]
    pairs: npt.NDArray[np.bool_]
    people: Array
    group: npt.NDArray[np.intp]
    groups: int
    XX: Array
    XY: Array
    YY: Array
    rows: int
    kept: npt.NDArray[np.intp]
    root: Array
    null: Array

    @property
    def visits(self) -> int:
        """T."""
        return int(self.seen.shape[1])

    @property
    def rank(self) -> int:
        """r, the number of coefficients that can be estimated."""
        return len(self.kept)

    def tells(self, contrast: Array) -> bool:
        """Whether the data determine the combination `contrast` (p,) of all coefficients."""
        return bool(np.abs(contrast @ self.null).max(initial=0.0) <= UNTOLD)

    def on_basis(self, contrast: Array) -> Array:
        """The same combination (r,) of the coefficients on the orthonormal basis."""
        return np.asarray(np.linalg.solve(self.root.T, contrast[self.kept]))

    @cached_property
    def unseen(self) -> Array:
        """An identity (P, T, T) for the visits that a pattern does not have."""
        return np.asarray(np.eye(self.visits) * ~self.seen[:, None])

    @cached_property
    def log_root(self) -> float:
        """log|R|: the REML criterion is that of X, not of its orthonormal basis."""
        return float(np.log(np.abs(self.root.diagonal())).sum())


def collect(C: Array, Y: Array, B: Array, group: npt.NDArray[np.intp], groups: int = 1) -> Patterns:
    """The pass over C (n, m) and Y (n, T; NaN is missing), patients in `group` (n,) 0 .. groups - 1; who is never seen must be left out."""
    visits, m = Y.shape[1], C.shape[1]
    observed = ~np.isnan(Y)
    order, found, start, stop = in_patterns(observed, group)
    Z = np.concatenate([C, np.where(observed, Y, 0.0)], axis=1)[order]
    sums = np.stack([Z[a:b].T @ Z[a:b] for a, b in zip(start, stop, strict=True)])
    seen = ((found[:, None] >> np.arange(visits)) & 1).astype(bool)
    pairs = seen[:, :, None] & seen[:, None, :]
    kept, root, null = _basis(sums[:, :m, :m], seen, B)
    turned = B[:, :, kept] @ np.linalg.inv(root)  # (T, m, r): the basis from the facts
    left = turned.transpose(0, 2, 1) @ sums[:, None, :m, :m]  # (P, T, r, m)
    XX = left[:, :, None] @ turned[None, None] * pairs[..., None, None]
    XY = (turned.transpose(0, 2, 1) @ sums[:, None, :m, m:]).transpose(0, 1, 3, 2) * pairs[..., None]
    return Patterns(
        seen=seen,
        pairs=pairs,
        people=(stop - start).astype(float),
        group=(found >> visits).astype(np.intp),
        groups=groups,
        XX=np.ascontiguousarray(XX.reshape(-1, len(kept) ** 2)),
        XY=np.ascontiguousarray(XY),
        YY=sums[:, m:, m:] * pairs,
        rows=int(observed.sum()),
        kept=kept,
        root=root,
        null=null,
    )


def in_patterns(
    observed: npt.NDArray[np.bool_], group: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The patients in the order of their patterns, the code of each pattern, and where its patients start and stop in that order."""
    visits = observed.shape[1]
    code = observed @ (1 << np.arange(visits)) + (group << visits)
    order = np.argsort(code, kind="stable")
    found, start = np.unique(code[order], return_index=True)
    return order, found, start, np.append(start[1:], len(code))


def _basis(CC: Array, seen: npt.NDArray[np.bool_], B: Array) -> tuple[npt.NDArray[np.intp], Array, Array]:
    """Positions of the independent columns of X, R with X_kept'X_kept = R'R, and what X cannot tell, from C'C (P, m, m) by pattern."""
    by_visit = (seen.T.astype(float) @ CC.reshape(len(CC), -1)).reshape(-1, *CC.shape[1:])
    A = (B.transpose(0, 2, 1) @ by_visit @ B).sum(axis=0)
    length = np.sqrt(np.maximum(np.diag(A), 0))
    scale = np.where(length > 0, length, 1.0)
    unit = A / np.outer(scale, scale)
    try:
        whole = np.linalg.cholesky(unit).T
        if np.diag(whole).min() ** 2 > _DEPENDENT:
            return np.arange(len(A)), whole * scale, np.zeros((len(A), 0))
    except np.linalg.LinAlgError:
        pass
    kept: list[int] = []
    root = np.zeros_like(A)
    for column in range(len(A)):  # Cholesky, column by column; what adds nothing is left out
        k = len(kept)
        above = linalg.solve_triangular(root[:k, :k], unit[kept, column], trans="T") if k else np.empty(0)
        rest = unit[column, column] - above @ above
        if rest > _DEPENDENT:
            root[:k, k], root[k, k] = above, np.sqrt(rest)
            kept.append(column)
    positions = np.array(kept, dtype=np.intp)
    root = root[: len(kept), : len(kept)]
    lost = np.setdiff1d(np.arange(len(A)), positions)
    null = np.zeros((len(A), len(lost)))
    null[lost, np.arange(len(lost))] = -1.0
    null[np.ix_(positions, np.arange(len(lost)))] = linalg.cho_solve((root, False), unit[np.ix_(positions, lost)])
    return positions, root * scale[positions], null / scale[:, None]
