"""Refits of random intercepts to nearly the same data (another lot, a sample of people), each from the variances of the first fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import nested
from .blocks import ENOUGH
from .fitspec import FitSpec
from .likelihood import Array
from .longtable import Factor, Long
from .nestedfit import fit_nested, refit


@dataclass(frozen=True)
class Begun:
    """The first fit: y (N,) in units of `scale`, the codes (N,) of subjects and of their units, and the variances (3,) where it ended."""

    y: Array
    scale: float
    subjects: npt.NDArray[Any]
    units: npt.NDArray[Any]
    theta: Array
    reml: bool

    def again(
        self, y: Array, X: Array, subjects: npt.NDArray[Any], units: npt.NDArray[Any]
    ) -> nested.NestedState | None:
        """The maximum of other data of the kind; None where the search ends nowhere."""
        try:
            return refit(nested.build(y, X, subjects, units, self.reml), self.theta, ENOUGH)
        except np.linalg.LinAlgError:
            return None


def has_intercepts(data: Long, spec: FitSpec) -> bool:
    """Whether the model has random intercepts of the subject, or of subject and unit, and nothing beside them."""
    return data.arm is not None and 0 < len(_levels(data, spec)) < 3 and not spec.slope and not spec.nested_in_arm


def begin(data: Long, spec: FitSpec, X: Array, names: Sequence[str]) -> Begun:
    """The fit of X (N, p) to everybody. Refused where `fit_nested` refuses."""
    levels, reml = _levels(data, spec), spec.method == "reml"
    units = levels[0].codes if len(levels) > 1 else np.zeros(len(data.y), dtype=np.intp)
    scale = float(data.y.std())
    y = (data.y - data.y.mean()) / scale
    fit, _solution = fit_nested(y, X, names, levels[-1].codes, units, "reml" if reml else "ml")
    theta = np.array([fit.variance_unit or 0.0, fit.variance_subject, fit.variance_residual])
    return Begun(y, scale, levels[-1].codes, units, theta, reml)


def _levels(data: Long, spec: FitSpec) -> list[Factor]:
    return [level for name in spec.random if isinstance(level := data.others[name], Factor)]
