"""Variances and degrees of freedom of linear combinations of the coefficients of a repeated-measures model.

With Phi = (X'WX)^-1 and theta the parameters of the covariance, whose observed information at the maximum is I:

- Satterthwaite: df = 2 v^2 / (g' I^-1 g), v = l'Phi l, g = dv/dtheta. Fai and Cornelius (1996), J Stat Comput Simul 54:363-378.
- Kenward-Roger, linear: Phi_A = Phi + 2 Phi [sum I^-1_ab (Q_ab - P_a Phi P_b)] Phi with P_a = dA/dtheta_a and Q_ab = X'W G_a W G_b W X;
  without the second derivatives of the covariance, which are 0 for the entries of an unstructured one. Kenward and Roger (1997),
  Biometrics 53:983-997. The df of one combination are Satterthwaite's, with I observed; of several, their F with its scale.
- between-within: rows and patients less coefficients, by whether a coefficient changes within patients, as mmrm counts them.
- residual: rows less coefficients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .likelihood import Array
from .mmrm import Maximum
from .patterns import Patterns

Degrees = Callable[[Array], float | None]
Joint = Callable[[Array], tuple[float, float] | None]


@dataclass(frozen=True)
class Precision:
    """`covariance` (r, r) of the coefficients on the basis, and the df of a combination (r,) of them; None where there are none.

    `joint`, where several combinations (q, r) have their own rule: the factor by which their F is multiplied, and its denominator.
    """

    covariance: Array
    df: Degrees
    joint: Joint | None = None


def variance_spread(top: Maximum) -> Array:
    """The covariance matrix of the parameters of the covariance: the inverse of their observed information."""
    scale = np.sqrt(np.abs(np.diag(top.information)))
    return np.asarray(np.linalg.inv(top.information / np.outer(scale, scale)) / np.outer(scale, scale))


def in_parameters(top: Maximum) -> Array:
    """dA / dtheta (parameters, r, r)."""
    return top.point.A_slopes if top.structure.free else np.tensordot(top.J.T, top.point.A_slopes, 1)


def satterthwaite(top: Maximum) -> Degrees:
    """Degrees of freedom by Satterthwaite's formula with the model-based variance."""
    spread, dA, inverse = variance_spread(top), in_parameters(top), top.point.inverse

    def df(combination: Array) -> float | None:
        half = inverse @ combination
        variance = float(combination @ half)
        gradient = -np.einsum("i,aij,j->a", half, dA, half)
        bottom = float(gradient @ spread @ gradient)
        return 2 * variance**2 / bottom if bottom > 0 else None

    return df


def kenward_roger(data: Patterns, top: Maximum) -> Array:
    """Phi_A (r, r), the adjusted covariance."""
    point, r, T = top.point, data.rank, data.visits
    spread, inverse, dA = variance_spread(top), point.inverse, in_parameters(top)
    Q = point.WG.shape[1]
    by_entry = top.J @ spread @ top.J.T  # the spread of the entries, through which every structure goes
    total = np.zeros((r, r))
    XX = data.XX.reshape(len(data.seen), T * T, r * r)
    for group in range(data.groups):
        mine = data.group == group
        block = by_entry[group * Q : (group + 1) * Q, group * Q : (group + 1) * Q]
        # sum over a, b of spread_ab W G_a W G_b W: first over b, so that no Q x Q x T x T is kept
        weighted = np.einsum("ab,Pbst->Past", block, point.WGW[mine])
        middle = np.einsum("Pasu,Paut->Pst", point.WG[mine], weighted)
        total += (middle.reshape(-1) @ XX[mine].reshape(-1, r * r)).reshape(r, r)
    total -= np.einsum("ab,aij,jk,bkl->il", spread, dA, inverse, dA, optimize=True)
    adjusted = inverse + 2 * inverse @ ((total + total.T) / 2) @ inverse
    return np.asarray((adjusted + adjusted.T) / 2)


def kenward_roger_f(top: Maximum) -> Joint:
    """The scale and the denominator of the F of several combinations, with the observed information."""
    return kenward_roger_scale(variance_spread(top), in_parameters(top), top.point.inverse)


def kenward_roger_scale(spread: Array, dA: Array, phi: Array) -> Joint:
    """From the covariance of the parameters (a, a), dA (a, r, r) and Phi (r, r): the scale and the denominator for combinations (q, r)."""

    def joint(rows: Array) -> tuple[float, float] | None:
        q = len(rows)
        half = rows @ phi
        M = np.linalg.solve(half @ rows.T, np.einsum("qi,aij,rj->aqr", half, dA, half))  # (LPhiL')^-1 L Phi P_a Phi L'
        trace = np.einsum("aqq->a", M)
        A1 = float(trace @ spread @ trace)
        A2 = float(np.einsum("ab,aqr,brq->", spread, M, M))
        B = (A1 + 6 * A2) / (2 * q)
        g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
        bottom = 3 * q + 2 * (1 - g)
        c1, c2, c3 = g / bottom, (q - g) / bottom, (q + 2 - g) / bottom
        E = 1 / (1 - A2 / q)
        V = 2 / q * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
        rho = V / (2 * E**2)
        freedom = 4 + (q + 2) / (q * rho - 1)
        if freedom <= 2:
            return None
        return freedom / (E * (freedom - 2)), freedom

    return joint


def counted(rows: int, people: int, within: npt.NDArray[np.bool_], to_reported: Array, between: bool) -> Degrees:
    """Degrees of freedom by counting; `within` (r,) of the reported coefficients, to which `to_reported` (r, r) leads.

    A combination has the fewest of the coefficients in it; the intercept counts as within.
    """
    inside = within.copy()
    inside[0] = True
    n_within, n_between = int(within[1:].sum()), int((~within[1:]).sum())
    of = np.where(inside, rows - people - n_within, people - n_between - 1)

    def df(combination: Array) -> float | None:
        if not between:
            found = rows - len(within)
        else:
            reported = np.linalg.solve(to_reported.T, combination)
            found = int(of[np.abs(reported) > 1e-9 * np.abs(reported).max()].min())
        return float(found) if found > 0 else None

    return df


def fai_cornelius(degrees: Array) -> float:
    """The denominator of an F from the df of its uncorrelated parts."""
    if np.ptp(degrees) < 1e-8:
        return float(degrees.mean())
    if (degrees <= 2).any():
        return 2.0
    total = float((degrees / (degrees - 2)).sum())
    return 2 * total / (total - len(degrees))
