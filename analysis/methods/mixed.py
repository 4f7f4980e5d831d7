"""The random-intercept mixed model: statsmodels' MixedLM finds it, exact derivatives finish it and judge it.

statsmodels stops up to 1e-4 short of the maximum, has standard errors that are off by 3e-3 and gives z for t. Its optimum is the start:
the intraclass correlation is looked at over its whole range, Newton steps on the exact likelihood go on from the best point, and a
variance of exactly 0 is compared, not approached. Standard errors are from (X'V^-1X)^-1 at the fitted variances; degrees of
freedom are Satterthwaite's, with the observed information of the variances (as lmerTest).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import linalg, special
from statsmodels.regression.mixed_linear_model import MixedLM

from . import likelihood
from .likelihood import Array, Fitted, Model
from .problems import Problem, Refused, error, warning
from .progress import SILENT, Cancelled, Watch
from .results import Convergence, Estimate, Fit, JointTest, Status, absent
from .smallsample import fai_cornelius
from .twolevel import Top, in_logs, maximize

_GRADIENT, _DECREMENT = 1e-5, 1e-10
_SHORT = 1e-3  # statsmodels further than this below the maximum: a local optimum or a false report, not rounding
_EXCUSED = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)  # about code, not about the fit


@dataclass(frozen=True)
class Solution:
    """A fitted model that can still be asked for linear combinations of its coefficients.

    `kept` are the columns that the fit could use; `null` (p, p - rank) spans the combinations of which the data say nothing.
    `information` is the observed information of the variances, None where only the residual one is not 0.
    """

    state: Fitted
    names: tuple[str, ...]
    kept: npt.NDArray[np.intp]
    null: Array
    information: Array | None
    confidence: float
    trusted: bool

    def combination(self, name: str, weights: Array) -> Estimate:
        """The linear combination `weights` (p,) of all coefficients; None with its reason where it is not determined."""
        if not self.trusted:
            return absent(name, "withheld")
        if self.null.size and np.abs(weights @ self.null).max() > 1e-8 * float(np.linalg.norm(weights)):
            return absent(name, "not_estimable")
        combined = weights[self.kept]
        value = float(combined @ self.state.beta)
        variance = float(combined @ self.state.covariance @ combined)
        df = self._df(combined, variance) if variance > 0 else None
        if df is None:
            return absent(name, "no_variance")
        se = float(np.sqrt(variance))
        t = value / se
        half = float(special.stdtrit(df, 0.5 + self.confidence / 2)) * se
        return Estimate(name, value, se, df, t, float(2 * special.stdtr(df, -abs(t))), value - half, value + half)

    def _df(self, combined: Array, variance: float) -> float | None:
        """Satterthwaite: 2 v^2 / (g' I^-1 g); with one variance only, the residual degrees of freedom of least squares."""
        if self.information is None:
            return float(self.state.freedom)
        gradient = self.state.variance_gradient(combined)
        spread = float(gradient @ linalg.solve(self.information, gradient))
        return 2 * variance**2 / spread if spread > 0 else None

    def jointly(self, name: str, rows: Array) -> JointTest:
        """F test that all combinations `rows` (q, p) are 0; linearly dependent rows count once.

        The independent combinations are rotated to be uncorrelated (eigenvectors of their covariance); each has Satterthwaite's degrees
        of freedom v_k, and the denominator is 2 E / (E - q) with E = sum of v_k / (v_k - 2) over v_k > 2: Fai and Cornelius (1996),
        J Stat Comput Simul 54:363-378, as lmerTest does it.
        """
        if not self.trusted:
            return JointTest(name, None, None, None, None, "withheld")
        if self.null.size and np.abs(rows @ self.null).max() > 1e-8 * float(np.linalg.norm(rows)):
            return JointTest(name, None, None, None, None, "not_estimable")
        combined = rows[:, self.kept]
        values, vectors = np.linalg.eigh(combined @ self.state.covariance @ combined.T)
        usable = values > 1e-10 * max(float(values.max(initial=0.0)), 1e-300)
        turned, spread = vectors[:, usable].T @ combined, values[usable]
        q = int(usable.sum())
        degrees = [self._df(row, float(v)) for row, v in zip(turned, spread, strict=True)]
        known = np.array([d for d in degrees if d is not None])
        if q == 0 or len(known) < q:
            return JointTest(name, None, None, None, None, "no_variance")
        statistic = float(((turned @ self.state.beta) ** 2 / spread).sum() / q)
        freedom = fai_cornelius(known)
        return JointTest(name, statistic, q, freedom, float(special.fdtrc(q, freedom, statistic)))


def fit_random_intercept(
    y: Array,
    X: Array,
    names: Sequence[str],
    groups: npt.NDArray[Any],
    method: Literal["reml", "ml"] = "reml",
    confidence: float = 0.95,
    watch: Watch = SILENT,
    *,
    ask_statsmodels: bool = True,
) -> tuple[Fit, Solution]:
    """Fit y (N,) = X (N, p) b + intercept of each group (N,) + error.

    Without `ask_statsmodels` the exact likelihood searches alone (the same maximum in a third of the time, without the second opinion).
    Refused, with the reason, where the two variances cannot be told apart. A rank-deficient X is fitted on its independent
    columns, and what is then not determined is None with its reason. Raises Cancelled when told to stop.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    kept, null = independent_columns(X)
    refuse_hopeless(y, len(kept), codes)
    model = likelihood.build(y, X[:, kept], codes, method == "reml")
    refuse_confounded(model, y)
    watch.step("fitting", 0.2)
    start = _statsmodels(y, X[:, kept], codes, method == "reml", watch) if ask_statsmodels else _Start()
    watch.step("polishing", 0.7)
    return solved(model, names, kept, null, confidence, start)


def solved(
    model: Model,
    names: Sequence[str],
    kept: npt.NDArray[np.intp],
    null: Array,
    confidence: float,
    start: _Start | None = None,
) -> tuple[Fit, Solution]:
    """The fit of a model that is built: `names` are those of all columns, `kept` and `null` as `independent_columns` gives them."""
    start = start or _Start()
    top = maximize(model, start.share)
    convergence, problems = _judge(top, start)
    information = None if convergence.boundary else -likelihood.derivatives(top.state)[1]
    trusted = convergence.status != "not_converged"
    solution = Solution(top.state, tuple(names), kept, null, information, confidence, trusted)
    variances = Variances(top.state.s_u, top.state.s_e, model.rows, model.subjects)
    return as_fit(solution, variances, "reml" if model.reml else "ml", convergence, problems), solution


@dataclass(frozen=True)
class Variances:
    """The variances of a fit and what they rest on. `unit`: between units that subjects belong to, where the model has them."""

    subject: float
    residual: float
    rows: int
    subjects: int
    unit: float | None = None
    units: int | None = None


def as_fit(
    solution: Solution,
    variances: Variances,
    method: Literal["reml", "ml"],
    convergence: Convergence,
    problems: tuple[Problem, ...],
) -> Fit:
    """The record of a fit: coefficients, variances, covariance of what can be estimated."""
    names, state = solution.names, solution.state
    coefficients = tuple(solution.combination(n, row) for n, row in zip(names, np.eye(len(names)), strict=True))
    lost = tuple(c.name for c in coefficients if c.estimate is None)
    if lost and solution.trusted:
        problems += (warning("rank_deficient", columns=lost),)
    known = [i for i, column in enumerate(solution.kept) if coefficients[column].estimate is not None]
    covariance = state.covariance[np.ix_(known, known)]
    return Fit(
        method=method,
        rows=variances.rows,
        subjects=variances.subjects,
        log_likelihood=state.log_likelihood,
        df_method="residual" if solution.information is None else "satterthwaite",
        coefficients=coefficients,
        covariance_of=tuple(names[solution.kept[i]] for i in known),
        covariance=tuple(tuple(float(v) for v in row) for row in covariance),
        variance_subject=variances.subject,
        variance_residual=variances.residual,
        convergence=convergence,
        warnings=problems,
        variance_unit=variances.unit,
        units=variances.units,
    )


def independent_columns(X: Array) -> tuple[npt.NDArray[np.intp], Array]:
    """Positions of the columns that do not depend on earlier ones, and a basis (p, p - rank) of what X cannot tell."""
    length = np.linalg.norm(X, axis=0)
    scale = np.where(length > 0, length, 1.0)
    kept: list[int] = []
    basis = np.empty((X.shape[0], 0))
    for column in range(X.shape[1]):
        rest = X[:, column] / scale[column]
        for _twice in (0, 1):  # the second pass removes what rounding left of the first
            rest = rest - basis @ (basis.T @ rest)
        if np.linalg.norm(rest) > 1e-7:
            kept.append(column)
            basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
    lost = np.setdiff1d(np.arange(X.shape[1]), kept)
    null = np.zeros((X.shape[1], len(lost)))
    if lost.size:
        null[lost, np.arange(len(lost))] = -1.0
        null[kept] = np.linalg.lstsq(X[:, kept] / scale[kept], X[:, lost] / scale[lost], rcond=None)[0]
        null = null / scale[:, None]
        null = null / np.linalg.norm(null, axis=0)
    return np.array(kept, dtype=np.intp), null


def refuse_hopeless(y: Array, rank: int, codes: npt.NDArray[np.intp]) -> None:
    """Refuse what no number of iterations can fit."""
    if len(y) <= rank:
        raise Refused([error("too_few_rows", rows=len(y), parameters=rank)])
    if np.ptp(y) == 0:
        raise Refused([error("outcome_constant", value=float(y[0]))])
    counts = np.bincount(codes)
    if len(counts) < 2:
        raise Refused([error("one_subject")])
    if counts.max() < 2:
        raise Refused([error("one_row_per_subject", subjects=len(counts))])


def refuse_confounded(model: Model, y: Array) -> None:
    """Refuse designs whose fixed effects use up all information on one of the two variances."""
    p = model.rank
    within = int((np.linalg.eigvalsh(model.within[:p, :p]) > 1e-9).sum())
    if model.deviations <= within:
        raise Refused([error("no_information_within", rows=model.rows, subjects=model.subjects)])
    if model.subjects <= int((np.linalg.eigvalsh(model.between[:, :p, :p].sum(axis=0)) > 1e-9).sum()):
        raise Refused([error("no_information_between", subjects=model.subjects, parameters=p)])
    inside = model.within
    left = inside[p, p] - inside[p, :p] @ np.linalg.pinv(inside[:p, :p], rcond=1e-9, hermitian=True) @ inside[:p, p]
    if left < 1e-14 * float(np.var(y)) * len(y):
        raise Refused([error("no_residual_variance")])


# --- statsmodels -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Start:
    """What statsmodels found: the intraclass correlation, its log-likelihood and count of work, and what it complained of."""

    share: float | None = None
    log_likelihood: float | None = None
    iterations: int | None = None
    evaluations: int | None = None
    problems: tuple[Problem, ...] = field(default_factory=tuple)


class _Watched(MixedLM):  # type: ignore[misc]  # statsmodels has no types
    """MixedLM that reports at each evaluation of the likelihood, and stops when told to; its fit takes no callback.

    How many evaluations it needs is not known: the share creeps towards that of the next stage.
    """

    watch = SILENT
    evaluations = 0

    def loglike(self, params: Any, profile_fe: bool = True) -> float:
        self.evaluations += 1
        self.watch.step("fitting", 0.7 - 0.5 * 0.97**self.evaluations)
        return float(super().loglike(params, profile_fe))


def _statsmodels(y: Array, X: Array, codes: npt.NDArray[np.intp], reml: bool, watch: Watch) -> _Start:
    """statsmodels' own optimum by Nelder-Mead; whatever it warns of or raises becomes a problem of the fit."""
    problems: list[Problem] = []
    result: Any = None
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn"):
        warnings.simplefilter("always")
        try:
            model = _Watched(y, X, codes)
            model.watch = watch
            result = model.fit(reml=reml, method="nm", full_output=True, maxiter=2000, ftol=1e-12)
        except Cancelled:
            raise
        except Exception as failure:  # whatever stops statsmodels must not stop the exact likelihood below
            problems.append(warning("statsmodels_raised", error=type(failure).__name__, message=str(failure)))
    for found in caught:
        if not issubclass(found.category, _EXCUSED):
            text = " ".join(str(found.message).split())
            problems.append(warning("statsmodels_warned", category=found.category.__name__, message=text))
    if result is None:
        return _Start(problems=tuple(problems))
    history = result.hist[0] if result.hist else {}
    if not result.converged:
        problems.append(warning("statsmodels_not_converged"))
    between, within = float(result.cov_re[0, 0]), float(result.scale)
    usable = np.isfinite([between, within, result.llf]).all() and within > 0 and between >= 0
    return _Start(
        share=min(between / (between + within), 1 - 1e-9) if usable else None,
        log_likelihood=float(result.llf) if np.isfinite(result.llf) else None,
        iterations=int(history["iterations"]) if "iterations" in history else None,
        evaluations=int(history["fcalls"]) if "fcalls" in history else None,
        problems=tuple(problems),
    )


# --- the exact maximum -------------------------------------------------------------------------------------------------


def _rounded(value: float) -> float:
    """A diagnostic at 1e-9: below that stands rounding, which would make equal results differ in their bytes."""
    return round(value, 9)


def _judge(top: Top, start: _Start) -> tuple[Convergence, tuple[Problem, ...]]:
    """The convergence record, and everything found on the way; a caught warning changes the status."""
    problems = list(start.problems)
    gradient, hessian = in_logs(top.state)
    if top.boundary:  # what remains is one parameter, the residual variance
        gradient, hessian = gradient[1:], hessian[1:, 1:]
        problems.append(warning("variance_zero"))
    eigenvalues = np.linalg.eigvalsh(-hessian)
    positive = bool(eigenvalues.min() > 0)
    decrement = float(gradient @ np.linalg.solve(-hessian, gradient) / 2) if positive else float("inf")
    height = top.state.log_likelihood
    gain = None if start.log_likelihood is None else height - start.log_likelihood
    if top.maxima > 1:
        problems.append(warning("several_maxima", maxima=top.maxima))
    if gain is not None and gain > _SHORT:
        problems.append(warning("statsmodels_short", gain=_rounded(gain)))
    good = positive and decrement < _DECREMENT and float(np.abs(gradient).max()) < _GRADIENT
    if gain is not None and gain < -1e-6:  # somebody found a higher point: this is not the maximum
        problems.append(warning("statsmodels_higher", gain=_rounded(gain)))
        good = False
    status: Status = "not_converged"
    if good:
        status = "boundary" if top.boundary else "converged_with_warnings" if problems else "converged"
    else:
        problems.append(warning("not_converged", gradient=_rounded(float(np.abs(gradient).max()))))
    record = Convergence(
        status=status,
        optimizer="grid, then Newton" if start == _Start() else "statsmodels MixedLM nm, then Newton",
        iterations=start.iterations,
        evaluations=start.evaluations,
        polish_iterations=top.steps,
        gradient=_rounded(float(np.abs(gradient).max())),
        decrement=_rounded(decrement) if np.isfinite(decrement) else None,
        eigenvalues=tuple(float(v) for v in eigenvalues),
        boundary=top.boundary,
        maxima=top.maxima,
        statsmodels_log_likelihood=start.log_likelihood,
        gain=None if gain is None else _rounded(gain),
    )
    return record, tuple(problems)
