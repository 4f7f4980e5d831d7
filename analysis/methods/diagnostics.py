"""How well a fitted mixed model describes its data: scaled residuals by observation, and the influence of each patient.

y = X b + e, Var(e) = V with blocks of dependent rows, W = V^-1, Phi = (X'WX)^-1, b = Phi X'Wy, r = y - Xb. With the variances held at their
estimates:

    scaled residual   L^-1 r, V = L L' (L lower): uncorrelated with variance 1 if the model holds. What mmrm and nlme call "normalized";
                      Fitzmaurice, Laird and Ware (2011), Applied Longitudinal Analysis, section 10.3
    deletion          b - b_(i) = Phi Z_i' P_i^-1 u_i with Z = WX, u = Wr and P_i = W_ii - Z_i Phi Z_i', the rows of patient i. This is the exact
                      answer without the patient, also where other patients share the block (a team): Haslett (1999), J R Stat Soc B 61:603-609
    distance          D_i = (b - b_(i))' Phi^-1 (b - b_(i)) / p: Cook's (1977, Technometrics 19:15-18), a patient at a time

A patient without whom a coefficient is lost has no distance (None).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg, special

from .fitspec import FitSpec
from .likelihood import Array
from .longtable import Codes, Long, read_long
from .mixedfit import fit_mixed, intercepts_at
from .problems import Refused, error
from .repeated import find

_LOST = 1e-9  # an eigenvalue of P_i below this share of the largest of W_ii: without these rows a coefficient is lost


@dataclass(frozen=True)
class Rows:
    """Blocks of one size: X (k, b, r) and y (k, b), V (k, b, b), and the patient of each row (k, b). Units and basis are the caller's."""

    X: Array
    y: Array
    V: Array
    patient: Codes


@dataclass(frozen=True)
class Diagnostics:
    """By observation, in any order: `fitted` (N,) in units of the outcome, `scaled` residuals (N,). `distance` (n,) by patient, NaN: lost."""

    fitted: Array
    scaled: Array
    distance: Array

    @property
    def quantiles(self) -> Array:
        """(N, 2): where a normal distribution has its values, and the scaled residuals in order. Blom's places, (k - 3/8) / (N + 1/4)."""
        N = len(self.scaled)
        return np.column_stack([special.ndtri((np.arange(1, N + 1) - 0.375) / (N + 0.25)), np.sort(self.scaled)])


def diagnose(table: pd.DataFrame, spec: FitSpec) -> Diagnostics:
    """Of mmrm, clda, or lmm with random intercepts, fitted to `table` once more. Raises Refused, for other models too."""
    data = read_long(table, spec)
    if spec.model in ("mmrm", "clda"):
        rows, center, scale = _repeated(data, spec)
    elif spec.model == "lmm" and not spec.slope and not spec.nested_in_arm:
        rows, center, scale = _intercepts(data, spec)
    else:
        raise Refused([error("fit_no_diagnostics", model=spec.model)])
    fitted, scaled, distance = measures(rows, data.subjects)
    return Diagnostics(center + scale * fitted, scaled, distance)


def _repeated(data: Long, spec: FitSpec) -> tuple[list[Rows], float, float]:
    """Patients who are seen at the same visits stand together."""
    found = find(data, spec)
    X, seen = found.design, ~np.isnan(found.Y)
    code = seen @ (1 << np.arange(seen.shape[1])) + (found.group << seen.shape[1])
    rows = []
    for one in np.unique(code):
        who = np.flatnonzero(code == one)
        at = np.flatnonzero(seen[who[0]])
        sigma = found.top.point.sigma[found.group[who[0]]][np.ix_(at, at)]
        V = np.broadcast_to(sigma, (len(who), len(at), len(at)))
        rows.append(Rows(X[who][:, at], found.Y[who][:, at], V, np.repeat(who[:, None], len(at), axis=1)))
    return rows, found.center, found.scale


def _intercepts(data: Long, spec: FitSpec) -> tuple[list[Rows], float, float]:
    """The rows of an outermost unit with a variance stand together."""
    known = dict(fit_mixed(data, spec).details["variances"])
    model, theta, center, scale = intercepts_at(data, spec, known)
    rows = [Rows(one.X, one.y, np.einsum("kabc,a->kbc", one.G, theta), data.subject[one.rows]) for one in model.batches]
    return rows, center, scale


def measures(rows: Iterable[Rows], patients: int) -> tuple[Array, Array, Array]:
    """Fitted values (N,) and scaled residuals (N,) by observation in the order of `rows`, distances (n,) by patient."""
    blocks = list(rows)
    W = [np.linalg.inv(one.V) for one in blocks]
    information = sum(np.einsum("kbr,kbc,kcs->rs", b.X, w, b.X, optimize=True) for b, w in zip(blocks, W, strict=True))
    right = sum(np.einsum("kbr,kbc,kc->r", b.X, w, b.y, optimize=True) for b, w in zip(blocks, W, strict=True))
    information = np.asarray(information, dtype=float)
    phi = np.linalg.inv(information)
    b = phi @ np.asarray(right, dtype=float)
    fitted, scaled = [], []
    distance = np.full(patients, np.nan)
    for one, w in zip(blocks, W, strict=True):
        at = one.X @ b
        left = one.y - at
        fitted.append(at.ravel())
        scaled.append(np.linalg.solve(np.linalg.cholesky(one.V), left[..., None])[..., 0].ravel())
        for X, V_inverse, r, patient in zip(one.X, w, left, one.patient, strict=True):
            for who in np.unique(patient):
                change = _change(X, V_inverse, r, patient == who, phi)
                if change is not None:
                    distance[who] = float(change @ information @ change) / len(b)
    return np.concatenate(fitted), np.concatenate(scaled), distance


def _change(
    X: Array, W: Array, left: Array, mine: np.ndarray[tuple[int], np.dtype[np.bool_]], phi: Array
) -> Array | None:
    """b - b_(i) (r,), for the rows `mine` (b,) of one block; None where a coefficient is lost with them."""
    Z, u = (W @ X)[mine], (W @ left)[mine]
    own = W[np.ix_(mine, mine)]
    P = own - Z @ phi @ Z.T
    if np.linalg.eigvalsh(P)[0] <= _LOST * np.linalg.eigvalsh(own)[-1]:
        return None
    return np.asarray(phi @ (Z.T @ linalg.solve(P, u, assume_a="pos")), dtype=float)
