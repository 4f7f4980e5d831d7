"""One door to all models of the command ``fit``: a table of text cells and a specification in, a fitted model out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from .countfit import fit_negative_binomial
from .fitspec import FitSpec
from .longtable import Long, read_long
from .marginal import Fitted, Marginal
from .mixedfit import fit_mixed
from .problems import Refused, error
from .repeated import find, fit_repeated
from .singlefits import fit_ancova, fit_binary, fit_cace, fit_ranks

__all__ = ["Fitted", "fit_degrees", "fit_model"]

FITS: dict[str, Callable[[Long, FitSpec], Fitted]] = {
    "mmrm": fit_repeated,
    "clda": fit_repeated,
    "lmm": fit_mixed,
    "ancova": fit_ancova,
    "mann_whitney": fit_ranks,
    "logistic": fit_binary,
    "cace": fit_cace,
    "negative_binomial": fit_negative_binomial,
}
_LARGEST = 1e150
_STANDARDIZED = ("mmrm", "clda", "lmm", "ancova", "cace")


def fit_model(table: pd.DataFrame, spec: FitSpec) -> Fitted:
    """Fit the model of `spec` to `table`. Raises Refused with what is wrong."""
    data = _read(table, spec)
    return _standardized(FITS[spec.model](data, spec), data)


def fit_degrees(table: pd.DataFrame, spec: FitSpec, degrees: Sequence[str]) -> tuple[Fitted, ...]:
    """The same as `fit_model` with each of these methods for degrees of freedom in place of `spec.df`: read once, and mmrm and clda found once."""
    data = _read(table, spec)
    specs = [replace(spec, df=df) for df in degrees]
    if spec.model not in ("mmrm", "clda"):
        return tuple(_standardized(FITS[spec.model](data, one), data) for one in specs)
    found = find(data, spec)
    return tuple(_standardized(fit_repeated(data, one, found), data) for one in specs)


def _read(table: pd.DataFrame, spec: FitSpec) -> Long:
    if spec.model not in FITS:
        raise Refused([error("fit_word", key="model", got=spec.model, allowed=tuple(FITS))])
    data = read_long(table, spec)
    if float(np.abs(data.y).max()) > _LARGEST:
        raise Refused([error("fit_too_large", column=spec.outcome)])
    return data


def _standardized(fitted: Fitted, data: Long) -> Fitted:
    """Differences beside the standard deviation of the baseline, for models on the scale of the outcome."""
    if data.spread is None or fitted.model not in _STANDARDIZED:
        return fitted
    named = {
        "of": "baseline, all randomized, pooled within arms",
        "value": data.spread.value,
        "n": data.spread.subjects,
    }
    differences = tuple(_with(one, data.spread.value) for one in fitted.differences)
    return replace(fitted, differences=differences, details={**fitted.details, "standard_deviation": named})


def _with(one: Marginal, sd: float) -> Marginal:
    value = one.value.estimate
    return replace(one, more={**one.more, "standardized": None if value is None else value / sd})
