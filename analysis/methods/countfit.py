"""The model ``negative_binomial`` of the command ``fit``: rates, with the rate ratio beside the difference on the log scale."""

from __future__ import annotations

import numpy as np

from .columns import build_columns
from .counts import fit_counts
from .fitspec import FitSpec
from .longtable import Factor, Long
from .marginal import Answers, Fitted, marginals
from .mixed import independent_columns
from .problems import Problem, Refused, error, warning
from .singlefits import coefficients_of, left_out, one_row_each, unit_free, with_ratio
from .smallsample import Precision


def fit_negative_binomial(data: Long, spec: FitSpec) -> Fitted:
    """Fit counts. Raises Refused for an outcome that is none, or an exposure of nothing."""
    one_row_each(data, spec)
    strange = data.y[(data.y < 0) | (data.y != np.round(data.y))]
    if strange.size:
        raise Refused([error("fit_not_counts", outcome=spec.outcome, got=float(strange[0]))])
    exposure = data.others[spec.exposure] if spec.exposure else np.ones(len(data.y))
    if isinstance(exposure, Factor) or float(exposure.min()) <= 0:
        got = 0.0 if isinstance(exposure, Factor) else float(exposure.min())
        raise Refused([error("fit_exposure", column=str(spec.exposure), got=got)])
    if len(spec.random) > 1:
        raise Refused([error("fit_levels", levels=len(spec.random))])
    teams = data.others[spec.random[0]] if spec.random else None
    columns = build_columns(data, spec, by_row=True)
    X, scale = unit_free(columns)
    kept, null = independent_columns(X)
    if len(data.y) <= len(kept) + 1:
        raise Refused([error("too_few_rows", rows=len(data.y), parameters=len(kept))])
    found = fit_counts(data.y, X[:, kept], np.log(exposure), teams.codes if isinstance(teams, Factor) else None)
    if not found.converged:
        raise Refused([error("fit_not_converged", tried=("negative binomial",))])
    problems: list[Problem] = [*data.problems, *left_out(columns, kept)]
    if found.theta is None:
        problems.append(warning("fit_poisson"))
    if found.team_variance == 0:
        problems.append(warning("unit_variance_zero"))
    precision = Precision(found.covariance, lambda _combination: float("inf"))
    answers = Answers(
        columns.names, kept, scale[:, None] * null, np.diag(scale[kept]), 0.0, found.beta, precision, spec.confidence
    )
    _means, differences = marginals(data, columns, answers) if data.arm is not None else ((), ())
    variances = {spec.random[0]: found.team_variance} if spec.random else {}
    return Fitted(
        model=spec.model,
        method="poisson" if found.theta is None else "laplace" if found.team_variance else "maximum likelihood",
        df_method=None,
        rows=len(data.y),
        counts=data.counts,
        log_likelihood=found.log_likelihood,
        coefficients=coefficients_of(answers),
        means=(),
        differences=tuple(
            type(one)(None, one.arm, one.value, one.against, with_ratio(one.value)) for one in differences
        ),
        joint=None,
        problems=tuple(problems),
        details={"theta": found.theta, "variances": variances},
    )
