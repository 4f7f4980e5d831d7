"""The effect in those who take what they are offered (complier average causal effect): two-stage least squares with the lot as instrument.

y = g D + W'b + e, D the treatment received, Z the arm assigned, W the other columns (intercept, baseline, strata), the same in both stages: D is
replaced by its projection on (W, Z), and y regressed on that and W. Under randomization, no defiers, and an effect of Z through D alone, g is the
effect in compliers: Angrist, Imbens and Rubin (1996), JASA 91:444-455.

Variance CR2, clusters j (therapy group; a person who is in none is a cluster): with X the projected columns, M = (X'X)^-1, H = X M X',
A_j = (I - H_jj)^(-1/2), e the residuals by the received D, V = M sum_j (X_j'A_j e_j)(X_j'A_j e_j)' M; df by Satterthwaite's approximation under
independent errors: Bell and McCaffrey (2002), Survey Methodology 28:169-181; Pustejovsky and Tipton (2018), J Bus Econ Stat 36:672-683.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from .likelihood import Array
from .mixed import absent, independent_columns
from .problems import Problem, Refused, error, warning
from .results import Estimate

WEAK = 10.0
"""A first-stage F below this is a weak instrument: Staiger and Stock (1997), Econometrica 65:557-586."""


@dataclass(frozen=True)
class Cace:
    """The effect in compliers with CR2 standard error and t on Satterthwaite df, in units of the outcome.

    `first_stage_f`: of Z in the regression of D on (W, Z), None where D is determined by them; `compliance` its coefficient, the difference in
    the share that received the treatment. `problems` always has the assumptions.
    """

    effect: Estimate
    se_classical: float | None
    first_stage_f: float | None
    compliance: float | None
    n: int
    clusters: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Stage:
    """Least squares on columns Q R: orthonormal Q (N, p), coefficients (p,), residuals (N,) and c = row of R^-1 of the coefficient in question."""

    Q: Array
    contrast: Array
    estimate: float
    residual: Array


def fit_cace(
    y: npt.ArrayLike,
    received: npt.ArrayLike,
    assigned: npt.ArrayLike,
    W: Array,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Cace:
    """Effect of `received` (N,) on y (N,), instrument `assigned` (N,), other columns W (N, q) with the intercept; everybody analyzed is in.

    Without `clusters` (N,) every person is one. Refused: values that are not finite. Not estimable, with its reason: one arm, nobody or everybody
    treated, the same share treated in both arms, no more people than coefficients.
    """
    columns = [np.asarray(values, dtype=float) for values in (y, received, assigned)]
    label = np.arange(len(columns[0])) if clusters is None else np.unique(np.asarray(clusters), return_inverse=True)[1]
    if not all(np.isfinite(values).all() for values in (*columns, W)):
        raise Refused([error("cace_not_finite")])
    order = np.lexsort((*W.T, *columns, label))  # sums of floating-point numbers depend on their order
    y_, d, z, W, label = columns[0][order], columns[1][order], columns[2][order], W[order], label[order]
    said: list[Problem] = [warning("cace_assumptions")]
    count = len(np.unique(label))
    W = W[:, independent_columns(W)[0]]
    first_columns = np.column_stack([W, z])
    reason = _reason(y_, d, first_columns)
    if reason:
        return Cace(absent("complier effect", reason), None, None, None, len(y_), count, tuple(said))
    first = _regress(first_columns, d, d)
    second_columns = np.column_stack([W, d - first.residual])
    if abs(first.estimate) < 1e-10 * np.abs(d).max() or len(independent_columns(second_columns)[0]) < W.shape[1] + 1:
        return Cace(absent("complier effect", "cace_no_difference"), None, 0.0, 0.0, len(y_), count, tuple(said))
    second = _regress(second_columns, y_, d)
    strength = _strength(first)
    if strength is not None and strength < WEAK:
        said.append(warning("cace_weak", f=strength))
    residual_df = len(y_) - second_columns.shape[1]
    spread = float(second.residual @ second.residual) / residual_df
    variance, df = _cr2(second, label)
    if not variance > 0:
        effect = Estimate("complier effect", second.estimate, None, None, None, None, None, None, "no_variance")
    else:
        effect = _tested(second.estimate, float(np.sqrt(variance)), df, confidence)
    classical = float(np.sqrt(spread * (second.contrast @ second.contrast)))
    return Cace(effect, classical, strength, first.estimate, len(y_), count, tuple(said))


def _reason(y: Array, d: Array, columns: Array) -> str:
    p = columns.shape[1]
    if len(y) <= p + 1:
        return "cace_too_few"
    if len(independent_columns(columns)[0]) < p:
        return "group_constant"
    return "cace_received_constant" if np.ptp(d) == 0 else ""


def _regress(columns: Array, y: Array, received: Array) -> _Stage:
    """Least squares of y on the columns; the last coefficient is the one in question, and residuals are by the column as received.

    In the first stage the last column is the arm; its residuals are those of the fit itself, since y is `received` there.
    """
    scale = np.linalg.norm(columns, axis=0)
    Q, R = np.linalg.qr(columns / scale)
    inverse = np.linalg.inv(R) / scale[:, None]
    b = inverse @ (Q.T @ y)
    used = columns if y is received else np.column_stack([columns[:, :-1], received])
    return _Stage(Q, np.asarray(inverse[-1], dtype=float), float(b[-1]), y - used @ b)


def _strength(first: _Stage) -> float | None:
    """F = t^2 of the arm in the first stage; None where nothing is left to vary."""
    n, p = first.Q.shape
    spread = float(first.residual @ first.residual) / (n - p)
    error_ = spread * float(first.contrast @ first.contrast)
    return first.estimate**2 / error_ if error_ > 1e-20 * first.estimate**2 else None


def _cr2(stage: _Stage, label: npt.NDArray[np.intp]) -> tuple[float, float]:
    """Variance of the last coefficient and its degrees of freedom; rows are ordered by cluster.

    With a_j = A_j Q_j c: V = sum (a_j'e_j)^2, df = (sum G_jj)^2 / sum G_ij^2, G_ij = 1(i = j) a_j'a_j - a_i'H_ij a_j, since I - H is idempotent.
    """
    edges = np.flatnonzero(np.diff(label, prepend=-1, append=-1))
    terms, lengths, shadows = [], [], []
    for start, stop in itertools.pairwise(edges):
        Q = stage.Q[start:stop]
        values, vectors = np.linalg.eigh(np.eye(int(stop - start)) - Q @ Q.T)
        root = np.where(values > 1e-10, 1 / np.sqrt(np.maximum(values, 1e-10)), 0.0)
        a = vectors @ (root * (vectors.T @ (Q @ stage.contrast)))
        terms.append(float(a @ stage.residual[start:stop]))
        lengths.append(float(a @ a))
        shadows.append(Q.T @ a)
    shadow = np.array(shadows)
    G = np.diag(lengths) - shadow @ shadow.T
    return float(np.square(terms).sum()), float(np.trace(G) ** 2 / (G**2).sum())


def _tested(estimate: float, se: float, df: float, confidence: float) -> Estimate:
    half = float(stats.t.ppf(0.5 + confidence / 2, df)) * se
    p = float(2 * stats.t.sf(abs(estimate / se), df))
    return Estimate("complier effect", estimate, se, df, estimate / se, p, estimate - half, estimate + half)
