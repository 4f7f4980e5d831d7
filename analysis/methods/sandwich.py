"""Robust variances of repeated measures: what the patients' residuals say, whatever their true covariance.

With whitened rows X~ = C'X and residuals e~ = C'(y - Xb), Sigma_i^-1 = C C' (C lower), and H_i = X~_i Phi X~_i':

    V = Phi [sum_i X~_i' A_i e~_i e~_i' A_i X~_i] Phi        CR0: A_i = I. CR2: A_i = (I - H_i)^(-1/2)

Liang and Zeger (1986), Biometrika 73:13-22; Bell and McCaffrey (2002), Survey Methodology 28:169-181. Degrees of freedom are Bell and
McCaffrey's with the fitted covariance as the working one: (tr G)^2 / tr(G^2), G_ij = a_i'(I - H)_ij a_j, a_i = A_i X~_i Phi l. The
sums need one more pass over the patients.

i is a patient, or a cluster of patients (a therapy group): then X~_i and e~_i are those of all its patients, one below the other, since
the working covariance has no term between patients (Pustejovsky and Tipton 2018, J Bus Econ Stat 36:672-683, section 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .likelihood import Array
from .mmrm import Maximum
from .patterns import Patterns
from .smallsample import Degrees, Precision

_TINY = 1e-10


@dataclass(frozen=True)
class _Part:
    """Clusters of one size: the patients `who`, their whitened rows (k, T_i, r) and residuals (k, T_i)."""

    who: npt.NDArray[np.intp]
    white: Array
    left: Array


def robust(
    data: Patterns,
    top: Maximum,
    X: Array,
    Y: Array,
    group: npt.NDArray[np.intp],
    reduced: bool,
    clusters: npt.NDArray[np.intp] | None = None,
) -> Precision:
    """CR2 if `reduced`, else CR0. X (n, T, r) on the basis, Y (n, T) with NaN for missing, group (n,): the covariance of each patient.

    `clusters` (n,): patients with one code are one cluster; without it each patient is one.
    """
    phi = top.point.inverse
    observed = ~np.isnan(Y)
    visits = Y.shape[1]
    code = observed @ (1 << np.arange(visits)) + (group << visits)
    parts: list[_Part] = []
    for one in np.unique(code):
        who = np.flatnonzero(code == one)
        at = np.flatnonzero((one >> np.arange(visits)) & 1)
        sigma = top.point.sigma[one >> visits][np.ix_(at, at)]
        C = np.linalg.cholesky(np.linalg.inv(sigma))
        left = (Y[who][:, at] - X[who][:, at] @ top.point.gamma) @ C
        parts.append(_Part(who, C.T @ X[who][:, at], left))
    if clusters is not None:
        parts = _gathered(parts, clusters)
    outer: list[Array] = []  # A X~, one (T_i, r) a cluster, stacked by size
    meat = np.zeros_like(phi)
    for part in parts:
        adjusted = _adjust(part.white, phi) @ part.white if reduced else part.white
        scores = np.einsum("ktr,kt->kr", adjusted, part.left)
        meat += scores.T @ scores
        outer.append(adjusted)
    whole = [part.white for part in parts]
    covariance = phi @ meat @ phi

    return Precision((covariance + covariance.T) / 2, _degrees(outer, whole, phi))


def _gathered(parts: list[_Part], clusters: npt.NDArray[np.intp]) -> list[_Part]:
    """The same rows by cluster: who is alone in one stays in the stack of equal patterns, the others stand below each other."""
    alone = np.bincount(clusters)[clusters] == 1
    found: list[_Part] = []
    shared: dict[int, list[tuple[Array, Array]]] = {}
    for part in parts:
        single = alone[part.who]
        if single.any():
            found.append(_Part(part.who[single], part.white[single], part.left[single]))
        for k in np.flatnonzero(~single):
            shared.setdefault(int(clusters[part.who[k]]), []).append((part.white[k], part.left[k]))
    for code, rows in sorted(shared.items()):
        white = np.concatenate([one for one, _left in rows])
        left = np.concatenate([one for _white, one in rows])
        found.append(_Part(np.flatnonzero(clusters == code), white[None], left[None]))
    return found


def bell_mccaffrey(X: Array, left: Array, clusters: npt.NDArray[np.intp], phi: Array) -> Precision:
    """CR2 of a regression of single rows: X (N, p), residuals (N,), phi = (X'X)^-1, the working covariance that of independent rows."""
    adjusted: list[Array] = []
    whole: list[Array] = []
    meat = np.zeros_like(phi)
    for cluster in np.unique(clusters):
        rows = X[clusters == cluster][None]
        outer = _adjust(rows, phi) @ rows
        score = np.einsum("ktr,kt->r", outer, left[clusters == cluster][None])
        meat += np.outer(score, score)
        adjusted.append(outer)
        whole.append(rows)
    covariance = phi @ meat @ phi
    return Precision((covariance + covariance.T) / 2, _degrees(adjusted, whole, phi))


def _adjust(white: Array, phi: Array) -> Array:
    """(I - H_i)^(-1/2) (k, T_i, T_i), a pseudo-inverse where a patient alone decides a coefficient."""
    H = white @ phi @ white.transpose(0, 2, 1)
    values, vectors = np.linalg.eigh(np.eye(H.shape[1]) - H)
    root = np.where(values > _TINY, 1 / np.sqrt(np.maximum(values, _TINY)), 0.0)
    return np.asarray((vectors * root[:, None, :]) @ vectors.transpose(0, 2, 1))


def _degrees(outer: list[Array], whole: list[Array], phi: Array) -> Degrees:
    """Bell and McCaffrey's degrees of freedom, from A X~ and X~ of all patients or clusters."""

    def df(combination: Array) -> float | None:
        half = phi @ combination
        d, u = [], []
        for adjusted, white in zip(outer, whole, strict=True):
            a = adjusted @ half  # (k, T_i)
            d.append((a * a).sum(axis=1))
            u.append(np.einsum("ktr,kt->kr", white, a))
        own, cross = np.concatenate(d), np.concatenate(u)
        shared = np.einsum("kr,rs,ks->k", cross, phi, cross)
        U = cross.T @ cross @ phi
        trace = float(own.sum() - shared.sum())
        square = float((own**2).sum() - 2 * (own * shared).sum() + np.trace(U @ U))
        return trace**2 / square if square > 0 and trace > 0 else None

    return df
