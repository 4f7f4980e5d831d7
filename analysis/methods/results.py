"""What an analysis gives: frozen records without behavior. None is "not estimable", and then `reason` says why; it is never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .problems import Problem

Status = Literal["converged", "converged_with_warnings", "boundary", "not_converged"]
DfMethod = Literal["satterthwaite", "residual"]


@dataclass(frozen=True)
class Estimate:
    """A linear combination of fixed effects: estimate and SE in units of the outcome, t test on `df` degrees of freedom."""

    name: str
    estimate: float | None
    se: float | None
    df: float | None
    statistic: float | None
    p: float | None
    low: float | None
    high: float | None
    reason: str | None = None


def absent(name: str, reason: str) -> Estimate:
    """An estimate that there is not, with the code of the reason."""
    return Estimate(name, None, None, None, None, None, None, None, reason=reason)


@dataclass(frozen=True)
class VisitEstimate:
    """An estimate at a visit, of an arm or (arm None) of the difference experimental minus reference.

    With more than two groups a difference names the group that is compared with the reference. The interval of the standardized
    effect takes the standard deviation as known.
    """

    visit: str
    arm: str | None
    value: Estimate
    standardized: float | None = None
    standardized_low: float | None = None
    standardized_high: float | None = None


@dataclass(frozen=True)
class JointTest:
    """Several combinations at once: F on `df` (numerator) and `df_residual` degrees of freedom; None with its reason."""

    name: str
    statistic: float | None
    df: int | None
    df_residual: float | None
    p: float | None
    reason: str | None = None


@dataclass(frozen=True)
class LevelDifference:
    """The difference of `arm` from `against` at a visit among the people of one level of a subgroup."""

    level: str
    visit: str | None
    arm: str
    against: str
    value: Estimate


@dataclass(frozen=True)
class Moderation:
    """What a subgroup does to the differences between the arms: each level's, and by visit the test that all levels have the same one."""

    column: str
    levels: tuple[str, ...]
    differences: tuple[LevelDifference, ...]
    interactions: tuple[tuple[str | None, JointTest], ...]


@dataclass(frozen=True)
class Convergence:
    """How the fit was reached, and how sure it is.

    `gradient` is the largest absolute score in the logarithms of the variances; `decrement` half the squared Newton decrement
    (the log-likelihood still to be gained; None: no maximum here); `eigenvalues` of the observed information in the same
    logarithms, all positive at a maximum; `gain` the log-likelihood that polishing added to statsmodels' optimum (None:
    statsmodels gave none). `maxima` counts local maxima on a grid of the intraclass correlation; `boundary`: the variance
    between subjects is exactly 0.
    """

    status: Status
    optimizer: str
    iterations: int | None
    evaluations: int | None
    polish_iterations: int
    gradient: float
    decrement: float | None
    eigenvalues: tuple[float, ...]
    boundary: bool
    maxima: int
    statsmodels_log_likelihood: float | None
    gain: float | None


@dataclass(frozen=True)
class Fit:
    """A fitted random-intercept model. `covariance` is that of the estimable coefficients, in the order of `covariance_of`.

    `variance_unit`: between the `units` that subjects belong to (teams); None where the model has none.
    """

    method: Literal["reml", "ml"]
    rows: int
    subjects: int
    log_likelihood: float
    df_method: DfMethod
    coefficients: tuple[Estimate, ...]
    covariance_of: tuple[str, ...]
    covariance: tuple[tuple[float, ...], ...]
    variance_subject: float
    variance_residual: float
    convergence: Convergence
    warnings: tuple[Problem, ...] = ()
    variance_unit: float | None = None
    units: int | None = None


@dataclass(frozen=True)
class Summary:
    """A column of numbers: count, mean, standard deviation (n - 1), range, and how many subjects have no value."""

    n: int
    missing: int
    mean: float | None
    sd: float | None
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True)
class VisitSummary:
    """Descriptives of the outcome at a visit, of an arm or (arm None) of all arms together. `visit` "baseline" is the covariate."""

    visit: str
    arm: str | None
    summary: Summary


@dataclass(frozen=True)
class Counts:
    """How many subjects are in the data, have any outcome, and are analyzed; and the analyzed rows."""

    subjects: int
    with_outcome: int
    analyzed: int
    rows: int


@dataclass(frozen=True)
class StandardDeviation:
    """The standard deviation that standardizes: which one, its value and how many subjects it rests on."""

    of: Literal["baseline_within_arms", "baseline"]
    value: float | None
    n: int


@dataclass(frozen=True)
class Analysis:
    """Everything that one analysis gives, complete enough to be rendered without the data.

    `fit` is None for pooled descriptives, and where the model was refused: then `problems` has the errors.
    """

    kind: Literal["pooled", "model"]
    spec: Mapping[str, Any]
    counts: Counts
    descriptives: tuple[VisitSummary, ...]
    fit: Fit | None
    means: tuple[VisitEstimate, ...]
    differences: tuple[VisitEstimate, ...]
    standard_deviation: StandardDeviation | None
    problems: tuple[Problem, ...]
    hashes: Mapping[str, str]
    joint: JointTest | None = None
